/** 1xx responses, Expect, and answers that come before their request is whole (http-rules §5). */

import { assertEquals, assertMatch } from "@std/assert";
import { proxied, PSEUDONYM } from "./harness.ts";
import { valuesOf } from "./peer.ts";
import { get, OK, request, roundTrip } from "./round_trip.ts";

const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";
const HINTS = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nlink: </b.js>\r\n\r\n";
const PROCESSING = "HTTP/1.1 102 Processing\r\nX-Odd: \xe9\r\n\r\n";

proxied("interim responses go on one after the other, each as it comes (RFC 9110 §15.2)", async (setting) => {
  const { connect, origin, exchanges } = setting;
  const client = await connect();
  await client.send(get(origin));
  const upstream = await origin.accept();
  await upstream.message();
  const via = `Via: 1.1 ${PSEUDONYM}\r\n\r\n`;
  for (const interim of [HINTS, PROCESSING, HINTS, "HTTP/1.1 199 Odd\r\n\r\n"]) {
    await upstream.send(interim);
    assertEquals(await client.head(), interim.slice(0, -2) + via);
  }
  await upstream.send(OK);
  assertEquals((await client.message()).content, "ok");
  assertEquals((await exchanges.next()).status, 200);
  // and both connections go on
  await client.send(get(origin, "/2"));
  assertEquals((await upstream.message()).startLine, "GET /2 HTTP/1.1");
});

proxied(
  "interim responses that come with the final one go on (RFC 9110 §15.2)",
  async ({ connect, origin }) => {
    const client = await connect();
    await client.send(get(origin));
    const upstream = await origin.accept();
    await upstream.message();
    await upstream.send(HINTS + PROCESSING + OK);
    assertMatch(await client.head(), /^HTTP\/1\.1 103 /);
    assertMatch(await client.head(), /^HTTP\/1\.1 102 /);
    assertEquals((await client.message()).content, "ok");
  },
);

proxied("interim responses may come byte by byte (RFC 9112 §2.2)", async ({ connect, origin }) => {
  const client = await connect();
  await client.send(get(origin));
  const upstream = await origin.accept();
  await upstream.message();
  await upstream.sendInPieces(HINTS + OK);
  assertMatch(await client.head(), /^HTTP\/1\.1 103 /);
  assertEquals((await client.message()).content, "ok");
});

proxied("an HTTP/1.0 client gets no interim response (RFC 9110 §15.2)", async ({ connect, origin }) => {
  const client = await connect();
  await client.send(`GET ${origin.url}/ HTTP/1.0\r\n\r\n`);
  const upstream = await origin.accept();
  await upstream.message();
  await upstream.send(CONTINUE + HINTS + PROCESSING + OK);
  const got = await client.message();
  assertEquals([got.startLine, got.content], ["HTTP/1.1 200 OK", "ok"]);
});

proxied(
  "a 100 that the client did not ask for goes on, each of several (RFC 9110 §15.2)",
  async (setting) => {
    const { connect, origin } = setting;
    for (const message of [get(origin), request(origin, "POST", "/", "Content-Length: 2") + "hi"]) {
      const client = await connect();
      await client.send(message);
      const upstream = await origin.accept();
      await upstream.message();
      await upstream.send(CONTINUE + CONTINUE + OK.replace("OK", "OK\r\nConnection: close"));
      for (const _ of [1, 2]) {
        assertEquals(await client.head(), `HTTP/1.1 100 Continue\r\nVia: 1.1 ${PSEUDONYM}\r\n\r\n`);
      }
      assertEquals((await client.message()).startLine, "HTTP/1.1 200 OK");
    }
  },
);

proxied("more than 64 interim responses are refused, whichever they are", async ({ connect, origin }) => {
  for (const interim of [CONTINUE, HINTS]) {
    const client = await connect();
    await client.send(get(origin));
    const upstream = await origin.accept();
    await upstream.message();
    await upstream.send(interim.repeat(65) + OK);
    for (let i = 0; i < 64; i++) assertMatch(await client.head(), /^HTTP\/1\.1 10[03] /);
    assertEquals((await client.message()).status, 502);
  }
});

proxied("framing fields of an interim response are nobody's (RFC 9112 §6.1)", async ({ connect, origin }) => {
  const client = await connect();
  await client.send(get(origin));
  const upstream = await origin.accept();
  await upstream.message();
  await upstream.send(
    "HTTP/1.1 103 Hints\r\nContent-Length: 5\r\nConnection: x\r\nX: 1\r\nA: b\r\n\r\n" + OK,
  );
  assertEquals(await client.head(), `HTTP/1.1 103 Hints\r\nA: b\r\nVia: 1.1 ${PSEUDONYM}\r\n\r\n`);
  assertEquals((await client.message()).content, "ok");
});

/** Ways to say it. */
const EXPECTS = ["Expect: 100-continue", "expect: \t100-CONTINUE"];
/** How the body that waits is framed. */
const BODIES: [fields: string, body: string][] = [
  ["Content-Length: 5", "hello"],
  ["Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n"],
];
for (const expect of EXPECTS) {
  for (const [fields, body] of BODIES) {
    proxied(`the body (${fields}) waits for 100 when ${expect} (RFC 9110 §10.1.1)`, async (setting) => {
      const { connect, origin } = setting;
      const client = await connect();
      await client.send(request(origin, "POST", "/", expect, fields));
      const upstream = await origin.accept();
      assertMatch(await upstream.head(), /\r\nexpect: ?\t?100-continue\r\n/i);
      await upstream.send(CONTINUE);
      assertEquals(await client.head(), `HTTP/1.1 100 Continue\r\nVia: 1.1 ${PSEUDONYM}\r\n\r\n`);
      await client.send(body);
      assertEquals(await upstream.exactly(body.length), body);
      await upstream.send(OK);
      assertEquals((await client.message()).content, "ok");
      // the connection goes on
      await client.send(get(origin, "/2"));
      assertEquals((await upstream.message()).startLine, "GET /2 HTTP/1.1");
    });
  }

  proxied(
    `a body that comes at once still waits for 100 when ${expect} (RFC 9110 §10.1.1)`,
    async (setting) => {
      const { connect, origin } = setting;
      const client = await connect();
      await client.send(request(origin, "POST", "/", expect, "Content-Length: 5") + "hello");
      const upstream = await origin.accept();
      const head = await upstream.head();
      assertEquals(upstream.received, "", `the head alone: ${head}`);
      await upstream.send(CONTINUE);
      assertEquals(await upstream.exactly(5), "hello");
      await upstream.send(OK);
      assertMatch(await client.head(), /^HTTP\/1\.1 100 /);
      assertEquals((await client.message()).content, "ok");
    },
  );
}

proxied("a body goes on without a 100 after a while (RFC 9110 §10.1.1)", async ({ connect, origin }) => {
  const client = await connect();
  await client.send(request(origin, "POST", "/", "Expect: 100-continue", "Content-Length: 5") + "hello");
  const upstream = await origin.accept();
  // an origin of old knows nothing of it
  assertEquals((await upstream.message()).content, "hello");
  await upstream.send(OK);
  assertEquals((await client.message()).startLine, "HTTP/1.1 200 OK");
});

proxied(
  "a final answer instead of 100 goes on, and the body does not (RFC 9110 §10.1.1)",
  async (setting) => {
    const { connect, origin, exchanges } = setting;
    const client = await connect();
    await client.send(request(origin, "POST", "/", "Expect: 100-continue", "Content-Length: 5"));
    const upstream = await origin.accept();
    await upstream.head();
    await upstream.send("HTTP/1.1 417 No\r\nContent-Length: 2\r\n\r\nno");
    const got = await client.message();
    assertEquals([got.status, got.content, valuesOf(got, "connection")], [417, "no", ["close"]]);
    assertEquals(await upstream.rest(), "", "both connections end");
    // a client that sends the body all the same is read to its end, so that the answer is not reset away
    await client.send("hello");
    assertEquals(await client.rest(), "");
    client.close();
    const exchange = await exchanges.next();
    assertEquals([exchange.status, exchange.requestBodyBytes], [417, 0]);
  },
);

proxied("an expectation of HTTP/1.0 is ignored (RFC 9110 §10.1.1)", async ({ connect, origin }) => {
  const client = await connect();
  await client.send(`POST ${origin.url}/ HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello`);
  const upstream = await origin.accept();
  const sent = await upstream.message();
  assertEquals([sent.content, valuesOf(sent, "expect")], ["hello", []]);
  await upstream.send(OK);
  assertEquals((await client.message()).status, 200);
});

proxied("an expectation without a body is not sent on (RFC 9110 §10.1.1)", async (setting) => {
  const { sent } = await roundTrip(setting, get(setting.origin, "/", "Expect: 100-continue"));
  assertEquals(valuesOf(sent, "expect"), []);
});

proxied(
  "an expectation that weir does not know is the origin's to judge (RFC 9110 §10.1.1)",
  async (setting) => {
    const { sent } = await roundTrip(
      setting,
      request(setting.origin, "POST", "/", "Expect: the-unexpected", "Content-Length: 2") + "hi",
    );
    assertEquals([valuesOf(sent, "expect"), sent.content], [["the-unexpected"], "hi"]);
  },
);

for (
  const [fields, part] of [["Content-Length: 1000", "hello"], [
    "Transfer-Encoding: chunked",
    "5\r\nhello\r\n",
  ]]
) {
  proxied(`a final answer within an upload (${fields}) goes on at once (RFC 9112 §9.5)`, async (setting) => {
    const { connect, origin, exchanges } = setting;
    const client = await connect();
    await client.send(request(origin, "POST", "/", fields) + part);
    const upstream = await origin.accept();
    await upstream.head();
    await upstream.exactly(part.length);
    await upstream.send("HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n");
    const head = await client.head();
    assertMatch(head, /^HTTP\/1\.1 403 No\r\n[^]*\r\nConnection: close\r\n/);
    // the rest of the answer, while the client writes on
    await client.send(part.startsWith("hello") ? "more" : "4\r\nmore\r\n");
    await upstream.send("0\r\n\r\n");
    assertEquals(await client.rest(), "2\r\nno\r\n0\r\n\r\n");
    const seen = await upstream.rest();
    assertEquals(seen.endsWith("0\r\n\r\n"), false, "the upload stops and does not look whole");
    client.close();
    assertEquals((await exchanges.next()).status, 403);
  });
}

proxied("a client that writes on can read an early answer to its end (RFC 9112 §9.6)", async (setting) => {
  const { connect, origin } = setting;
  const client = await connect();
  await client.send(request(origin, "POST", "/", "Content-Length: 100000000"));
  const upstream = await origin.accept();
  await upstream.head();
  await upstream.send("HTTP/1.1 413 Too much\r\nContent-Length: 2\r\n\r\nno");
  const got = await client.message();
  assertEquals([got.status, got.content], [413, "no"]);
  await client.send(new Uint8Array(500_000));
  assertEquals(await client.restAndEnding(), ["", "end"]);
});
