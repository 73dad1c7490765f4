/** The cache from outside: what is answered from the store, what is fetched, and what the others are told. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { cached, hit, miss, response, statusOf, turns } from "./cached.ts";
import { PSEUDONYM } from "./harness.ts";
import { valuesOf } from "./peer.ts";
import { get } from "./round_trip.ts";

cached("a fresh response is fetched once (RFC 9111 §4)", async (setting) => {
  const client = await setting.connect();
  const first = await miss(setting, client, get(setting.origin), response("Cache-Control: max-age=60\r\n"));
  assertEquals(statusOf(first.got), "fwd=uri-miss; fwd-status=200; stored");
  const second = await hit(client, get(setting.origin));
  assertEquals(second.content, "hello");
  assertMatch(statusOf(second), /^hit; ttl=(60|59)$/);
  assertMatch(valuesOf(second, "age")[0], /^[01]$/);
  assertEquals(valuesOf(second, "via"), [`1.1 ${PSEUDONYM}`]);
  const third = await hit(await setting.connect(), get(setting.origin));
  assertEquals(third.content, "hello");
  await setting.exchanges.until(() => setting.exchanges.all.length === 3);
  assertEquals(setting.exchanges.all.map(({ cache }) => cache), ["miss stored", "hit", "hit"]);
  await setting.origin.assertNoFurtherConnection();
});

cached("HEAD, conditional and range requests are answered from what GET has stored", async (setting) => {
  const client = await setting.connect();
  const { origin } = setting;
  await miss(
    setting,
    client,
    get(origin),
    response('Cache-Control: max-age=60\r\nETag: "a"\r\n', "0123456789"),
  );
  const head = await hit(client, get(origin).replace("GET", "HEAD"));
  assertEquals([head.status, valuesOf(head, "content-length"), head.content], [200, ["10"], ""]);
  const unmodified = await hit(client, get(origin, "/", 'If-None-Match: "b", W/"a"'));
  assertEquals([unmodified.status, unmodified.content], [304, ""]);
  const part = await hit(client, get(origin, "/", "Range: bytes=2-4"));
  assertEquals([part.status, part.content, valuesOf(part, "content-range")], [206, "234", ["bytes 2-4/10"]]);
  assertEquals((await hit(client, get(origin, "/", "Range: bytes=20-"))).status, 416);
  await origin.assertNoFurtherConnection();
});

cached("a stale response is validated, and updated by a 304 (RFC 9111 §4.3)", async (setting) => {
  const client = await setting.connect();
  const { origin } = setting;
  const { upstream } = await miss(
    setting,
    client,
    get(origin),
    response('Cache-Control: max-age=0\r\nETag: "a"\r\nX-Old: 1\r\n'),
  );
  const second = await miss(
    setting,
    client,
    get(origin),
    "HTTP/1.1 304 Not Modified\r\nCache-Control: max-age=60\r\nX-Old: 2\r\n\r\n",
    upstream,
  );
  assertEquals(valuesOf(second.sent, "if-none-match"), ['"a"']);
  assertEquals([second.got.status, second.got.content, valuesOf(second.got, "x-old")], [200, "hello", ["2"]]);
  assertMatch(statusOf(second.got), /^fwd=stale; fwd-status=304; stored; ttl=/);
  const third = await hit(client, get(origin));
  assertEquals([third.content, valuesOf(third, "x-old")], ["hello", ["2"]]);
  assertEquals(setting.exchanges.all.map(({ cache }) => cache), ["miss stored", "revalidated", "hit"]);
});

cached("a body that comes in pieces is stored when it is whole, and goes on as it comes", async (setting) => {
  const client = await setting.connect();
  const { origin } = setting;
  await client.send(get(origin));
  const upstream = await origin.accept();
  await upstream.message();
  await upstream.send(
    "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
  );
  while (!client.received.includes("hello")) client.received += await client.some();
  await upstream.send("6\r\n world\r\n0\r\n\r\n");
  assertEquals((await client.message()).content, "hello world");
  const second = await hit(client, get(origin));
  assertEquals([second.content, valuesOf(second, "content-length")], ["hello world", ["11"]]);
  await origin.assertNoFurtherConnection();
});

cached("a body that is cut short is not stored and does not look whole", async (setting) => {
  const { origin } = setting;
  for (const framing of ["Content-Length: 100", "Transfer-Encoding: chunked"]) {
    const client = await setting.connect();
    await client.send(get(origin, `/${framing.length}`));
    const upstream = await origin.accept();
    await upstream.message();
    await upstream.send(`HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n${framing}\r\n\r\n5\r\nhello\r\n`);
    while (!client.received.includes("hello")) client.received += await client.some();
    upstream.close();
    assert(!(await client.rest()).endsWith("0\r\n\r\n"));
    assertEquals(client.ending, "end");
    assert((await setting.exchanges.next()).truncated);
    const again = await setting.connect();
    await miss(
      setting,
      again,
      get(origin, `/${framing.length}`),
      response("Cache-Control: max-age=60\r\nConnection: close\r\n"),
    );
    await setting.exchanges.next();
  }
});

cached("many who ask at once are served by one fetch", async (setting) => {
  const { origin } = setting;
  const clients = await Promise.all(Array.from({ length: 5 }, () => setting.connect()));
  await clients[0].send(get(origin));
  const upstream = await origin.accept();
  await upstream.message();
  for (const client of clients.slice(1)) await client.send(get(origin));
  await turns();
  await upstream.send(response("Cache-Control: max-age=60\r\n"));
  for (const client of clients) assertEquals((await client.message()).content, "hello");
  await setting.exchanges.until(() => setting.exchanges.all.length === 5);
  assertEquals(setting.exchanges.all.filter(({ cache }) => cache === "collapsed").length, 4);
  await origin.assertNoFurtherConnection();
});

cached("who waited for what is not theirs asks for themselves", async (setting) => {
  const { origin } = setting;
  const [first, second] = [await setting.connect(), await setting.connect()];
  await first.send(get(origin));
  const upstream = await origin.accept();
  await upstream.message();
  await second.send(get(origin));
  await turns();
  await upstream.send(response("Cache-Control: private\r\n", "for one"));
  assertEquals((await first.message()).content, "for one");
  const other = await Promise.race([origin.accept(), upstream.message().then(() => upstream)]);
  if (other !== upstream) await other.message();
  await other.send(response("Cache-Control: private\r\n", "for the other"));
  assertEquals((await second.message()).content, "for the other");
});

cached("an unsafe method makes what is stored invalid (RFC 9111 §4.4)", async (setting) => {
  const client = await setting.connect();
  const { origin } = setting;
  const fresh = response("Cache-Control: max-age=60\r\n");
  const { upstream } = await miss(setting, client, get(origin), fresh);
  // it takes a connection of its own
  await miss(setting, client, get(origin).replace("GET", "POST"), response("", "done"));
  const { got } = await miss(setting, client, get(origin), response("", "new"), upstream);
  assertEquals(got.content, "new");
});

cached(
  "a response to POST that says it is what GET would bring is stored for GET (RFC 9110 §9.3.3)",
  async (setting) => {
    const client = await setting.connect();
    const { origin } = setting;
    const post = (fields: string) => get(origin, "/a", fields).replace("GET", "POST");
    const own = "Cache-Control: max-age=60\r\nContent-Location: /a\r\n";
    const before = response("Cache-Control: max-age=60\r\n", "before");
    const { upstream } = await miss(setting, client, get(origin, "/a"), before);
    const { got } = await miss(setting, client, `${post("Content-Length: 4")}body`, response(own, "after"));
    assertEquals(statusOf(got), "fwd=method; fwd-status=200; stored");
    assertEquals((await hit(client, get(origin, "/a"))).content, "after");
    // nothing that is stored answers POST itself, and what is of another URL or not to last is not stored
    for (
      const fields of ["Cache-Control: max-age=60\r\nContent-Location: /b\r\n", "Content-Location: /a\r\n"]
    ) {
      const again = await miss(setting, client, `${post("Content-Length: 4")}body`, response(fields, "done"));
      assertEquals(statusOf(again.got), "fwd=method; fwd-status=200; detail=method");
      await miss(setting, client, get(origin, "/a"), response("", "new"), upstream);
    }
    await setting.exchanges.until(() => setting.exchanges.all.length === 7);
    assertEquals(setting.exchanges.all.slice(0, 4).map(({ cache }) => cache), [
      "miss stored",
      "miss stored",
      "hit",
      "bypass method",
    ]);
  },
);

cached("only-if-cached asks nobody (RFC 9111 §5.2.1.7)", async (setting) => {
  const answer = await hit(
    await setting.connect(),
    get(setting.origin, "/", "Cache-Control: only-if-cached"),
  );
  assertEquals(answer.status, 504);
  await setting.origin.assertNoFurtherConnection();
});

cached("a stale answer is better than none when the origin is gone (RFC 9111 §4.2.4)", async (setting) => {
  const client = await setting.connect();
  const { origin } = setting;
  const { upstream } = await miss(
    setting,
    client,
    get(origin),
    response('Cache-Control: max-age=0\r\nETag: "a"\r\n'),
  );
  await client.send(get(origin));
  await upstream.message();
  upstream.close();
  // and once more on a fresh connection
  (await origin.accept()).close();
  const stale = await client.message();
  assertEquals([stale.status, stale.content], [200, "hello"]);
  assertEquals(setting.exchanges.all.at(-1)!.cache, "stale");
});

cached(
  "what is stale for a moment is sent at once and validated behind the client's back",
  async (setting) => {
    const client = await setting.connect();
    const { origin } = setting;
    const { upstream } = await miss(
      setting,
      client,
      get(origin),
      response('Cache-Control: max-age=0, stale-while-revalidate=60\r\nETag: "a"\r\n'),
    );
    const stale = await hit(client, get(origin));
    assertEquals(stale.content, "hello");
    const validation = await upstream.message();
    assertEquals(valuesOf(validation, "if-none-match"), ['"a"']);
    await upstream.send("HTTP/1.1 304 Not Modified\r\nCache-Control: max-age=60\r\n\r\n");
    await setting.exchanges.until(() => setting.exchanges.all.length === 3);
    const fresh = await hit(client, get(origin));
    assertEquals(fresh.content, "hello");
    await setting.exchanges.until(() => setting.exchanges.all.length === 4);
    assertEquals(setting.exchanges.all.map(({ cache }) => cache).toSorted(), [
      "hit",
      "miss stored",
      "revalidated",
      "stale",
    ]);
  },
);

cached("a client that reads slowly gets all of a body that was fetched long before", async (setting) => {
  const { origin } = setting;
  const body = Array.from({ length: 40_000 }, (_, index) => `${index} `.padStart(10, ".")).join("");
  const client = await setting.connect();
  await client.send(get(origin));
  const upstream = await origin.accept();
  await upstream.message();
  await upstream.send(response("Cache-Control: max-age=60\r\nConnection: close\r\n", body));
  // a second one is served from what was recorded, while the first has read nothing
  assertEquals((await hit(await setting.connect(), get(origin))).content, body);
  assertEquals((await client.message()).content, body);
  await origin.assertNoFurtherConnection();
});

cached("parts of the same representation are joined, and make a whole (RFC 9111 §3.4)", async (setting) => {
  const client = await setting.connect();
  const { origin } = setting;
  const whole = "0123456789abcdefghij";
  const part = (first: number, last: number, tag = '"a"') =>
    response(
      `ETag: ${tag}\r\nCache-Control: max-age=60\r\nContent-Range: bytes ${first}-${last}/20\r\n`,
      whole.slice(first, last + 1),
      "206 Partial Content",
    );
  const wanted = (first: number, last: number) => get(origin, "/", `Range: bytes=${first}-${last}`);
  const { upstream } = await miss(setting, client, wanted(0, 9), part(0, 9));
  assertEquals((await hit(client, wanted(2, 5))).content, "2345");
  // a gap, and then what fills it
  await miss(setting, client, wanted(5, 14), part(5, 14), upstream);
  assertEquals((await hit(client, wanted(1, 13))).content, whole.slice(1, 14));
  await miss(setting, client, wanted(12, 19), part(12, 19), upstream);
  const all = await hit(client, get(origin));
  assertEquals([all.status, all.content], [200, whole]);
  await origin.assertNoFurtherConnection();
});

cached("a part of another representation joins nothing", async (setting) => {
  const client = await setting.connect();
  const { origin } = setting;
  const part = (range: string, body: string, tag: string) =>
    response(
      `ETag: ${tag}\r\nCache-Control: max-age=60\r\nContent-Range: bytes ${range}/10\r\n`,
      body,
      "206 Partial Content",
    );
  const wanted = (range: string) => get(origin, "/", `Range: bytes=${range}`);
  const { upstream } = await miss(setting, client, wanted("0-4"), part("0-4", "01234", '"a"'));
  await miss(setting, client, wanted("5-9"), part("5-9", "fghij", '"b"'), upstream);
  const { got } = await miss(setting, client, get(origin), response('ETag: "b"\r\n', "abcdefghij"), upstream);
  assertEquals(got.content, "abcdefghij");
});
