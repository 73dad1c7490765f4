/** A kept connection is used no longer than what its name resolves to (http-rules §5). */

import { assertEquals } from "@std/assert";
import { Origin, proxied, type Setting, SETTINGS } from "./harness.ts";
import { type Peer, turn } from "./peer.ts";
import { get, OK, roundTrip } from "./round_trip.ts";
import { waysOf } from "./through.ts";

/** What the names of a test lead to; a look-up waits while there is nothing. */
class Names {
  addresses: string[] | null = ["127.0.0.1"];
  asked = 0;
  #waiting: (() => void)[] = [];

  readonly resolver = {
    lifetime: 0,
    failureLifetime: 0,
    lookup: async () => {
      this.asked++;
      while (this.addresses === null) await new Promise<void>((resolve) => this.#waiting.push(resolve));
      if (this.addresses.length > 0) return this.addresses;
      throw Object.assign(new Error("none"), { code: "ENOTFOUND" });
    },
  };

  set(addresses: string[]): void {
    this.addresses = addresses;
    for (const go of this.#waiting.splice(0)) go();
  }
}

/** Whether there is a second loopback address. */
const HAS_SECOND = (() => {
  try {
    Deno.listen({ hostname: "127.0.0.2", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
})();

function named(name: string, run: (setting: Setting, names: Names) => Promise<void>): void {
  const names = new Names();
  proxied(name, { resolver: names.resolver, ignore: !HAS_SECOND }, async (setting) => {
    await run(setting, names);
    // what waits for a look-up is over before the test is
    names.set(["127.0.0.1"]);
  });
}

/** An origin that tells which of its connections a request came on; closed by the caller. */
function serving(where: string, port: number): { origin: Origin; end(): Promise<void> } {
  const peers: Peer[] = [];
  const origin = new Origin(peers, where, port);
  origin.answer(() => `HTTP/1.1 200 OK\r\nContent-Length: ${where.length}\r\n\r\n${where}`);
  return {
    origin,
    async end() {
      for (const peer of peers) peer.close();
      await origin.close();
    },
  };
}

/** Asks again and again until the answer is `wanted`. */
async function askUntil(client: Peer, message: string, wanted: string): Promise<void> {
  for (;;) {
    await client.send(message);
    if ((await client.message()).content === wanted) return;
  }
}

named("a name that leads elsewhere is followed while requests go on", async (setting, names) => {
  const { origin, connect } = setting;
  origin.answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n127.0.0.1");
  const other = serving("127.0.0.2", origin.port);
  const client = await connect();
  const message = get({ authority: `a.example:${origin.port}` });
  await askUntil(client, message, "127.0.0.1");
  names.set(["127.0.0.2"]);
  await askUntil(client, message, "127.0.0.2");
  assertEquals([origin.accepted, other.origin.accepted], [1, 1]);
  // and is not, where it leads to both
  names.set(["127.0.0.1", "127.0.0.2"]);
  const before = names.asked;
  while (names.asked < before + 2) await askUntil(client, message, "127.0.0.2");
  assertEquals([origin.accepted, other.origin.accepted], [1, 1]);
  await other.end();
});

named("a name that is gone is not answered by a connection that was kept", async (setting, names) => {
  const { origin, connect } = setting;
  origin.answer(OK);
  const client = await connect();
  const message = get({ authority: `a.example:${origin.port}` });
  await askUntil(client, message, "ok");
  names.set([]);
  for (let status = 200; status === 200;) {
    await client.send(message);
    ({ status } = await client.message());
    if (status !== 200) assertEquals(status, 502);
  }
});

named("each kept connection of the name is dropped that leads where it does not", async (setting, names) => {
  const { origin, connect } = setting;
  const message = get({ authority: `a.example:${origin.port}` });
  const clients: Peer[] = [];
  const upstreams: Peer[] = [];
  for (let i = 0; i < 3; i++) {
    clients.push(await connect());
    await clients[i].send(message);
    upstreams.push(await origin.accept());
    await upstreams[i].message();
  }
  const ended = upstreams.map(async (upstream) => {
    await upstream.send(OK);
    while (await upstream.some() !== "") await upstream.send(OK);
  });
  for (const client of clients) await client.message();
  names.set(["127.0.0.2"]);
  const other = serving("127.0.0.2", origin.port);
  await askUntil(clients[0], message, "127.0.0.2");
  await Promise.all(ended);
  await other.end();
});

named("an address that is asked for as one is not looked up", async (setting, names) => {
  const { client, upstream } = await roundTrip(setting, get(setting.origin));
  await client.send(get(setting.origin));
  await upstream.message();
  await upstream.send(OK);
  await client.message();
  assertEquals(names.asked, 0);
});

named("a parent's name is followed as well", async (setting, names) => {
  const { origin, proxy, connect } = setting;
  proxy.update({ ...SETTINGS, routes: waysOf(`http://parent.example:${origin.port}`) });
  origin.answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n127.0.0.1");
  const other = serving("127.0.0.2", origin.port);
  const client = await connect();
  await askUntil(client, get({ authority: "a.example" }), "127.0.0.1");
  names.set(["127.0.0.2"]);
  await askUntil(client, get({ authority: "a.example" }), "127.0.0.2");
  await other.end();
});

named("while no name server answers, the connection is used", async (setting, names) => {
  const { origin, connect, exchanges } = setting;
  origin.answer(OK);
  const client = await connect();
  const message = get({ authority: `a.example:${origin.port}` });
  await askUntil(client, message, "ok");
  names.addresses = null;
  // until one has waited for an answer
  while (!exchanges.all.some(({ duration }) => duration > 1_000)) await askUntil(client, message, "ok");
  await askUntil(client, message, "ok");
  assertEquals(origin.accepted, 1);
});

named("a stop ends what waits for an answer about a name", async (setting, names) => {
  const { origin, connect } = setting;
  origin.answer(OK);
  const client = await connect();
  const message = get({ authority: `a.example:${origin.port}` });
  await askUntil(client, message, "ok");
  names.addresses = null;
  for (let answered = true; answered;) {
    answered = false;
    await client.send(message);
    const answer = client.message().then(() => answered = true, () => {});
    for (let turns = 0; turns < 200 && !answered; turns++) await turn();
    if (answered) await answer;
  }
});
