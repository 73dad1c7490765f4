/** What was cut short looks cut short to whoever gets it (http-rules §3). */

import { assert, assertEquals } from "@std/assert";
import { proxied } from "./harness.ts";
import { CAN_RESET, valuesOf } from "./peer.ts";
import { get } from "./round_trip.ts";

/** Responses that end too early. */
const RESPONSES: [what: string, response: string][] = [
  ["with a length", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"],
  ["with a length and no byte of it", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"],
  ["within a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nhello"],
  ["behind a chunk's data", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello"],
  ["between chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"],
  ["before the first chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ["within a chunk's size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1"],
  ["within the last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0"],
  ["before the last line", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"],
  ["within the last line", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r"],
  [
    "within the trailers",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n",
  ],
];
for (const [what, response] of RESPONSES) {
  proxied(
    `a response cut ${what} never looks whole (RFC 9112 §8)`,
    async ({ connect, origin, exchanges }) => {
      const client = await connect();
      await client.send(get(origin));
      const upstream = await origin.accept();
      await upstream.message();
      await upstream.sendInPieces([response.slice(0, -3), response.slice(-3)]);
      upstream.close();
      const all = await client.rest();
      const [head, body] = all.split("\r\n\r\n", 2);
      assertEquals(head.slice(0, 15), "HTTP/1.1 200 OK");
      assertEquals(all.endsWith("0\r\n\r\n"), false, "no last chunk");
      if (head.includes("Content-Length")) assert(body.length < 10, "shorter than its length");
      const exchange = await exchanges.next();
      assertEquals([exchange.truncated, exchange.error, exchange.status], [
        true,
        "http_response_incomplete",
        200,
      ]);
    },
  );
}

proxied(
  "a body until close that is reset never looks whole (RFC 9112 §8)",
  { ignore: !CAN_RESET },
  async ({ connect, resettableOrigin, exchanges }) => {
    const origin = await resettableOrigin();
    const client = await connect();
    await client.send(get(origin));
    const upstream = await origin.accept();
    await upstream.message();
    await upstream.send("HTTP/1.1 200 OK\r\n\r\nhello");
    await client.upTo("5\r\nhello\r\n");
    upstream.reset();
    assertEquals(await client.rest(), "");
    assertEquals((await exchanges.next()).truncated, true);
  },
);

for (
  const bad of ["x\r\n", "5\r\nhelloXX", "5;a=\0\r\n", "fffffffffffffffff\r\n", "0\r\nA: \0\r\n\r\n"]
) {
  proxied(
    `a response whose chunks go wrong (${JSON.stringify(bad)}) never looks whole (RFC 9112 §7.1)`,
    async ({ connect, origin, exchanges }) => {
      const client = await connect();
      await client.send(get(origin));
      const upstream = await origin.accept();
      await upstream.message();
      await upstream.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
      await client.upTo("hello\r\n");
      await upstream.send(bad + "5\r\nhello\r\n0\r\n\r\n");
      assertEquals((await client.rest()).endsWith("0\r\n\r\n"), false);
      assertEquals(await upstream.rest(), "");
      const exchange = await exchanges.next();
      assertEquals([exchange.truncated, exchange.error], [true, "http_protocol_error"]);
    },
  );

  proxied(
    `a response whose chunks are wrong from the start (${
      JSON.stringify(bad)
    }) is answered with 502 (RFC 9112 §7.1)`,
    async ({ connect, origin, exchanges }) => {
      const client = await connect();
      await client.send(get(origin));
      const upstream = await origin.accept();
      await upstream.message();
      await upstream.send(
        `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${bad}5\r\nhello\r\n0\r\n\r\n`,
      );
      const answer = await client.message();
      assertEquals(answer.status, 502);
      assertEquals(valuesOf(answer, "transfer-encoding"), []);
      assertEquals(await upstream.rest(), "");
      assertEquals((await exchanges.next()).error, "http_protocol_error");
    },
  );
}

/** Requests that end too early. */
const REQUESTS: [what: string, fields: string, body: string][] = [
  ["with a length", "Content-Length: 10", "hello"],
  ["with a length and no byte of it", "Content-Length: 10", ""],
  ["within a chunk", "Transfer-Encoding: chunked", "a\r\nhello"],
  ["between chunks", "Transfer-Encoding: chunked", "5\r\nhello\r\n"],
  ["within the last chunk", "Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n"],
  ["within the trailers", "Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\nA: b\r\n"],
];
for (const [what, fields, body] of REQUESTS) {
  proxied(`a request cut ${what} never looks whole (RFC 9112 §8)`, async ({ connect, origin, exchanges }) => {
    const client = await connect();
    await client.send(`POST ${origin.url}/ HTTP/1.1\r\nHost: a\r\n${fields}\r\n\r\n${body}`);
    const upstream = await origin.accept();
    await upstream.head();
    client.close();
    const got = await upstream.rest();
    assertEquals(got.endsWith("0\r\n\r\n"), false, "no last chunk");
    assert(fields.startsWith("T") || got.length < 10, "shorter than its length");
    const exchange = await exchanges.next();
    assertEquals([exchange.truncated, exchange.status], [true, 0]);
  });
}
