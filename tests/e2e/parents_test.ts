/** Parents that nobody here wrote, weir as the parent of one, and parents that go away under load. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Origin } from "./origin.ts";
import { connect, readUntil, send } from "./clients.ts";
import { accepts, freePort, PATH, run, succeed, until } from "./programs.ts";
import { Weir } from "./weir.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const HELLO = "Hello from the origin.\n";

/** A program that serves until the end of the test. */
class Server implements AsyncDisposable {
  private constructor(readonly port: number, readonly child: Deno.ChildProcess) {}

  static async start(port: number, program: string, args: string[]): Promise<Server> {
    const command = new Deno.Command(program, {
      args,
      stdin: "null",
      stdout: "null",
      stderr: "null",
      clearEnv: true,
      env: { PATH },
    });
    const child = command.spawn();
    let ended = false;
    child.status.then(() => ended = true);
    await until(`${program} to listen`, () => {
      if (ended) throw new Error(`${program} ended at its start.`);
      return accepts(port);
    });
    return new Server(port, child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.child.kill("SIGKILL");
    } catch { /* It has ended already. */ }
    await this.child.status;
  }
}

/** Squid with further lines of configuration. */
async function squid(folder: string, ...lines: string[]): Promise<Server> {
  const port = freePort();
  const file = `${folder}/squid-${port}.conf`;
  await Deno.writeTextFile(
    file,
    [
      `http_port 127.0.0.1:${port}`,
      "visible_hostname squid.test",
      "pid_filename none",
      "cache_log /dev/null",
      "access_log none",
      "shutdown_lifetime 0 seconds",
      "cache deny all",
      ...lines,
      "",
    ].join("\n"),
  );
  await Deno.chmod(folder, 0o755);
  return await Server.start(port, "squid", ["-N", "-f", file]);
}

/** Plain requests, uploads, a tunnel, an upgrade, and a program that is not curl, all through `proxy`. */
async function serves(test: Deno.TestContext, proxy: Weir, origin: Origin, upgrades = true): Promise<void> {
  const curl = (...args: string[]) => succeed("curl", ["-q", "-sS", "-x", proxy.url, "-m", "120", ...args]);
  const file = await origin.randomFile("upload.bin", 1 << 20);
  const bytes = await Deno.readFile(file);
  const digest = [...new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))]
    .map((byte) => byte.toString(16).padStart(2, "0")).join("");

  await test.step("curl: plain, twice on one connection", async () => {
    assertEquals(await curl(`${origin.http}/hello.txt`, `${origin.http}/hello.txt`), HELLO + HELLO);
  });
  await test.step("curl: an upload, and a body without a length", async () => {
    assertEquals(await curl("--data-binary", `@${file}`, `${origin.http}/service/digest`), digest);
    assertStringIncludes(await curl(`${origin.http}/service/chunks`), "\n99\n");
  });
  await test.step("curl: https", async () => {
    const { folder, certificates } = origin;
    assert(folder !== "");
    assertEquals(await curl("--cacert", certificates.authority, `${origin.https}/hello.txt`), HELLO);
  });
  await test.step("another program: fetch of Deno", async () => {
    const client = Deno.createHttpClient({ proxy: { url: proxy.url } });
    try {
      assertEquals(await (await fetch(`${origin.http}/hello.txt`, { client })).text(), HELLO);
    } finally {
      client.close();
    }
  });
  if (!upgrades) return;
  await test.step("an upgrade", async () => {
    // by hand: curl would wait for the end of a conversation that has none
    using client = await connect(proxy.port);
    await send(
      client,
      `GET ${origin.http}/service/echo HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    assertStringIncludes(await readUntil(client, "\r\n\r\n"), "101 Switching Protocols");
  });
}

function start(...args: string[]): Promise<Weir> {
  return Weir.start(["--no-upstream", "none", ...args]);
}

Deno.test("Squid as the parent, with a password", async (test) => {
  await using origin = await Origin.start();
  const { folder } = origin;
  const hash = (await succeed("openssl", ["passwd", "-apr1", "s3cret word"])).trim();
  await Deno.writeTextFile(`${folder}/squid-users`, `ci:${hash}\n`);
  await using parent = await squid(
    folder,
    `auth_param basic program /usr/lib/squid/basic_ncsa_auth ${folder}/squid-users`,
    "acl known proxy_auth REQUIRED",
    "acl forbidden dstdomain forbidden.test",
    "http_access deny forbidden",
    "http_access allow known",
    "http_access deny all",
  );
  await using weir = await start("--upstream", `http://ci:s3cret%20word@127.0.0.1:${parent.port}`);
  await serves(test, weir, origin);

  await test.step("it was through Squid, over fewer connections than requests, and without a word of the password", async () => {
    const lines = await weir.logged("requests", ({ parent }) => parent !== undefined, 6);
    assertEquals(new Set(lines.map((line) => line.parent)), new Set([`http://127.0.0.1:${parent.port}`]));
    assert(lines.some(({ reused }) => reused === true));
    assert(origin.log.some((line) => line.includes("squid.test")), origin.log.join("\n"));
    const all = JSON.stringify(weir.log) + weir.stderr;
    assert(!all.includes("s3cret") && !all.includes(btoa("ci:s3cret word")));
  });

  await test.step("what Squid refuses is told as Squid's", async () => {
    const { stderr } = await run("curl", ["-q", "-sS", "-x", weir.url, "https://forbidden.test/"]);
    assertStringIncludes(stderr, "403");
    const [line] = await weir.logged("the refusal", ({ status }) => status === 403);
    assertStringIncludes(String(line.details), "refuses forbidden.test:443: 403");
  });

  await test.step("a wrong password is weir's trouble, and no challenge for the client", async () => {
    await using wrong = await start("--upstream", `http://ci:wrong@127.0.0.1:${parent.port}`);
    const { stdout } = await run("curl", ["-q", "-sS", "-i", "-x", wrong.url, `${origin.http}/hello.txt`]);
    assertStringIncludes(stdout, "502 Bad Gateway: the parent proxy");
    assert(!/proxy-authenticate/i.test(stdout), stdout);
  });
});

Deno.test("tinyproxy as the parent", async (test) => {
  await using origin = await Origin.start();
  const port = freePort();
  const file = `${origin.folder}/tinyproxy.conf`;
  await Deno.writeTextFile(file, `Port ${port}\nListen 127.0.0.1\nTimeout 120\nMaxClients 50\n`);
  await using _parent = await Server.start(port, "tinyproxy", ["-d", "-c", file]);
  await using weir = await start("--upstream", `http://127.0.0.1:${port}`);
  await serves(test, weir, origin);
});

Deno.test("microsocks as the parent, with a password", async (test) => {
  await using origin = await Origin.start();
  const port = freePort();
  const args = ["-i", "127.0.0.1", "-p", `${port}`, "-u", "ci", "-P", "s3cret"];
  await using _parent = await Server.start(port, "microsocks", args);
  await using weir = await start("--upstream", `socks5://ci:s3cret@127.0.0.1:${port}`);
  await serves(test, weir, origin);
  await test.step("names are looked up there, and what fails there is told", async () => {
    const named = `http://localhost:${origin.port}/hello.txt`;
    assertEquals(await succeed("curl", ["-q", "-sS", "-x", weir.url, named]), HELLO);
    const { stdout } = await run("curl", ["-q", "-sS", "-x", weir.url, `http://127.0.0.1:${freePort()}/`]);
    assertStringIncludes(stdout, `the parent proxy socks5://127.0.0.1:${port} has no tunnel`);
  });
});

Deno.test("Dante as the parent", async (test) => {
  await using origin = await Origin.start();
  const port = freePort();
  const file = `${origin.folder}/danted.conf`;
  await Deno.writeTextFile(
    file,
    [
      "logoutput: /dev/null",
      `internal: 127.0.0.1 port = ${port}`,
      "external: lo",
      "socksmethod: none",
      "clientmethod: none",
      "user.privileged: root",
      "user.unprivileged: nobody",
      "client pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }",
      "socks pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }",
      "",
    ].join("\n"),
  );
  await using _parent = await Server.start(port, "danted", ["-f", file]);
  await using weir = await start("--upstream", `socks5://127.0.0.1:${port}`);
  await serves(test, weir, origin);
});

Deno.test("weir as the parent of Squid", async (test) => {
  await using origin = await Origin.start();
  await using weir = await Weir.start();
  await using child = await squid(
    origin.folder,
    `cache_peer 127.0.0.1 parent ${weir.port} 0 no-query no-digest default`,
    "never_direct allow all",
    "http_access allow all",
  );
  const curl = (...args: string[]) =>
    succeed("curl", ["-q", "-sS", "-x", `http://127.0.0.1:${child.port}`, ...args]);
  await test.step("plain, and https", async () => {
    assertEquals(await curl(`${origin.http}/hello.txt`), HELLO);
    assertEquals(await curl("--cacert", origin.certificates.authority, `${origin.https}/hello.txt`), HELLO);
  });
  await test.step("weir has seen both", async () => {
    await weir.logged("a request of Squid's", ({ kind }) => kind === "forward");
    await weir.logged("a tunnel of Squid's", ({ kind }) => kind === "tunnel");
  });
});

Deno.test("a parent that is spoken to over TLS: weir's own listener", async (test) => {
  await using origin = await Origin.start();
  const { certificates } = origin;
  const port = freePort();
  const files = ["--tls-cert", certificates.certificate, "--tls-key", certificates.key];
  const command = [Deno.execPath(), "run", "--allow-net", "--allow-read", "--no-prompt", MAIN];
  await using _parent = await Weir.start(["--listen-tls", `127.0.0.1:${port}`, ...files], { command });
  const args = ["--no-upstream", "none", "--upstream", `https://localhost:${port}`];
  await using weir = await Weir.start([...args, "--origin-ca", certificates.authority], { command });
  await serves(test, weir, origin);
  await test.step("https:// in absolute form: TLS within TLS", async () => {
    using client = await Deno.connect({ hostname: "127.0.0.1", port: weir.port });
    const target = `https://localhost:${origin.tlsPort}/hello.txt`;
    const request = `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
    await client.write(new TextEncoder().encode(request));
    assertStringIncludes(await new Response(client.readable).text(), HELLO);
  });
  await test.step("a parent with a certificate that nobody vouches for is none", async () => {
    await using wary = await Weir.start(args);
    const { stdout } = await run("curl", ["-q", "-sS", "-x", wary.url, `${origin.http}/hello.txt`]);
    assertStringIncludes(stdout, `the parent proxy https://localhost:${port} cannot be reached`);
  });
});

Deno.test("weir as the parent of weir, over SOCKS too, is no loop; one that leads back is", async (test) => {
  await using origin = await Origin.start();
  await using parent = await Weir.start();
  await using weir = await start("--upstream", parent.url);
  await serves(test, weir, origin);
  await using socks = await start("--upstream", `socks5://127.0.0.1:${parent.port}`);
  await test.step("over SOCKS", async () => {
    assertEquals(await succeed("curl", ["-q", "-sS", "-x", socks.url, `${origin.http}/hello.txt`]), HELLO);
  });

  await test.step("two that are each other's parents", async () => {
    const ports = [freePort(), freePort()];
    await using one = await Weir.start(
      ["--no-upstream", "none", "--upstream", `http://127.0.0.1:${ports[1]}`],
      { listen: `127.0.0.1:${ports[0]}` },
    );
    await using _other = await Weir.start(
      ["--no-upstream", "none", "--upstream", `http://127.0.0.1:${ports[0]}`],
      { listen: `127.0.0.1:${ports[1]}` },
    );
    for (const url of [`${origin.http}/hello.txt`, `${origin.https}/hello.txt`]) {
      const { stdout, stderr } = await run("curl", ["-q", "-sS", "-x", one.url, "-m", "120", url]);
      assertStringIncludes(stdout + stderr, "502");
      assert(one.log.length < 10);
    }
  });
});

Deno.test("of two parents one is killed under load, and comes back", async () => {
  await using origin = await Origin.start();
  const port = freePort();
  const listen = `127.0.0.1:${port}`;
  let first = await Weir.start([], { listen });
  try {
    await using second = await Weir.start();
    await using weir = await start("--upstream", `http://${listen}`, "--upstream", second.url);
    const client = Deno.createHttpClient({ proxy: { url: weir.url } });
    const clients = 8;
    let asked = 0;
    const failed: string[] = [];
    let stop = false;
    const load = Array.from({ length: clients }, async () => {
      while (!stop) {
        asked++;
        const text = await fetch(`${origin.http}/hello.txt?${asked}`, { client })
          .then((response) => response.text())
          .catch(String);
        if (text !== HELLO) failed.push(text);
      }
    });
    try {
      await until("some load", () => asked > 200);
      await first.kill();
      const before = asked;
      await until("more load", () => asked > before + 400);
    } finally {
      stop = true;
      await Promise.all(load);
    }
    // what the dead one had in hand is lost: one request of each client at most
    assert(failed.length <= clients, `${failed.length} of ${asked} failed: ${failed[0]}`);
    await weir.logged("the other", ({ parent, status }) => parent === second.url && status === 200);
    await weir.said(`the parent proxy http://${listen} is out of service`);

    first = await Weir.start([], { listen });
    await until("the first parent to be used again", async () => {
      await (await fetch(`${origin.http}/hello.txt?again`, { client })).text();
      return first.log.length > 0;
    });
    await weir.said(`the parent proxy http://${listen} can be reached again`);
    client.close();
  } finally {
    await first.kill();
  }
});
