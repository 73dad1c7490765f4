/** What origins do wrong, uploads and tunnels too, and what comes of it for the client and for the record. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { proxied, type Setting } from "./harness.ts";
import { CAN_RESET, type Peer, valuesOf } from "./peer.ts";
import { get, OK, request, roundTrip } from "./round_trip.ts";
import { arrived, tunnelled } from "./under_way.ts";
import { freePort } from "../net/ports.ts";

/** What an origin sends that lets the client's next request on the same connection be answered. */
async function assertGoesOn(client: Peer, setting: Setting): Promise<void> {
  await roundTrip(setting, get(setting.origin, "/next"), OK, { client });
}

/** An origin that can reset its connections, and a request that has arrived at it. */
async function arrivedAtResettable(
  { resettableOrigin, connect }: Setting,
  method = "GET",
): Promise<{ client: Peer; upstream: Peer; authority: string; accept(): Promise<Peer> }> {
  const { authority, accept } = await resettableOrigin();
  const client = await connect();
  await client.send(request({ authority }, method, "/"));
  const upstream = await accept();
  await upstream.head();
  return { client, upstream, authority, accept };
}

/** Where nobody listens. */
function refusing(): { authority: string } {
  return { authority: `127.0.0.1:${freePort()}` };
}

// origins before their answer

proxied(
  "an origin that refuses the connection: 502, and the client's connection goes on",
  async (setting) => {
    const gone = refusing();
    const client = await setting.connect();
    await client.send(get(gone));
    const answer = await client.message();
    assertEquals(answer.status, 502);
    assertMatch(valuesOf(answer, "proxy-status")[0], /; error=connection_refused;/);
    assertStringIncludes(answer.startLine, `${gone.authority} refused the connection`);
    const { error, status, originAddress } = await setting.exchanges.next();
    assertEquals([error, status, originAddress], ["connection_refused", 502, "127.0.0.1"]);
    await assertGoesOn(client, setting);
  },
);

proxied("an origin that refuses a tunnel: 502 whose reason phrase says why", async (setting) => {
  const gone = refusing();
  const client = await setting.connect();
  await client.send(`CONNECT ${gone.authority} HTTP/1.1\r\nHost: ${gone.authority}\r\n\r\n`);
  const answer = await client.message({ method: "CONNECT" });
  assertEquals(answer.startLine, `HTTP/1.1 502 Bad Gateway: ${gone.authority} refused the connection`);
  assertEquals((await setting.exchanges.next()).kind, "tunnel");
});

proxied(
  "an origin that closes without an answer: 502, and the client's connection goes on",
  async (setting) => {
    const { client, upstream } = await arrived(setting, get(setting.origin));
    upstream.close();
    const answer = await client.message();
    assertEquals(answer.status, 502);
    assertMatch(valuesOf(answer, "proxy-status")[0], /; error=connection_terminated;/);
    assertStringIncludes(answer.startLine, "closed the connection without an answer");
    assertEquals((await setting.exchanges.next()).error, "connection_terminated");
    await assertGoesOn(client, setting);
  },
);

proxied("an origin that resets instead of answering: 502", { ignore: !CAN_RESET }, async (setting) => {
  const { client, upstream } = await arrivedAtResettable(setting);
  upstream.reset();
  assertEquals((await client.message()).status, 502);
  const { error, retries } = await setting.exchanges.next();
  assertEquals([error, retries], ["connection_terminated", 0]);
});

for (
  const part of [
    "H",
    "HTTP/1.1 200",
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r",
  ]
) {
  proxied(
    `an origin that closes within its head, ${
      JSON.stringify(part)
    }: 502, and nothing of it reaches the client`,
    async (setting) => {
      const { client, upstream } = await arrived(setting, get(setting.origin));
      await upstream.send(part);
      upstream.close();
      const answer = await client.message();
      assertEquals(answer.status, 502);
      assertStringIncludes(answer.startLine, "within the head of its answer");
      assertEquals((await setting.exchanges.next()).originStatus, 0);
      await assertGoesOn(client, setting);
    },
  );
}

proxied("an origin that resets within its head: 502", { ignore: !CAN_RESET }, async (setting) => {
  const { client, upstream } = await arrivedAtResettable(setting);
  await upstream.send("HTTP/1.1 200 OK\r\nContent-");
  upstream.reset();
  assertEquals((await client.message()).status, 502);
});

for (
  const [what, garbage] of [
    ["another protocol", "SSH-2.0-OpenSSH_9.6\r\n"],
    ["a TLS alert", "\x15\x03\x03\x00\x02\x02\x28"],
    ["HTTP/0.9", "<html>hello</html>"],
    ["HTTP/2 frames", "\x00\x00\x12\x04\x00\x00\x00\x00\x00"],
    ["a status that is none", "HTTP/1.1 2000 OK\r\n\r\n"],
    ["a bare CR", "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n"],
    ["a NUL", "HTTP/1.1 200 OK\r\nA: \0\r\n\r\n"],
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"],
    ["a length that is none", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nab"],
  ]
) {
  proxied(
    `an origin that sends ${what}: 502, and its connection is dropped (RFC 9110 §15.6.3)`,
    async (setting) => {
      const { client, upstream } = await arrived(setting, get(setting.origin));
      await upstream.send(garbage);
      const answer = await client.message();
      assertEquals(answer.status, 502);
      assertMatch(valuesOf(answer, "proxy-status")[0], /; error=http_protocol_error;/);
      assertEquals(await upstream.rest(), "");
      assertEquals((await setting.exchanges.next()).ownAnswer, true);
      await assertGoesOn(client, setting);
    },
  );
}

proxied("an origin that sends interim responses without end: 502 (RFC 9110 §15.2)", async (setting) => {
  const { client, upstream } = await arrived(setting, get(setting.origin));
  await upstream.send("HTTP/1.1 102 Processing\r\n\r\n".repeat(100));
  let answer = await client.message();
  let interim = 0;
  for (; answer.status === 102; interim++) answer = await client.message();
  assertEquals(answer.status, 502);
  assert(interim < 100, "some of them went on, but not all");
  assertEquals(await upstream.rest(), "");
});

// origins within their body

proxied("a body with a length that ends too early is visibly cut (RFC 9112 §8)", async (setting) => {
  const { client, upstream } = await arrived(setting, get(setting.origin));
  await upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345");
  upstream.close();
  assertMatch(await client.rest(), /\r\nContent-Length: 10\r\n[^]*\r\n\r\n12345$/);
  const { truncated, error, status, responseBodyBytes } = await setting.exchanges.next();
  assertEquals([truncated, error, status, responseBodyBytes], [true, "http_response_incomplete", 200, 5]);
});

for (
  const part of [
    "5\r\n12345\r\n",
    "5\r\n123",
    "5\r\n12345",
    "5\r\n12345\r\n0\r\n",
    "5\r\n12345\r\n0\r\nA: b\r\n",
  ]
) {
  proxied(
    `a chunked body that ends after ${
      JSON.stringify(part)
    } has no last chunk for the client either (RFC 9112 §8)`,
    async (setting) => {
      const { client, upstream } = await arrived(setting, get(setting.origin));
      await upstream.send(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${part}`);
      upstream.close();
      const received = await client.rest();
      assertStringIncludes(received, "Transfer-Encoding: chunked\r\n");
      assertStringIncludes(received, "123");
      assertEquals(received.includes("\r\n0\r\n"), false, received);
      assertEquals((await setting.exchanges.next()).truncated, true);
    },
  );
}

for (const bad of ["xyz\r\n", "5\r\n12345xx", "-1\r\n", "5 x\r\n12345\r\n", "ffffffffffffffffff\r\n"]) {
  proxied(
    `a body with a bad chunk, ${JSON.stringify(bad)}, is cut where it goes wrong, and the origin dropped`,
    async (setting) => {
      const { client, upstream } = await arrived(setting, get(setting.origin));
      await upstream.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
      await client.upTo("3\r\nabc\r\n");
      await upstream.send(bad);
      assertEquals((await client.rest()).includes("\r\n0\r\n"), false);
      assertEquals(await upstream.rest(), "");
      const { truncated, error } = await setting.exchanges.next();
      assertEquals([truncated, error], [true, "http_protocol_error"]);
    },
  );
}

for (
  const [framing, part] of [["Content-Length: 10", "12345"], ["Transfer-Encoding: chunked", "5\r\n12345\r\n"]]
) {
  proxied(
    `an origin that resets within a body with ${framing} cuts the client's`,
    { ignore: !CAN_RESET },
    async (setting) => {
      const { client, upstream } = await arrivedAtResettable(setting);
      await upstream.send(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n${part}`);
      await client.upTo("12345");
      upstream.reset();
      assertEquals((await client.rest()).includes("\r\n0\r\n"), false);
      const { truncated, error } = await setting.exchanges.next();
      assertEquals([truncated, error], [true, "http_response_incomplete"]);
    },
  );
}

// uploads that go wrong

for (const bad of ["xyz\r\n", "5\r\n12345xx", "5\n12345\r\n"]) {
  proxied(
    `a bad chunk in an upload, ${
      JSON.stringify(bad)
    }: 400, and what the origin got is not whole (RFC 9112 §7.1)`,
    async (setting) => {
      const message = request(setting.origin, "POST", "/", "Transfer-Encoding: chunked");
      const { client, upstream } = await arrived(setting, message);
      await client.send("3\r\nabc\r\n");
      await upstream.upTo("abc\r\n");
      await client.send(bad);
      const answer = await client.message();
      assertEquals([answer.status, valuesOf(answer, "connection")], [400, ["close"]]);
      assertEquals((await upstream.rest()).includes("0\r\n\r\n"), false);
      await client.closeWrite();
      assertEquals(await client.rest(), "");
      assertEquals((await setting.exchanges.next()).status, 400);
    },
  );
}

proxied("a bad chunk that comes with the head: 400, and the origin gets nothing", async (setting) => {
  const client = await setting.connect();
  await client.send(request(setting.origin, "POST", "/", "Transfer-Encoding: chunked") + "xyz\r\n");
  assertEquals((await client.message()).status, 400);
  const upstream = await setting.origin.accept();
  assertEquals(await upstream.rest(), "");
});

proxied(
  "a final answer in the middle of an upload is relayed at once, the upload stopped, and both sides closed (RFC 9110 §10.1.1)",
  async (setting) => {
    const message = request(setting.origin, "POST", "/", "Content-Length: 1000000");
    const { client, upstream } = await arrived(setting, message + "begin");
    await upstream.upTo("begin");
    await upstream.send("HTTP/1.1 413 Too much\r\nContent-Length: 2\r\n\r\nno");
    const answer = await client.message();
    assertEquals([answer.status, answer.content, valuesOf(answer, "connection")], [413, "no", ["close"]]);
    assertEquals(await upstream.rest(), "", "the rest of the upload is not sent");
    await client.send("more of what nobody wants");
    await client.closeWrite();
    assertEquals(await client.restAndEnding(), ["", "end"], "the answer was not reset away");
    const { status, truncated } = await setting.exchanges.next();
    assertEquals([status, truncated], [413, false]);
  },
);

proxied("an origin that closes in the middle of an upload without a word: 502", async (setting) => {
  const message = request(setting.origin, "POST", "/", "Content-Length: 1000000");
  const { client, upstream } = await arrived(setting, message + "begin");
  await upstream.upTo("begin");
  upstream.close();
  const answer = await client.message();
  assertEquals([answer.status, valuesOf(answer, "connection")], [502, ["close"]]);
  await client.closeWrite();
  assertEquals(await client.restAndEnding(), ["", "end"]);
});

// tunnels and upgrades

proxied(
  "a tunnel's client that closes its sending side still receives (RFC 9110 §9.3.6)",
  async (setting) => {
    const { client, upstream } = await tunnelled(setting);
    await client.send("question");
    await client.closeWrite();
    assertEquals(await upstream.restAndEnding(), ["question", "end"]);
    await upstream.send("answer");
    upstream.close();
    assertEquals(await client.restAndEnding(), ["answer", "end"]);
    const { truncated, requestBodyBytes, responseBodyBytes } = await setting.exchanges.next();
    assertEquals([truncated, requestBodyBytes, responseBodyBytes], [false, 8, 6]);
  },
);

proxied(
  "a tunnel's origin that closes its sending side still receives (RFC 9110 §9.3.6)",
  async (setting) => {
    const { client, upstream } = await tunnelled(setting);
    await upstream.send("greeting");
    await upstream.closeWrite();
    assertEquals(await client.restAndEnding(), ["greeting", "end"]);
    await client.send("reply");
    client.close();
    assertEquals(await upstream.restAndEnding(), ["reply", "end"]);
    assertEquals((await setting.exchanges.next()).truncated, false);
  },
);

proxied("a tunnel's client that resets ends the origin's side", { ignore: !CAN_RESET }, async (setting) => {
  const { client, upstream } = await tunnelled(setting, true);
  await client.send("x");
  await upstream.upTo("x");
  client.reset();
  assertEquals(await upstream.rest(), "");
  const { truncated, details, error } = await setting.exchanges.next();
  assertEquals([truncated, details, error], [true, "the client reset the connection", ""]);
});

proxied("a tunnel's origin that resets ends the client's side", { ignore: !CAN_RESET }, async (setting) => {
  const { authority, accept } = await setting.resettableOrigin();
  const client = await setting.connect();
  await client.send(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  const upstream = await accept();
  await client.message({ method: "CONNECT" });
  await upstream.send("x");
  await client.upTo("x");
  upstream.reset();
  assertEquals(await client.rest(), "");
  const { truncated, details, error } = await setting.exchanges.next();
  assertEquals([truncated, details], [true, "the other end reset the connection"]);
  assertEquals(error, "connection_terminated");
});

proxied("what goes through an upgraded connection is counted once", async (setting) => {
  const { client, upstream } = await arrived(
    setting,
    get(setting.origin, "/", "Connection: upgrade", "Upgrade: echo"),
  );
  await upstream.send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
  await client.head();
  await client.send("ping");
  assertEquals(await upstream.exactly(4), "ping");
  await upstream.send("pong!");
  assertEquals(await client.exactly(5), "pong!");
  client.close();
  upstream.close();
  const exchange = await setting.exchanges.next();
  assertEquals([exchange.kind, exchange.requestBodyBytes, exchange.responseBodyBytes], ["upgrade", 4, 5]);
  assert(exchange.upstreamSentBytes < exchange.requestHeadBytes + 100, `${exchange.upstreamSentBytes} bytes`);
  assert(exchange.upstreamReceivedBytes < 100, `${exchange.upstreamReceivedBytes} bytes`);
});
