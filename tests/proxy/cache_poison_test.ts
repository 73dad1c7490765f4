/** What would make others get the wrong thing: keys, framing, fields of one hop, users, addresses. */

import { assert, assertEquals } from "@std/assert";
import { bytes, text } from "../http/reading.ts";
import {
  cached,
  chunk,
  CHUNKED,
  FRESH,
  gathered,
  hit,
  miss,
  response,
  statusOf,
  turns,
  until,
} from "./cached.ts";
import { KnownUsers } from "./known_users.ts";
import { type Peer, valuesOf } from "./peer.ts";
import { Names, policy } from "./policies.ts";
import { get, request } from "./round_trip.ts";

const CLOSING = `${FRESH}Connection: close\r\n`;

cached("the key is the target and nothing that a field claims", async (setting) => {
  const { origin } = setting;
  const { authority } = origin;
  const client = await setting.connect();
  const lines = [
    "X-Forwarded-Host: evil.example",
    "X-Forwarded-Scheme: https",
    "X-Original-URL: /evil",
    "Forwarded: host=evil.example",
  ];
  await miss(setting, client, get(origin, "/", ...lines), response(CLOSING, "for /"));
  assertEquals((await hit(client, get(origin))).content, "for /");
  // Host says another thing than the target
  await client.send(`GET http://${authority}/other HTTP/1.1\r\nHost: evil.example\r\n\r\n`);
  const upstream = await origin.accept();
  const sent = await upstream.message();
  assertEquals(valuesOf(sent, "host"), [authority]);
  await upstream.send(response(CLOSING, "for /other"));
  assertEquals((await client.message()).content, "for /other");
  assertEquals((await hit(client, get(origin, "/other"))).content, "for /other");
});

cached(
  "ways to write one target are one key, and different targets never",
  async (setting) => {
    const { origin } = setting;
    const { port } = origin;
    const client = await setting.connect();
    const ask = (target: string) => `GET ${target} HTTP/1.1\r\nHost: a.example:${port}\r\n\r\n`;
    await miss(setting, client, ask(`http://a.example:${port}/`), response(CLOSING, "root"));
    for (
      const same of [`http://A.EXAMPLE:${port}/`, `HTTP://a.example.:${port}`, `http://a.example:0${port}/`]
    ) {
      const got = await hit(await setting.connect(), ask(same));
      if (got.status !== 400) assertEquals([same, got.content], [same, "root"]);
    }
    const others = [
      "/?",
      "/%",
      "//",
      "/.",
      "/./",
      "/%2f",
      "/%2F",
      "/;",
      "/?a",
      "/?a=",
      "/A",
      "/a",
      "/%61",
      "/a/../",
    ];
    for (const path of others) {
      const message = ask(`http://a.example:${port}${path}`);
      await miss(setting, client, message, response(CLOSING, `at ${path}`));
    }
    for (const path of others) {
      assertEquals((await hit(client, ask(`http://a.example:${port}${path}`))).content, `at ${path}`);
    }
  },
  {},
  { resolver: new Names({ "a.example": ["127.0.0.1"] }).resolver },
);

cached(
  "fields of one hop and those that Connection names are not kept, others byte for byte",
  async (setting) => {
    const { origin } = setting;
    const client = await setting.connect();
    const odd = text(Uint8Array.from({ length: 128 }, (_, index) => 0x80 + index));
    const fields =
      `${FRESH}Connection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\n` +
      `Proxy-Connection: keep-alive\r\nTE: x\r\nUpgrade: h2c\r\nProxy-Authentication-Info: a\r\nHTTP2-Settings: b\r\n` +
      `X-Odd: ${odd}\r\nx-oDD: \tsecond  \r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n`;
    const { got } = await miss(setting, client, get(origin), response(fields, odd, `200 ${odd}`));
    const again = await hit(client, get(origin));
    assertEquals(valuesOf(got, "set-cookie"), ["a=1", "b=2"]);
    assertEquals(valuesOf(again, "set-cookie"), []);
    for (const message of [got, again]) {
      for (
        const name of [
          "x-hop",
          "keep-alive",
          "proxy-authenticate",
          "proxy-connection",
          "te",
          "upgrade",
          "connection",
        ]
      ) {
        assertEquals(valuesOf(message, name), [], name);
      }
      assertEquals(message.startLine, `HTTP/1.1 200 ${odd}`);
      assertEquals(message.head.includes(`X-Odd: ${odd}\r\n`), true);
      assertEquals(bytes(message.content), bytes(odd));
    }
    assertEquals(valuesOf(again, "x-odd"), [odd, "second"]);
  },
);

for (const originTolerance of ["tolerant", "strict"] as const) {
  cached(`a response with two meanings is stored in neither (${originTolerance})`, async (setting) => {
    const { origin } = setting;
    const answers: [string, number][] = [
      [`HTTP/1.1 200 OK\r\n${FRESH}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 502],
      [`HTTP/1.1 200 OK\r\n${FRESH}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!`, 502],
      [`HTTP/1.1 200 OK\r\n${FRESH}Content-Length: 5, 5\r\n\r\nhello`, 502],
      [`HTTP/1.1 200 OK\r\n${FRESH}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, 502],
      [`HTTP/1.1 200 OK\r\n${FRESH}X: a\rb\r\nContent-Length: 5\r\n\r\nhello`, 502],
      [`HTTP/1.1 200 OK\r\n${FRESH}X: a\n\tb\r\nContent-Length: 5\r\n\r\nhello`, 502],
      [`HTTP/1.1 200 OK\r\n${FRESH} Folded: 1\r\nContent-Length: 5\r\n\r\nhello`, 502],
      [`HTTP/1.0 200 OK\r\n${FRESH}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`, 200],
      [`HTTP/1.1 200 OK\r\n${FRESH}Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n`, 0],
      [`HTTP/1.1 200 OK\r\n${FRESH}Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n`, 502],
      [`HTTP/1.1 200 OK\r\n${FRESH}Transfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n`, 0],
    ];
    for (const [answer, status] of answers) {
      const client = await setting.connect();
      await client.send(get(origin, "/", "Connection: close"));
      const upstream = await origin.accept();
      await upstream.message();
      await upstream.send(answer);
      upstream.close();
      const head = await client.rest();
      if (status !== 0 && (originTolerance === "strict" || head.slice(9, 12) !== "200")) {
        assertEquals(head.slice(9, 12), `${status}`, answer);
      }
      await setting.exchanges.next();
      assertEquals(setting.proxy.cache!.count, 0, answer);
    }
  }, { originTolerance });
}

cached("what a client has taken away on the way is no field that a response varies by", async (setting) => {
  const { origin } = setting;
  const client = await setting.connect();
  const varying = `${CLOSING}Vary: X-Tenant\r\n`;
  const away = ["X-Tenant: victim", "Connection: X-Tenant"];
  const { sent } = await miss(setting, client, get(origin, "/", ...away), response(varying, "for none"));
  assertEquals(valuesOf(sent, "x-tenant"), []);
  await miss(setting, client, get(origin, "/", "X-Tenant: victim"), response(varying, "for it"));
  assertEquals((await hit(client, get(origin, "/", ...away))).content, "for none");
  assertEquals((await hit(client, get(origin))).content, "for none");
  assertEquals((await hit(client, get(origin, "/", "X-Tenant: victim"))).content, "for it");
});

cached("nor behind the client's back", async (setting) => {
  const { origin } = setting;
  const client = await setting.connect();
  const stale =
    "Cache-Control: max-age=0, stale-while-revalidate=60\r\nConnection: close\r\nVary: X-Tenant\r\n";
  const away = ["X-Tenant: victim", "Connection: X-Tenant"];
  await miss(setting, client, get(origin), response(stale, "old"));
  assertEquals((await hit(client, get(origin, "/", ...away))).content, "old");
  const upstream = await origin.accept();
  assertEquals(valuesOf(await upstream.message(), "x-tenant"), []);
  await upstream.send(response(`${CLOSING}Vary: X-Tenant\r\n`, "for none"));
  upstream.close();
  await until(() => setting.exchanges.all.length === 3, "it has been validated");
  await miss(setting, client, get(origin, "/", "X-Tenant: victim"), response(CLOSING, "for it"));
});

for (const forwardedFor of ["set", "append"] as const) {
  cached(
    `${forwardedFor}: what varies by the client that weir names is for that client alone`,
    async (setting) => {
      const { origin } = setting;
      const [one, other] = await Promise.all(
        setting.addresses.map((to) => setting.connect({ to })),
      );
      const varying = `${CLOSING}Vary: X-Forwarded-For, Forwarded\r\n`;
      const { sent } = await miss(setting, one, get(origin), response(varying, "for one"));
      assertEquals(valuesOf(sent, "x-forwarded-for"), ["127.0.0.1"]);
      assertEquals((await hit(one, get(origin))).content, "for one");
      await miss(setting, other, get(origin), response(varying, "for the other"));
    },
    { forwardedFor, policy: policy({ privateNetworks: "allow" }) },
    { listen: [{ hostname: "127.0.0.1", port: 0 }, { hostname: "::1", port: 0 }] },
  );
}

cached("what follows a response is nobody's answer", async (setting) => {
  const { origin } = setting;
  const client = await setting.connect();
  const evil = response(FRESH, "evil");
  await miss(setting, client, get(origin), response(FRESH, "good") + evil);
  await client.send(get(origin, "/next"));
  const upstream = await origin.accept();
  await upstream.message();
  await upstream.send(response(CLOSING, "next"));
  assertEquals((await client.message()).content, "next");
  assertEquals((await hit(client, get(origin))).content, "good");
  // the same behind what says nothing of a body, and behind one that is recorded
  for (
    const start of [
      `HTTP/1.1 204 No Content\r\n${FRESH}\r\n`,
      `${CHUNKED}0\r\n\r\n`,
      CHUNKED + chunk("x") + "0\r\n\r\n",
    ]
  ) {
    await client.send(get(origin, "/after"));
    const other = await origin.accept();
    await other.message();
    await other.send(start + evil);
    await client.message();
    await client.send(request(origin, "DELETE", "/after"));
    const anew = await origin.accept();
    await anew.message();
    await anew.send(response("Connection: close\r\n", "deleted"));
    assertEquals((await client.message()).content, "deleted");
  }
});

cached("a smuggled second request is refused, and stores nothing", async (setting) => {
  const { origin } = setting;
  const { authority } = origin;
  const inner = get(origin, "/inner");
  for (
    const lines of [
      `Content-Length: ${inner.length}\r\nTransfer-Encoding: chunked\r\n`,
      "Transfer-Encoding: xchunked\r\n",
      `Content-Length: 0\r\nContent-Length: ${inner.length}\r\n`,
      "Transfer-Encoding : chunked\r\n",
    ]
  ) {
    const client = await setting.connect();
    await client.send(`GET http://${authority}/ HTTP/1.1\r\nHost: ${authority}\r\n${lines}\r\n${inner}`);
    assert(["400", "501"].includes((await client.rest()).slice(9, 12)), lines);
  }
  await origin.assertNoFurtherConnection();
  // a GET with a body is none that others could ask
  const client = await setting.connect();
  const message = request(origin, "GET", "/", `Content-Length: ${inner.length}`) + inner;
  await client.send(message);
  const upstream = await origin.accept();
  await upstream.head();
  assertEquals(await upstream.exactly(inner.length), inner);
  await upstream.send(response(CLOSING, "body"));
  assertEquals((await client.message()).content, "body");
  assertEquals(setting.proxy.cache!.count, 0);
});

cached("interim responses and switched protocols are never stored", async (setting) => {
  const { origin } = setting;
  const client = await setting.connect();
  await client.send(get(origin));
  let upstream = await origin.accept();
  await upstream.message();
  await upstream.send(`HTTP/1.1 103 Early Hints\r\n${FRESH}Link: </x>\r\n\r\n` + response(CLOSING));
  assertEquals((await client.message()).status, 103);
  const final = await client.message();
  assertEquals([final.status, valuesOf(final, "link")], [200, []]);
  assertEquals(valuesOf(await hit(client, get(origin)), "link"), []);
  const upgrading = await setting.connect();
  await upgrading.send(get(origin, "/ws", "Connection: Upgrade", "Upgrade: x"));
  upstream = await origin.accept();
  await upstream.message();
  await upstream.send(
    `HTTP/1.1 101 Switching Protocols\r\n${FRESH}Connection: Upgrade\r\nUpgrade: x\r\n\r\nbytes`,
  );
  await upgrading.head();
  assertEquals(await upgrading.exactly(5), "bytes");
  upgrading.close();
  upstream.close();
  await setting.exchanges.until(() => setting.exchanges.all.length === 3);
  assertEquals(setting.proxy.cache!.count, 1);
});

for (
  const [name, lines, fields] of [
    ["Authorization", ["Authorization: Basic eA=="], FRESH],
    ["Set-Cookie without a lifetime", [], 'ETag: "a"\r\nSet-Cookie: a=b\r\n'],
    ["Vary: *", [], `${FRESH}Vary: *\r\n`],
    ["Vary with a cookie", ["Cookie: a=b"], `${FRESH}Vary: Cookie\r\n`],
    ["no-store in the request", ["Cache-Control: no-store"], FRESH],
    ["private", [], "Cache-Control: max-age=60, private\r\n"],
    ["no-store", [], "Cache-Control: max-age=60, no-store\r\n"],
    [
      "two different lifetimes and private in another case",
      [],
      "cache-control: max-age=60\r\nCACHE-CONTROL: PRIVATE\r\n",
    ],
  ] as [string, string[], string][]
) {
  cached(
    `what is one client's own is neither stored nor given to who waits for the same: ${name}`,
    async (setting) => {
      const { origin } = setting;
      const [one, two] = [await setting.connect(), await setting.connect()];
      await one.send(get(origin, "/", ...lines));
      const upstream = await origin.accept();
      await upstream.message();
      await two.send(get(origin));
      await turns();
      await upstream.send(response(`${fields}Connection: close\r\n`, "for one"));
      assertEquals((await one.message()).content, "for one");
      const own = await origin.accept();
      assertEquals(valuesOf(await own.message(), "authorization"), []);
      await own.send(response("Cache-Control: no-store\r\nConnection: close\r\n", "for two"));
      assertEquals((await two.message()).content, "for two");
      assertEquals(setting.proxy.cache!.count, 0);
    },
  );
}

cached("fields that private or no-cache name reach who they were for, and nobody else", async (setting) => {
  const { first, rest: [second], upstream } = await gathered(setting, 1);
  const control = 'Cache-Control: max-age=60, private="X-Own", no-cache="Set-Cookie"\r\n';
  await upstream.send(response(`${control}X-Own: 1\r\nSet-Cookie: a=b\r\nETag: "a"\r\n`));
  const own = await first.message();
  assertEquals([valuesOf(own, "x-own"), valuesOf(own, "set-cookie")], [["1"], ["a=b"]]);
  for (const message of [await second.message(), await hit(second, get(setting.origin))]) {
    assertEquals([message.content, valuesOf(message, "x-own"), valuesOf(message, "set-cookie")], [
      "hello",
      [],
      [],
    ]);
  }
  // nor when another one validates
  const { got } = await miss(
    setting,
    second,
    get(setting.origin, "/", "Cache-Control: no-cache"),
    `HTTP/1.1 304 Not Modified\r\n${control}\r\n`,
    upstream,
  );
  assertEquals([got.content, valuesOf(got, "x-own"), valuesOf(got, "set-cookie")], ["hello", [], []]);
});

cached("ranges that make no sense get the whole, and no part of another", async (setting) => {
  const { origin } = setting;
  const client = await setting.connect();
  await miss(setting, client, get(origin), response(`${CLOSING}ETag: "a"\r\n`, "0123456789"));
  for (
    const range of [
      "bytes=5-2",
      "bytes=a-b",
      "bytes=",
      "items=0-1",
      "bytes=0-1,4-5",
      "bytes=-",
      "bytes=99999999999999999999-",
      "bytes=0x1-2",
    ]
  ) {
    const got = await hit(client, get(origin, "/", `Range: ${range}`));
    assert(
      got.status === 200 && got.content === "0123456789" || got.status === 416 && got.content === "",
      range,
    );
  }
  for (
    const [range, content] of [["bytes=-3", "789"], ["bytes=8-99999999999999999999", "89"], [
      "bytes=0-0",
      "0",
    ]]
  ) {
    const got = await hit(client, get(origin, "/", `Range: ${range}`));
    assertEquals([got.status, got.content], [206, content]);
  }
  for (
    const lie of [
      "bytes 0-9/5",
      "bytes 5-1/10",
      "bytes 0-4/*",
      "items 0-4/10",
      "bytes 0-4/10, bytes 0-4/10",
      "bytes 2-6/10",
    ]
  ) {
    const part = response(`${CLOSING}ETag: "a"\r\nContent-Range: ${lie}\r\n`, "hello", "206 Partial Content");
    await miss(setting, client, get(origin, "/lies", "Range: bytes=0-4"), part);
    const whole = await miss(
      setting,
      client,
      get(origin, "/lies"),
      response("Connection: close\r\n", "whole"),
    );
    assertEquals(whole.got.content, "whole");
  }
});

const USERS = new KnownUsers({ "a b": "x", "a%20b": "x", other: "x" });

function as(user: string, origin: { authority: string }, ...lines: string[]): string {
  return get(origin, "/", `Proxy-Authorization: Basic ${btoa(`${user}:x`)}`, ...lines);
}

cached("each user has a cache of their own, whatever they are called", async (setting) => {
  const { origin } = setting;
  const client = await setting.connect();
  for (const user of ["a b", "a%20b", "other"]) {
    const only = await hit(client, as(user, origin, "Cache-Control: only-if-cached"));
    assertEquals(only.status, 504, user);
    const { sent } = await miss(setting, client, as(user, origin), response(CLOSING, `for ${user}`));
    assertEquals(valuesOf(sent, "proxy-authorization"), []);
  }
  for (const user of ["a b", "a%20b", "other"]) {
    assertEquals((await hit(client, as(user, origin))).content, `for ${user}`);
  }
  const nobody = await hit(client, get(origin, "/", "Cache-Control: only-if-cached"));
  assertEquals(nobody.status, 407);
}, { users: USERS, policy: policy({ authentication: "always" }) });

cached("users who wait do not wait for each other", async (setting) => {
  const { origin } = setting;
  const [one, two] = [await setting.connect(), await setting.connect()];
  await one.send(as("other", origin));
  const first = await origin.accept();
  await first.message();
  await two.send(as("a b", origin));
  const second = await origin.accept();
  await second.message();
  await second.send(response(CLOSING, "second"));
  assertEquals((await two.message()).content, "second");
  await first.send(response(CLOSING, "first"));
  assertEquals((await one.message()).content, "first");
}, { users: USERS, policy: policy({ authentication: "always" }) });

cached("what one user changes is not stored for the others any more (RFC 9111 §4.4)", async (setting) => {
  const { origin } = setting;
  const client = await setting.connect();
  for (const user of ["a b", "a%20b", "other"]) {
    await miss(setting, client, as(user, origin), response(CLOSING, `for ${user}`));
  }
  await miss(setting, client, as("other", origin).replace("GET", "DELETE"), response(CLOSING, "gone"));
  for (const user of ["a b", "a%20b", "other"]) {
    const { got } = await miss(setting, client, as(user, origin), response(CLOSING, `new for ${user}`));
    assertEquals(got.content, `new for ${user}`);
  }
}, { users: USERS, policy: policy({ authentication: "always" }) });

cached("users share what is stored where that is asked for", async (setting) => {
  const { origin } = setting;
  const client = await setting.connect();
  await miss(setting, client, as("other", origin), response(CLOSING, "for all"));
  assertEquals((await hit(client, as("a b", origin))).content, "for all");
}, { users: USERS, policy: policy({ authentication: "always" }), cacheShared: true });

const LISTEN = { listen: [{ hostname: "127.0.0.1", port: 0 }, { hostname: "::1", port: 0 }] };
const NO_SIX = policy({
  rules: [{ name: "no six", action: "deny", clients: "::1", hosts: "127.0.0.0/8" }, { hosts: "*" }],
});

cached(
  "who may not reach where it came from gets the policy's answer, and nothing of what is stored",
  async (setting) => {
    const { origin } = setting;
    const ask = (...lines: string[]) =>
      `GET http://a.example:${origin.port}/ HTTP/1.1\r\nHost: a.example:${origin.port}\r\n` +
      lines.map((line) => `${line}\r\n`).join("") + "\r\n";
    const client = await setting.connect();
    const denied: Peer = await setting.connect({ to: setting.addresses[1] });
    const only = "Cache-Control: only-if-cached";
    assertEquals((await hit(denied, ask(only))).status, 504);
    await miss(setting, client, ask(), response(`${CLOSING}ETag: "a"\r\n`));
    const got = await hit(denied, ask());
    assertEquals([got.status, got.content.includes("hello"), valuesOf(got, "etag")], [403, false, []]);
    for (const line of ['If-None-Match: "a"', "Range: bytes=0-1", "Cache-Control: max-stale"]) {
      assertEquals((await hit(denied, ask(line))).status, 403, line);
    }
    // and as much of what is not there
    assertEquals((await hit(denied, ask(only))).status, 504);
    assertEquals((await hit(client, ask())).content, "hello");
    await origin.assertNoFurtherConnection();
  },
  { policy: NO_SIX },
  { ...LISTEN, resolver: new Names({ "a.example": ["127.0.0.1"] }).resolver },
);

cached("in report mode what would be refused is served, and said", async (setting) => {
  const { origin } = setting;
  const client = await setting.connect();
  await miss(setting, client, get(origin), response(CLOSING));
  assertEquals((await hit(client, get(origin))).content, "hello");
  await setting.exchanges.until(() => setting.exchanges.all.length === 2);
  for (const { verdict, enforced } of setting.exchanges.all) {
    assertEquals([verdict, enforced], ["deny", false]);
  }
  assertEquals(setting.exchanges.all[1].cache, "hit");
}, { policy: policy({ mode: "report", rules: [{ action: "deny", hosts: "127.0.0.0/8" }] }) });

cached("responses that nobody may share are fetched side by side", async (setting) => {
  const { first, rest, upstream } = await gathered(setting, 3);
  await upstream.send(response("Cache-Control: private\r\nConnection: close\r\n"));
  assertEquals((await first.message()).content, "hello");
  const others = [];
  for (let index = 0; index < 3; index++) others.push(await setting.origin.accept());
  for (const other of others) {
    await other.message();
    await other.send(response("Cache-Control: private\r\nConnection: close\r\n", "own"));
  }
  for (const client of rest) {
    const got = await client.message();
    assertEquals([got.content, statusOf(got).includes("collapsed")], ["own", false]);
  }
});

cached("a status that is said to be understood is not stored when it is not", async (setting) => {
  const client = await setting.connect();
  await miss(
    setting,
    client,
    get(setting.origin),
    response("Cache-Control: max-age=60, must-understand\r\nConnection: close\r\n", "x", "299 Odd"),
  );
  assertEquals(setting.proxy.cache!.count, 0);
});
