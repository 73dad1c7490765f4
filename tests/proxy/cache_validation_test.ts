/** Validation, what is stale, and what is made invalid, from outside (RFC 9111 §4.2.4, §4.3, §4.4). */

import { assert, assertEquals } from "@std/assert";
import { cached, FRESH, hit, miss, response, statusOf, turns } from "./cached.ts";
import { SETTINGS } from "./harness.ts";
import { type Peer, turn, valuesOf } from "./peer.ts";
import { policy } from "./policies.ts";
import { get, request } from "./round_trip.ts";

const STALE = 'Cache-Control: max-age=0\r\nETag: "a"\r\n';
const NOT_MODIFIED = "HTTP/1.1 304 Not Modified\r\n";

cached(
  "simultaneous stale hits make one validation, and all are answered with what it found",
  async (setting) => {
    const { origin } = setting;
    const clients: Peer[] = [];
    for (let index = 0; index < 4; index++) clients.push(await setting.connect());
    const { upstream } = await miss(setting, clients[0], get(origin), response(STALE));
    await clients[0].send(get(origin));
    await upstream.message();
    for (const client of clients.slice(1)) await client.send(get(origin));
    await turns();
    await upstream.send(`${NOT_MODIFIED}Cache-Control: max-age=60\r\nETag: "a"\r\n\r\n`);
    for (const client of clients) assertEquals((await client.message()).content, "hello");
    await setting.exchanges.until(() => setting.exchanges.all.length === 5);
    assertEquals(setting.exchanges.all.map(({ cache }) => cache).toSorted(), [
      "collapsed",
      "collapsed",
      "collapsed",
      "miss stored",
      "revalidated",
    ]);
    await origin.assertNoFurtherConnection();
  },
);

cached("a 200 in the place of a 304 replaces what was stored, for all who wait too", async (setting) => {
  const { origin } = setting;
  const [client, other] = [await setting.connect(), await setting.connect()];
  const { upstream } = await miss(setting, client, get(origin), response(STALE));
  await client.send(get(origin));
  await upstream.message();
  await other.send(get(origin));
  await turns();
  await upstream.send(response(`${FRESH}ETag: "b"\r\n`, "new"));
  assertEquals((await client.message()).content, "new");
  assertEquals((await other.message()).content, "new");
  assertEquals((await hit(client, get(origin))).content, "new");
});

cached(
  "a 304 that says no-store is believed: what it validated is sent once more and forgotten",
  async (setting) => {
    const { origin } = setting;
    const client = await setting.connect();
    const { upstream } = await miss(setting, client, get(origin), response(STALE));
    const { got } = await miss(
      setting,
      client,
      get(origin),
      `${NOT_MODIFIED}Cache-Control: no-store\r\n\r\n`,
      upstream,
    );
    assertEquals(got.content, "hello");
    assertEquals(setting.proxy.cache!.count, 0);
  },
);

cached("304s do not make a head grow without bounds", async (setting) => {
  const { origin } = setting;
  const client = await setting.connect();
  let whole = 0;
  origin.answer((message, index) => {
    if (valuesOf(message, "if-none-match").length > 0) {
      return `${NOT_MODIFIED}Cache-Control: max-age=0\r\nX-${index}: ${"x".repeat(500)}\r\n\r\n`;
    }
    whole++;
    return response(STALE);
  });
  for (let index = 0; index < 200; index++) {
    assertEquals((await hit(client, get(origin))).content, "hello");
    assert(setting.proxy.cache!.bytes < 300_000);
  }
  assert(whole > 1, "who has grown too large is asked for anew");
});

cached(
  "an error of the origin is hidden for as long as stale-if-error says, from all who wait",
  async (setting) => {
    const { origin } = setting;
    const [client, other] = [await setting.connect(), await setting.connect()];
    const { upstream } = await miss(
      setting,
      client,
      get(origin),
      response('Cache-Control: max-age=0, stale-if-error=60\r\nETag: "a"\r\n'),
    );
    await client.send(get(origin));
    await upstream.message();
    await other.send(get(origin));
    await turns();
    await upstream.send(response("", "trouble", "503 Service Unavailable"));
    assertEquals((await client.message()).content, "hello");
    assertEquals((await other.message()).content, "hello");
    await origin.assertNoFurtherConnection();
  },
);

cached("an error of the origin reaches the client where nothing allows to hide it", async (setting) => {
  const { origin } = setting;
  const client = await setting.connect();
  const { upstream } = await miss(setting, client, get(origin), response(STALE));
  const { got } = await miss(
    setting,
    client,
    get(origin),
    response("", "trouble", "503 Service Unavailable"),
    upstream,
  );
  assertEquals([got.status, got.content], [503, "trouble"]);
});

for (const directive of ["must-revalidate", "proxy-revalidate", "no-cache", "s-maxage=0"]) {
  cached(`what is stale is not sent when the origin is gone and ${directive} forbids it`, async (setting) => {
    const { origin } = setting;
    const client = await setting.connect();
    const fields = `Cache-Control: max-age=0, ${directive}\r\nETag: "a"\r\nConnection: close\r\n`;
    await miss(setting, client, get(origin), response(fields));
    await client.send(get(origin));
    (await origin.accept()).close();
    assertEquals((await client.message()).status, 502);
  });
}

const WHILE = 'Cache-Control: max-age=0, stale-while-revalidate=60\r\nETag: "a"\r\n';

cached(
  "behind the clients' backs one at a time asks, for itself and not with what the client has",
  async (setting) => {
    const { origin } = setting;
    const client = await setting.connect();
    const { upstream } = await miss(setting, client, get(origin), response(WHILE));
    for (let index = 0; index < 5; index++) {
      const stale = await hit(client, get(origin, "/", 'If-None-Match: "c"', "If-Modified-Since: x"));
      assertEquals([stale.content, statusOf(stale).startsWith("hit; ttl=")], ["hello", true]);
    }
    const asked = await upstream.message();
    assertEquals(valuesOf(asked, "if-none-match"), ['"a"']);
    assertEquals(valuesOf(asked, "if-modified-since"), []);
    await turns();
    assertEquals(upstream.received, "");
    await upstream.send(response(`${FRESH}ETag: "b"\r\n`, "newer"));
    await setting.exchanges.until(() => setting.exchanges.all.length === 7);
    assertEquals((await hit(client, get(origin))).content, "newer");
    await origin.assertNoFurtherConnection();
  },
);

cached("what has no validator is asked for as a whole behind the client's back", async (setting) => {
  const { origin } = setting;
  const client = await setting.connect();
  const { upstream } = await miss(
    setting,
    client,
    get(origin),
    response("Cache-Control: max-age=0, stale-while-revalidate=60\r\n"),
  );
  assertEquals((await hit(client, get(origin, "/", 'If-None-Match: "c"', "Range: bytes=0-1"))).status, 206);
  const asked = await upstream.message();
  assertEquals([...valuesOf(asked, "if-none-match"), ...valuesOf(asked, "range")], []);
  await upstream.send(response(FRESH, "newer"));
  await setting.exchanges.until(() => setting.exchanges.all.length === 3);
  assertEquals((await hit(client, get(origin))).content, "newer");
});

cached(
  "validating behind the client's back survives a connection that was kept for too long",
  async (setting) => {
    const { origin } = setting;
    const client = await setting.connect();
    const { upstream } = await miss(setting, client, get(origin), response(WHILE));
    assertEquals((await hit(client, get(origin))).content, "hello");
    await upstream.message();
    upstream.close();
    const anew = await origin.accept();
    await anew.message();
    await anew.send(`${NOT_MODIFIED}Cache-Control: max-age=60\r\n\r\n`);
    await setting.exchanges.until(() => setting.exchanges.all.length === 3);
    assertEquals(setting.exchanges.all[2].cache, "revalidated");
    assertEquals((await hit(client, get(origin))).content, "hello");
  },
);

cached("what comes behind the client's back may have as long a head as any", async (setting) => {
  const { origin } = setting;
  const client = await setting.connect();
  const { upstream } = await miss(setting, client, get(origin), response(WHILE));
  assertEquals((await hit(client, get(origin))).content, "hello");
  await upstream.message();
  await upstream.send(response(`${FRESH}X: ${"x".repeat(20_000)}\r\n`, "newer"));
  await setting.exchanges.until(() => setting.exchanges.all.length === 3);
  assertEquals((await hit(client, get(origin))).content, "newer");
});

cached("validating behind the client's back that fails is not tried again at once", async (setting) => {
  const { origin } = setting;
  const client = await setting.connect();
  const { upstream } = await miss(setting, client, get(origin), response(WHILE + "Connection: close\r\n"));
  upstream.close();
  assertEquals((await hit(client, get(origin))).content, "hello");
  (await origin.accept()).close();
  await setting.exchanges.until(() => setting.exchanges.all.length === 3);
  for (let index = 0; index < 3; index++) assertEquals((await hit(client, get(origin))).content, "hello");
  await turns();
  await origin.assertNoFurtherConnection();
  assertEquals(setting.exchanges.all.length, 6);
});

cached("what the policy has come to forbid is neither sent nor validated", async (setting) => {
  const { origin, proxy } = setting;
  const client = await setting.connect();
  const { upstream } = await miss(setting, client, get(origin), response(WHILE));
  proxy.update({
    ...SETTINGS,
    cacheSize: 1024 * 1024,
    policy: policy({ rules: [{ action: "deny", hosts: "127.0.0.0/8" }] }),
  });
  assertEquals((await hit(client, get(origin))).status, 403);
  await turns();
  assertEquals(upstream.received, "");
  await origin.assertNoFurtherConnection();
});

cached("stopping and draining end what is validated behind the clients' backs", async (setting) => {
  const { origin, proxy } = setting;
  const client = await setting.connect();
  const { upstream } = await miss(setting, client, get(origin), response(WHILE));
  assertEquals((await hit(client, get(origin))).content, "hello");
  await upstream.message();
  client.close();
  await proxy.drain();
  assertEquals(setting.exchanges.all.length, 3, "all have their lines when it has stopped");
  assertEquals(await upstream.rest(), "");
});

cached(
  "a body behind the clients' backs that never ends is given up when it can not be kept",
  async (setting) => {
    const { origin } = setting;
    const client = await setting.connect();
    const { upstream } = await miss(setting, client, get(origin), response(WHILE));
    assertEquals((await hit(client, get(origin))).content, "hello");
    await upstream.message();
    await upstream.send(`HTTP/1.1 200 OK\r\n${FRESH}Transfer-Encoding: chunked\r\n\r\n`);
    const endless = async () => {
      for (;;) await upstream.send("400\r\n" + "x".repeat(0x400) + "\r\n");
    };
    await endless().catch(() => {});
    await setting.exchanges.until(() => setting.exchanges.all.length === 3);
    assert(setting.exchanges.all[2].truncated);
    assertEquals((await hit(client, get(origin))).content, "hello");
  },
  { cacheSize: 256 * 1024 },
);

cached("what was asked for before an invalidation is not stored after it", async (setting) => {
  const { origin } = setting;
  const [client, writer] = [await setting.connect(), await setting.connect()];
  await client.send(get(origin));
  const upstream = await origin.accept();
  await upstream.message();
  await upstream.send(`HTTP/1.1 200 OK\r\n${FRESH}Content-Length: 5\r\n\r\nol`);
  await client.head();
  await miss(setting, writer, request(origin, "DELETE", "/"), response("Connection: close\r\n", "done"));
  // who asks now does not join what was asked for before
  const third = await setting.connect();
  await third.send(get(origin));
  const anew = await origin.accept();
  await anew.message();
  await upstream.send("d!!");
  assertEquals(await client.exactly(5), "old!!");
  await turns();
  assertEquals(setting.proxy.cache!.count, 0);
  await anew.send(response(FRESH, "new"));
  assertEquals((await third.message()).content, "new");
  assertEquals((await hit(client, get(origin))).content, "new");
});

cached("an unsafe method makes invalid whatever it asks for besides", async (setting) => {
  const { origin } = setting;
  const client = await setting.connect();
  for (
    const lines of [["Connection: Upgrade", "Upgrade: x"], ["Cache-Control: no-store"], ["Range: bytes=0-1"]]
  ) {
    await miss(setting, client, get(origin), response(`${FRESH}Connection: close\r\n`));
    await miss(setting, client, request(origin, "DELETE", "/", ...lines), response("Connection: close\r\n"));
    assertEquals(setting.proxy.cache!.count, 0, lines.join());
  }
});

cached("HEAD updates and invalidates those variants alone that its request would get", async (setting) => {
  const { origin } = setting;
  const client = await setting.connect();
  const vary = `${FRESH}Vary: X-L\r\nConnection: close\r\n`;
  await miss(
    setting,
    client,
    get(origin, "/", "X-L: de"),
    response(vary + "Content-Language: de\r\n", "hallo"),
  );
  await miss(
    setting,
    client,
    get(origin, "/", "X-L: en"),
    response(vary + "Content-Language: en\r\n", "hello"),
  );
  const head = response(vary + "Content-Language: en\r\nX-New: 1\r\n").replace(/hello$/, "");
  await miss(setting, client, request(origin, "HEAD", "/", "X-L: en", "Cache-Control: no-cache"), head);
  const [german, english] = [
    await hit(client, get(origin, "/", "X-L: de")),
    await hit(client, get(origin, "/", "X-L: en")),
  ];
  assertEquals([german.content, valuesOf(german, "content-language"), valuesOf(german, "x-new")], ["hallo", [
    "de",
  ], []]);
  assertEquals([english.content, valuesOf(english, "x-new")], ["hello", ["1"]]);
  const other = response(vary).replace("Length: 5", "Length: 7").replace(/hello$/, "");
  await miss(setting, client, request(origin, "HEAD", "/", "X-L: en", "Cache-Control: no-cache"), other);
  assertEquals((await hit(client, get(origin, "/", "X-L: de"))).content, "hallo");
  await miss(setting, client, get(origin, "/", "X-L: en"), response(vary, "anew"));
});

for (
  const line of [
    "Cache-Control: no-store",
    "Cache-Control: private",
    "Cache-Control: no-cache\r\nSet-Cookie: a=b",
  ]
) {
  cached(`HEAD adds nothing that must not be stored (${line.replace("\r\n", ", ")})`, async (setting) => {
    const { origin } = setting;
    const client = await setting.connect();
    await miss(setting, client, get(origin), response(`${FRESH}ETag: "a"\r\nConnection: close\r\n`));
    const head = response(`${line}\r\nETag: "a"\r\nConnection: close\r\n`).replace(/hello$/, "");
    await miss(setting, client, request(origin, "HEAD", "/", "Cache-Control: no-cache"), head);
    assertEquals(setting.proxy.cache!.count, 0);
  });
}

cached(
  "sixteen variants of a URL are kept, the latest, and requests with long fields have none",
  async (setting) => {
    const { origin } = setting;
    const client = await setting.connect();
    for (let index = 0; index < 20; index++) {
      const message = get(origin, "/", `X-L: ${index}`);
      await miss(
        setting,
        client,
        message,
        response(`${FRESH}Vary: X-L\r\nConnection: close\r\n`, `${index}`),
      );
    }
    for (let index = 4; index < 20; index++) {
      assertEquals((await hit(client, get(origin, "/", `X-L: ${index}`))).content, `${index}`);
    }
    for (let index = 0; index < 4; index++) {
      const only = get(origin, "/", `X-L: ${index}`, "Cache-Control: only-if-cached");
      assertEquals((await hit(client, only)).status, 504);
    }
    const long = get(origin, "/", `X-L: ${"x".repeat(20_000)}`);
    const { got } = await miss(setting, client, long, response(`${FRESH}Vary: X-L\r\nConnection: close\r\n`));
    assertEquals(statusOf(got), "fwd=vary-miss; fwd-status=200; detail=vary");
  },
);

cached("a part is validated with weir's conditions and not with the client's", async (setting) => {
  const { origin } = setting;
  const client = await setting.connect();
  const part = (tag: string, control: string) =>
    response(
      `ETag: ${tag}\r\nCache-Control: ${control}\r\nContent-Range: bytes 0-4/10\r\nConnection: close\r\n`,
      "hello",
      "206 Partial Content",
    );
  await miss(setting, client, get(origin, "/", "Range: bytes=0-4"), part('"a"', "max-age=0"));
  await client.send(get(origin, "/", "Range: bytes=0-4", 'If-None-Match: "b"'));
  const upstream = await origin.accept();
  const asked = await upstream.message();
  assertEquals([valuesOf(asked, "if-none-match"), valuesOf(asked, "range")], [['"a"'], ["bytes=0-4"]]);
  await upstream.send(part('"b"', "max-age=60"));
  assertEquals((await client.message()).status, 206);
});

cached("an answer that was overtaken by a later one does not take its place", async (setting) => {
  const { origin } = setting;
  const [one, two] = [await setting.connect(), await setting.connect()];
  await one.send(get(origin, "/", "Range: bytes=0-"));
  const first = await origin.accept();
  await first.message();
  // so that there is a time between the two
  for (const before = Date.now(); Date.now() === before;) await turn();
  await miss(setting, two, get(origin), response(FRESH, "newer"));
  await first.send(response(FRESH, "older"));
  assertEquals((await one.message()).content, "older");
  assertEquals((await hit(two, get(origin))).content, "newer");
});

cached(
  "a clock that jumps makes nothing fresh that is not, and one that is set back nothing useless",
  async (setting) => {
    const { origin } = setting;
    const client = await setting.connect();
    const real = Date.now;
    try {
      await miss(setting, client, get(origin), response(`${FRESH}ETag: "a"\r\nConnection: close\r\n`));
      for (const jump of [3_600_000, 1e12, -1e12, -1e12 + 1_800_000]) {
        Date.now = () => real() + jump - 1_800_000;
        // set back by half an hour, or by more: what is fresh stays so
        if (jump < 0) {
          for (let ask = 0; ask < 2; ask++) {
            const still = await hit(client, get(origin));
            assertEquals([still.content, statusOf(still).startsWith("hit; ttl=")], ["hello", true]);
          }
        }
        // and it ages from there
        Date.now = () => real() + jump;
        const { sent, got } = await miss(
          setting,
          client,
          get(origin),
          `${NOT_MODIFIED}Cache-Control: max-age=60\r\nDate: ${
            new Date(Date.now()).toUTCString()
          }\r\nConnection: close\r\n\r\n`,
        );
        assertEquals([valuesOf(sent, "if-none-match"), got.content], [['"a"'], "hello"]);
        assertEquals((await hit(client, get(origin))).content, "hello");
      }
    } finally {
      Date.now = real;
    }
  },
);
