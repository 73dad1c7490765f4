/** Connections that are used again, and requests that wait for one another (http-rules §5). */

import { assertEquals, assertMatch } from "@std/assert";
import { proxied } from "./harness.ts";
import { valuesOf } from "./peer.ts";
import { get, OK, request, roundTrip } from "./round_trip.ts";

proxied(
  "an HTTP/1.1 client's connection and the origin's are used again (RFC 9112 §9.3)",
  async (setting) => {
    const { origin, exchanges } = setting;
    const { client, upstream, got } = await roundTrip(setting, get(origin));
    assertEquals(valuesOf(got, "connection"), []);
    for (let i = 1; i < 5; i++) {
      await client.send(get(origin, `/${i}`));
      assertEquals((await upstream.message()).startLine, `GET /${i} HTTP/1.1`);
      await upstream.send(OK);
      assertEquals((await client.message()).content, "ok");
    }
    await origin.assertNoFurtherConnection();
    for (let i = 0; i < 5; i++) assertEquals((await exchanges.next()).reused, i > 0);
  },
);

proxied("an origin's connection is used for another client (RFC 9112 §9.3)", async (setting) => {
  const { origin } = setting;
  const { upstream, client } = await roundTrip(setting, get(origin));
  client.close();
  const another = await setting.connect();
  await another.send(get(origin, "/2"));
  assertEquals((await upstream.message()).startLine, "GET /2 HTTP/1.1");
  await upstream.send(OK);
  assertEquals((await another.message()).content, "ok");
});

for (const connection of ["keep-alive", "Keep-Alive, x"]) {
  proxied(
    `an HTTP/1.0 client that asks for ${connection} gets none (RFC 9112 §9.3, C.2.2)`,
    async (setting) => {
      const { origin, connect } = setting;
      const client = await connect();
      const one =
        `GET ${origin.url}/ HTTP/1.0\r\nConnection: ${connection}\r\nProxy-Connection: keep-alive\r\n\r\n`;
      await client.send(one + one);
      const upstream = await origin.accept();
      await upstream.message();
      await upstream.send(OK);
      const got = await client.message();
      assertEquals(valuesOf(got, "connection"), ["close"]);
      assertEquals(valuesOf(got, "keep-alive"), []);
      assertEquals(await client.rest(), "", "the second request is not answered");
      await origin.assertNoFurtherConnection();
    },
  );
}

proxied("close ends the connection behind the answer, whatever follows (RFC 9112 §9.6)", async (setting) => {
  const { origin, connect } = setting;
  const client = await connect();
  await client.send(get(origin, "/1", "Connection: close") + get(origin, "/2"));
  const upstream = await origin.accept();
  await upstream.message();
  await upstream.send(OK);
  assertEquals(valuesOf(await client.message(), "connection"), ["close"]);
  assertEquals(await client.rest(), "");
  client.close();
  await setting.exchanges.next();
  assertEquals(setting.exchanges.all.length, 1);
});

proxied("pipelined requests are answered in their order (RFC 9112 §9.3.2)", async (setting) => {
  const { origin, connect, another } = setting;
  const second = another();
  const client = await connect();
  await client.send(get(origin, "/1") + get(second, "/2") + get(origin, "/3"));
  const upstream = await origin.accept();
  assertEquals((await upstream.message()).startLine, "GET /1 HTTP/1.1");
  await second.assertNoFurtherConnection();
  await upstream.send("HTTP/1.1 200 One\r\nContent-Length: 1\r\n\r\n1");
  const other = await second.accept();
  assertEquals((await other.message()).startLine, "GET /2 HTTP/1.1");
  await other.send("HTTP/1.1 200 Two\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n2\r\n0\r\n\r\n");
  assertEquals((await upstream.message()).startLine, "GET /3 HTTP/1.1");
  await upstream.send("HTTP/1.1 200 Three\r\nContent-Length: 1\r\n\r\n3");
  for (const [reason, content] of [["One", "1"], ["Two", "2"], ["Three", "3"]]) {
    const got = await client.message();
    assertEquals([got.startLine, got.content], [`HTTP/1.1 200 ${reason}`, content]);
  }
});

proxied(
  "many pipelined requests, cut anywhere, are answered in their order (RFC 9112 §9.3.2)",
  async (setting) => {
    const { origin, connect } = setting;
    origin.answer(({ startLine, content }) => {
      const said = startLine.split(" ")[1] + content;
      return `HTTP/1.1 200 OK\r\nContent-Length: ${said.length}\r\n\r\n${said}`;
    });
    let all = "";
    for (let i = 0; i < 60; i++) {
      if (i % 3 === 0) all += get(origin, `/${i}`, `A: ${"a".repeat(i * 40)}`);
      if (i % 3 === 1) all += request(origin, "POST", `/${i}`, "Content-Length: 3") + "xyz";
      if (i % 3 === 2) {
        all += request(origin, "PUT", `/${i}`, "Transfer-Encoding: chunked") +
          "3\r\nxyz\r\n0\r\n\r\n";
      }
    }
    for (const size of [1000, 777, 13_000, all.length]) {
      const client = await connect();
      const pieces = [];
      for (let at = 0; at < all.length; at += size) pieces.push(all.slice(at, at + size));
      const sending = client.sendInPieces(pieces);
      for (let i = 0; i < 60; i++) {
        assertEquals(
          (await client.message()).content,
          `/${i}${i % 3 === 0 ? "" : "xyz"}`,
          `pieces of ${size}`,
        );
      }
      await sending;
      client.close();
    }
  },
);

proxied("an own answer keeps its place among pipelined ones (RFC 9112 §9.3.2)", async (setting) => {
  const { origin, connect } = setting;
  origin.answer(OK);
  const client = await connect();
  await client.send(
    get(origin) + request(origin, "OPTIONS", "/", "Max-Forwards: 0") + get(origin) +
      "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n" + get(origin),
  );
  const statuses = [];
  for (let i = 0; i < 4; i++) statuses.push((await client.message()).status);
  assertEquals(statuses, [200, 200, 200, 400]);
  assertEquals(await client.rest(), "");
});

proxied("a failed request does not end a client's connection (http-rules §5)", async (setting) => {
  const { origin, connect } = setting;
  const client = await connect();
  await client.send(get(origin, "/1") + get(origin, "/2"));
  const first = await origin.accept();
  await first.message();
  first.close();
  const second = await origin.accept();
  assertEquals((await second.message()).startLine, "GET /2 HTTP/1.1");
  await second.send(OK);
  assertMatch((await client.message()).startLine, /^HTTP\/1\.1 502 /);
  assertEquals((await client.message()).content, "ok");
});

proxied("responses go to the clients that asked for them (http-rules §7)", async ({ origin, connect }) => {
  origin.answer(({ startLine }) => {
    const said = startLine.split(" ")[1].repeat(startLine.length % 50);
    return `HTTP/1.1 200 OK\r\nContent-Length: ${said.length}\r\n\r\n${said}`;
  });
  await Promise.all(Array.from({ length: 30 }, async (_, name) => {
    const client = await connect();
    for (let i = 0; i < 20; i++) {
      const path = `/${name}.${i}.${"x".repeat((name * i) % 40)}`;
      await client.send(get(origin, path));
      const { content } = await client.message();
      assertEquals(content, path.repeat(`GET ${path} HTTP/1.1`.length % 50));
    }
    client.close();
  }));
});
