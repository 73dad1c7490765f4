/** Upgrade (http-rules §5, RFC 9110 §7.8). */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { proxied, PSEUDONYM, type Setting } from "./harness.ts";
import { type Peer, valuesOf } from "./peer.ts";
import { get, OK, request, roundTrip } from "./round_trip.ts";
import { through } from "./through.ts";

const ASKS = ["Connection: keep-alive, Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"];
const SWITCHES = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

async function upgraded(
  { connect, origin }: Setting,
  early = { client: "", upstream: "" },
): Promise<{ client: Peer; upstream: Peer; head: string }> {
  const client = await connect();
  await client.send(get(origin, "/chat", ...ASKS) + early.client);
  const upstream = await origin.accept();
  const sent = await upstream.message();
  assertEquals(valuesOf(sent, "upgrade"), ["websocket"]);
  assertEquals(valuesOf(sent, "connection"), ["Upgrade"]);
  await upstream.send(SWITCHES + early.upstream);
  return { client, upstream, head: await client.head() };
}

proxied("101 makes a tunnel of both connections (RFC 9110 §15.2.2)", async (setting) => {
  const { client, upstream, head } = await upgraded(setting);
  assertEquals(
    head,
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n" +
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" +
      `Connection: Upgrade\r\nVia: 1.1 ${PSEUDONYM}\r\n\r\n`,
  );
  await client.send("\x81\x85GET / HTTP/1.1\r\n\r\n");
  assertEquals(await upstream.exactly(20), "\x81\x85GET / HTTP/1.1\r\n\r\n");
  await upstream.send("\x81\0\r\n");
  assertEquals(await client.exactly(4), "\x81\0\r\n");
  await client.closeWrite();
  assertEquals(await upstream.rest(), "");
  await upstream.send("bye");
  upstream.close();
  assertEquals(await client.rest(), "bye");
  const exchange = await setting.exchanges.next();
  assertEquals([exchange.kind, exchange.status, exchange.originStatus], ["upgrade", 101, 101]);
  assertEquals([exchange.requestBodyBytes, exchange.responseBodyBytes, exchange.truncated], [20, 7, false]);
});

proxied("early bytes of both sides come through (RFC 9110 §7.8)", async (setting) => {
  const { client, upstream } = await upgraded(setting, { client: "early out", upstream: "early back" });
  assertEquals(await upstream.exactly(9), "early out");
  assertEquals(await client.exactly(10), "early back");
});

proxied("an upgrade may come behind hints (RFC 9110 §15.2)", async ({ connect, origin }) => {
  const client = await connect();
  await client.send(get(origin, "/", ...ASKS));
  const upstream = await origin.accept();
  await upstream.message();
  await upstream.send("HTTP/1.1 103 Hints\r\n\r\n" + SWITCHES + "x");
  assertMatch(await client.head(), /^HTTP\/1\.1 103 /);
  assertMatch(await client.head(), /^HTTP\/1\.1 101 /);
  assertEquals(await client.exactly(1), "x");
});

proxied("an upgrade that the origin declines is a request as any other (RFC 9110 §7.8)", async (setting) => {
  const { sent, got, client, upstream } = await roundTrip(
    setting,
    get(setting.origin, "/", ...ASKS),
    "HTTP/1.1 200 OK\r\nConnection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nok",
  );
  assertEquals(valuesOf(sent, "upgrade"), ["websocket"]);
  assertEquals([got.status, got.content], [200, "ok"]);
  assertEquals([valuesOf(got, "upgrade"), valuesOf(got, "connection")], [[], []]);
  assertEquals((await setting.exchanges.next()).kind, "forward");
  await client.send(get(setting.origin, "/2"));
  assertEquals((await upstream.message()).startLine, "GET /2 HTTP/1.1");
});

/** Requests that ask for no upgrade, so that a 101 to them makes no sense. */
const UNASKED: [what: string, message: (setting: Setting) => string][] = [
  ["nothing", ({ origin }) => get(origin)],
  ["Upgrade that Connection does not name", ({ origin }) => get(origin, "/", "Upgrade: websocket")],
  ["Connection: upgrade without Upgrade", ({ origin }) => get(origin, "/", "Connection: upgrade")],
  ["HTTP/1.0", ({ origin }) => `GET ${origin.url}/ HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n`],
];
for (const [what, message] of UNASKED) {
  proxied(`101 to ${what}: 502, and the origin is dropped (RFC 9110 §15.2.2)`, async (setting) => {
    const { connect, origin, exchanges } = setting;
    const client = await connect();
    await client.send(message(setting));
    const upstream = await origin.accept();
    const sent = await upstream.message();
    assertEquals([valuesOf(sent, "upgrade"), valuesOf(sent, "connection")], [[], []]);
    await upstream.send(SWITCHES + OK);
    assertEquals((await client.message()).status, 502);
    assertEquals(await upstream.rest(), "");
    const exchange = await exchanges.next();
    assertEquals([exchange.kind, exchange.error], ["forward", "http_protocol_error"]);
  });
}

for (const protocol of ["h2c", "H2C", "websocket, h2c", "HTTP/2.0", "TLS/1.0, HTTP/1.1"]) {
  proxied(
    `an upgrade to ${protocol} is not asked for: requests in it would pass by the rules`,
    async (setting) => {
      const asks = [
        "Connection: Upgrade, HTTP2-Settings",
        `Upgrade: ${protocol}`,
        "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA",
      ];
      const { sent, got, client, upstream } = await roundTrip(setting, get(setting.origin, "/", ...asks));
      for (const name of ["upgrade", "connection", "http2-settings"]) assertEquals(valuesOf(sent, name), []);
      assertEquals([got.status, got.content], [200, "ok"]);
      await client.send(get(setting.origin, "/2", ...asks));
      assertEquals((await upstream.message()).startLine, "GET /2 HTTP/1.1");
      await upstream.send(SWITCHES);
      assertEquals((await client.message()).status, 502);
    },
  );
}

for (const protocol of ["httpx", "h2cat/1", "tls.x", "h3"]) {
  proxied(`an upgrade to ${protocol}, which only begins like HTTP, is one as any other`, async (setting) => {
    const asks = ["Connection: upgrade", `Upgrade: ${protocol}`];
    const { sent } = await roundTrip(setting, get(setting.origin, "/", ...asks));
    assertEquals(valuesOf(sent, "upgrade"), [protocol]);
  });
}

proxied("several protocols may be asked for (RFC 9110 §7.8)", async (setting) => {
  const { sent } = await roundTrip(
    setting,
    get(setting.origin, "/", "Connection: upgrade, x-hop", "Upgrade: a/1, b", "uPGRADE: c", "X-Hop: 1"),
  );
  assertEquals([valuesOf(sent, "upgrade"), valuesOf(sent, "x-hop")], [["a/1, b", "c"], []]);
  assertEquals(valuesOf(sent, "connection"), ["Upgrade"]);
});

proxied("an upgrade on a kept connection works (RFC 9110 §7.8)", async (setting) => {
  const { origin } = setting;
  const { client, upstream } = await roundTrip(setting, get(origin));
  await client.send(get(origin, "/", ...ASKS));
  await upstream.message();
  await upstream.send(SWITCHES);
  assertMatch(await client.head(), /^HTTP\/1\.1 101 /);
  await client.send("x");
  assertEquals(await upstream.exactly(1), "x");
  client.close();
  upstream.close();
  await setting.exchanges.next();
  const exchange = await setting.exchanges.next();
  assertEquals([exchange.kind, exchange.reused, exchange.requestBodyBytes], ["upgrade", true, 1]);
});

proxied(
  "what a client has sent before it closed reaches an origin that switches late (http-rules §5)",
  async (setting) => {
    const { connect, origin, exchanges } = setting;
    const client = await connect();
    await client.send(get(origin, "/", ...ASKS) + "early");
    const upstream = await origin.accept();
    await upstream.message();
    client.close();
    await upstream.send(SWITCHES);
    assertEquals(await upstream.rest(), "early");
    upstream.close();
    assertEquals((await exchanges.next()).kind, "upgrade");
  },
);

// with a body

const BODY = '{"Tty":true}';
const BODIES: [what: string, fields: string, body: string][] = [
  ["a length", `Content-Length: ${BODY.length}`, BODY],
  ["chunks", "Transfer-Encoding: chunked", `${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`],
  ["a length of zero", "Content-Length: 0", ""],
];
for (const [what, fields, body] of BODIES) {
  proxied(`a request with ${what} is upgraded when its body is through (RFC 9110 §7.8)`, async (setting) => {
    const { origin, connect, exchanges } = setting;
    const client = await connect();
    await client.send(request(origin, "POST", "/exec", ...ASKS, fields) + body + "early");
    const upstream = await origin.accept();
    const sent = await upstream.message();
    assertEquals(
      [valuesOf(sent, "upgrade"), valuesOf(sent, "connection"), sent.body],
      [["websocket"], ["Upgrade"], body],
    );
    await upstream.send(SWITCHES + "hello");
    assertMatch(await client.head(), /^HTTP\/1\.1 101 /);
    assertEquals(await client.exactly(5), "hello");
    assertEquals(await upstream.exactly(5), "early");
    await client.send("ls");
    assertEquals(await upstream.exactly(2), "ls");
    client.close();
    upstream.close();
    const exchange = await exchanges.next();
    assertEquals([exchange.kind, exchange.status, exchange.requestBodyBytes], [
      "upgrade",
      101,
      body.length + 7,
    ]);
  });
}

for (const [what, fields, body] of BODIES.slice(0, 2)) {
  proxied(`a 101 may come within a body with ${what}: the rest of it goes first`, async (setting) => {
    const { origin, connect } = setting;
    const client = await connect();
    await client.send(request(origin, "POST", "/exec", ...ASKS, fields));
    const upstream = await origin.accept();
    await upstream.head();
    await upstream.send(SWITCHES + "hello");
    assertMatch(await client.head(), /^HTTP\/1\.1 101 /);
    for (const byte of body) {
      await client.send(byte);
      if (what === "a length") assertEquals(await upstream.exactly(1), byte);
    }
    await client.send("early");
    if (what === "chunks") assertStringIncludes(await upstream.upTo("0\r\n\r\n"), "{");
    assertEquals(await upstream.exactly(5), "early");
    assertEquals(await client.exactly(5), "hello");
  });

  proxied(`a body with ${what} that ends within ends both connections`, async (setting) => {
    const { origin, connect, exchanges } = setting;
    const client = await connect();
    await client.send(request(origin, "POST", "/exec", ...ASKS, fields) + body.slice(0, -7));
    const upstream = await origin.accept();
    await upstream.head();
    await upstream.send(SWITCHES);
    assertMatch(await client.head(), /^HTTP\/1\.1 101 /);
    await client.closeWrite();
    assertEquals((await upstream.rest()).endsWith(body.slice(-7)), false);
    assertEquals(await client.rest(), "");
    const exchange = await exchanges.next();
    assertEquals([exchange.truncated, exchange.error], [true, "http_request_error"]);
    assertMatch(exchange.details, /the client went away within the request's body/);
  });
}

proxied("a chunk that is none ends both connections, though 101 has come", async (setting) => {
  const { origin, connect, exchanges } = setting;
  const client = await connect();
  await client.send(request(origin, "POST", "/exec", ...ASKS, "Transfer-Encoding: chunked"));
  const upstream = await origin.accept();
  await upstream.head();
  await upstream.send(SWITCHES);
  await client.head();
  await client.send("no size\r\n");
  assertEquals([await upstream.rest(), await client.rest()], ["", ""]);
  assertEquals((await exchanges.next()).error, "http_request_error");
});

proxied("an origin that closes within the body of what it has switched", async (setting) => {
  const { origin, connect, exchanges } = setting;
  const client = await connect();
  await client.send(request(origin, "POST", "/exec", ...ASKS, "Content-Length: 100000000"));
  const upstream = await origin.accept();
  await upstream.head();
  await upstream.send(SWITCHES);
  await client.head();
  upstream.close();
  const sending = (async () => {
    for (;;) await client.send(new Uint8Array(100_000));
  })().catch(() => {});
  await client.rest().catch(() => "");
  client.close();
  await sending;
  assertEquals((await exchanges.next()).error, "connection_terminated");
});

proxied("a body that waits for 100 goes on when 101 comes instead (RFC 9110 §7.8)", async (setting) => {
  const { origin, connect } = setting;
  const client = await connect();
  const lines = [...ASKS, "Expect: 100-continue", "Content-Length: 2"];
  await client.send(request(origin, "POST", "/exec", ...lines) + "hi" + "early");
  const upstream = await origin.accept();
  await upstream.head();
  await upstream.send(SWITCHES);
  assertEquals(await upstream.exactly(7), "hiearly");
});

proxied("an upgrade with a body that is declined is a request as any other", async (setting) => {
  const { origin } = setting;
  const message = request(origin, "POST", "/exec", ...ASKS, "Content-Length: 2") + "hi";
  const { sent, got, client, upstream } = await roundTrip(setting, message);
  assertEquals([sent.content, got.content], ["hi", "ok"]);
  await client.send(get(origin, "/2"));
  assertEquals((await upstream.message()).startLine, "GET /2 HTTP/1.1");
});

proxied("an upgrade with a body goes through a parent's tunnel", async (setting) => {
  const { origin, connect } = setting;
  through(setting);
  const client = await connect();
  const a = { authority: "a.example" };
  await client.send(request(a, "POST", "/exec", ...ASKS, "Content-Length: 2") + "hi");
  const upstream = await origin.accept();
  assertMatch(await upstream.head(), /^CONNECT a\.example:80 /);
  await upstream.send("HTTP/1.1 200 OK\r\n\r\n");
  assertEquals((await upstream.message()).content, "hi");
  await upstream.send(SWITCHES + "hello");
  assertMatch(await client.head(), /^HTTP\/1\.1 101 /);
  assertEquals(await client.exactly(5), "hello");
});
