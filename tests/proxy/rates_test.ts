/**
 * Rates from outside: what is over a number is refused and told when to come again, what is over a rate of bytes
 * waits and arrives whole. No time is measured: a test looks at how long the rates have made somebody wait.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { NO_LIMITS, type RateLimits, Usage } from "../../src/policy/rates.ts";
import type { Decider } from "../../src/policy/verdict.ts";
import { proxied, type Setting, SETTINGS } from "./harness.ts";
import { CAN_RESET, type Peer, turn, valuesOf } from "./peer.ts";
import { policy } from "./policies.ts";
import { get, OK, request, roundTrip } from "./round_trip.ts";
import { arrived, tunnelled, type UnderWay } from "./under_way.ts";
import { freePort } from "../net/ports.ts";

const KIB = 1024;
const SIZE = 200 * KIB;
/** At which a body of that size has to wait for about a second. */
const RATE = 100 * KIB;
/** At which nobody lives to see the end of a wait. */
const NEVER = 1;
/** Time after which an exchange is cut in which nothing moves, but for what weir itself makes wait. */
const AT_ONCE = 1;

const limited = (limits: Partial<RateLimits>) => ({ clientRates: { ...NO_LIMITS, ...limits } });

type Place = Setting["origin"];

/** A policy whose only rule has these rates. */
function underRule(limits: Partial<RateLimits>): Decider {
  return policy({ rules: [{ name: "slow", rates: { ...NO_LIMITS, ...limits } }] });
}

/** Bytes of which each place is told from its neighbours, as text. */
function body(size: number): string {
  const bytes = new Uint8Array(size).map((_, place) => (place * 31 + (place >> 8)) & 0xff);
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

const BODY = body(SIZE);

/** In chunks whose sizes have nothing to do with those of reads. */
function chunked(content: string): string {
  let framed = "";
  for (let at = 0; at < content.length; at += 7_000) {
    const chunk = content.slice(at, at + 7_000);
    framed += `${chunk.length.toString(16)}\r\n${chunk}\r\n`;
  }
  return framed + "0\r\n\r\n";
}

/** A test that is told of each wait, in ms, that the rates ask for. */
function shaped(
  name: string,
  options: Parameters<typeof proxied>[1] & object,
  way: "up" | "down",
  run: (setting: Setting, waits: number[]) => Promise<void>,
): void {
  proxied(name, options, async (setting) => {
    const original = Usage.prototype[way];
    const waits: number[] = [];
    Usage.prototype[way] = function (bytes, now) {
      const wait = original.call(this, bytes, now);
      if (wait > 0) waits.push(wait);
      return wait;
    };
    try {
      await run(setting, waits);
    } finally {
      Usage.prototype[way] = original;
    }
  });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

/** Fails without printing two hundred thousand characters. */
function assertSame(actual: string, expected: string): void {
  assert(actual === expected, `${actual.length} of ${expected.length} bytes, or others`);
}

for (const enforced of ["client", "rule"]) {
  const rate = { requests: 0.5 };
  const settings = enforced === "client" ? limited(rate) : { policy: underRule(rate) };
  proxied(
    `a request over the rate of its ${enforced} is told when to come again, and may on the same connection`,
    {
      settings,
    },
    async (setting) => {
      const { client, upstream } = await roundTrip(setting, get(setting.origin));
      await client.send(get(setting.origin));
      const answer = await client.message();
      const limit = enforced === "client" ? "of one client" : "under the rule slow";
      assertMatch(
        answer.startLine,
        new RegExp(`^HTTP/1.1 429 Too Many Requests: .*requests ${limit}: 0.5 a second`),
      );
      assertMatch(valuesOf(answer, "retry-after").join(), /^[12]$/);
      assertEquals(valuesOf(answer, "connection"), []);
      setting.proxy.update(SETTINGS);
      await client.send(get(setting.origin));
      await upstream.message();
      await upstream.send(OK);
      assertEquals((await client.message()).content, "ok");
      const verdicts = setting.exchanges.all.map(({ verdict, status }) => [verdict, status]);
      assertEquals(verdicts, [["allow", 200], ["deny", 429], ["allow", 200]]);
    },
  );
}

for (
  const [kind, message] of [
    ["CONNECT", (to: string) => `CONNECT ${to} HTTP/1.1\r\nHost: ${to}\r\n\r\n`],
    ["Upgrade", (to: string) => get({ authority: to }, "/", "Connection: Upgrade", "Upgrade: websocket")],
  ] as const
) {
  proxied(`over the rate ${kind} is refused like any request, and nothing goes to the origin`, {
    settings: limited({ requests: 0.01 }),
  }, async (setting) => {
    const { upstream } = await roundTrip(setting, get(setting.origin, "/", "Connection: close"));
    upstream.close();
    const client = await setting.connect();
    await client.send(message(setting.origin.authority));
    const answer = await client.message();
    assertEquals(answer.status, 429);
    assertMatch(valuesOf(answer, "retry-after").join(), /^\d\d\d?$/);
    await setting.origin.assertNoFurtherConnection();
  });
}

proxied("no more exchanges are under way at once than are allowed, tunnels among them", {
  settings: limited({ exchanges: 2 }),
}, async (setting) => {
  const waiting = await arrived(setting, get(setting.origin));
  const tunnel = await tunnelled(setting);
  const third = await setting.connect();
  await third.send(get(setting.origin));
  const refused = await third.message();
  assertEquals([refused.status, valuesOf(refused, "retry-after")], [429, ["1"]]);
  assertEquals((await setting.exchanges.next()).reason, "simultaneous exchanges of one client: 2");
  tunnel.client.close();
  tunnel.upstream.close();
  await setting.exchanges.next();
  await roundTrip(setting, get(setting.origin, "/", "Connection: close"), OK, { client: third });
  await waiting.upstream.send(OK);
  assertEquals((await waiting.client.message()).content, "ok");
});

proxied("an exchange that fails is over", { settings: limited({ exchanges: 1 }) }, async (setting) => {
  const gone = { authority: `127.0.0.1:${freePort()}` };
  const client = await setting.connect();
  for (let i = 0; i < 3; i++) {
    await client.send(get(gone));
    assertEquals((await client.message()).status, 502);
  }
  const vanishing = await arrived(setting, get(setting.origin));
  vanishing.upstream.close();
  assertEquals((await vanishing.client.message()).status, 502);
  await roundTrip(setting, get(setting.origin), OK, { client });
});

proxied("after an hour's bytes the next is refused, and what is under way goes on", {
  settings: limited({ hourly: 50 * KIB }),
}, async (setting) => {
  const { client, upstream } = await arrived(setting, get(setting.origin));
  await upstream.send(`HTTP/1.1 200 OK\r\nContent-Length: ${SIZE}\r\n\r\n`);
  const sending = upstream.send(BODY);
  assertSame((await client.message()).content, BODY);
  await sending;
  await client.send(get(setting.origin));
  const answer = await client.message();
  assertMatch(answer.startLine, /^HTTP\/1\.1 429 Too Many Requests: .*bytes of one client: 50 KiB an hour/);
  assertMatch(valuesOf(answer, "retry-after").join(), /^3[56]\d\d$/);
});

proxied("heads are counted as bodies are, both ways", {
  settings: limited({ hourly: 5_000 }),
}, async (setting) => {
  const filler = `X-Filler: ${"x".repeat(2_000)}`;
  const client = await setting.connect();
  const response = `HTTP/1.1 200 OK\r\n${filler}\r\nContent-Length: 0\r\n\r\n`;
  const { upstream } = await roundTrip(setting, get(setting.origin, "/", filler), response, { client });
  await client.send(get(setting.origin, "/", filler));
  await upstream.message();
  await upstream.send(response);
  assertEquals((await client.message()).status, 200);
  await client.send(get(setting.origin));
  assertEquals((await client.message()).status, 429);
});

for (
  const [what, ask] of [
    ["a 304", (origin: Place) => get(origin, "/", 'If-None-Match: "1"')],
    ["a HEAD", (origin: Place) => request(origin, "HEAD", "/")],
  ] as const
) {
  proxied(`${what} that is answered from the store is counted`, {
    settings: { ...limited({ hourly: 6_000 }), cacheSize: 2 ** 20 },
  }, async (setting) => {
    const fields = `Cache-Control: max-age=60\r\nETag: "1"\r\nX-Filler: ${"x".repeat(2_000)}`;
    const response = `HTTP/1.1 200 OK\r\n${fields}\r\nContent-Length: 0\r\n\r\n`;
    const { client } = await roundTrip(setting, get(setting.origin), response);
    const statuses: number[] = [];
    // the requests alone would take twice as many
    while (statuses.length < 16 && !statuses.includes(429)) {
      await client.send(ask(setting.origin));
      statuses.push((await client.message({ method: what === "a HEAD" ? "HEAD" : "GET" })).status);
    }
    assertEquals(statuses.at(-1), 429, `${statuses}`);
  });
}

proxied("a body that comes with its head is counted", {
  settings: limited({ hourly: 900 }),
}, async (setting) => {
  const message = request(setting.origin, "POST", "/", "Content-Length: 1000") + "x".repeat(1_000);
  const { client } = await roundTrip(setting, message);
  await client.send(get(setting.origin));
  assertEquals((await client.message()).status, 429);
});

for (
  const [framing, head, content] of [
    ["a length", `Content-Length: ${SIZE}`, BODY],
    ["chunks", "Transfer-Encoding: chunked", chunked(BODY)],
    ["its end", "Connection: close", BODY],
  ] as const
) {
  shaped(
    `a download over the rate waits, and arrives whole, with ${framing}`,
    { settings: { ...limited({ down: RATE }), bodyTimeout: AT_ONCE } },
    "down",
    async (setting, waits) => {
      const { client, upstream } = await arrived(setting, get(setting.origin));
      const sending = upstream.send(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n${content}`).then(() => {
        if (framing === "its end") upstream.close();
      });
      assertSame((await client.message()).content, BODY);
      await sending;
      assert(waits.length >= 2, `${waits}`);
      assertEquals((await setting.exchanges.next()).truncated, false);
      if (framing === "its end") return;
      await client.send(get(setting.origin));
      await upstream.message();
      await upstream.send(OK);
      assertEquals((await client.message()).content, "ok", "both connections go on");
    },
  );
}

for (
  const [framing, head, content] of [
    ["a length", `Content-Length: ${SIZE}`, BODY],
    ["chunks", "Transfer-Encoding: chunked", chunked(BODY)],
  ] as const
) {
  shaped(
    `an upload over the rate waits, and arrives whole, with ${framing}`,
    { settings: { ...limited({ up: RATE }), bodyTimeout: AT_ONCE, responseTimeout: 5_000 } },
    "up",
    async (setting, waits) => {
      const client = await setting.connect();
      const sending = client.send(request(setting.origin, "POST", "/", head) + content);
      const upstream = await setting.origin.accept();
      assertSame((await upstream.message()).content, BODY);
      await sending;
      await upstream.send(OK);
      assertEquals((await client.message()).content, "ok");
      assert(waits.length >= 2, `${waits}`);
      await client.send(get(setting.origin));
      await upstream.message();
      await upstream.send(OK);
      assertEquals((await client.message()).content, "ok", "both connections go on");
    },
  );
}

shaped(
  "an upload that waits for longer than a body may stand still is not late",
  { settings: { ...limited({ up: 1_000 }), bodyTimeout: AT_ONCE, responseTimeout: AT_ONCE } },
  "up",
  async (setting, waits) => {
    const content = BODY.slice(0, 4_000);
    const client = await setting.connect();
    const upstream = setting.origin.accept();
    await client.send(request(setting.origin, "POST", "/", `Content-Length: ${content.length}`));
    await client.send(content);
    const arrived = await upstream;
    assertSame((await arrived.message()).content, content);
    await arrived.send(OK);
    assertEquals((await client.message()).content, "ok");
    assert(Math.max(...waits) > 500, `${waits}`);
  },
);

async function upgraded({ connect, origin }: Setting): Promise<UnderWay> {
  const client = await connect();
  await client.send(get(origin, "/", "Connection: Upgrade", "Upgrade: other"));
  const upstream = await origin.accept();
  await upstream.head();
  await upstream.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n");
  assertMatch(await client.head(), /^HTTP\/1\.1 101 /);
  return { client, upstream };
}

for (const [kind, open] of [["a tunnel", tunnelled], ["an upgraded connection", upgraded]] as const) {
  for (const way of ["up", "down"] as const) {
    shaped(
      `what goes ${way} through ${kind} over the rate waits, and arrives whole; the other way is free`,
      { settings: { ...limited({ [way]: RATE }), tunnelTimeout: AT_ONCE } },
      way,
      async (setting, waits) => {
        const { client, upstream } = await open(setting);
        const [from, to] = way === "up" ? [client, upstream] : [upstream, client];
        const sending = from.send(BODY).then(() => from.closeWrite());
        await until(() => waits.length > 0);
        await to.send("meanwhile");
        assertEquals(await from.exactly(9), "meanwhile");
        assertSame(await to.rest(), BODY);
        await sending;
        to.close();
        assert(waits.length >= 2, `${waits}`);
        const { truncated, details } = await setting.exchanges.next();
        assertEquals([truncated, details], [false, ""]);
      },
    );
  }
}

shaped(
  "small answers come one after the other at the rate, though none of them is over it",
  { settings: limited({ down: 20 * KIB }) },
  "down",
  async (setting, waits) => {
    const content = body(8 * KIB);
    setting.origin.answer(`HTTP/1.1 200 OK\r\nContent-Length: ${content.length}\r\n\r\n${content}`);
    const client = await setting.connect();
    await client.send(get(setting.origin).repeat(5));
    for (let i = 0; i < 5; i++) assertSame((await client.message()).content, content);
    assert(waits.length > 0);
  },
);

shaped(
  "heads of requests come one after the other at the rate",
  { settings: limited({ up: 2_000 }) },
  "up",
  async (setting, waits) => {
    setting.origin.answer(OK);
    const client = await setting.connect();
    await client.send(get(setting.origin, "/", `X-Filler: ${"x".repeat(900)}`).repeat(4));
    for (let i = 0; i < 4; i++) assertEquals((await client.message()).content, "ok");
    assert(waits.length > 0);
  },
);

shaped(
  "exchanges of one client share its rate, and all of them arrive",
  { settings: limited({ down: RATE }) },
  "down",
  async (setting, waits) => {
    const content = BODY.slice(0, 50 * KIB);
    setting.origin.answer(`HTTP/1.1 200 OK\r\nContent-Length: ${content.length}\r\n\r\n${content}`);
    const clients = await Promise.all([1, 2, 3, 4].map(() => setting.connect()));
    for (const client of clients) await client.send(get(setting.origin));
    await Promise.all(clients.map(async (client) => assertSame((await client.message()).content, content)));
    assert(waits.length >= 2, `${waits}`);
  },
);

shaped(
  "a client that has ended its sending gets all that it waits for",
  { settings: { ...limited({ down: RATE }), halfClosedTimeout: 500 } },
  "down",
  async (setting) => {
    const { client, upstream } = await arrived(setting, get(setting.origin));
    await client.closeWrite();
    const sending = upstream.send(`HTTP/1.1 200 OK\r\nContent-Length: ${SIZE}\r\n\r\n${BODY}`);
    assertSame((await client.message()).content, BODY);
    await sending;
  },
);

shaped(
  "a drain lets end what waits",
  { settings: limited({ down: RATE }) },
  "down",
  async (setting, waits) => {
    const { client, upstream } = await arrived(setting, get(setting.origin));
    const sending = upstream.send(`HTTP/1.1 200 OK\r\nContent-Length: ${SIZE}\r\n\r\n${BODY}`);
    await until(() => waits.length > 0);
    const drained = setting.proxy.drain();
    assertSame((await client.message()).content, BODY);
    await sending;
    await drained;
    assertEquals(setting.exchanges.all.map(({ truncated }) => truncated), [false]);
  },
);

/** Exchanges that wait for longer than any test lives. */
const STUCK: readonly [string, "up" | "down", (setting: Setting) => Promise<UnderWay>][] = [
  ["a response", "down", async (setting) => {
    const under = await arrived(setting, get(setting.origin), CAN_RESET);
    sendAside(under.upstream, `HTTP/1.1 200 OK\r\nContent-Length: ${SIZE}\r\n\r\n${BODY}`);
    return under;
  }],
  ["the response to a last request", "down", async (setting) => {
    const under = await arrived(setting, get(setting.origin, "/", "Connection: close"), CAN_RESET);
    sendAside(under.upstream, `HTTP/1.1 200 OK\r\nContent-Length: ${SIZE}\r\n\r\n${BODY}`);
    return under;
  }],
  ["a small answer", "down", async (setting) => {
    const client = await setting.connect({ resettable: CAN_RESET });
    const under = await roundTrip(setting, get(setting.origin), OK, { client });
    await under.client.send(get(setting.origin));
    await under.upstream.message();
    await under.upstream.send(OK);
    return under;
  }],
  ["a request's body", "up", async (setting) => {
    const message = request(setting.origin, "POST", "/", `Content-Length: ${SIZE}`);
    const under = await arrived(setting, message, CAN_RESET);
    sendAside(under.client, BODY);
    return under;
  }],
  ["a request's head", "up", async (setting) => {
    const client = await setting.connect({ resettable: CAN_RESET });
    const under = await roundTrip(setting, get(setting.origin), OK, { client });
    await under.client.send(get(setting.origin));
    return under;
  }],
  ["a CONNECT", "up", async (setting) => {
    const client = await setting.connect({ resettable: CAN_RESET });
    const under = await roundTrip(setting, get(setting.origin), OK, { client });
    await under.client.send(`CONNECT ${setting.origin.authority} HTTP/1.1\r\nHost: a.example\r\n\r\n`);
    return under;
  }],
  ["what goes up through a tunnel", "up", async (setting) => {
    const under = await tunnelled(setting, CAN_RESET);
    sendAside(under.client, BODY);
    return under;
  }],
  ["what comes down through a tunnel", "down", async (setting) => {
    const under = await tunnelled(setting, CAN_RESET);
    sendAside(under.upstream, BODY);
    return under;
  }],
];

/** Sends what will not be taken. */
function sendAside(peer: Peer, message: string): void {
  peer.send(message).catch(() => {});
}

for (const [what, way, begin] of STUCK) {
  for (const end of ["stop", "drain"] as const) {
    shaped(
      `a ${end} does not wait for ${what} that waits`,
      { settings: { ...limited({ [way]: NEVER }), grace: AT_ONCE } },
      way,
      async (setting, waits) => {
        const { client, upstream } = await begin(setting);
        await until(() => waits.length > 0);
        // what does not wait as it should has every opportunity
        for (let i = 0; i < 20; i++) await turn();
        await setting.proxy[end]();
        const [down, up] = await Promise.all([client.rest(), upstream.rest()]);
        assert(down.length < SIZE && up.length < SIZE, `${down.length} and ${up.length} bytes came through`);
        const { truncated, details } = setting.exchanges.all.at(-1)!;
        assertEquals([truncated, details], [true, "the proxy was stopped"]);
      },
    );
  }
}

for (const [what, way, begin] of STUCK) {
  // of one whose own bytes wait nothing more is read
  if (what.startsWith("a request's body") || what.startsWith("what goes up")) continue;
  shaped(
    `a client that resets its connection is noticed though ${what} waits`,
    { settings: limited({ [way]: NEVER }), ignore: !CAN_RESET },
    way,
    async (setting, waits) => {
      const { client } = await begin(setting);
      await until(() => waits.length > 0);
      client.reset();
      await until(() => setting.proxy.connections === 0);
      const { truncated, details } = setting.exchanges.all.at(-1)!;
      assertEquals(truncated, true);
      assertMatch(details, /^the client (?:went away|reset the connection)$/);
    },
  );
  if (what.startsWith("what comes down")) continue;
  shaped(
    `a client that has ended its sending is given up in the end when ${what} waits`,
    { settings: { ...limited({ [way]: NEVER }), halfClosedTimeout: AT_ONCE } },
    way,
    async (setting, waits) => {
      const { client } = await begin(setting);
      await until(() => waits.length > 0);
      await client.closeWrite();
      await until(() => setting.proxy.connections === 0);
      const { truncated, details } = setting.exchanges.all.at(-1)!;
      assertEquals([truncated, details], [true, "the client went away"]);
    },
  );
}

shaped(
  "an origin that answers before it has all of a body that waits is heard at once",
  { settings: limited({ up: NEVER }) },
  "up",
  async (setting, waits) => {
    const message = request(setting.origin, "POST", "/", `Content-Length: ${SIZE}`);
    const { client, upstream } = await arrived(setting, message);
    sendAside(client, BODY);
    await until(() => waits.length > 0);
    await upstream.send("HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno");
    assertEquals((await client.message()).content, "no");
    assertEquals((await setting.exchanges.next()).status, 413);
  },
);
