/** Odd responses (http-rules §3a) where several clients, or several requests of one, have to do with them. */

import { assert, assertEquals } from "@std/assert";
import { cached, came, chunk, CHUNKED, FRESH, gathered, statusOf, turns, until } from "./cached.ts";
import { AUTHORITY, KEY, VALID } from "../net/tls_certificates.ts";
import { proxied, SETTINGS } from "./harness.ts";
import { Peer } from "./peer.ts";
import { get, OK, request } from "./round_trip.ts";
import { waysOf } from "./through.ts";

/** How a body that began well goes on, whether it is whole then, and what is said of it. */
const LATE = [
  ["a LF behind a size", "5\nthere\r\n0\r\n\r\n", true, "LF line end"],
  ["odd trailers", "5\r\nthere\r\n0\r\nA : b\r\n\r\n", true, "white space before a colon"],
  ["white space behind a size", "5 \r\nthere\r\n0\r\n\r\n", true, "white space after a chunk size"],
  ["a LF, and a size that is none", "5\nthere\r\nx\r\n", false, "LF line end"],
  ["a LF, and no end", "5\nthere\r\n", false, "LF line end"],
] as const;

for (const [what, rest, whole, odd] of LATE) {
  cached(`${what}: all who wait get the body whole or visibly cut, and it is not kept`, async (setting) => {
    const { origin, connect, exchanges, proxy } = setting;
    const { first, rest: others, upstream } = await gathered(setting, 2);
    await upstream.send(CHUNKED + chunk("hello"));
    for (const client of [first, ...others]) await came(client, "hello");
    await upstream.send(rest + "HTTP/1.1 200 Evil\r\nContent-Length: 4\r\n\r\nevil");
    await upstream.closeWrite();
    if (whole) {
      for (const client of [first, ...others]) assertEquals((await client.message()).content, "hellothere");
      assertEquals(await first.rest(), "");
    } else {
      for (const client of [first, ...others]) {
        const got = await client.rest();
        assert(got.includes("hello") && !got.includes("\r\n0\r\n") && !got.includes("evil"), got);
      }
    }
    assertEquals(await upstream.rest(), "");
    await exchanges.until(() => exchanges.all.length === 3);
    const [asked] = exchanges.all.filter((exchange) => exchange.odd !== "");
    assertEquals([asked.odd, asked.cache, asked.truncated], [odd, "miss odd", !whole]);
    await until(() => proxy.cache!.budget.used === 0, "nothing is recorded any more");
    assertEquals(proxy.cache!.count, 0);
    // another who comes while those who were there still read asks for itself
    const late = await connect();
    await late.send(get(origin));
    const second = await origin.accept();
    await second.message();
    await second.send(OK);
    assertEquals((await late.message()).content, "ok");
  });
}

cached("who comes after an oddity in the body does not join", async (setting) => {
  const { origin, connect } = setting;
  const { first, upstream } = await gathered(setting, 0);
  await upstream.send(CHUNKED + chunk("hello"));
  await came(first, "hello");
  await upstream.send("5\nthere\r\n");
  await came(first, "there");
  const late = await connect();
  await late.send(get(origin));
  const second = await origin.accept();
  await second.message();
  await second.send(OK);
  assertEquals((await late.message()).content, "ok");
  await upstream.send("0\r\n\r\n");
  assertEquals((await first.message()).content, "hellothere");
});

cached("behind the client's back a body that turns out odd is not said to be stored", async (setting) => {
  const { origin, connect, exchanges, proxy } = setting;
  const client = await connect();
  await client.send(get(origin));
  const upstream = await origin.accept();
  await upstream.message();
  await upstream.send(
    "HTTP/1.1 200 OK\r\nCache-Control: max-age=0, stale-while-revalidate=60\r\nETag: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\nold",
  );
  assertEquals((await client.message()).content, "old");
  await client.send(get(origin));
  assertEquals((await client.message()).content, "old");
  const behind = await origin.accept();
  await behind.message();
  await behind.send(CHUNKED + chunk("new"));
  await turns();
  await behind.send("1\nx\n0\n\n");
  assertEquals(await behind.rest(), "", "its connection is not kept");
  await exchanges.until(() => exchanges.all.length === 3);
  const { odd, cache } = exchanges.all.at(-1)!;
  assertEquals([odd, cache], ["LF line end", "miss odd"]);
  await until(() => proxy.cache!.budget.used === 0, "nothing is recorded any more");
});

for (const cacheSize of [0, 1024 * 1024]) {
  const stored = cacheSize > 0 ? ", though it was to be stored" : "";
  proxied(`a request behind one whose response is odd in its body is not answered${stored}`, {
    settings: { cacheSize },
  }, async (setting) => {
    const { origin, connect } = setting;
    const client = await connect();
    await client.send(get(origin, "/1") + get(origin, "/2"));
    const upstream = await origin.accept();
    await upstream.message();
    await upstream.send(CHUNKED + chunk("hello"));
    await came(client, "hello");
    // of a client that goes on to send nothing may take the response away that it is reading
    await client.send(get(origin, "/3"));
    await upstream.send("5\nthere\r\n0\r\n\r\n");
    assertEquals((await client.message()).content, "hellothere");
    await client.send(get(origin, "/4"));
    assertEquals([await client.rest(), client.ending], ["", "end"]);
    assertEquals(await upstream.rest(), "");
    await origin.assertNoFurtherConnection();
  });
}

for (
  const [fields, odd] of [[
    "Content-Length: 5, 5\r\n",
    "Content-Length more than once, framing fields without a body",
  ], ["A : b\r\n", "white space before a colon"]]
) {
  cached(
    `an odd answer to HEAD ends both connections and updates nothing that is stored: ${fields}`,
    async (setting) => {
      const { origin, connect, exchanges, proxy } = setting;
      const client = await connect();
      await client.send(get(origin));
      const upstream = await origin.accept();
      await upstream.message();
      await upstream.send(`HTTP/1.1 200 OK\r\n${FRESH}ETag: "a"\r\nContent-Length: 5\r\n\r\nhello`);
      assertEquals(statusOf(await client.message()), "fwd=uri-miss; fwd-status=200; stored");
      await client.send(request(origin, "HEAD", "/", "Cache-Control: no-cache") + get(origin));
      const asked = await upstream.message();
      assertEquals(asked.startLine, "HEAD / HTTP/1.1");
      await upstream.send(
        `HTTP/1.1 200 OK\r\nETag: "b"\r\n${fields}\r\nHTTP/1.1 200 Evil\r\nContent-Length: 4\r\n\r\nevil`,
      );
      assertEquals((await client.message({ method: "HEAD" })).status, 200);
      assertEquals([await client.rest(), await upstream.rest()], ["", ""]);
      await exchanges.next();
      const exchange = await exchanges.next();
      assertEquals(exchange.odd, odd);
      // it may be another resource by now: what is stored is not used before somebody has asked
      assertEquals(proxy.cache!.count, 0);
      const other = await connect();
      await other.send(get(origin));
      const second = await origin.accept();
      await second.message();
      await second.send(OK);
      assertEquals((await other.message()).content, "ok");
    },
  );
}

for (const scheme of ["http", "https"] as const) {
  proxied(
    `https:// in absolute form through an ${scheme}:// parent that opens the tunnel in odd words: once, and no more`,
    async (setting) => {
      const options = { hostname: "127.0.0.1", port: 0 };
      using secure = Deno.listenTls({ ...options, cert: VALID, key: KEY });
      using listener = scheme === "http"
        ? Deno.listen(options)
        : Deno.listenTls({ ...options, cert: VALID, key: KEY });
      setting.proxy.update({
        ...SETTINGS,
        poolTimeout: 300_000,
        originCertificates: [AUTHORITY],
        routes: waysOf(`${scheme}://localhost:${(listener.addr as Deno.NetAddr).port}`),
      });
      const target = `localhost:${(secure.addr as Deno.NetAddr).port}`;
      const client = await setting.connect();
      await client.send(get({ authority: "x" }).replace("http://x", `https://${target}`));
      const near = await (listener as Deno.Listener<Deno.Conn>).accept();
      const parent = new Peer(near as Deno.TcpConn);
      await parent.head();
      const far = await Deno.connect({ hostname: "127.0.0.1", port: (secure.addr as Deno.NetAddr).port });
      await parent.send("HTTP/2.0 200 OK\nContent-Length : 5\n\n");
      const through = Promise.all([
        (near as Deno.TcpConn).readable.pipeTo(far.writable).catch(() => {}),
        far.readable.pipeTo((near as Deno.TcpConn).writable).catch(() => {}),
      ]);
      const origin = new Peer(await secure.accept());
      assertEquals((await origin.message()).startLine, "GET / HTTP/1.1");
      await origin.send(OK);
      assertEquals((await client.message()).content, "ok");
      assertEquals(await origin.rest(), "", "the connection is not kept");
      origin.close();
      const { odd, reused } = await setting.exchanges.next();
      assertEquals([odd, reused], ["LF line end, HTTP/2 in HTTP/1.1, white space before a colon", false]);
      client.close();
      await setting.proxy.stop();
      await through;
    },
  );
}
