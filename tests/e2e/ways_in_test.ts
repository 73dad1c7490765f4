/** Programs that come in by SOCKS, over TLS, and through HAProxy. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Browser, HERE_ALONE, needBrowser, throughProxy } from "./browser.ts";
import { Origin } from "./origin.ts";
import { denoEnvironment, freePort, PATH, run, succeed, until } from "./programs.ts";
import { type LogLine, Weir } from "./weir.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const READING = { command: [Deno.execPath(), "run", "--allow-net", "--allow-read", "--no-prompt", MAIN] };
const HELLO = "Hello from the origin.\n";

/** Opens the page with its pictures and its WebSocket, and waits until it has reported. */
async function loads(origin: Origin, proxy: string[], site: string): Promise<void> {
  await Deno.copyFile(new URL("./page.html", import.meta.url), `${origin.files}/page.html`);
  await Deno.writeFile(`${origin.files}/picture.gif`, new Uint8Array(43));
  const seen = origin.services.reports.length;
  await using _browser = new Browser(proxy, `${site}/page.html`);
  const report = await until("the page's report", () => origin.services.reports[seen]);
  assertEquals(JSON.parse(report).echo, true);
}

/** A proxy for which every host is the origin at this port of 127.0.0.1, be it asked for a tunnel or for a page. */
function leadEverywhereTo(port: number): Deno.TcpListener {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const lead = async (client: Deno.TcpConn) => {
    const origin = await Deno.connect({ hostname: "127.0.0.1", port });
    const buffer = new Uint8Array(65536);
    let head = "";
    while (!head.includes("\r\n\r\n")) {
      const count = await client.read(buffer);
      if (count === null) return client.close(), origin.close();
      head += new TextDecoder().decode(buffer.subarray(0, count));
    }
    const [answering, asking, said] = head.startsWith("CONNECT ")
      ? [client, origin, "HTTP/1.1 200 OK\r\n\r\n"]
      : [origin, client, head];
    await answering.write(new TextEncoder().encode(said));
    await Promise.allSettled([
      asking.readable.pipeTo(answering.writable),
      answering.readable.pipeTo(asking.writable),
    ]);
  };
  (async () => {
    // a browser that goes away cuts what is under way
    for await (const client of listener) lead(client).catch(() => {});
  })();
  return listener;
}

Deno.test("SOCKS: curl, nc, ssh and Chromium", async (test) => {
  await using origin = await Origin.start();
  await using weir = await Weir.start();
  const proxy = `127.0.0.1:${weir.port}`;
  const curl = (...args: string[]) => succeed("curl", ["-q", "-sS", ...args]);

  for (const mode of ["socks5", "socks5-hostname", "socks4", "socks4a"]) {
    await test.step(`curl --${mode}`, async () => {
      const name = mode === "socks4a" || mode === "socks5-hostname" ? "a.localhost" : "127.0.0.1";
      assertEquals(await curl(`--${mode}`, proxy, `http://${name}:${origin.port}/hello.txt`), HELLO);
      const { authority } = origin.certificates;
      assertEquals(await curl(`--${mode}`, proxy, "--cacert", authority, `${origin.https}/hello.txt`), HELLO);
      const protocol = mode === "socks5-hostname" ? "socks5" : mode;
      const [line] = await weir.logged(mode, (line) => line.protocol === protocol && line.host === name);
      assertEquals([line.kind, line.method, line.status], ["tunnel", "CONNECT", 200]);
    });
  }

  await test.step("curl tells what the reply says", async () => {
    const closed = freePort();
    const { code, stderr } = await run("curl", [
      ...["-q", "-sS", "--socks5", proxy, `http://127.0.0.1:${closed}/`],
    ]);
    assertEquals(code, 97);
    assertStringIncludes(stderr, "(5)");
  });

  await test.step("a hundred megabytes arrive unchanged, both ways", async () => {
    const file = await origin.randomFile("hundred", 100_000_000);
    const [digest] = (await succeed("sha256sum", [file])).split(" ");
    await curl("--socks5", proxy, "-o", `${origin.folder}/fetched`, `${origin.http}/hundred`);
    await succeed("cmp", [`${origin.folder}/fetched`, file]);
    assertEquals(
      await curl("--socks5", proxy, "--data-binary", `@${file}`, `${origin.http}/service/digest`),
      digest,
    );
  });

  await test.step("nc, with versions 5 and 4", async () => {
    for (const version of ["5", "4"]) {
      const nc = `nc -X ${version} -x ${proxy} 127.0.0.1 ${origin.port}`;
      const answer = await succeed("sh", ["-c", `printf 'GET /hello.txt HTTP/1.0\\r\\n\\r\\n' | ${nc}`]);
      assertStringIncludes(answer, HELLO);
    }
  });

  await test.step("ssh, whose ProxyCommand is nc", async () => {
    using server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const greeted = (async () => {
      using connection = await server.accept();
      // a packet of no possible length ends the conversation
      await connection.write(new TextEncoder().encode("SSH-2.0-Origin\r\n~~~~~~~~~~~~~~~~"));
      const buffer = new Uint8Array(256);
      const count = await connection.read(buffer);
      return new TextDecoder().decode(buffer.subarray(0, count ?? 0));
    })();
    const { stderr } = await run("ssh", [
      ...["-v", "-F", "none", "-o", `ProxyCommand=nc -X 5 -x ${proxy} %h %p`],
      ...["-p", `${server.addr.port}`, "somebody@ssh.localhost"],
    ]);
    assertStringIncludes(stderr, "remote software version Origin");
    assertStringIncludes(await greeted, "SSH-2.0-OpenSSH");
    await weir.logged("ssh", (line) => line.host === "ssh.localhost" && line.status === 200);
  });

  await test.step("Chromium", async () => {
    await needBrowser();
    // one of its own, which logs nothing but what the browser does
    await using browsed = await Weir.start(HERE_ALONE);
    for (const scheme of ["http", "https"] as const) {
      await loads(origin, throughProxy(`socks5://127.0.0.1:${browsed.port}`), origin[scheme]);
    }
    // a tunnel is logged when it ends
    for (const port of [origin.port, origin.tlsPort]) {
      await browsed.logged("Chromium's tunnels", (line) => line.port === port);
    }
    // one that has its page may leave another connection before it has said what it wants
    const asked = browsed.log.filter(({ kind }) => kind !== "own");
    assert(asked.every(({ protocol }) => protocol === "socks5"), JSON.stringify(asked));
    browsed.assertHealthy();
  });
  weir.assertHealthy();
});

Deno.test("SOCKS: curl says who it is", async () => {
  await using origin = await Origin.start();
  const users = `${origin.folder}/users`;
  const passwd = [
    ...READING.command.slice(0, 4),
    "--allow-write",
    "--no-prompt",
    MAIN,
    "passwd",
    users,
    "alice",
  ];
  await succeed("sh", ["-c", `echo 'open sesame' | ${passwd.join(" ")}`], { env: denoEnvironment() });
  await using weir = await Weir.start(["--users", users], READING);
  const ask = (...args: string[]) =>
    run("curl", ["-q", "-sS", ...args, `http://a.localhost:${origin.port}/hello.txt`]);
  const proxy = `127.0.0.1:${weir.port}`;
  assertEquals((await ask("--socks5-hostname", proxy, "-U", "alice:open sesame")).stdout, HELLO);
  assertEquals((await ask("-x", `socks5h://alice:open%20sesame@${proxy}`)).stdout, HELLO);
  assertEquals((await ask("-x", `http://alice:open%20sesame@${proxy}`)).stdout, HELLO);
  assertEquals((await ask("--socks5-hostname", proxy, "-U", "alice:open barley")).code, 97);
  assertEquals((await ask("--socks5-hostname", proxy)).code, 97);
  assertEquals((await ask("--socks4a", proxy)).code, 97);
  const lines = await weir.logged("refusals", (line) => line.rule === "users", 3);
  assertEquals(lines.map(({ status }) => status), [407, 407, 407]);
  weir.assertHealthy();
});

Deno.test("TLS: curl and Chromium speak it to the proxy itself", async (test) => {
  await using origin = await Origin.start();
  const { authority, certificate, key } = origin.certificates;
  const port = freePort();
  using parent = leadEverywhereTo(origin.port);
  await using weir = await Weir.start(
    [
      ...["--listen-tls", `127.0.0.1:${port}`, "--tls-cert", certificate, "--tls-key", key],
      ...["--upstream", `http://127.0.0.1:${parent.addr.port}`, ...HERE_ALONE, "--allow", "site.test"],
    ],
    READING,
  );
  const proxy = ["-x", `https://localhost:${port}`, "--proxy-cacert", authority];
  const curl = (...args: string[]) => succeed("curl", ["-q", "-sS", ...proxy, ...args]);

  await test.step("curl -x https://", async () => {
    const hello = `${origin.http}/hello.txt`;
    assertEquals(await curl("-w", "%{num_connects} ", hello, hello), `${HELLO}1 ${HELLO}0 `);
    assertEquals(await curl("--cacert", authority, `${origin.https}/hello.txt`), HELLO);
    const file = await origin.randomFile("ten", 10_000_000);
    await curl("-o", `${origin.folder}/fetched`, `${origin.http}/ten`);
    await succeed("cmp", [`${origin.folder}/fetched`, file]);
    const { code } = await run("curl", ["-q", "-sS", "-x", `https://localhost:${port}`, hello]);
    assertEquals(code, 60, "The proxy's certificate has to be judged.");
  });

  await test.step("Chromium, by a PAC file with HTTPS", async () => {
    const pac = `function FindProxyForURL() { return "HTTPS localhost:${port}"; }`;
    const url = `data:application/x-ns-proxy-autoconfig;base64,${btoa(pac)}`;
    await needBrowser();
    // a name that Chromium does not take for this machine's: with a PAC file it goes to those without a proxy
    const site = `http://site.test:${origin.port}`;
    await loads(origin, [`--proxy-pac-url=${url}`], site);
    const [page] = await weir.logged("Chromium's page", ({ target }) => target === `${site}/page.html`);
    assertEquals([page.listener, page.status], [`127.0.0.1:${port}`, 200]);
    const isEcho = (line: LogLine) => line.kind === "tunnel" && line.target === `site.test:${origin.port}`;
    await weir.logged("Chromium's WebSocket", isEcho);
  });
  weir.assertHealthy();
});

Deno.test("HAProxy in front tells who the client is, by both versions of its protocol", async () => {
  await using origin = await Origin.start();
  const port = freePort();
  await using weir = await Weir.start([
    ...["--listen", `127.0.0.1:${port}`, "--trust-proxy", "127.0.0.1"],
    ...["--clients", "loopback", "--private-networks", "allow"],
  ]);
  for (const [word, client] of [["send-proxy", "127.0.0.2"], ["send-proxy-v2", "127.0.0.3"]]) {
    const front = freePort();
    const configuration = `${origin.folder}/${word}.cfg`;
    await Deno.writeTextFile(
      configuration,
      `defaults
  mode tcp
  timeout connect 1m
  timeout client 1m
  timeout server 1m
listen front
  bind 127.0.0.1:${front}
  server weir 127.0.0.1:${port} ${word} check inter 200ms
`,
    );
    const haproxy = new Deno.Command("haproxy", {
      args: ["-db", "-f", configuration],
      env: { PATH },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    try {
      const ask = (...args: string[]) =>
        run("curl", ["-q", "-sS", "--interface", client, ...args, `${origin.http}/hello.txt`]);
      await until("HAProxy", async () => (await ask("-x", `http://127.0.0.1:${front}`)).stdout === HELLO);
      assertEquals((await ask("--socks5", `127.0.0.1:${front}`)).stdout, HELLO);
      const lines = await weir.logged(client, (line) => line.client === client, 2);
      assertEquals(lines.every(({ through }) => through === "127.0.0.1"), true);
      // not the way in of one who is not trusted to be there by itself
      const { code } = await run("curl", ["-q", "-sS", "-x", weir.url, `${origin.http}/`]);
      assert(code === 52 || code === 56, `an end without an answer, or a reset, and not ${code}`);
    } finally {
      haproxy.kill("SIGTERM");
      await haproxy.status;
    }
  }
  weir.assertHealthy();
});
