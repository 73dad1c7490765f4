/** What an origin sends behind a complete response never answers another request (http-rules §3). */

import { assertEquals, assertMatch } from "@std/assert";
import { proxied } from "./harness.ts";
import { valuesOf } from "./peer.ts";
import { get, OK, request } from "./round_trip.ts";

const EVIL = "HTTP/1.1 200 Evil\r\nContent-Length: 4\r\n\r\nevil";

/** Complete responses, by what the request was. */
const COMPLETE: [what: string, method: string, response: string][] = [
  ["with a length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"],
  ["with a length of zero", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"],
  ["with chunks", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"],
  ["with trailers", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\n"],
  ["of 204", "GET", "HTTP/1.1 204 No Content\r\n\r\n"],
  ["of 304", "GET", "HTTP/1.1 304 Not Modified\r\n\r\n"],
  ["of 304 with a length", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 39\r\n\r\n"],
  ["of 304 with chunks", "GET", "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ["to HEAD", "HEAD", "HTTP/1.1 200 OK\r\n\r\n"],
  ["to HEAD with a length", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 39\r\n\r\n"],
  ["to HEAD with chunks", "HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"],
];
for (const [what, method, response] of COMPLETE) {
  proxied(
    `what comes with a response ${what} drops its connection (RFC 9112 §6.3)`,
    async ({ origin, connect, exchanges }) => {
      const client = await connect();
      await client.send(request(origin, method, "/1"));
      const first = await origin.accept();
      await first.message();
      await first.send(response + EVIL);
      const got = await client.message({ method });
      assertEquals(got.startLine, response.slice(0, response.indexOf("\r\n")));
      assertEquals(got.content.includes("evil"), false);
      assertEquals(await first.rest(), "", "the connection is dropped");
      await client.send(request(origin, "GET", "/2"));
      const second = await origin.accept();
      await second.message();
      await second.send(OK);
      assertEquals((await client.message()).content, "ok");
      assertEquals([(await exchanges.next()).status, (await exchanges.next()).reused], [got.status, false]);
    },
  );

  proxied(
    `what comes after a response ${what} drops its connection (RFC 9112 §6.3)`,
    async ({ origin, connect }) => {
      const client = await connect();
      await client.send(request(origin, method, "/1"));
      const first = await origin.accept();
      await first.message();
      await first.send(response);
      await client.message({ method });
      await first.send(EVIL);
      assertEquals(await first.rest(), "", "the connection is dropped");
      await client.send(request(origin, "GET", "/2"));
      const second = await origin.accept();
      await second.message();
      await second.send(OK);
      assertEquals((await client.message()).content, "ok");
    },
  );

  proxied(`after a response ${what} a silent connection is used again (RFC 9112 §9.3)`, async (setting) => {
    const { origin, connect, exchanges } = setting;
    const client = await connect();
    await client.send(request(origin, method, "/1"));
    const upstream = await origin.accept();
    await upstream.message();
    await upstream.send(response);
    await client.message({ method });
    await client.send(request(origin, "GET", "/2"));
    assertEquals((await upstream.message()).startLine, "GET /2 HTTP/1.1");
    await upstream.send(OK);
    assertEquals((await client.message()).content, "ok");
    await exchanges.next();
    assertEquals((await exchanges.next()).reused, true);
  });
}

/** Responses without a body whose fields say that there is one, which some origins then send. */
const FRAMED_IN_VAIN: [what: string, method: string, response: string][] = [
  ["of 204 with a length", "GET", "HTTP/1.1 204 No Content\r\nContent-Length: 39\r\n\r\n"],
  ["of 204 with chunks", "GET", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ["of 304 with two lengths", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 39, 5\r\n\r\n"],
  ["to HEAD with gzip", "HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nContent-Length: 39\r\n\r\n"],
  ["to HEAD with one length twice", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 39, 39\r\n\r\n"],
  [
    "after 103 with a length",
    "GET",
    "HTTP/1.1 103 Early Hints\r\nContent-Length: 39\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
  ],
];
for (const [what, method, response] of FRAMED_IN_VAIN) {
  for (const originTolerance of ["tolerant", "strict"] as const) {
    proxied(
      `a response ${what} goes on without its framing fields, and ends both connections (${originTolerance}, RFC 9112 §6.3)`,
      { settings: { originTolerance } },
      async ({ origin, connect, exchanges }) => {
        const client = await connect();
        await client.send(request(origin, method, "/1"));
        const first = await origin.accept();
        await first.message();
        await first.send(response);
        if (what.startsWith("after 103")) assertEquals((await client.message()).status, 103);
        const got = await client.message({ method });
        assertEquals(got.status, Number(/HTTP\/1\.1 ((?!1)[0-9]+)/.exec(response)![1]));
        assertEquals([valuesOf(got, "content-length"), valuesOf(got, "transfer-encoding")], [[], []]);
        assertEquals(valuesOf(got, "connection"), ["close"]);
        assertEquals([await first.rest(), await client.rest()], ["", ""]);
        assertMatch((await exchanges.next()).odd, /framing fields without a body/);
      },
    );
  }
}

/** Responses after which the connection must not be used again though they are whole. */
const LAST: [what: string, response: string][] = [
  ["Connection: close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"],
  ["close among others", "HTTP/1.1 200 OK\r\nConnection: a, CLOSE\r\nContent-Length: 2\r\n\r\nok"],
  [
    "close in a second field",
    "HTTP/1.1 200 OK\r\nConnection: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
  ],
  ["HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"],
  ["HTTP/1.0 and keep-alive", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok"],
];
for (const [what, response] of LAST) {
  proxied(`a connection is not used again after ${what} (RFC 9112 §9.3)`, async ({ origin, connect }) => {
    const client = await connect();
    await client.send(get(origin));
    const first = await origin.accept();
    await first.message();
    await first.send(response);
    assertEquals((await client.message()).content, "ok");
    assertEquals(await first.rest(), "");
    await client.send(get(origin));
    const second = await origin.accept();
    await second.message();
    await second.send(OK);
    assertEquals((await client.message()).content, "ok");
  });
}
