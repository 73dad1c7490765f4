/** What is too much: connections, heads, fields, bodies, and what is still read of a client that was refused. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { SMALL } from "../../src/net/buffers.ts";
import { Connection } from "../../src/net/connection.ts";
import { fakeClock, FakeStream } from "../net/fakes.ts";
import { proxied, type Setting } from "./harness.ts";
import { type Message, type Peer, turn, valuesOf } from "./peer.ts";
import { policy } from "./policies.ts";
import { get, OK, request, roundTrip } from "./round_trip.ts";
import { tunnelled } from "./under_way.ts";

// connections

/** Sends a request and returns its answer, or the answer that came before it was read. */
async function ask(client: Peer, setting: Setting): Promise<Message> {
  await client.send(get(setting.origin));
  return await client.message();
}

function assertRefused(answer: Message, reason: RegExp): void {
  assertEquals(answer.status, 503);
  assertMatch(valuesOf(answer, "proxy-status")[0], /; error=connection_limit_reached;/);
  assertMatch(answer.startLine, reason);
  assertEquals(valuesOf(answer, "connection"), ["close"]);
  assertEquals(valuesOf(answer, "retry-after").length, 1);
}

/** A client with an exchange under way, which `finish` brings to its end. */
async function busy(
  setting: Setting,
  client: Peer,
): Promise<{ client: Peer; finish(): Promise<Message> }> {
  await client.send(get(setting.origin));
  const upstream = await setting.origin.accept();
  await upstream.message();
  return {
    client,
    async finish() {
      await upstream.send(OK);
      const answer = await client.message();
      upstream.close();
      return answer;
    },
  };
}

proxied(
  "over the limit of connections in all: 503 at once, whole, and exchanges under way go on",
  { settings: { maxConnections: 2 } },
  async (setting) => {
    const first = await busy(setting, await setting.connect());
    const second = await busy(setting, await setting.connect());
    const third = await setting.connect();
    await third.send(get(setting.origin));
    assertRefused(await third.message(), /more than 2 connections/);
    assertEquals(await third.restAndEnding(), ["", "end"]);
    assertEquals([(await first.finish()).status, (await second.finish()).status], [200, 200]);
    assertEquals(setting.proxy.connections, 2);
  },
);

proxied(
  "a client over the limit is told so before it has said anything",
  { settings: { maxConnections: 1 } },
  async (setting) => {
    await busy(setting, await setting.connect());
    const second = await setting.connect();
    assertEquals((await second.message()).status, 503);
  },
);

for (
  const [limit, what] of [["maxConnections", "all connections"], [
    "maxConnectionsPerLocalClient",
    "a client's connections",
  ]]
) {
  proxied(
    `at the limit of ${what} the one that has been idle longest makes room for a new one`,
    { settings: { [limit]: 2 } },
    async (setting) => {
      const working = await busy(setting, await setting.connect());
      const silent = await setting.connect();
      while (setting.proxy.connections < 2) await turn();
      const third = await setting.connect();
      assertEquals(await silent.restAndEnding(), ["", "end"]);
      const upstreams = await busy(setting, third);
      assertEquals([(await upstreams.finish()).status, (await working.finish()).status], [200, 200]);
      const fourth = await setting.connect();
      const served = await busy(setting, fourth);
      assertEquals(await third.restAndEnding(), ["", "end"], "idle for longer than the other");
      assertEquals((await served.finish()).status, 200);
      assertEquals(setting.exchanges.all.length, 3);
    },
  );
}

proxied(
  "when a connection ends, another may take its place",
  { settings: { maxConnections: 1 } },
  async (setting) => {
    setting.origin.answer(OK);
    for (let i = 0; i < 5; i++) {
      const client = await setting.connect();
      assertEquals((await ask(client, setting)).status, 200);
      client.close();
      while (setting.proxy.connections > 0) await turn();
    }
  },
);

proxied(
  "a closed connection whose descriptor waits for its peer takes the place of another",
  { settings: { maxConnections: 1 } },
  async (setting) => {
    setting.origin.answer(OK);
    const { clock } = fakeClock();
    const stream = new FakeStream();
    stream.appetite = 0;
    stream.closeSettlesWrites = false;
    const stuck = new Connection(stream, clock, SMALL, 0);
    stuck.write(new Uint8Array(1));
    stuck.release();
    const refused = await setting.connect();
    assertEquals((await refused.message()).status, 503);
    await stream.failWrite(new Deno.errors.BrokenPipe("Broken pipe"));
    assertEquals((await ask(await setting.connect(), setting)).status, 200);
  },
);

proxied(
  "over the limit of connections of one client: 503, while other clients are served",
  {
    settings: { maxConnectionsPerLocalClient: 1 },
    listen: [{ hostname: "127.0.0.1", port: 0 }, { hostname: "::1", port: 0 }],
  },
  async (setting) => {
    const first = await busy(setting, await setting.connect());
    const second = await setting.connect();
    await second.send(get(setting.origin));
    assertRefused(await second.message(), /more than 1 connections of one client/);
    const other = await busy(setting, await setting.connect({ to: setting.addresses[1] }));
    assertEquals((await other.finish()).status, 200);
    assertEquals((await first.finish()).status, 200);
    first.client.close();
    while (setting.proxy.connections > 1) await turn();
    const next = await busy(setting, await setting.connect());
    assertEquals((await next.finish()).status, 200);
  },
);

proxied(
  "a client that holds more than another makes room for it, and not the other for the first",
  {
    settings: { maxConnections: 3 },
    listen: [{ hostname: "127.0.0.1", port: 0 }, { hostname: "::1", port: 0 }],
  },
  async (setting) => {
    const [, addressOfOther] = setting.addresses;
    const other = await setting.connect({ to: addressOfOther });
    while (setting.proxy.connections < 1) await turn();
    const working = await busy(setting, await setting.connect());
    const alsoWorking = await busy(setting, await setting.connect());
    assertRefused(await (await setting.connect()).message(), /more than 3 connections/);
    assertEquals((await working.finish()).status, 200);
    const newcomer = await busy(setting, await setting.connect({ to: addressOfOther }));
    assertEquals(await working.client.restAndEnding(), ["", "end"]);
    const still = await busy(setting, other);
    for (const each of [newcomer, still, alsoWorking]) assertEquals((await each.finish()).status, 200);
  },
);

proxied(
  "hundreds of connections over the limit do no harm to the one that is served, and are all let go",
  { settings: { maxConnections: 1 } },
  async (setting) => {
    const served = await busy(setting, await setting.connect());
    const many = await Promise.all(Array.from({ length: 300 }, () => setting.connect()));
    const endings = await Promise.all(many.map((client) => client.rest()));
    for (const text of endings) assert(text === "" || text.startsWith("HTTP/1.1 503 "), text);
    assert(endings.some((text) => text !== ""));
    assertEquals((await served.finish()).status, 200);
    const warnings = setting.exchanges.notices.filter(({ level }) => level === "warning");
    assertEquals(warnings.length, 1, "the operator is told once, not three hundred times");
  },
);

proxied(
  "a stop does not wait for those who were refused and have not gone",
  { settings: { maxConnections: 1 } },
  async (setting) => {
    await busy(setting, await setting.connect());
    const refused = await setting.connect();
    assertEquals((await refused.message()).status, 503);
    await setting.proxy.stop();
    assertEquals(await refused.rest(), "");
  },
);

// heads

const LEAST = { maxHeadSize: 8 * 1024, maxFields: 16 };

/** A request whose head has exactly so many bytes. */
function headOf(size: number, origin: { authority: string }): string {
  const bare = get(origin, "/", "X: ");
  return get(origin, "/", `X: ${"x".repeat(size - bare.length)}`);
}

proxied("a head of exactly the limit passes, one byte more is refused with 431 (RFC 6585 §5)", {
  settings: LEAST,
}, async (setting) => {
  const { client } = await roundTrip(setting, headOf(8 * 1024, setting.origin));
  await client.send(headOf(8 * 1024 + 1, setting.origin));
  const answer = await client.message();
  assertEquals([answer.status, valuesOf(answer, "connection")], [431, ["close"]]);
});

proxied("a head that never ends is refused once it fills its limit", { settings: LEAST }, async (setting) => {
  const client = await setting.connect();
  await client.send(get(setting.origin).slice(0, -2) + "X: " + "x".repeat(16 * 1024));
  assertEquals((await client.message()).status, 431);
});

proxied("a request line of 8,000 octets passes (RFC 9112 §3)", async (setting) => {
  const path = "/" + "p".repeat(8_000 - `GET ${setting.origin.url}/ HTTP/1.1`.length);
  const message = get(setting.origin, path);
  assertEquals(message.indexOf("\r\n"), 8_000);
  const { sent } = await roundTrip(setting, message);
  assertEquals(sent.startLine, `GET ${path} HTTP/1.1`);
});

proxied("a target that alone fills the limit is refused with 414 (RFC 9112 §3)", {
  settings: LEAST,
}, async (setting) => {
  const client = await setting.connect();
  await client.send(`GET ${setting.origin.url}/${"p".repeat(8 * 1024)}`);
  assertEquals((await client.message()).status, 414);
});

proxied("as many fields as the limit says pass, one more is refused with 431", {
  settings: LEAST,
}, async (setting) => {
  const lines = (count: number) => Array.from({ length: count }, (_, index) => `X-${index}: y`);
  // Host is one of them
  const { client, sent } = await roundTrip(setting, get(setting.origin, "/", ...lines(15)));
  assertEquals(sent.fields.filter(([name]) => name.startsWith("X-")).length, 15);
  await client.send(get(setting.origin, "/", ...lines(16)));
  assertEquals((await client.message()).status, 431);
});

proxied("an origin's head over the limit: 502, and its connection is dropped", {
  settings: { ...LEAST, originTolerance: "strict" },
}, async (setting) => {
  const { upstream, got, client } = await roundTrip(
    setting,
    get(setting.origin),
    `HTTP/1.1 200 OK\r\nX: ${"x".repeat(8 * 1024)}\r\n\r\n`,
  );
  assertEquals(got.status, 502);
  assertEquals(await upstream.rest(), "");
  await roundTrip(setting, get(setting.origin), OK, { client });
});

proxied("an origin's head with too many fields: 502", {
  settings: { ...LEAST, originTolerance: "strict" },
}, async (setting) => {
  const { got } = await roundTrip(
    setting,
    get(setting.origin),
    `HTTP/1.1 200 OK\r\n${"X: y\r\n".repeat(17)}\r\n`,
  );
  assertEquals(got.status, 502);
});

proxied("heads of any size up to the limit pass whole, both ways", async (setting) => {
  const client = await setting.connect();
  let upstream: Peer | undefined;
  for (const size of [100, 2_000, 2_040, 2_048, 3_000, 16_000, 16_384, 17_000, 40_000, 60_000]) {
    const value = "v".repeat(size);
    await client.send(get(setting.origin, "/", `X: ${value}`));
    upstream ??= await setting.origin.accept();
    assertEquals(valuesOf(await upstream.message(), "x"), [value], `${size} bytes there`);
    await upstream.send(`HTTP/1.1 200 OK\r\nX: ${value}\r\nContent-Length: 2\r\n\r\nok`);
    const answer = await client.message();
    assertEquals([valuesOf(answer, "x"), answer.content], [[value], "ok"], `${size} bytes back`);
  }
});

// what has not come whole

/** Room for one head or ClientHello of more than 16 KiB. */
const UNFINISHED = { maxUnfinished: 32 * 1024 };
const TOO_MUCH = "messages that have not come whole take too much memory";

/** The beginning of a head that needs more than 16 KiB. */
function unfinishedHead(setting: Setting): string {
  return get(setting.origin).slice(0, -2) + `X: ${"x".repeat(17_000)}`;
}

proxied(
  "unfinished heads that take too much memory together: 503 for one of the client that has most, and close",
  {
    settings: { ...UNFINISHED, maxUnfinished: 80 * 1024 },
    listen: [{ hostname: "127.0.0.1", port: 0 }, { hostname: "::1", port: 0 }],
  },
  async (setting) => {
    setting.origin.answer(OK);
    const clients = [await setting.connect(), await setting.connect()];
    const other = await setting.connect({ to: setting.addresses[1] });
    for (const client of [...clients, other]) await client.send(unfinishedHead(setting));
    const answers = clients.map((client) => client.message());
    const refused = await Promise.race(answers.map((answer, i) => answer.then(() => i)));
    const answer = await answers[refused];
    assertEquals([answer.status, valuesOf(answer, "connection")], [503, ["close"]]);
    assertEquals(valuesOf(answer, "retry-after").length, 1);
    assertEquals(await clients[refused].rest(), "");
    await clients[1 - refused].send("\r\n\r\n");
    assertEquals((await answers[1 - refused]).status, 200);
    await other.send("\r\n\r\n");
    assertEquals((await other.message()).status, 200);
    const given = setting.exchanges.all.filter(({ status }) => status === 503);
    assertEquals(given.map(({ error, details, truncated }) => [error, details, truncated]), [
      ["connection_limit_reached", TOO_MUCH, true],
    ]);
  },
);

proxied(
  "an unfinished ClientHello counts with the heads, and its tunnel is closed on both sides",
  { settings: { ...UNFINISHED, policy: policy({ tls: "match" }) } },
  async (setting) => {
    const { client, upstream } = await tunnelled(setting);
    // records of a ClientHello that says that it is of 60,000 bytes
    const record = "\x16\x03\x01\x3f\xff" + "\x01\x00\xea\x60\x03\x03" + "a".repeat(0x3fff - 6);
    await client.send(record);
    await client.send("\x16\x03\x01\x3f\xff" + "a".repeat(0x3fff));
    await client.send("\x16\x03\x01\x3f\xff" + "a".repeat(0x3fff)).catch(() => {});
    assertEquals(await upstream.rest(), "", "nothing of it went on");
    await client.rest();
    const { error, details, truncated } = await setting.exchanges.next();
    assertEquals([error, details, truncated], ["connection_limit_reached", TOO_MUCH, true]);
  },
);

proxied(
  "an origin's unfinished head counts against the client that asked for it: 503",
  { settings: UNFINISHED },
  async (setting) => {
    const client = await setting.connect();
    await client.send(get(setting.origin));
    const upstream = await setting.origin.accept();
    await upstream.message();
    await upstream.send(`HTTP/1.1 200 OK\r\nX: ${"x".repeat(40_000)}`).catch(() => {});
    const answer = await client.message();
    assertEquals(answer.status, 503);
    await upstream.rest();
    assertEquals((await setting.exchanges.next()).error, "connection_limit_reached");
    setting.origin.answer(OK);
    assertEquals((await ask(client, setting)).status, 200);
    await client.send(unfinishedHead(setting));
    await client.send("\r\n\r\n");
    assertEquals((await client.message()).status, 200, "nothing is counted any more");
  },
);

// bodies

const SMALL_BODIES = { maxBodySize: 1_000 };

proxied("a body of exactly the limit passes", { settings: SMALL_BODIES }, async (setting) => {
  const body = "b".repeat(1_000);
  const { sent } = await roundTrip(
    setting,
    request(setting.origin, "POST", "/", "Content-Length: 1000") + body,
  );
  assertEquals(sent.content, body);
});

proxied(
  "a body whose length is over the limit: 413 before the origin hears of it (RFC 9110 §15.5.14)",
  { settings: SMALL_BODIES },
  async (setting) => {
    const client = await setting.connect();
    await client.send(request(setting.origin, "POST", "/", "Content-Length: 1001"));
    const answer = await client.message();
    assertEquals([answer.status, valuesOf(answer, "connection")], [413, ["close"]]);
    assertEquals((await setting.exchanges.next()).verdict, "none");
    await setting.origin.assertNoFurtherConnection();
  },
);

proxied(
  "a chunked body of exactly the limit passes, however many chunks it comes in",
  { settings: SMALL_BODIES },
  async (setting) => {
    const head = request(setting.origin, "POST", "/", "Transfer-Encoding: chunked");
    const { sent } = await roundTrip(setting, head + "1;x=y\r\nb\r\n".repeat(1_000) + "0\r\n\r\n");
    assertEquals(sent.content, "b".repeat(1_000));
  },
);

proxied(
  "a chunked body that grows over the limit: 413, and what the origin got is not whole (RFC 9110 §15.5.14)",
  { settings: SMALL_BODIES },
  async (setting) => {
    const client = await setting.connect();
    await client.send(request(setting.origin, "POST", "/", "Transfer-Encoding: chunked"));
    const upstream = await setting.origin.accept();
    await upstream.head();
    await client.send(`3e8\r\n${"b".repeat(1_000)}\r\n`);
    await upstream.upTo("b\r\n");
    await client.send("1\r\nb\r\n");
    const answer = await client.message();
    assertEquals([answer.status, valuesOf(answer, "connection")], [413, ["close"]]);
    assertEquals(await upstream.rest(), "");
    await client.closeWrite();
    assertEquals(await client.rest(), "");
  },
);

proxied("without a limit a body may be of any size", async (setting) => {
  const size = 8 * 1024 * 1024;
  const client = await setting.connect();
  await client.send(request(setting.origin, "POST", "/", `Content-Length: ${size}`));
  const upstream = await setting.origin.accept();
  await upstream.head();
  const sending = client.send(new Uint8Array(size));
  let received = 0;
  while (received < size) received += (await upstream.some()).length;
  await sending;
  assertEquals(received, size);
  await upstream.send(OK);
  await client.message();
  assertEquals((await setting.exchanges.next()).requestBodyBytes, size);
});

// after a refusal

proxied(
  "what a refused client still sends is read for a while, so that it gets its answer (RFC 9112 §9.6)",
  { settings: SMALL_BODIES },
  async (setting) => {
    const client = await setting.connect();
    const size = 500_000;
    await client.send(request(setting.origin, "POST", "/", `Content-Length: ${size}`));
    await client.send(new Uint8Array(size));
    assertEquals((await client.message()).status, 413);
    await client.closeWrite();
    assertEquals(await client.restAndEnding(), ["", "end"]);
  },
);

proxied(
  "a client that sends on behind its last request is heard out, so that it gets its answer (RFC 9112 §9.6)",
  async (setting) => {
    const client = await setting.connect();
    // more than one read takes
    await client.send(get(setting.origin, "/", "Connection: close") + get(setting.origin).repeat(100));
    const upstream = await setting.origin.accept();
    await upstream.message();
    await upstream.send(OK);
    assertEquals((await client.message()).content, "ok");
    assertEquals(await client.restAndEnding(), ["", "end"]);
    for (let i = 0; i < 10; i++) {
      await client.send("on a closed connection this would be refused");
      await turn();
    }
    assertEquals(setting.exchanges.all.length, 1, "nothing of it is answered");
  },
);

proxied(
  "what a refused client sends without end is not read without end",
  { settings: SMALL_BODIES },
  async (setting) => {
    const client = await setting.connect();
    await client.send(request(setting.origin, "POST", "/", "Content-Length: 1000000000"));
    let sent = 0;
    const piece = new Uint8Array(64 * 1024);
    try {
      for (;; sent += piece.length) await client.send(piece);
    } catch (error) {
      assert(error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset);
    }
    assert(sent < 100 * 1024 * 1024, `${sent} bytes`);
  },
);
