import { assert, assertEquals } from "@std/assert";
import { runWeir, Weir } from "./weir.ts";
import { freePort } from "../net/ports.ts";

/** A target that sends back what it is sent. */
class Echo implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #serving: Promise<void>;

  constructor() {
    this.#serving = this.#serve();
  }

  get place(): string {
    return `127.0.0.1:${this.#listener.addr.port}`;
  }

  async #serve(): Promise<void> {
    const echoes: Promise<void>[] = [];
    try {
      for (;;) {
        const connection = await this.#listener.accept();
        echoes.push(connection.readable.pipeTo(connection.writable).catch(() => {}));
      }
    } catch {
      await Promise.all(echoes);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#serving;
  }
}

async function connect(weir: Weir): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: weir.port });
  await connection.write(new TextEncoder().encode("hello"));
  const buffer = new Uint8Array(64);
  let count = 0;
  while (count < 5) count += (await connection.read(buffer.subarray(count)))!;
  return connection;
}

Deno.test("weir relay relays with the permission for the network alone, says where to, and logs each connection", async () => {
  await using echo = new Echo();
  await using weir = await Weir.start(["relay", "--to", echo.place, "--log-format", "json"]);
  assert(weir.err.includes(`to        ${echo.place}\n`), weir.err);
  (await connect(weir)).close();
  weir.signal("SIGTERM");
  const { code, out, err } = await weir.ended();
  assertEquals(code, 0, err);
  const [line, ...others] = out.trimEnd().split("\n").map((each) => JSON.parse(each));
  assertEquals(others, []);
  assertEquals(
    [line.kind, line.target, line.requestBodyBytes, line.responseBodyBytes],
    ["relay", echo.place, 5, 5],
  );
});

Deno.test("a stop waits for connections, and a second signal does not", async () => {
  await using echo = new Echo();
  await using weir = await Weir.start(["relay", "--to", echo.place, "--grace", "10m"]);
  using _connection = await connect(weir);
  weir.signal("SIGTERM");
  await weir.said("SIGTERM: stopping; 1 connection may take 10m, a second signal ends them\n");
  weir.signal("SIGTERM");
  assertEquals((await weir.ended()).code, 143);
});

Deno.test("a stop ends what takes longer than its grace", async () => {
  await using echo = new Echo();
  await using weir = await Weir.start(["relay", "--to", echo.place, "--grace", "0s", "--log-format", "json"]);
  using _connection = await connect(weir);
  weir.signal("SIGINT");
  const { code, out } = await weir.ended();
  assertEquals(code, 0);
  assertEquals(JSON.parse(out).details, "the relay was stopped");
});

Deno.test("weir relay without a target is 2, and so is a target that is none or a log of requests", async () => {
  for (
    const [args, problem] of [
      [[], "weir relay needs a target: --to HOST:PORT"],
      [["--to", "example.com"], '--to: "example.com" has no port: write it as host:443'],
      [
        ["--to", "127.1:80"],
        '--to: "127.1" is no plain IPv4 address: write four decimal numbers, as in 192.0.2.1',
      ],
      [["--to", "a:1", "--balance", "fair"], "--balance: must be one of round-robin, least-connections"],
      [["--to", "a:1", "--log-format", "squid"], "--log-format: squid is made of requests"],
      [["--to", "a:1", "--cache", "1g"], "--cache belongs to weir serve, not to weir relay"],
    ] as const
  ) {
    const { code, out, err } = await runWeir(["relay", ...args]);
    assertEquals([code, out], [2, ""]);
    assert(err.startsWith(`weir: ${problem}`), err);
  }
});

Deno.test("a listener that anybody may reach needs --clients", async () => {
  const { code, err } = await runWeir(["relay", "-l", ":0", "--to", "127.0.0.1:1"]);
  assertEquals(code, 3);
  assert(
    err.startsWith("weir: [::]:0 may be reached from anywhere: whoever finds it could reach the targets"),
    err,
  );
  assert(/or that all may: {2}deno run .* --clients all\n/.test(err), err);
  await using weir = await Weir.start(["relay", "-l", ":0", "--to", "127.0.0.1:1", "--clients", "loopback"]);
  weir.signal("SIGTERM");
  assertEquals((await weir.ended()).code, 0);
});

Deno.test("a relay to itself is 1", async () => {
  const port = freePort();
  const { code, err } = await runWeir(["relay", "-l", `${port}`, "--to", `127.0.0.1:${port}`]);
  assertEquals([code, err], [
    1,
    `weir: 127.0.0.1:${port} is this relay itself: connections would go round in circles\n`,
  ]);
});

Deno.test("a relay of which no target answers says that it is not ready, and when it is", async () => {
  const port = freePort();
  await using weir = await Weir.start(["relay", "--to", `127.0.0.1:${port}`]);
  assert(weir.err.includes("  not ready no target answers\n"), weir.err);
  await weir.said("warning: not ready: no target answers");
  const target = Deno.listen({ hostname: "127.0.0.1", port });
  const accepting = (async () => {
    for await (const connection of target) connection.close();
  })();
  await weir.said("info: ready: a target answers");
  target.close();
  await accepting;
});

Deno.test("a relay of which one target answers is ready, and one that checks none takes it for granted", async () => {
  await using echo = new Echo();
  const silent = `127.0.0.1:${freePort()}`;
  for (const args of [["--to", silent, "--to", echo.place], ["--to", silent, "--check-targets", "0s"]]) {
    await using weir = await Weir.start(["relay", ...args]);
    weir.signal("SIGTERM");
    const { err } = await weir.ended();
    assert(!err.includes("not ready"), err);
  }
});
