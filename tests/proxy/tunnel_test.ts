/** CONNECT (http-rules §5). */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { proxied } from "./harness.ts";
import { CAN_RESET, type Peer } from "./peer.ts";
import type { Setting } from "./harness.ts";

const ESTABLISHED = "HTTP/1.1 200 Connection established\r\n\r\n";

/** A tunnel and its two ends. */
async function open(
  { connect, origin }: Setting,
  early = "",
  resettable = false,
): Promise<{ client: Peer; upstream: Peer }> {
  const client = await connect({ resettable });
  await client.send(`CONNECT ${origin.authority} HTTP/1.1\r\nHost: ${origin.authority}\r\n\r\n${early}`);
  const upstream = await origin.accept();
  assertEquals(await client.head(), ESTABLISHED);
  return { client, upstream };
}

proxied("a tunnel opens with 200 and without framing (RFC 9110 §9.3.6)", async (setting) => {
  const { client, upstream } = await open(setting);
  await client.send("ping");
  assertEquals(await upstream.exactly(4), "ping");
  await upstream.send("pong");
  assertEquals(await client.exactly(4), "pong");
  client.close();
  upstream.close();
  const exchange = await setting.exchanges.next();
  assertEquals(
    [exchange.kind, exchange.method, exchange.status, exchange.target, exchange.scheme],
    ["tunnel", "CONNECT", 200, setting.origin.authority, ""],
  );
  assertEquals([exchange.requestBodyBytes, exchange.responseBodyBytes, exchange.truncated], [4, 4, false]);
  assertEquals([exchange.originAddress, exchange.originPort], ["127.0.0.1", setting.origin.port]);
  assertEquals(exchange.responseHeadBytes, ESTABLISHED.length);
});

proxied("what comes behind the head is the tunnel's first (RFC 9110 §9.3.6)", async (setting) => {
  const early = "\x16\x03\x01\0\xff" + "GET / HTTP/1.1\r\n\r\n";
  const { client, upstream } = await open(setting, early);
  assertEquals(await upstream.exactly(early.length), early);
  client.close();
  assertEquals(await upstream.rest(), "");
});

proxied("a large early flight goes through whole (RFC 9110 §9.3.6)", async (setting) => {
  const early = "0123456789".repeat(2000);
  const { upstream } = await open(setting, early);
  assert(await upstream.exactly(early.length) === early);
});

proxied("a CONNECT may come byte by byte (RFC 9112 §2.2)", async ({ connect, origin }) => {
  const client = await connect();
  await client.sendInPieces(`CONNECT ${origin.authority} HTTP/1.1\r\nHost: a\r\n\r\nping`);
  const upstream = await origin.accept();
  assertEquals(await upstream.exactly(4), "ping");
});

proxied("a server that speaks first is heard (http-rules §5)", async (setting) => {
  const { connect, origin } = setting;
  const client = await connect();
  await client.send(`CONNECT ${origin.authority} HTTP/1.1\r\nHost: a\r\n\r\n`);
  const upstream = await origin.accept();
  await upstream.send("220 hello\r\n");
  assertEquals(await client.exactly(ESTABLISHED.length + 11), ESTABLISHED + "220 hello\r\n");
});

proxied("an HTTP/1.0 client may open a tunnel (RFC 9110 §9.3.6)", async ({ connect, origin }) => {
  const client = await connect();
  await client.send(`CONNECT ${origin.authority} HTTP/1.0\r\n\r\n`);
  const upstream = await origin.accept();
  assertEquals(await client.head(), ESTABLISHED);
  await upstream.send("x");
  assertEquals(await client.exactly(1), "x");
});

for (const fields of ["Content-Length: 5", "Transfer-Encoding: chunked"]) {
  proxied(`a CONNECT with ${fields}: 400 (RFC 9110 §9.3.6)`, async ({ connect, origin }) => {
    const client = await connect();
    await client.send(
      `CONNECT ${origin.authority} HTTP/1.1\r\nHost: a\r\n${fields}\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
    );
    const answer = await client.message({ method: "GET" });
    assertEquals(answer.status, 400);
    assertMatch(answer.head, /\r\nConnection: close\r\n/);
    assertEquals(await client.rest(), "");
    await origin.assertNoFurtherConnection();
  });
}

proxied("a CONNECT with a length of zero opens a tunnel (RFC 9110 §9.3.6)", async ({ connect, origin }) => {
  const client = await connect();
  await client.send(`CONNECT ${origin.authority} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`);
  await origin.accept();
  assertEquals(await client.head(), ESTABLISHED);
});

proxied("the client's end is passed on, and the other direction goes on (http-rules §5)", async (setting) => {
  const { client, upstream } = await open(setting);
  await client.send("all");
  await client.closeWrite();
  assertEquals(await upstream.rest(), "all");
  for (const word of ["one", "two"]) {
    await upstream.send(word);
    assertEquals(await client.exactly(3), word);
  }
  await upstream.closeWrite();
  assertEquals(await client.restAndEnding(), ["", "end"]);
  assertEquals((await setting.exchanges.next()).truncated, false);
});

proxied("the origin's end is passed on, and the other direction goes on (http-rules §5)", async (setting) => {
  const { client, upstream } = await open(setting);
  await upstream.send("all");
  await upstream.closeWrite();
  assertEquals(await client.rest(), "all");
  for (const word of ["one", "two"]) {
    await client.send(word);
    assertEquals(await upstream.exactly(3), word);
  }
  await client.closeWrite();
  assertEquals(await upstream.restAndEnding(), ["", "end"]);
  assertEquals((await setting.exchanges.next()).truncated, false);
});

proxied(
  "early bytes and the client's end at once come through (http-rules §5)",
  async ({ connect, origin }) => {
    const client = await connect();
    await client.send(`CONNECT ${origin.authority} HTTP/1.1\r\nHost: a\r\n\r\nall`);
    await client.closeWrite();
    const upstream = await origin.accept();
    assertEquals(await upstream.rest(), "all");
    await upstream.send("answer");
    upstream.close();
    assertEquals(await client.rest(), ESTABLISHED + "answer");
  },
);

proxied(
  "a client's reset ends the origin's side (http-rules §5)",
  { ignore: !CAN_RESET },
  async (setting) => {
    const { client, upstream } = await open(setting, "", true);
    client.reset();
    assertEquals(await upstream.rest(), "");
    const exchange = await setting.exchanges.next();
    assertEquals([exchange.truncated, exchange.details], [true, "the client reset the connection"]);
  },
);

proxied(
  "an origin's reset ends the client's side (http-rules §5)",
  { ignore: !CAN_RESET },
  async (setting) => {
    const { connect, exchanges } = setting;
    const origin = await setting.resettableOrigin();
    const client = await connect();
    await client.send(`CONNECT ${origin.authority} HTTP/1.1\r\nHost: a\r\n\r\n`);
    const upstream = await origin.accept();
    assertEquals(await client.head(), ESTABLISHED);
    upstream.reset();
    assertEquals(await client.rest(), "");
    const exchange = await exchanges.next();
    assertEquals([exchange.truncated, exchange.error], [true, "connection_terminated"]);
  },
);

proxied("megabytes go both ways at once, unchanged (http-rules §5)", async (setting) => {
  const { client, upstream } = await open(setting);
  const bytes = (seed: number) =>
    Uint8Array.from({ length: 4_000_000 }, (_, i) => (i * seed + (i >> 9)) & 255);
  const digest = async (peer: Peer) => {
    const buffer = new Uint8Array(64 * 1024);
    let [count, sum] = [0, 0];
    for (let read; (read = await peer.stream.read(buffer)) !== null; count += read) {
      for (let i = 0; i < read; i++) sum = (Math.imul(sum, 31) + buffer[i]) | 0;
    }
    return [count, sum];
  };
  const sumOf = (all: Uint8Array) => all.reduce((sum, byte) => (Math.imul(sum, 31) + byte) | 0, 0);
  const [out, back] = [bytes(7), bytes(13)];
  const [, , atOrigin, atClient] = await Promise.all([
    client.send(out).then(() => client.closeWrite()),
    upstream.send(back).then(() => upstream.closeWrite()),
    digest(upstream),
    digest(client),
  ]);
  assertEquals([atOrigin, atClient], [[4_000_000, sumOf(out)], [4_000_000, sumOf(back)]]);
  const exchange = await setting.exchanges.next();
  assertEquals([exchange.requestBodyBytes, exchange.responseBodyBytes], [4_000_000, 4_000_000]);
});

proxied("a tunnel may be opened behind another request (RFC 9112 §9.3.2)", async ({ connect, origin }) => {
  const client = await connect();
  const options = "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n";
  await client.send(`${options}CONNECT ${origin.authority} HTTP/1.1\r\nHost: a\r\n\r\nping`);
  assertEquals((await client.message()).status, 200);
  const upstream = await origin.accept();
  assertEquals(await upstream.exactly(4), "ping");
  assertEquals(await client.head(), ESTABLISHED);
});

proxied("a tunnel's connection never serves another request (RFC 9110 §9.3.6)", async (setting) => {
  const { client, upstream } = await open(setting);
  await client.send("GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n");
  assertMatch(await upstream.head(), /^GET http:\/\/a\.example\/ HTTP\/1\.1\r\n/, "it is the tunnel's");
  client.close();
  await upstream.rest();
  upstream.close();
  await setting.exchanges.next();
  assertEquals(setting.exchanges.all.length, 1);
});
