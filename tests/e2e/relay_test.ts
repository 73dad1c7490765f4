/** `weir relay` before programs that nobody here wrote, with their own clients. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { connect, readToEnd, send } from "./clients.ts";
import { HAS_IPV6 } from "../net/ipv6.ts";
import { accepts, freePort, PATH, removeFolder, run, succeed, until } from "./programs.ts";
import { Weir } from "./weir.ts";

/** A program in the foreground, killed at the end. */
class Daemon implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  #output = "";
  #ended = false;
  readonly #read: Promise<unknown>;

  constructor(program: string, args: string[], cwd?: string, user?: number) {
    this.#child = new Deno.Command(program, {
      args,
      cwd,
      uid: user,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      clearEnv: true,
      env: { PATH, LC_ALL: "C" },
    }).spawn();
    this.#child.status.then(() => this.#ended = true);
    const collect = async (stream: ReadableStream<Uint8Array>) => {
      for await (const text of stream.pipeThrough(new TextDecoderStream())) this.#output += text;
    };
    this.#read = Promise.all([collect(this.#child.stdout), collect(this.#child.stderr)]);
  }

  get output(): string {
    return this.#output;
  }

  /** Waits until it accepts connections. */
  async listens(port: number): Promise<this> {
    await until(`127.0.0.1:${port} to be listened on`, () => {
      if (this.#ended) throw new Error(`The server of 127.0.0.1:${port} has ended:\n${this.#output}`);
      return accepts(port);
    });
    return this;
  }

  async kill(signal: Deno.Signal = "SIGKILL"): Promise<void> {
    try {
      this.#child.kill(signal);
    } catch { /* It has ended. */ }
    await this.#child.status;
    await this.#read;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

function redis(port: number): Promise<Daemon> {
  const args = ["--bind", "127.0.0.1", "--port", String(port), "--save", "", "--appendonly", "no"];
  return new Daemon("redis-server", args).listens(port);
}

const encoder = new TextEncoder();

/** Redis clients, each on one connection, that ask for the server's port and then ping until they are stopped. */
class Pingers {
  readonly all: { server: string; pings: number; failed: string }[] = [];
  readonly #done: Promise<unknown>;
  #over = false;

  constructor(port: number, count: number) {
    this.#done = Promise.all(Array.from({ length: count }, () => this.#ping(port)));
  }

  /** Waits until each of them has had an answer to a ping, and so a server, or has failed. */
  async atWork(): Promise<void> {
    await until("pings", () => this.all.every(({ pings, failed }) => pings > 0 || failed !== ""));
  }

  async stop(): Promise<this["all"]> {
    this.#over = true;
    await this.#done;
    return this.all;
  }

  async #ping(port: number): Promise<void> {
    const state = { server: "", pings: 0, failed: "" };
    this.all.push(state);
    const buffer = new Uint8Array(4096);
    const decoder = new TextDecoder();
    let connection: Deno.TcpConn | undefined;
    try {
      connection = await connect(port);
      await send(connection, "CONFIG GET port\r\n");
      let answer = "";
      while (!/\r\nport\r\n\$\d+\r\n\d+\r\n/.test(answer)) {
        const count = await connection.read(buffer);
        if (count === null) throw new Error("ended");
        answer += decoder.decode(buffer.subarray(0, count));
      }
      state.server = /port\r\n\$\d+\r\n(\d+)/.exec(answer)![1];
      while (!this.#over) {
        await connection.write(encoder.encode("PING\r\n"));
        const count = await connection.read(buffer);
        if (count === null) throw new Error("ended");
        const pong = decoder.decode(buffer.subarray(0, count));
        if (pong !== "+PONG\r\n") throw new Error(`an answer that is none: ${JSON.stringify(pong)}`);
        state.pings++;
      }
    } catch (error) {
      state.failed = (error as Error).message;
    } finally {
      connection?.close();
    }
  }
}

Deno.test("redis through a relay", async (test) => {
  await succeed("redis-server", ["--version"]);
  const ports = [freePort(), freePort(), freePort()];
  const servers = await Promise.all(ports.map(redis));
  await using stack = new AsyncDisposableStack();
  for (const server of servers) stack.use(server);
  const to = ports.flatMap((port) => ["--to", `127.0.0.1:${port}`]);

  await test.step("redis-cli and redis-benchmark work, pipelines of megabytes too", async () => {
    await using weir = await Weir.start(["relay", "--to", `127.0.0.1:${ports[0]}`]);
    const cli = (...args: string[]) => succeed("redis-cli", ["-p", String(weir.port), ...args]);
    assertEquals(await cli("SET", "key", "value"), "OK\n");
    assertEquals(await cli("GET", "key"), "value\n");
    assertEquals(await cli("EVAL", "return #string.rep('x', 5000000)", "0"), "5000000\n");
    assertEquals((await cli("EVAL", "return string.rep('x', 5000000)", "0")).length, 5_000_001);
    const report = await succeed("redis-benchmark", [
      ...["-p", String(weir.port), "-n", "20000", "-c", "50", "-P", "16", "-d", "1000"],
      ...["-t", "set,get,lpush,lrange_100", "--csv"],
    ]);
    assert(report.split("\n").filter((line) => /^"(SET|GET|LPUSH)/.test(line)).length >= 3, report);
    weir.assertHealthy();
  });

  await test.step("each of four ways to balance reaches all, and source keeps to one", async () => {
    for (const balance of ["round-robin", "least-connections", "random-two", "source"]) {
      await using weir = await Weir.start(["relay", ...to, "--balance", balance]);
      const pingers = new Pingers(weir.port, 30);
      await pingers.atWork();
      const reached = new Set((await pingers.stop()).map(({ server }) => server));
      assertEquals(reached.size, balance === "source" ? 1 : 3, balance);
    }
  });

  await test.step("a target killed under load: no client but its own notices, and it comes back", async () => {
    await using weir = await Weir.start(["relay", ...to]);
    const clients = new Pingers(weir.port, 60);
    await clients.atWork();
    await servers[1].kill();
    // those that come from now on are served by the others
    const late = new Pingers(weir.port, 60);
    await weir.said(`target 127.0.0.1:${ports[1]} is out: it refused`);
    await late.atWork();
    const revived = stack.use(await redis(ports[1]));
    await weir.said(`target 127.0.0.1:${ports[1]} is back`);
    const again = new Pingers(weir.port, 6);
    await again.atWork();

    const first = await clients.stop();
    assert(first.every(({ pings }) => pings > 0));
    for (const { server, failed } of first) {
      if (server === String(ports[1])) assert(failed !== "", "its connections died with it");
      else assertEquals(failed, "", "no other client notices");
    }
    assertEquals(first.filter(({ failed }) => failed !== "").length, 20);
    const second = await late.stop();
    assertEquals(second.filter(({ failed }) => failed !== ""), []);
    assertEquals(second.filter(({ server }) => server === String(ports[1])), []);
    const third = await again.stop();
    assertEquals(third.filter(({ failed }) => failed !== ""), []);
    assert(third.some(({ server }) => server === String(ports[1])), "it is used again");
    weir.assertHealthy();
    await revived.kill();
  });

  await test.step("connections are given back: no descriptor stays open", async () => {
    await using weir = await Weir.start(["relay", "--to", `127.0.0.1:${ports[0]}`, "--check-targets", "0s"]);
    assertMatch(await succeed("redis-cli", ["-p", String(weir.port), "PING"]), /PONG/);
    const before = weir.descriptors;
    await succeed("redis-benchmark", [
      ...["-p", String(weir.port), "-n", "3000", "-c", "20", "-k", "0", "-t", "ping_inline", "-q"],
    ]);
    await weir.logged("connections", () => true, 3000);
    await until("descriptors to be closed", () => weir.descriptors <= before);
    assertEquals(weir.log.filter((line) => line.truncated === true), []);
  });
});

// tried where PostgreSQL's server is installed: it is too large to be fetched for this alone
const binaries = await postgresBinaries();
Deno.test({ name: "psql and pgbench through a relay", ignore: binaries === null }, async () => {
  const folder = await Deno.makeTempDir({ prefix: "weir-postgres-" });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => removeFolder(folder));
  // PostgreSQL does not run as root
  const user = Deno.uid() === 0 ? Number((await succeed("id", ["-u", "postgres"])).trim()) : undefined;
  if (user !== undefined) await Deno.chown(folder, user, null);
  const data = `${folder}/data`;
  const made = await new Deno.Command(`${binaries}/initdb`, {
    args: ["-D", data, "-A", "trust", "-U", "weir", "--no-sync"],
    uid: user,
    cwd: folder,
  }).output();
  assert(made.success, new TextDecoder().decode(made.stderr));
  const port = freePort();
  const args = ["-D", data, "-p", String(port), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"];
  const server = new Daemon(`${binaries}/postgres`, [...args, "-k", folder], folder, user);
  stack.use(server);
  await server.listens(port);
  await using weir = await Weir.start(["relay", "--to", `127.0.0.1:${port}`]);
  const at = ["-h", "127.0.0.1", "-p", String(weir.port), "-U", "weir"];
  await until(
    "PostgreSQL",
    async () => (await run("psql", [...at, "-c", "select 1", "postgres"])).code === 0,
  );
  assertEquals(
    await succeed("psql", [
      ...at,
      "-At",
      "-c",
      "select count(*) from generate_series(1, 200000)",
      "postgres",
    ]),
    "200000\n",
  );
  const rows = await succeed("psql", [
    ...at,
    "-At",
    "-c",
    "select repeat('x', 100) from generate_series(1, 50000)",
    "postgres",
  ]);
  assertEquals(rows.length, 50_000 * 101);
  await succeed(`${binaries}/pgbench`, [...at, "-i", "-q", "-s", "1", "postgres"]);
  const kept = await succeed(`${binaries}/pgbench`, [...at, "-c", "8", "-t", "50", "postgres"]);
  assertMatch(kept, /number of transactions actually processed: 400\/400/);
  const fresh = await succeed(`${binaries}/pgbench`, [...at, "-C", "-S", "-c", "4", "-t", "25", "postgres"]);
  assertMatch(fresh, /number of transactions actually processed: 100\/100/);
  weir.assertHealthy();
});

/** The folder of the newest server's programs, or `null` when none is installed. */
async function postgresBinaries(): Promise<string | null> {
  const { code, stdout } = await run("sh", ["-c", "ls -d /usr/lib/postgresql/*/bin"]);
  return code === 0 ? stdout.trim().split("\n").at(-1)! : null;
}

Deno.test("HAProxy with accept-proxy learns the client's address from either version", async () => {
  const folder = await Deno.makeTempDir({ prefix: "weir-haproxy-" });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => removeFolder(folder));
  const port = freePort();
  await Deno.writeTextFile(
    `${folder}/haproxy.conf`,
    `
global
  log stdout format raw local0 info
defaults
  mode http
  timeout connect 1m
  timeout client 1m
  timeout server 1m
frontend proxied
  bind 127.0.0.1:${port} accept-proxy
  log global
  option httplog
  http-request return status 200 content-type text/plain lf-string "%[src]:%[src_port] to %[dst]:%[dst_port]"
`,
  );
  const haproxy = stack.use(
    await new Daemon("haproxy", ["-db", "-f", `${folder}/haproxy.conf`]).listens(port),
  );
  for (const version of ["v1", "v2"]) {
    for (
      const [listen, host] of HAS_IPV6
        ? [["127.0.0.1", "127.0.0.1"], ["[::1]", "::1"]]
        : [["127.0.0.1", "127.0.0.1"]]
    ) {
      const own = freePort();
      await using weir = await Weir.start(
        [
          ...["relay", "-l", `${listen}:${own}`, "--to", `127.0.0.1:${port}`, "--send-proxy", version],
          ...["--check-targets", "1s"],
        ],
      );
      using connection = await Deno.connect({ hostname: host, port: own });
      const local = connection.localAddr.port;
      await send(connection, "GET / HTTP/1.0\r\n\r\n");
      const answer = await readToEnd(connection);
      assert(answer.endsWith(`\r\n\r\n${host}:${local} to ${host}:${own}`), answer);
      weir.assertHealthy();
    }
  }
  assert(
    !/Received something which does not look like a PROXY protocol header/.test(haproxy.output),
    haproxy.output,
  );
});
