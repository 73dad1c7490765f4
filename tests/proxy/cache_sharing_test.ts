/** One fetch for many: who gets what of it, at which pace, and what becomes of it when anybody fails. */

import { NO_LIMITS } from "../../src/policy/rates.ts";
import { assertEquals } from "@std/assert";
import { keyFor } from "../../src/proxy/cache/cache_key.ts";
import {
  cached,
  came,
  chunk,
  CHUNKED,
  FRESH,
  gathered,
  hit,
  longText,
  miss,
  response,
  turns,
  until,
} from "./cached.ts";
import type { Setting } from "./harness.ts";
import { CAN_RESET, type Peer, valuesOf } from "./peer.ts";
import { Names, policy } from "./policies.ts";
import { get } from "./round_trip.ts";

/** Names whose addresses come when the test wants them to. */
class SlowNames extends Names {
  #held: PromiseWithResolvers<void> | null = null;

  hold(): void {
    this.#held = Promise.withResolvers();
  }

  letGo(): void {
    this.#held?.resolve();
    this.#held = null;
  }

  override get resolver() {
    const { lookup, ...rest } = super.resolver;
    return {
      ...rest,
      lookup: async (host: string) => {
        const addresses = lookup(host);
        await this.#held?.promise;
        return await addresses;
      },
    };
  }
}

const names = new SlowNames({ "a.example": ["127.0.0.1"] });
cached(
  "followers get what has come and then the rest as it comes, whoever joins late too",
  async (setting) => {
    const { origin } = setting;
    const { first, rest: [second], upstream } = await gathered(setting, 1);
    await upstream.send(CHUNKED + chunk("one,"));
    await came(first, "one,");
    await came(second, "one,");
    const third = await setting.connect();
    await third.send(get(origin));
    await came(third, "one,");
    await upstream.send(chunk("two,"));
    for (const client of [first, second, third]) await came(client, "two,");
    const fourth = await setting.connect();
    await fourth.send(get(origin));
    await came(fourth, "two,");
    await upstream.send("0\r\n\r\n");
    for (const client of [first, second, third, fourth]) {
      const message = await client.message();
      assertEquals([message.status, message.content], [200, "one,two,"]);
    }
    await setting.exchanges.until(() => setting.exchanges.all.length === 4);
    assertEquals(setting.exchanges.all.map(({ cache }) => cache).toSorted(), [
      "collapsed",
      "collapsed",
      "collapsed",
      "miss stored",
    ]);
    assertEquals((await hit(fourth, get(origin))).content, "one,two,");
    await origin.assertNoFurtherConnection();
  },
);

cached("followers of all kinds get their kind of answer from one fetch", async (setting) => {
  const { origin } = setting;
  const { authority } = origin;
  const { first, rest, upstream } = await gathered(setting, [
    `GET http://${authority}/ HTTP/1.0\r\n\r\n`,
    get(origin, "/", 'If-None-Match: "a"'),
    get(origin, "/", 'If-None-Match: "b"'),
    get(origin, "/", "Connection: close"),
    get(origin, "/", "Cache-Control: max-age=0"),
  ]);
  await upstream.send(CHUNKED.replace("\r\n\r\n", '\r\nETag: "a"\r\n\r\n') + chunk("hello"));
  await came(first, "hello");
  await upstream.send("0\r\n\r\n");
  assertEquals((await first.message()).content, "hello");
  const [old, unmodified, modified, closing, validated] = await Promise.all(
    rest.map((peer) => peer.message()),
  );
  assertEquals([old.content, valuesOf(old, "transfer-encoding"), rest[0].ending], ["hello", [], "end"]);
  assertEquals([unmodified.status, unmodified.content], [304, ""]);
  assertEquals([modified.status, modified.content], [200, "hello"]);
  assertEquals([closing.content, valuesOf(closing, "connection")], ["hello", ["close"]]);
  assertEquals(validated.content, "hello");
  await origin.assertNoFurtherConnection();
});

const UNMODIFIED = 'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nConnection: close\r\n\r\n';

/** A first client that has something already, and others that wait for its fetch. */
async function behindOneThatKnows(
  { origin, connect }: Setting,
  message: string,
): Promise<[Peer, Peer[], Peer]> {
  const leader = await connect();
  await leader.send(get(origin, "/", 'If-None-Match: "a"'));
  const upstream = await origin.accept();
  await upstream.message();
  const others: Peer[] = [];
  for (let index = 0; index < 3; index++) {
    others.push(await connect());
    await others[index].send(message);
  }
  await turns();
  return [leader, others, upstream];
}

cached(
  "after a 304 to one client, one of those that wait and have nothing asks for them",
  async (setting) => {
    const { origin } = setting;
    const [leader, others, upstream] = await behindOneThatKnows(setting, get(origin));
    await upstream.send(UNMODIFIED);
    assertEquals((await leader.message()).status, 304);
    const next = await origin.accept();
    await next.message();
    await turns();
    await next.send(response(FRESH));
    for (const client of others) assertEquals((await client.message()).content, "hello");
    await origin.assertNoFurtherConnection();
  },
);

cached(
  "after a 304 to one client, those that have something too do not wait for each other",
  async (setting) => {
    const { origin } = setting;
    const message = get(origin, "/", 'If-None-Match: "a"');
    const [, others, upstream] = await behindOneThatKnows(setting, message);
    await upstream.send(UNMODIFIED);
    const asking: Peer[] = [];
    for (const _ of others) asking.push(await origin.accept());
    for (const peer of asking) {
      await peer.message();
      await peer.send(UNMODIFIED);
    }
    for (const client of others) assertEquals((await client.message()).status, 304);
  },
);

cached("requests for a part and HEAD do not wait for a whole", async (setting) => {
  const { origin } = setting;
  const { first, upstream } = await gathered(setting, 0);
  const part = await setting.connect();
  await part.send(get(origin, "/", "Range: bytes=0-1"));
  const own = await origin.accept();
  await own.message();
  await own.send(
    "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-1/5\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhe",
  );
  assertEquals((await part.message()).content, "he");
  await upstream.send(response(FRESH));
  assertEquals((await first.message()).content, "hello");
});

for (const framing of ["Content-Length: 400000", "Transfer-Encoding: chunked"]) {
  cached(`a slow leader holds up no followers (${framing})`, async (setting) => {
    const body = longText(400_000);
    const { first, rest, upstream } = await gathered(setting, 3);
    const chunked = framing.endsWith("chunked");
    await upstream.send(
      `HTTP/1.1 200 OK\r\n${FRESH}${framing}\r\n\r\n${chunked ? `${chunk(body)}0\r\n\r\n` : body}`,
    );
    for (const client of rest) assertEquals((await client.message()).content, body);
    assertEquals((await first.message()).content, body);
    assertEquals((await hit(rest[0], get(setting.origin))).content, body);
  });

  cached(`slow followers hold up no leader (${framing})`, async (setting) => {
    const body = longText(400_000);
    const { first, rest, upstream } = await gathered(setting, 3);
    const chunked = framing.endsWith("chunked");
    await upstream.send(
      `HTTP/1.1 200 OK\r\n${FRESH}${framing}\r\n\r\n${chunked ? `${chunk(body)}0\r\n\r\n` : body}`,
    );
    assertEquals((await first.message()).content, body);
    for (const client of rest) assertEquals((await client.message()).content, body);
  });
}

for (const how of ["reset", "close"] as const) {
  cached(
    `the leader's client vanishes within the body (${how}): the others get all of it`,
    async (setting) => {
      if (how === "reset" && !CAN_RESET) return;
      const { origin } = setting;
      const { first, rest, upstream } = await gathered(setting, 2);
      await upstream.send(CHUNKED + chunk("one,"));
      for (const client of [first, ...rest]) await came(client, "one,");
      if (how === "reset") first.reset();
      else first.close();
      await turns();
      await upstream.send(chunk("two"));
      await came(rest[0], "two");
      await upstream.send("0\r\n\r\n");
      for (const client of rest) assertEquals((await client.message()).content, "one,two");
      assertEquals((await hit(rest[0], get(origin))).content, "one,two");
      await origin.assertNoFurtherConnection();
    },
  );
}

cached(
  "the leader's client vanishes before the answer: one of the others asks, and not all",
  async (setting) => {
    if (!CAN_RESET) return;
    const { origin } = setting;
    const { first, rest, upstream } = await gathered(setting, 4);
    first.reset();
    assertEquals(await upstream.rest(), "");
    const second = await origin.accept();
    await second.message();
    await turns();
    await second.send(response(FRESH));
    for (const client of rest) assertEquals((await client.message()).content, "hello");
    await origin.assertNoFurtherConnection();
  },
);

cached("a leader that the policy refuses takes nobody with it", async (setting) => {
  // a client of another address family is refused by the address that it would reach
  const { port } = setting.origin;
  const target = (path: string) =>
    `GET http://a.example:${port}${path} HTTP/1.1\r\nHost: a.example:${port}\r\n\r\n`;
  const denied = await setting.connect({ to: setting.addresses[1] });
  const others = [await setting.connect(), await setting.connect(), await setting.connect()];
  names.hold();
  await denied.send(target("/"));
  await until(() => names.asked.length === 1, "the name is looked up");
  for (const client of others) await client.send(target("/"));
  await turns();
  names.letGo();
  assertEquals((await denied.message()).status, 403);
  const upstream = await setting.origin.accept();
  await upstream.message();
  await turns();
  await upstream.send(response(FRESH));
  for (const client of others) assertEquals((await client.message()).content, "hello");
  await setting.origin.assertNoFurtherConnection();
  // and what is stored now is not for who may not reach where it came from
  assertEquals((await hit(denied, target("/"))).status, 403);
}, {
  policy: policy({
    rules: [{ name: "no six", action: "deny", clients: "::1", hosts: "127.0.0.0/8" }, { hosts: "*" }],
  }),
}, { listen: [{ hostname: "127.0.0.1", port: 0 }, { hostname: "::1", port: 0 }], resolver: names.resolver });

cached(
  "who is refused by rates that come with the address holds nothing of what others fetch",
  async (setting) => {
    const { origin } = setting;
    const authority = `a.example:${origin.port}`;
    const message = `GET http://${authority}/ HTTP/1.1\r\nHost: ${authority}\r\n\r\n`;
    const leader = await setting.connect();
    await leader.send(message);
    const upstream = await origin.accept();
    await upstream.message();
    await upstream.send("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 10\r\n\r\nhello");
    while (!leader.received.includes("hello")) leader.received += await leader.some();
    const follower = await setting.connect();
    await follower.send(message);
    assertEquals((await follower.message()).status, 429);
    await upstream.send("world");
    assertEquals((await leader.message()).content, "helloworld");
  },
  {
    policy: policy({ rules: [{ hosts: "127.0.0.0/8", rates: { ...NO_LIMITS, requests: 1, burst: 1 } }] }),
  },
  { resolver: new Names({ "a.example": ["127.0.0.1"] }).resolver },
);

cached("who waits for another's fetch and goes leaves nothing behind with it", async (setting) => {
  const { origin, proxy } = setting;
  const { first, rest, upstream } = await gathered(setting, 3);
  const flight = proxy.cache!.flight(keyFor("", `http://${origin.authority}/`))!;
  await until(() => flight.waiting === 3, "three wait");
  rest[0].close();
  await until(() => flight.waiting === 2, "two wait");
  await upstream.send(response(FRESH));
  for (const client of [first, rest[1], rest[2]]) assertEquals((await client.message()).content, "hello");
  assertEquals(flight.waiting, 0);
}, { halfClosedTimeout: 1 });

/** What a client is answered with that asks the origin itself, though another one's fetch is under way. */
async function asksItself(setting: Setting, ...lines: string[]): Promise<void> {
  const { origin } = setting;
  const client = await setting.connect();
  await client.send(get(origin, "/", ...lines));
  const upstream = await origin.accept();
  await upstream.message();
  await upstream.send(response("Cache-Control: no-store\r\nConnection: close\r\n", "own"));
  assertEquals((await client.message()).content, "own", lines.join());
}

cached(
  "a fetch that hangs is waited for no longer than it may, and then the next one leads",
  async (setting) => {
    const { origin, proxy } = setting;
    proxy.cache!.longestWait = 1;
    const { rest, upstream } = await gathered(setting, 3);
    const leaders = [await origin.accept(), await origin.accept(), await origin.accept()];
    for (const leader of leaders) await leader.message();
    proxy.cache!.longestWait = 1e9;
    // who comes now has one to wait for
    const late = await setting.connect();
    await late.send(get(origin));
    const next = await origin.accept();
    await next.message();
    const last = await setting.connect();
    await last.send(get(origin));
    await turns();
    for (const each of leaders) await each.send(response("Cache-Control: no-cache\r\n", "one"));
    for (const client of rest) assertEquals((await client.message()).content, "one");
    await next.send(response(FRESH, "two"));
    for (const client of [late, last]) assertEquals((await client.message()).content, "two");
    await origin.assertNoFurtherConnection();
    upstream.close();
  },
);

cached("reloads, credentials and streams of events wait for nobody", async (setting) => {
  setting.proxy.cache!.longestWait = 1e9;
  const { first, upstream } = await gathered(setting, 0);
  for (
    const line of [
      "Cache-Control: no-cache",
      "Pragma: no-cache",
      "Pragma: x",
      "Authorization: Basic YTpi",
      "Authorization: NTLM YTpi",
      "X-Api-Key: a",
      "Accept: text/event-stream",
      "Cookie: a=b",
    ]
  ) {
    await asksItself(setting, line);
  }
  await upstream.send(response("Cache-Control: public, max-age=60\r\n"));
  assertEquals((await first.message()).content, "hello");
});

for (
  const line of ["Authorization: NTLM YTpi", "Authorization: Bearer x", "Cookie: a=b", "X-Auth-Token: a"]
) {
  cached(`nobody waits for what is fetched with credentials (${line})`, async (setting) => {
    const { origin, proxy } = setting;
    proxy.cache!.longestWait = 1e9;
    const leader = await setting.connect();
    await leader.send(get(origin, "/", line));
    const upstream = await origin.accept();
    await upstream.message();
    await asksItself(setting);
    await upstream.send(response("Cache-Control: public, max-age=60\r\n"));
    assertEquals((await leader.message()).content, "hello");
  });
}

cached("cookies are no reason to ask for what is stored and public once for each", async (setting) => {
  const { origin } = setting;
  const clients = [await setting.connect(), await setting.connect(), await setting.connect()];
  const cookie = (index: number) => get(origin, "/", `Cookie: a=${index}`);
  for (const shared of ["public, max-age=60", "s-maxage=60", "max-age=60"]) {
    setting.proxy.cache!.clear();
    const stale = 'Cache-Control: public, max-age=0\r\nETag: "a"\r\n';
    const { upstream } = await miss(setting, clients[0], get(origin), response(stale));
    for (const [index, client] of clients.entries()) {
      await client.send(cookie(index));
      if (index === 0) await upstream.message();
    }
    await turns();
    const head = `HTTP/1.1 200 OK\r\nCache-Control: ${shared}\r\nContent-Length: 10\r\n\r\n`;
    await upstream.send(head + "hello");
    await came(clients[0], "hello");
    const others: Peer[] = [];
    if (shared === "max-age=60") {
      // it is not known to be for others before it is stored
      for (let index = 1; index < 3; index++) {
        const own = await origin.accept();
        await own.message();
        others.push(own);
      }
    } else for (const client of clients.slice(1)) await came(client, "hello");
    await upstream.send("world");
    for (const own of others) {
      await own.send(response("Cache-Control: no-store\r\nConnection: close\r\n", "own"));
    }
    const got = await Promise.all(clients.map(async (client) => (await client.message()).content));
    const theirs = others.length === 0 ? "helloworld" : "own";
    assertEquals(got, ["helloworld", theirs, theirs], shared);
    upstream.close();
    await turns();
  }
});

cached(
  "what turns out not to be shared is remembered, and a fetch that brings it back is not",
  async (setting) => {
    const { origin, proxy } = setting;
    proxy.cache!.longestWait = 1e9;
    const key = keyFor("", `http://${origin.authority}/`);
    const { first, upstream } = await gathered(setting, 0);
    await upstream.send(response("Cache-Control: no-store\r\n"));
    assertEquals((await first.message()).content, "hello");
    const poll = await setting.connect();
    await poll.send(get(origin));
    await upstream.message();
    await asksItself(setting);
    assertEquals(proxy.cache!.flight(key), undefined);
    await upstream.send(response("Cache-Control: no-store\r\n"));
    assertEquals((await poll.message()).content, "hello");
  },
);
