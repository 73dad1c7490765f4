/** Messages made to be understood differently by weir and by the origin behind it (http-rules §3, §7). */

import { assertEquals, assertMatch } from "@std/assert";
import { SMUGGLED_CHUNKS, SMUGGLED_HEADS } from "../http/smuggling.ts";
import { proxied } from "./harness.ts";
import { get, OK, roundTrip } from "./round_trip.ts";

for (const { trick, message, status } of SMUGGLED_HEADS) {
  proxied(
    `${trick}: ${status}, closed, the origin sees nothing (RFC 9112 §6.3)`,
    async ({ connect, origin, exchanges }) => {
      const client = await connect();
      await client.send(message.replaceAll("a.example", origin.authority));
      const answer = await client.message();
      assertEquals(answer.status, status);
      assertMatch(answer.head, /\r\nConnection: close\r\n/);
      assertEquals(await client.rest(), "", "nothing that follows is answered");
      client.close();
      assertEquals((await exchanges.next()).verdict, "none");
      await origin.assertNoFurtherConnection();
      assertEquals(exchanges.all.length, 1, "nothing that follows is a request");
    },
  );
}

for (const { trick, body } of SMUGGLED_CHUNKS) {
  for (const way of ["with the head", "after the head"]) {
    proxied(
      `a chunked body with ${trick} that comes ${way}: 400, closed, never whole at the origin (RFC 9112 §7.1)`,
      async ({ connect, origin, exchanges }) => {
        const client = await connect();
        const head = `POST ${origin.url}/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n`;
        const hidden = get(origin, "/admin");
        let seen = "";
        if (way === "with the head") {
          await client.send(head + body + hidden);
          const upstream = await origin.accept();
          seen = await upstream.rest();
        } else {
          await client.send(head);
          const upstream = await origin.accept();
          seen = await upstream.head();
          await client.send(body + hidden);
          seen += await upstream.rest();
        }
        const answer = await client.message();
        assertEquals(answer.status, 400);
        assertMatch(answer.head, /\r\nConnection: close\r\n/);
        assertEquals(await client.rest(), "");
        assertEquals(seen.endsWith("0\r\n\r\n"), false, "what the origin got looks cut short");
        assertEquals(seen.includes("/admin"), false);
        assertEquals((await exchanges.next()).error, "http_request_error");
        await origin.assertNoFurtherConnection();
        assertEquals(exchanges.all.length, 1);
      },
    );
  }
}

proxied(
  "what follows a body is the next request and no part of the body (RFC 9112 §6.3)",
  async (setting) => {
    const { connect, origin } = setting;
    const client = await connect();
    await client.send(
      `POST ${origin.url}/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello` +
        `POST ${origin.url}/2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n` +
        get(origin, "/3"),
    );
    for (const [path, content] of [["/1", "hello"], ["/2", "abc"], ["/3", ""]]) {
      const upstream = await origin.accept();
      const request = await upstream.message();
      assertEquals([request.startLine.split(" ")[1], request.content], [path, content]);
      await upstream.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
      assertEquals((await client.message()).content, "ok");
      assertEquals(await upstream.rest(), "");
    }
  },
);

proxied("a GET with a body has one (RFC 9112 §6.3)", async (setting) => {
  const { origin } = setting;
  const inner = get(origin, "/admin");
  const { sent, client, upstream } = await roundTrip(
    setting,
    `GET ${origin.url}/ HTTP/1.1\r\nHost: a\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`,
  );
  assertEquals(sent.content, inner);
  client.close();
  upstream.close();
  await setting.exchanges.next();
  assertEquals(setting.exchanges.all.length, 1);
});

proxied(
  "a body without framing is a second request, as it would be at the origin (RFC 9112 §6.3)",
  async (setting) => {
    const { origin } = setting;
    const client = await setting.connect();
    await client.send(`POST ${origin.url}/ HTTP/1.1\r\nHost: a\r\n\r\nhello`);
    const upstream = await origin.accept();
    assertEquals((await upstream.message()).content, "");
    await upstream.send(OK);
    assertEquals((await client.message()).content, "ok");
    await client.send("\r\n\r\n");
    assertEquals((await client.message()).status, 400);
    const another = await setting.connect();
    await another.send(get(origin, "/next"));
    assertEquals((await upstream.message()).startLine, "GET /next HTTP/1.1", "nothing came between");
  },
);

/** Fields of a response that frame its body in a way that cannot be trusted, and whether tolerance understands them. */
const UNTRUSTED: [what: string, fields: string, odd?: "odd"][] = [
  ["a length and chunks", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "odd"],
  ["chunks and a length", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "odd"],
  ["two lengths", "Content-Length: 5\r\nContent-Length: 6\r\n"],
  ["one length twice", "Content-Length: 5\r\nContent-Length: 5\r\n", "odd"],
  ["one length twice in a list", "Content-Length: 5, 5\r\n", "odd"],
  ["two lengths and chunks", "Content-Length: 5, 6\r\nTransfer-Encoding: chunked\r\n"],
  ["a length with a plus", "Content-Length: +5\r\n"],
  ["a length with a minus", "Content-Length: -5\r\n"],
  ["a length in hexadecimal", "Content-Length: 0x5\r\n"],
  ["an empty length", "Content-Length:\r\n"],
  ["a length beyond 53 bits", "Content-Length: 9007199254740993\r\n"],
  ["gzip, then chunked", "Transfer-Encoding: gzip, chunked\r\n"],
  ["gzip", "Transfer-Encoding: gzip\r\n"],
  ["identity", "Transfer-Encoding: identity\r\n", "odd"],
  ["an empty coding", "Transfer-Encoding:\r\n", "odd"],
  ["chunked twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "odd"],
  ["a coding nobody knows", "Transfer-Encoding: chunkedx\r\n"],
];
for (const [what, fields, odd] of UNTRUSTED) {
  for (const originTolerance of ["tolerant", "strict"] as const) {
    if (originTolerance === "tolerant" && odd) continue;
    const method = "GET";
    proxied(
      `a response with ${what}: 502, and its connection is dropped (${originTolerance}, RFC 9112 §6.3)`,
      { settings: { originTolerance } },
      async (setting) => {
        const { origin, connect, exchanges } = setting;
        const client = await connect();
        await client.send(`${method} ${origin.url}/ HTTP/1.1\r\nHost: a\r\n\r\n`);
        const upstream = await origin.accept();
        await upstream.message();
        await upstream.send(
          `HTTP/1.1 200 OK\r\n${fields}\r\n5\r\nhello\r\n0\r\n\r\nHTTP/1.1 200 EVIL\r\n\r\n`,
        );
        assertEquals((await client.message({ method })).status, 502);
        assertEquals(await upstream.rest(), "");
        const exchange = await exchanges.next();
        assertEquals([exchange.error, exchange.originStatus], ["http_protocol_error", 200]);
        await client.send(get(origin, "/next"));
        await (await origin.accept()).send(OK);
        assertEquals((await client.message()).content, "ok");
      },
    );
  }
}
