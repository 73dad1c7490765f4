/** Look-ups that hang, and what becomes of the others. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { ResolveError, Resolver, type ResolverOptions } from "../../src/net/resolve.ts";

/** Names below `dead.example` and `slow` are never answered until the test lets them, others at once. */
class Servers {
  now = 0;
  readonly asked: string[] = [];
  readonly open = new Map<string, PromiseWithResolvers<string[]>>();
  readonly resolver: Resolver;

  constructor(options: ResolverOptions = {}) {
    this.resolver = new Resolver({
      lookup: (host) => this.#lookUp(host),
      now: () => this.now,
      isShared: (name) => name === "co.uk" || !name.includes("."),
      ...options,
    });
  }

  #lookUp(host: string): Promise<string[]> {
    this.asked.push(host);
    if (!/slow$|dead\.example$/.test(host)) return Promise.resolve(["192.0.2.1"]);
    const answer = Promise.withResolvers<string[]>();
    this.open.set(host, answer);
    return answer.promise;
  }

  /** Asks for names and gives up with them, when the test is over at the latest. */
  ask(names: readonly string[], client: string): void {
    for (const name of names) this.resolver.resolve(name, this.#over.signal, client).catch(() => {});
  }

  readonly #over = new AbortController();

  /** Fails what hangs, as the system does after its own time. */
  async fail(): Promise<void> {
    for (const { reject } of this.open.values()) {
      reject(Object.assign(new Error("EAI_AGAIN"), { code: "EAI_AGAIN" }));
    }
    this.open.clear();
    await settle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    while (this.open.size > 0) await this.fail();
  }
}

async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await null;
}

function slow(count: number, zone = "slow"): string[] {
  return Array.from({ length: count }, (_, i) => `n${i}.${zone}`);
}

async function rejection(promise: Promise<unknown>): Promise<ResolveError> {
  return await assertRejects(() => promise, ResolveError);
}

Deno.test("a client whose names hang takes less than a quarter of the look-ups, and another's names are answered at once", async () => {
  await using servers = new Servers();
  servers.ask(slow(200), "192.0.2.8");
  assertEquals(servers.asked.length, 5, "of 24");
  for (let i = 0; i < 30; i++) {
    assertEquals(await servers.resolver.resolve(`v${i}.good`, undefined, "192.0.2.9"), ["192.0.2.1"]);
  }
});

Deno.test("all addresses of an IPv6 network of 64 bits are one client", async () => {
  await using servers = new Servers();
  for (let i = 1; i < 100; i++) servers.ask([`n${i}.slow`], `2001:db8::${i.toString(16)}`);
  assertEquals(servers.asked.length, 5);
  servers.ask(["a.slow"], "2001:db8:0:1::1");
  assertEquals(servers.asked.length, 6);
});

Deno.test("ten clients whose names hang leave room for an eleventh", async () => {
  await using servers = new Servers();
  for (let client = 0; client < 10; client++) servers.ask(slow(20, `${client}.slow`), `192.0.2.${client}`);
  assert(servers.asked.length < 24);
  assertEquals(await servers.resolver.resolve("a.good", undefined, "192.0.2.99"), ["192.0.2.1"]);
});

Deno.test("however many clients have names that hang, no more look-ups run than there may", async () => {
  await using servers = new Servers();
  for (let client = 0; client < 200; client++) servers.ask(slow(3, `${client}.slow`), `192.0.2.${client}`);
  assertEquals(servers.asked.length, 24);
});

Deno.test("names that wait for their turn come by turns of their clients, not by who asked first", async () => {
  await using servers = new Servers({ maxLookups: 1 });
  servers.ask(["first.slow"], "192.0.2.1");
  servers.ask(["a1.slow", "a2.slow", "a3.slow"], "192.0.2.1");
  servers.ask(["b1.slow", "b2.slow"], "192.0.2.2");
  servers.ask(["c1.slow"], "192.0.2.3");
  for (let i = 0; i < 6; i++) await servers.fail();
  assertEquals(servers.asked, [
    "first.slow",
    "a1.slow",
    "b1.slow",
    "c1.slow",
    "a2.slow",
    "b2.slow",
    "a3.slow",
  ]);
});

Deno.test("a name that another client has put behind many is asked on the account of each that waits for it", async () => {
  await using servers = new Servers();
  servers.ask([...slow(100), "wanted.good"], "192.0.2.8");
  assert(!servers.asked.includes("wanted.good"));
  assertEquals(await servers.resolver.resolve("wanted.good", undefined, "192.0.2.9"), ["192.0.2.1"]);
});

Deno.test("a name that waited for its turn in vain is not taken for one without an answer", async () => {
  await using servers = new Servers({ maxLookups: 1, timeout: 1, failureLifetime: 60_000 });
  servers.ask(["n.slow"], "192.0.2.8");
  const late = await rejection(servers.resolver.resolve("a.good", undefined, "192.0.2.9"));
  assertEquals(late.kind, "timeout");
  await servers.fail();
  assertEquals(await servers.resolver.resolve("a.good", undefined, "192.0.2.9"), ["192.0.2.1"]);
});

Deno.test("names that are not of strangers have no shares, and zones of them are never silent", async () => {
  await using servers = new Servers({ shared: false, maxLookups: 8 });
  servers.ask(slow(20), "");
  assertEquals(servers.asked.length, 8);
  while (servers.open.size > 0) await servers.fail();
  await silence(servers, "");
  servers.asked.length = 0;
  servers.ask(["d.dead.example"], "");
  assertEquals(servers.asked, ["d.dead.example"]);
});

/** Three names of the zone that got no answer. */
async function silence(servers: Servers, client: string, zone = "dead.example"): Promise<void> {
  servers.ask(["a", "b", "c"].map((name) => `${name}.${zone}`), client);
  servers.now += 10_000;
  await servers.fail();
}

Deno.test("names below a zone of which no server speaks fail at once for a while, and then one of them is tried", async () => {
  await using servers = new Servers();
  await silence(servers, "192.0.2.8");
  servers.asked.length = 0;
  const error = await rejection(servers.resolver.resolve("x.y.dead.example", undefined, "192.0.2.8"));
  assertEquals([error.kind, error.message], [
    "timeout",
    "no answer about x.y.dead.example: no name server answers for names below dead.example",
  ]);
  assertEquals(servers.asked, []);
  servers.now += 5_000;
  servers.ask(["d.dead.example"], "192.0.2.8");
  assertEquals(
    (await rejection(servers.resolver.resolve("e.dead.example", undefined, "192.0.2.8"))).kind,
    "timeout",
  );
  assertEquals(servers.asked, ["d.dead.example"]);
  // the one that was tried is answered
  servers.open.get("d.dead.example")!.resolve(["192.0.2.7"]);
  servers.open.clear();
  await settle();
  servers.ask(["f.dead.example", "g.dead.example"], "192.0.2.8");
  assertEquals(servers.asked, ["d.dead.example", "f.dead.example", "g.dead.example"]);
});

Deno.test("a zone is silent for the client alone that asked for its names", async () => {
  await using servers = new Servers();
  await silence(servers, "192.0.2.8");
  servers.asked.length = 0;
  servers.ask(["d.dead.example"], "192.0.2.9");
  assertEquals(servers.asked, ["d.dead.example"]);
});

Deno.test("what belongs to many owners is no zone", async () => {
  await using servers = new Servers({ lookup: () => Promise.reject(new Error("EAI_AGAIN")) });
  const { resolver } = servers;
  for (const zone of ["slow", "co.uk"]) {
    for (let i = 0; i < 10; i++) {
      const failed = rejection(resolver.resolve(`n${i}.${zone}`, undefined, "192.0.2.8"));
      servers.now += 10_000;
      assertEquals((await failed).kind, "failed", `${zone} ${i}`);
    }
  }
});

Deno.test("failures that come at once, and names that do not exist, silence no zone", async () => {
  await using servers = new Servers({
    lookup: (host) =>
      Promise.reject(Object.assign(new Error(host), { code: host < "m" ? "ENOTFOUND" : "ESERVFAIL" })),
  });
  for (const [name, kind] of [["a", "not_found"], ["z", "failed"]]) {
    for (let i = 0; i < 10; i++) {
      const failed = rejection(servers.resolver.resolve(`${name}${i}.dead.example`));
      if (kind === "not_found") servers.now += 10_000;
      assertEquals((await failed).kind, kind);
    }
  }
});

Deno.test("that no server answers is remembered for longer than another failure", async () => {
  await using servers = new Servers();
  servers.ask(["n.slow"], "");
  servers.now += 10_000;
  await servers.fail();
  servers.now += 4_999;
  await rejection(servers.resolver.resolve("n.slow"));
  assertEquals(servers.asked, ["n.slow"]);
  servers.now += 1;
  servers.ask(["n.slow"], "");
  assertEquals(servers.asked, ["n.slow", "n.slow"]);
});

Deno.test("after a while of names from everywhere nothing is left behind that keeps a name from being asked", async () => {
  await using servers = new Servers({ maxLookups: 4 });
  for (let round = 0; round < 500; round++) {
    const client = `192.0.2.${round % 7}`;
    const names = [`a${round}.good`, `b${round % 3}.good`, `c${round}.good`];
    servers.now += 6_000;
    await Promise.all(names.map((name) => servers.resolver.resolve(name, undefined, client)));
  }
  servers.ask(slow(10), "192.0.2.1");
  assertEquals(servers.asked.slice(-1), ["n0.slow"], "a quarter of 4");
});
