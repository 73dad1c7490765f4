/** What becomes of recordings when somebody fails, stalls, vanishes or takes too much. */

import { assert, assertEquals } from "@std/assert";
import { NO_LIMITS } from "../../src/policy/rates.ts";
import { Recording } from "../../src/proxy/cache/recording.ts";
import {
  cached,
  came,
  chunk,
  CHUNKED,
  FRESH,
  gathered,
  hit,
  longText,
  miss,
  response,
  turns,
  until,
} from "./cached.ts";
import { CAN_RESET, type Peer } from "./peer.ts";
import { get } from "./round_trip.ts";

const KIB = 1024;

for (const how of ["reset", "end", "damaged chunk"] as const) {
  cached(`an origin that fails within a body leaves nobody with a whole one (${how})`, async (setting) => {
    if (how === "reset" && !CAN_RESET) return;
    const origin = how === "reset" ? await setting.resettableOrigin() : setting.origin;
    const clients: Peer[] = [];
    for (let index = 0; index < 3; index++) clients.push(await setting.connect());
    await clients[0].send(get(origin));
    const upstream = await origin.accept();
    await upstream.message();
    for (const client of clients.slice(1)) await client.send(get(origin));
    await turns();
    await upstream.send(CHUNKED + chunk("hello"));
    for (const client of clients) await came(client, "hello");
    if (how === "reset") upstream.reset();
    else if (how === "end") upstream.close();
    else await upstream.send("zz\r\n");
    for (const client of clients) {
      const rest = await client.rest();
      assert(!rest.endsWith("0\r\n\r\n"), rest);
    }
    for (let index = 0; index < 3; index++) assert((await setting.exchanges.next()).truncated);
    const again = await setting.connect();
    await again.send(get(origin));
    const anew = await origin.accept();
    await anew.message();
    await anew.send(response("", "anew"));
    assertEquals((await again.message()).content, "anew");
  });
}

cached(
  "a fault of weir's own while a body is validated behind the client's back leaves nothing behind",
  async (setting) => {
    const { origin, exchanges } = setting;
    const client = await setting.connect();
    const while60 = "Cache-Control: max-age=0, stale-while-revalidate=60\r\n";
    const { upstream } = await miss(setting, client, get(origin), response(while60));
    assertEquals((await hit(client, get(origin))).content, "hello");
    await upstream.message();
    await upstream.send(CHUNKED + chunk("new"));
    await until(() => setting.proxy.cache!.budget.used === 3, "the body is being recorded");
    const { append } = Recording.prototype;
    try {
      Recording.prototype.append = () => {
        throw new TypeError("a fault");
      };
      await upstream.send(chunk("er"));
      await exchanges.until(() => exchanges.all.length === 3);
    } finally {
      Recording.prototype.append = append;
    }
    const { error, details, truncated } = exchanges.all[2];
    assertEquals([error, details, truncated], ["proxy_internal_error", "TypeError: a fault", true]);
    assertEquals(exchanges.notices.map(({ level }) => level), ["error"]);
    assertEquals(setting.proxy.cache!.budget.used, 0);
    assertEquals((await hit(client, get(origin))).content, "hello");
  },
  {},
  { errors: true },
);

cached("a body with fewer bytes than its length is not stored, whoever waits", async (setting) => {
  const { first, rest, upstream } = await gathered(setting, 2);
  await upstream.send(`HTTP/1.1 200 OK\r\n${FRESH}Content-Length: 10\r\n\r\nhello`);
  for (const client of [first, ...rest]) await came(client, "hello");
  upstream.close();
  for (const client of [first, ...rest]) assertEquals((await client.rest()).endsWith("hello"), true);
  assertEquals(setting.proxy.cache!.count, 0);
});

cached("an origin that stalls within a body is given up for all", async (setting) => {
  const { first, rest, upstream } = await gathered(setting, 2);
  await upstream.send(CHUNKED + chunk("hello"));
  for (const client of [first, ...rest]) await came(client, "hello");
  for (const client of [first, ...rest]) assert(!(await client.rest()).endsWith("0\r\n\r\n"));
  assertEquals((await setting.exchanges.next()).error, "connection_read_timeout");
  assertEquals(setting.proxy.cache!.count, 0);
}, { bodyTimeout: 600 });

cached("what nobody waits for any more is finished when little is missing", async (setting) => {
  const { origin } = setting;
  const { first, upstream } = await gathered(setting, 0);
  await upstream.send(`HTTP/1.1 200 OK\r\n${FRESH}Content-Length: 10\r\n\r\nhello`);
  await came(first, "hello");
  first.close();
  await setting.exchanges.next();
  await upstream.send("world");
  await until(() => setting.proxy.cache!.count === 1, "it is stored");
  assertEquals((await hit(await setting.connect(), get(origin))).content, "helloworld");
}, { halfClosedTimeout: 300 });

cached(
  "what nobody waits for any more is given up when much is missing, or nobody knows how much",
  async (setting) => {
    const { origin } = setting;
    for (const framing of ["Content-Length: 4000000", "Transfer-Encoding: chunked"]) {
      const client = await setting.connect({ resettable: CAN_RESET });
      await client.send(get(origin, `/${framing.length}`));
      const upstream = await origin.accept();
      await upstream.message();
      await upstream.send(`HTTP/1.1 200 OK\r\n${FRESH}${framing}\r\n\r\n5\r\nhello\r\n`);
      await came(client, "hello");
      if (CAN_RESET) client.reset();
      else client.close();
      await setting.exchanges.next();
      // whose client has gone without a reset is noticed at the next bytes
      await upstream.send("5\r\nhello\r\n").catch(() => {});
      await turns();
      await upstream.send("5\r\nhello\r\n").catch(() => {});
      await upstream.rest();
      assertEquals(setting.proxy.cache!.count, 0);
    }
  },
  { halfClosedTimeout: 300 },
);

cached(
  "a client that has closed its sending side and waits with others is given up in time",
  async (setting) => {
    const { first, rest: [second], upstream } = await gathered(setting, 1);
    await second.closeWrite();
    // it may still read: the connection ends only after its time
    assertEquals(await second.rest(), "");
    await upstream.send(CHUNKED + chunk("hello"));
    await came(first, "hello");
    await first.closeWrite();
    assert(!(await first.rest()).endsWith("0\r\n\r\n"));
  },
  { halfClosedTimeout: 600 },
);

cached("a client that has closed its sending side is answered all the same", async (setting) => {
  const { first, rest: [second], upstream } = await gathered(setting, 1);
  await second.closeWrite();
  await first.closeWrite();
  await turns();
  await upstream.send(response(FRESH));
  assertEquals((await second.message()).content, "hello");
  assertEquals((await first.message()).content, "hello");
  const third = await setting.connect();
  await third.send(get(setting.origin));
  await third.closeWrite();
  assertEquals((await third.message()).content, "hello");
});

cached(
  "a body of just the longest length that is kept comes to its end, and so does a longer one",
  async (setting) => {
    const { origin } = setting;
    for (const length of [8 * KIB - 1, 8 * KIB, 8 * KIB + 1, 40 * KIB]) {
      for (const framing of ["chunked", "close"] as const) {
        const client = await setting.connect();
        await client.send(get(origin, `/${length}/${framing}`));
        const upstream = await origin.accept();
        await upstream.message();
        const body = longText(length);
        const first = body.slice(0, 8 * KIB);
        await upstream.send(
          framing === "chunked"
            ? CHUNKED + chunk(first)
            : `HTTP/1.1 200 OK\r\n${FRESH}Connection: close\r\n\r\n${first}`,
        );
        await came(client, first.slice(-10));
        const rest = body.slice(8 * KIB);
        if (framing === "chunked") {
          if (rest !== "") await upstream.send(chunk(rest));
          await upstream.send("0\r\n\r\n");
        } else await upstream.send(rest);
        upstream.close();
        const message = await client.message();
        assertEquals(message.content === body, true, `${length} ${framing}`);
        await setting.exchanges.next();
      }
    }
    assert(setting.proxy.cache!.count <= 2);
  },
  { cacheSize: 64 * KIB },
);

cached("a head that comes with more than may be kept goes on all the same", async (setting) => {
  const { first, upstream } = await gathered(setting, 0);
  const body = longText(12_000);
  await upstream.send(CHUNKED + chunk(body));
  await came(first, body.slice(-10));
  await upstream.send("0\r\n\r\n");
  assertEquals((await first.message()).content === body, true);
}, { cacheSize: 8 * KIB });

cached(
  "a long body of unknown length is held in a window, and who reads along gets all of it",
  async (setting) => {
    const { origin } = setting;
    const { first, rest: [second], upstream } = await gathered(setting, 1);
    const { budget } = setting.proxy.cache!;
    const piece = longText(8 * KIB);
    await upstream.send(CHUNKED);
    let most = 0;
    for (let index = 0; index < 100; index++) {
      await upstream.send(chunk(piece));
      for (const client of [first, second]) {
        await came(client, piece.slice(-10));
        client.received = "";
      }
      most = Math.max(most, budget.used);
    }
    assert(most <= 128 * KIB, `${most} bytes`);
    await upstream.send("0\r\n\r\n");
    for (const client of [first, second]) {
      assertEquals(
        (await client.upTo("0\r\n\r\n")).endsWith("0\r\n\r\n"),
        true,
      );
    }
    assertEquals(setting.proxy.cache!.count, 0);
    const late = await setting.connect();
    await miss(setting, late, get(origin), response("", "new"), upstream);
  },
  { cacheSize: 512 * KIB },
);

cached("who stays behind by more than the window is cut, and the others go on", async (setting) => {
  const { first, rest: [second], upstream } = await gathered(setting, 1);
  const { budget } = setting.proxy.cache!;
  const piece = longText(64 * KIB);
  await upstream.send(CHUNKED);
  // more than the system buffers for who reads nothing
  let most = 0;
  for (let index = 0; index < 150; index++) {
    await upstream.send(chunk(piece));
    await came(second, piece.slice(-10));
    second.received = "";
    most = Math.max(most, budget.used);
  }
  assert(most <= 1024 * KIB, `${most} bytes`);
  await upstream.send("0\r\n\r\n");
  await second.upTo("0\r\n\r\n");
  assert(!(await first.rest()).endsWith("0\r\n\r\n"), "the first is not whole");
}, { cacheSize: 2048 * KIB });

cached("many long bodies at once take no more than a cache's size, and all come through", async (setting) => {
  const { origin } = setting;
  const { budget } = setting.proxy.cache!;
  const body = longText(100 * KIB);
  const pairs: { client: Peer; upstream: Peer; sent: Promise<void> }[] = [];
  for (let index = 0; index < 30; index++) {
    const client = await setting.connect();
    await client.send(get(origin, `/${index}`));
    const upstream = await origin.accept();
    await upstream.message();
    const framed = index % 2 === 0 ? chunk(body) + "0\r\n\r\n" : body;
    const framing = index % 2 === 0 ? "Transfer-Encoding: chunked" : `Content-Length: ${body.length}`;
    const sent = upstream.send(`HTTP/1.1 200 OK\r\n${FRESH}Connection: close\r\n${framing}\r\n\r\n${framed}`);
    pairs.push({ client, upstream, sent });
    await turns(2);
  }
  assert(budget.used <= 1024 * KIB + 30 * 32 * KIB, `${budget.used}`);
  for (const { client, sent } of pairs) {
    assertEquals((await client.message()).content === body, true);
    await sent;
  }
  assert(setting.proxy.cache!.bytes <= 1024 * KIB);
}, { cacheSize: 1024 * KIB });

cached("stopping ends those who fetch, read and wait", async (setting) => {
  const { first, rest: [second], upstream } = await gathered(setting, 1);
  const { origin } = setting;
  await upstream.send(CHUNKED + chunk("hello"));
  for (const client of [first, second]) await came(client, "hello");
  const [third, fourth] = [await setting.connect(), await setting.connect()];
  await third.send(get(origin, "/other"));
  await (await origin.accept()).message();
  await fourth.send(get(origin, "/other"));
  await turns();
  await setting.proxy.stop();
  for (const client of [first, second]) assert(!(await client.rest()).endsWith("0\r\n\r\n"));
  for (const client of [third, fourth]) assertEquals(await client.rest(), "");
  assertEquals(setting.exchanges.all.length, 4);
  for (const exchange of setting.exchanges.all) assert(exchange.truncated);
});

cached("draining waits for those who read and wait", async (setting) => {
  const { first, rest: [second], upstream } = await gathered(setting, 1);
  const drained = setting.proxy.drain();
  await turns();
  await upstream.send(CHUNKED + chunk("hello"));
  for (const client of [first, second]) await came(client, "hello");
  await upstream.send("0\r\n\r\n");
  for (const client of [first, second]) assertEquals((await client.message()).content, "hello");
  await drained;
});

cached("trailers reach who brought the response, and are kept for nobody", async (setting) => {
  const { first, rest: [second], upstream } = await gathered(setting, 1);
  await upstream.send(CHUNKED + chunk("hello"));
  for (const client of [first, second]) await came(client, "hello");
  await upstream.send("0\r\nX-Sum: 1\r\nContent-Length: 3\r\n\r\n");
  assertEquals((await first.message()).trailers, [["X-Sum", "1"]]);
  assertEquals((await second.message()).trailers, []);
  assertEquals((await hit(second, get(setting.origin))).trailers, []);
});

cached("hits and what is recorded are held to a client's rates", async (setting) => {
  const { origin } = setting;
  const body = longText(60_000);
  const client = await setting.connect();
  const began = performance.now();
  await miss(setting, client, get(origin), response(FRESH, body));
  assertEquals((await hit(client, get(origin))).content === body, true);
  assertEquals((await hit(client, get(origin))).content === body, true);
  // 180,000 bytes at 100,000 a second, of which the first second's are there at once
  assert(performance.now() - began > 500, "it took its time");
}, { clientRates: { ...NO_LIMITS, down: 100_000 } });

cached(
  "who waits for its own rate leads nobody",
  async (setting) => {
    const { origin } = setting;
    const slow = await setting.connect({ to: setting.addresses[1] });
    await miss(
      setting,
      slow,
      get(origin, "/first", `X: ${"x".repeat(20_000)}`),
      response("Connection: close\r\n"),
    );
    await slow.send(get(origin));
    const others = [await setting.connect(), await setting.connect()];
    for (const client of others) await client.send(get(origin));
    const upstream = await origin.accept();
    await upstream.message();
    await turns();
    await upstream.send(response(FRESH));
    for (const client of others) assertEquals((await client.message()).content, "hello");
    await setting.exchanges.until(() => setting.exchanges.all.length === 3);
  },
  { clientRates: { ...NO_LIMITS, up: 1000 } },
  {
    listen: [{ hostname: "127.0.0.1", port: 0 }, { hostname: "::1", port: 0 }],
  },
);
