import { assertEquals } from "@std/assert";
import { Clients } from "../../src/net/clients.ts";
import { UNLISTED } from "../../src/net/roster.ts";

const LIMITS = { maxConnections: 3, maxConnectionsPerClient: 2 };

/** Serves until the test says that it is over. */
class Served {
  place = UNLISTED;
  readonly #over = Promise.withResolvers<void>();

  constructor(readonly client: string) {}

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
