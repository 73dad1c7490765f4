import { assertEquals } from "@std/assert";
import { Clients } from "../../src/net/clients.ts";
import { UNLISTED } from "../../src/net/roster.ts";

const LIMITS = { maxConnections: 3, maxConnectionsPerClient: 2, maxConnectionsPerLocalClient: 0 };

/** Serves until the test says that it is over. */
class Served {
  place = UNLISTED;
  readonly #over = Promise.withResolvers<void>();

  idleUntil = Infinity;
  isNew = false;
  /** It was told to make room. */
  told = false;

  constructor(readonly clientKey: string) {}

  endIfIdle(): void {
    this.told = true;
  }

  run(): Promise<void> {
    return this.#over.promise;
  }

  async end(): Promise<void> {
    this.#over.resolve();
    await this.#over.promise;
  }
}

Deno.test("connections are counted for as long as they are served, in all and of each client", async () => {
  const clients = new Clients<Served>();
  const [first, second, other] = ["192.0.2.1", "192.0.2.1", "192.0.2.2"].map((client) => new Served(client));
  clients.serve(first);
  clients.serve(other);
  assertEquals(clients.excess(LIMITS), null);
  assertEquals(clients.excess(LIMITS, 1), "more than 3 connections are open");
  assertEquals(clients.excessOf("192.0.2.1", LIMITS), null);
  clients.serve(second);
  assertEquals(clients.excess(LIMITS), "more than 3 connections are open");
  assertEquals(clients.excessOf("192.0.2.1", LIMITS), "more than 2 connections of one client are open");
  assertEquals(clients.excessOf("192.0.2.2", LIMITS), null);
  assertEquals(clients.excessOf("192.0.2.1", { ...LIMITS, maxConnectionsPerClient: 0 }), null);
  assertEquals(new Set(clients), new Set([first, other, second]));
  await second.end();
  assertEquals(clients.size, 2);
  assertEquals(clients.excessOf("192.0.2.1", LIMITS), null);
  await first.end();
  await other.end();
  assertEquals([clients.size, clients.excess(LIMITS, 2)], [0, null]);
});

Deno.test("it is told when the last one has gone, each time anew", async () => {
  const clients = new Clients<Served>();
  await clients.gone();
  for (let round = 0; round < 2; round++) {
    const [one, other] = [new Served("192.0.2.1"), new Served("192.0.2.2")];
    clients.serve(one);
    clients.serve(other);
    let gone = false;
    const waiting = clients.gone().then(() => gone = true);
    await one.end();
    assertEquals(gone, false);
    await other.end();
    await waiting;
  }
});

Deno.test("those who stay are waited for no longer than was said", async () => {
  const clients = new Clients<Served>();
  const one = new Served("192.0.2.1");
  clients.serve(one);
  await clients.goneWithin(1);
  assertEquals(clients.size, 1);
  const waiting = clients.goneWithin(3_600_000);
  await one.end();
  await waiting;
});

Deno.test("clients of the loopback network have a limit of their own", () => {
  const clients = new Clients<Served>();
  for (const client of ["127.0.0.1", "127.0.0.1", "::/64", "::/64", "192.0.2.1"]) {
    clients.serve(new Served(client));
  }
  const limits = { ...LIMITS, maxConnectionsPerClient: 1, maxConnectionsPerLocalClient: 3 };
  assertEquals(["127.0.0.1", "::/64"].map((client) => clients.excessOf(client, limits)), [null, null]);
  assertEquals(clients.excessOf("192.0.2.1", limits), "more than 1 connections of one client are open");
  const none = { ...limits, maxConnectionsPerLocalClient: 0 };
  assertEquals(clients.excessOf("127.0.0.1", none), null);
});

/** Clients with so many connections each, of which those at the times given are idle. */
function withConnections(held: Record<string, number[]>): { clients: Clients<Served>; all: Served[] } {
  const clients = new Clients<Served>();
  const all = Object.entries(held).flatMap(([client, times]) =>
    times.map((time) => Object.assign(new Served(client), { idleUntil: time }))
  );
  for (const each of all) clients.serve(each);
  return { clients, all };
}

Deno.test("of the client that holds most, the connection that would end first makes room", async () => {
  const { clients, all } = withConnections({ a: [5, 3, 4, Infinity], b: [1, 2], c: [Infinity] });
  const told = () => all.filter((each) => each.told).map(({ clientKey, idleUntil }) => clientKey + idleUntil);
  assertEquals(clients.makeRoomFor("new"), true);
  assertEquals(told(), ["a3"]);
  assertEquals(clients.excess({ ...LIMITS, maxConnections: 7 }), null, "it counts no more");
  assertEquals(clients.makeRoomFor("new"), true);
  assertEquals(told(), ["a3", "a4"]);
  await all[1].end();
  assertEquals(clients.excess({ ...LIMITS, maxConnections: 6 }), null);
});

Deno.test("for a client that is not known no connection goes whose first request may be on its way", () => {
  const { clients, all } = withConnections({ a: [1, 2], b: [3] });
  for (const each of all) each.isNew = each.idleUntil !== 2;
  assertEquals([clients.makeRoomFor(null), clients.makeRoomFor(null)], [true, false]);
  assertEquals(all.map(({ told }) => told), [false, true, false]);
  assertEquals(clients.makeRoomFor("new"), true);
  assertEquals(all.filter(({ told }) => told).length, 2);
});

Deno.test("few clients hold many connections: a part of all that is not small", () => {
  const { clients } = withConnections({ a: Array(4).fill(Infinity), b: Array(3).fill(Infinity) });
  const many = () => ["a", "b", "c"].map((client) => clients.holdsMany(client));
  assertEquals(many(), [true, false, false]);
  for (let i = 0; i < 4 * 32; i++) clients.serve(new Served(`${i}`));
  assertEquals(many(), [false, false, false]);
});

Deno.test("nobody makes room for a client that holds as much, but for its own connections", () => {
  const { clients, all } = withConnections({ a: [1, 2], b: [Infinity, Infinity], c: [3, Infinity] });
  assertEquals(clients.makeRoomFor("b"), false);
  assertEquals(clients.makeRoomFor("c"), true);
  assertEquals(all.filter(({ told }) => told).map(({ clientKey }) => clientKey), ["c"]);
});

Deno.test("a client at its own limit is not looked through each time, until one of its connections ends", async () => {
  const { clients, all } = withConnections({ a: Array(600).fill(Infinity) });
  const limits = { ...LIMITS, maxConnections: 1000, maxConnectionsPerClient: 600 };
  const refused = "more than 600 connections of one client are open";
  assertEquals(clients.excessOf("a", limits), refused);
  all[7].idleUntil = 1;
  const outcomes = Array.from({ length: 5 }, () => clients.excessOf("a", limits));
  assertEquals(outcomes, [refused, refused, refused, refused, null]);
  assertEquals(all.filter(({ told }) => told), [all[7]]);
  clients.serve(new Served("a"));
  assertEquals(clients.excessOf("a", limits), refused);
  all[8].idleUntil = 1;
  await all[9].end();
  clients.serve(new Served("a"));
  assertEquals([clients.excessOf("a", limits), all[8].told], [null, true]);
});

Deno.test("many make room at once, and those in vain are not looked for each time", () => {
  const { clients, all } = withConnections({ a: Array.from({ length: 1000 }, (_, i) => i) });
  assertEquals(clients.makeRoomFor("new"), true);
  const told = all.filter((each) => each.told);
  assertEquals(told.map(({ idleUntil }) => idleUntil), [0, 1, 2, 3, 4, 5, 6, 7]);
  for (const each of all) each.idleUntil = Infinity;
  assertEquals(clients.makeRoomFor("new"), false);
  all[500].idleUntil = 1;
  const outcomes = Array.from({ length: 9 }, () => clients.makeRoomFor("new"));
  assertEquals(outcomes.lastIndexOf(true), 7);
});
