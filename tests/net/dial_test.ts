import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Connect, dial, DialError, type DialOptions, interleave } from "../../src/net/dial.ts";
import { HAS_IPV6 } from "./ipv6.ts";
import { freePort } from "./ports.ts";

/** A network in which the test decides what answers when, and a stagger that passes when the test says so. */
class FakeNetwork {
  /** Addresses in the order in which they were tried. */
  readonly tried: string[] = [];
  /** Addresses that were given up before they had answered. */
  readonly givenUp: string[] = [];
  /** Addresses whose connection was closed. */
  readonly closed: string[] = [];
  readonly withoutDelay: string[] = [];
  /** ms of the timer that runs, or -1. */
  timer = -1;
  /** Whether an attempt that is given up ends at once. */
  obedient = true;
  #pass = () => {};
  readonly #waiting = new Map<string, PromiseWithResolvers<Deno.TcpConn>>();

  readonly connect: Connect = (address, _port, signal) => {
    this.tried.push(address);
    const attempt = Promise.withResolvers<Deno.TcpConn>();
    this.#waiting.set(address, attempt);
    signal?.addEventListener("abort", () => {
      if (!this.#waiting.has(address)) return;
      this.givenUp.push(address);
      if (this.obedient) attempt.reject(signal.reason);
    });
    return attempt.promise;
  };

  get options(): DialOptions {
    return {
      connect: this.connect,
      timer: (callback, ms) => {
        assertEquals(this.timer, -1, "one timer at a time");
        this.timer = ms;
        this.#pass = callback;
        return () => this.timer = -1;
      },
    };
  }

  answer(address: string): void {
    const conn = {
      close: () => this.closed.push(address),
      setNoDelay: () => this.withoutDelay.push(address),
    };
    this.#waiting.get(address)!.resolve(conn as unknown as Deno.TcpConn);
    this.#waiting.delete(address);
  }

  async refuse(address: string, error: Error = new Deno.errors.ConnectionRefused("refused")): Promise<void> {
    this.#waiting.get(address)!.reject(error);
    await settle();
  }

  passStagger(): void {
    assert(this.timer >= 0, "a timer runs");
    this.timer = -1;
    this.#pass();
  }
}

/** Lets everything happen that waits for nothing outside. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await null;
}

async function rejection(promise: Promise<unknown>): Promise<DialError> {
  return await assertRejects(() => promise, DialError);
}

function systemError(code: string): Error {
  return Object.assign(new Error(`os error ${code}`), { code });
}

const V6 = "2001:db8::1";
const V4 = "192.0.2.1";

Deno.test("families take turns, beginning with the first address's (RFC 8305 §4)", () => {
  assertEquals(interleave(["::1", "::2", "::3", "1.1.1.1", "2.2.2.2"]), [
    "::1",
    "1.1.1.1",
    "::2",
    "2.2.2.2",
    "::3",
  ]);
  assertEquals(interleave(["1.1.1.1", "2.2.2.2", "::1"]), ["1.1.1.1", "::1", "2.2.2.2"]);
  assertEquals(interleave(["1.1.1.1", "2.2.2.2"]), ["1.1.1.1", "2.2.2.2"]);
  assertEquals(interleave([]), []);
});

Deno.test("not more than 16 addresses of a host are tried, and both families stay among them", () => {
  const many = Array.from({ length: 40 }, (_, i) => `::${i + 1}`);
  const mixed = interleave([...many, V4]);
  assertEquals(mixed.length, 16);
  assertEquals(mixed[1], V4);
});

Deno.test("one address is dialled with no timer and its connection has no Nagle delay", async () => {
  const network = new FakeNetwork();
  const dialled = dial([V4], 80, network.options);
  assertEquals(network.timer, -1);
  network.answer(V4);
  assertEquals((await dialled).address, V4);
  assertEquals(network.withoutDelay, [V4]);
  assertEquals(network.closed, []);
});

Deno.test("an address that answers at once is the only one tried", async () => {
  const network = new FakeNetwork();
  const dialled = dial([V6, V4], 80, network.options);
  network.answer(V6);
  assertEquals((await dialled).address, V6);
  assertEquals(network.tried, [V6]);
  assertEquals(network.timer, -1);
  assertEquals(network.withoutDelay, [V6]);
});

Deno.test("a silent address has the next one beside it after 250 ms (RFC 8305 §5, §8)", async () => {
  const network = new FakeNetwork();
  const dialled = dial([V6, "2001:db8::2", V4], 80, network.options);
  assertEquals(network.tried, [V6]);
  assertEquals(network.timer, 250);
  network.passStagger();
  assertEquals(network.tried, [V6, V4]);
  assertEquals(network.timer, 250);
  network.answer(V4);
  assertEquals((await dialled).address, V4);
  assertEquals(network.givenUp, [V6]);
  assertEquals(network.closed, []);
  assertEquals(network.timer, -1);
});

Deno.test("nothing more is tried once a connection is there", async () => {
  const network = new FakeNetwork();
  const dialled = dial([V6, "2001:db8::2", V4, "192.0.2.2"], 80, network.options);
  network.passStagger();
  network.answer(V4);
  await dialled;
  // The loser has failed by now, which would have made room for the next.
  await settle();
  assertEquals(network.tried, [V6, V4]);
  assertEquals(network.timer, -1);
});

Deno.test("an address that fails makes room for the next at once", async () => {
  const network = new FakeNetwork();
  const dialled = dial([V6, V4], 80, network.options);
  await network.refuse(V6);
  assertEquals(network.tried, [V6, V4]);
  assertEquals(network.timer, -1, "no timer once all are under way");
  network.answer(V4);
  assertEquals((await dialled).address, V4);
});

Deno.test("the first address may still win when others have started", async () => {
  const network = new FakeNetwork();
  const dialled = dial([V6, V4], 80, network.options);
  network.passStagger();
  network.answer(V6);
  assertEquals((await dialled).address, V6);
  assertEquals(network.givenUp, [V4]);
});

Deno.test("a loser that connects after the winner is closed", async () => {
  const network = new FakeNetwork();
  network.obedient = false;
  const dialled = dial([V6, V4], 80, network.options);
  network.passStagger();
  network.answer(V4);
  network.answer(V6);
  assertEquals((await dialled).address, V4);
  await settle();
  assertEquals(network.closed, [V6]);
  assertEquals(network.withoutDelay, [V4]);
});

Deno.test("the stagger can be set", () => {
  const network = new FakeNetwork();
  dial([V6, V4], 80, { ...network.options, stagger: 10 });
  assertEquals(network.timer, 10);
});

Deno.test("when all fail, the error names each and why", async () => {
  const network = new FakeNetwork();
  const failure = rejection(dial([V6, V4], 80, network.options));
  await network.refuse(V6, systemError("ENETUNREACH"));
  await network.refuse(V4);
  const error = await failure;
  assertEquals(error.kind, "refused");
  assertEquals(
    error.message,
    "[2001:db8::1]:80 cannot be reached from here (ENETUNREACH), 192.0.2.1:80 refused",
  );
  assertEquals(error.attempts, [
    { address: V6, message: "cannot be reached from here (ENETUNREACH)" },
    { address: V4, message: "refused" },
  ]);
});

Deno.test("a failure while another address is under way waits for that one", async () => {
  const network = new FakeNetwork();
  const dialled = dial([V6, V4], 80, network.options);
  network.passStagger();
  await network.refuse(V4);
  network.answer(V6);
  assertEquals((await dialled).address, V6);
});

Deno.test("each kind of failure is known by its cause", async () => {
  const kinds: [Error, string][] = [
    [new Deno.errors.ConnectionRefused("x"), "refused"],
    [new Deno.errors.TimedOut("x"), "timeout"],
    [systemError("EHOSTUNREACH"), "unreachable"],
    [systemError("ENETUNREACH"), "unreachable"],
    [systemError("EADDRNOTAVAIL"), "unreachable"],
    [systemError("EAFNOSUPPORT"), "unreachable"],
    [systemError("EMFILE"), "no_descriptors"],
    [systemError("ENFILE"), "no_descriptors"],
    [new TypeError("odd"), "failed"],
  ];
  for (const [cause, kind] of kinds) {
    const one = new FakeNetwork();
    const failure = rejection(dial([V4], 80, one.options));
    await one.refuse(V4, cause);
    assertEquals((await failure).kind, kind);
    assertEquals((await failure).attempts.length, 1);

    const two = new FakeNetwork();
    const failures = rejection(dial([V6, V4], 80, two.options));
    await two.refuse(V6, cause);
    await two.refuse(V4, new TypeError("odd"));
    assertEquals((await failures).kind, kind);
  }
});

Deno.test("no address at all is an error", async () => {
  assertEquals((await rejection(dial([], 80, {}))).kind, "failed");
});

Deno.test("a signal gives all attempts up; its reason decides between a deadline and a caller that has gone", async () => {
  for (const addresses of [[V4], [V6, V4]]) {
    for (const reason of [undefined, "gone", new DOMException("late", "TimeoutError")]) {
      const network = new FakeNetwork();
      const controller = new AbortController();
      const failure = rejection(dial(addresses, 80, { ...network.options, signal: controller.signal }));
      if (addresses.length === 2) network.passStagger();
      controller.abort(reason);
      const error = await failure;
      assertEquals(error.kind, reason instanceof DOMException ? "timeout" : "aborted");
      assertEquals(error.attempts, addresses.map((address) => ({ address, message: "gave no answer" })));
      assertEquals(network.givenUp, addresses);
      assertEquals(network.timer, -1);
    }
  }
});

Deno.test("a connection that arrives after the signal is closed", async () => {
  for (const addresses of [[V4], [V4, V6]]) {
    const network = new FakeNetwork();
    network.obedient = false;
    const controller = new AbortController();
    const failure = rejection(dial(addresses, 80, { ...network.options, signal: controller.signal }));
    controller.abort();
    network.answer(V4);
    assertEquals((await failure).kind, "aborted");
    await settle();
    assertEquals(network.closed, [V4]);
    assertEquals(network.tried, [V4]);
  }
});

Deno.test("a signal that comes after the connection changes nothing", async () => {
  for (const addresses of [[V4], [V4, V6]]) {
    const network = new FakeNetwork();
    const controller = new AbortController();
    const dialled = dial(addresses, 80, { ...network.options, signal: controller.signal });
    network.answer(V4);
    assertEquals((await dialled).address, V4);
    controller.abort();
    await settle();
    assertEquals(network.closed, []);
  }
});

Deno.test("a signal that serves many dials keeps nothing of those that are over", async () => {
  const { signal } = new AbortController();
  let listening = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...all: Parameters<typeof addEventListener>) => {
    listening++;
    addEventListener.apply(signal, all);
  };
  signal.removeEventListener = (...all: Parameters<typeof removeEventListener>) => {
    listening--;
    removeEventListener.apply(signal, all);
  };
  const network = new FakeNetwork();
  const dialled = dial([V6, V4], 80, { ...network.options, signal });
  assertEquals(listening, 1);
  network.answer(V6);
  await dialled;
  assertEquals(listening, 0);
});

Deno.test("a signal that has spoken already tries nothing", async () => {
  const network = new FakeNetwork();
  const failure = dial([V6, V4], 80, { ...network.options, signal: AbortSignal.abort() });
  assertEquals((await rejection(failure)).kind, "aborted");
  assertEquals(network.tried, []);
});

Deno.test("a peer that has reset the connection already is found out by reading, not by dialling", async () => {
  const conn = {
    setNoDelay() {
      throw new TypeError("Invalid argument");
    },
  } as unknown as Deno.TcpConn;
  assertEquals(await dial([V4], 80, { connect: () => Promise.resolve(conn) }), { conn, address: V4 });
});

// Over real sockets. The sanitizers see to it that nothing is left open.

function listenOn(hostname: string) {
  const listener = Deno.listen({ hostname, port: 0 });
  return { listener, port: (listener.addr as Deno.NetAddr).port };
}

Deno.test("dials an IPv4 and an IPv6 address for real", async () => {
  for (const address of HAS_IPV6 ? ["127.0.0.1", "::1"] : ["127.0.0.1"]) {
    const { listener, port } = listenOn(address);
    const { conn, address: dialled } = await dial([address], port, { signal: new AbortController().signal });
    const accepted = await listener.accept();
    assertEquals(dialled, address);
    assertEquals((accepted.remoteAddr as Deno.NetAddr).port, (conn.localAddr as Deno.NetAddr).port);
    for (const resource of [accepted, conn, listener]) resource.close();
  }
});

Deno.test("a refused address of a host costs nothing when another one answers", async () => {
  const { listener, port } = listenOn("127.0.0.1");
  const { conn, address } = await dial(["::1", "127.0.0.1"], port, {});
  assertEquals(address, "127.0.0.1");
  (await listener.accept()).close();
  conn.close();
  listener.close();
});

Deno.test("a host that refuses at all its addresses is refused", async () => {
  const port = freePort();
  assertEquals((await rejection(dial(["127.0.0.1"], port, {}))).message, `127.0.0.1:${port} refused`);
  const error = await rejection(dial(["::1", "127.0.0.1"], port, {}));
  assertEquals(error.kind, "refused");
  if (HAS_IPV6) assertEquals(error.message, `[::1]:${port} refused, 127.0.0.1:${port} refused`);
});

Deno.test("a hundred real dials that are given up leave nothing open", async () => {
  const { listener, port } = listenOn("127.0.0.1");
  const accepting = (async () => {
    for await (const conn of listener) conn.close();
  })();
  const kinds = await Promise.all(Array.from({ length: 100 }, async (_, i) => {
    const controller = new AbortController();
    const addresses = i % 2 === 0 ? ["127.0.0.1"] : ["::1", "127.0.0.1"];
    const dialled = dial(addresses, port, { signal: controller.signal });
    if (i % 3 > 0) await null;
    controller.abort();
    return await dialled.then(({ conn }) => {
      conn.close();
      return "connected";
    }, (error) => error.kind);
  }));
  for (const kind of kinds) assert(kind === "connected" || kind === "aborted", kind);
  listener.close();
  await accepting;
});

Deno.test("a real connection outlives the signal and the race that it came from", async () => {
  const { listener, port } = listenOn("127.0.0.1");
  for (const addresses of [["127.0.0.1"], ["127.0.0.1", "::1"]]) {
    const controller = new AbortController();
    const { conn } = await dial(addresses, port, { signal: controller.signal });
    controller.abort();
    const accepted = await listener.accept();
    await accepted.write(Uint8Array.of(42));
    const byte = new Uint8Array(1);
    assertEquals(await conn.read(byte), 1);
    assertEquals(byte[0], 42);
    accepted.close();
    conn.close();
  }
  listener.close();
});

Deno.test("a connection that Deno has made when the signal speaks, and not told us of, is closed", {
  sanitizeResources: true,
}, async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const gathering = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  // many reads that are ready at once keep Deno from telling of the connections that are made beside them
  for (const crowd of [100, 400]) {
    const pairs: [near: Deno.Conn, far: Deno.Conn][] = [];
    while (pairs.length < crowd) {
      const far = Deno.connect({ hostname: "127.0.0.1", port: (gathering.addr as Deno.NetAddr).port });
      pairs.push([await gathering.accept(), await far]);
    }
    for (let turns = 0; turns < 4; turns++) {
      const reads = pairs.map(([near]) => near.read(new Uint8Array(8)));
      const writes = pairs.map(([, far]) => far.write(new Uint8Array(5)));
      const controllers = Array.from({ length: 60 }, () => new AbortController());
      const dials = controllers.map(({ signal }) =>
        dial(["127.0.0.1"], port, { signal }).then(({ conn }) => conn.close(), (error) => error)
      );
      for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
      for (const controller of controllers) controller.abort();
      for (const error of await Promise.all(dials)) {
        if (error !== undefined) assertEquals(error.kind, "aborted");
      }
      await Promise.all([...reads, ...writes]);
    }
    for (const conn of pairs.flat()) conn.close();
  }
  gathering.close();
  listener.close();
});
