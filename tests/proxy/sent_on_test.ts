/** What is sent on of a head, both ways (http-rules §4). */

import { assertEquals, assertMatch } from "@std/assert";
import { proxied, PSEUDONYM } from "./harness.ts";
import { valuesOf } from "./peer.ts";
import { get, OK, roundTrip } from "./round_trip.ts";

/** Bytes that a value may hold, in no order that anybody would make. */
const ODD = Array.from({ length: 128 }, (_, i) => String.fromCharCode(0x80 + (i * 37) % 128)).join("");

/** Fields that nobody between has a say in, as lines. */
const KEPT = [
  "X-lOWER: a",
  "x-b:b",
  "Empty:",
  "X-B: again",
  `X-Odd: ${ODD}`,
  "!#$%&'*+-.^_`|~09azAZ: token",
  "Inner:  two  spaces \t and a tab\t ",
  "Accept-Encoding: gzip;q=0.5, *;q=0",
  "User-Agent: x",
  "Referer: http://a.example/?secret",
  "Authorization: Basic eDp5",
  "Cookie: a=b; c=d",
  "Cookie: e=f",
  "Range: bytes=0-1",
  'If-None-Match: "x"',
  "Cache-Control: no-cache",
  "Pragma: no-cache",
  "X-Forwarded-For: 192.0.2.1",
  "Forwarded: for=192.0.2.1",
  "X-Real-IP: 192.0.2.1",
  "Max-Forwards: 5",
  "Alt-Used: a",
  "Content-Encoding: x",
  "Vary: *",
  "Location: http://a.example/<script>",
  'WWW-Authenticate: Basic realm="a, b"',
  "Set-Cookie: a=b; Path=/",
  "Set-Cookie: c=d; Expires=Wed, 21 Oct 2065 07:28:00 GMT",
  "set-cookie: e=f",
  "Via: 1.0 fred, 1.1 p.example.net (Apache/1.1)",
  "Date: Sun, 06 Nov 1994 08:49:37 GMT",
  "Age: 7",
  'ETag: W/"a"',
  "Proxy-Status: other; error=dns_error",
  "Trailer: X-Sum",
  "Last-Field: z",
];

proxied("fields go on in their order, case and bytes (RFC 9110 §5.3)", async ({ connect, origin }) => {
  const client = await connect();
  const host = `Host: ${origin.authority}`;
  const lines = KEPT.join("\r\n") + "\r\n";
  await client.send(`GET ${origin.url}/ HTTP/1.1\r\n${host}\r\n${lines}\r\n`);
  const upstream = await origin.accept();
  assertEquals(await upstream.head(), `GET / HTTP/1.1\r\n${host}\r\n${lines}Via: 1.1 ${PSEUDONYM}\r\n\r\n`);
  await upstream.send(`HTTP/1.1 299 ${ODD}\r\n${lines}Content-Length: 0\r\n\r\n`);
  assertEquals(
    await client.head(),
    `HTTP/1.1 299 ${ODD}\r\n${lines}Content-Length: 0\r\nVia: 1.1 ${PSEUDONYM}\r\n\r\n`,
  );
});

/** Fields of one connection alone (RFC 9110 §7.6.1, §11.7). */
const HOP_BY_HOP = [
  "Connection: keep-alive, X-Named, x-other ,,",
  "cONNECTION:",
  "X-Named: 1",
  "x-OTHER: 2",
  "X-Named: 3",
  "Proxy-Connection: keep-alive",
  "Keep-Alive: timeout=5",
  "TE: gzip",
  "Upgrade: websocket",
  "Proxy-Authorization: Basic eDp5",
  "Proxy-Authenticate: Basic realm=x",
  "Proxy-Authentication-Info: x",
  "HTTP2-Settings: AAMAAABkAAQAAP__",
];

proxied("fields of one connection are not sent on (RFC 9110 §7.6.1)", async ({ connect, origin }) => {
  const client = await connect();
  const [host, lines] = [`Host: ${origin.authority}`, ["A: 1", ...HOP_BY_HOP, "B: 2"].join("\r\n")];
  await client.send(`GET ${origin.url}/ HTTP/1.1\r\n${host}\r\n${lines}\r\n\r\n`);
  const upstream = await origin.accept();
  assertEquals(
    await upstream.head(),
    `GET / HTTP/1.1\r\n${host}\r\nA: 1\r\nB: 2\r\nVia: 1.1 ${PSEUDONYM}\r\n\r\n`,
  );
  await upstream.send(`HTTP/1.1 200 OK\r\nDate: x\r\n${lines}\r\nContent-Length: 0\r\n\r\n`);
  assertEquals(
    await client.head(),
    `HTTP/1.1 200 OK\r\nDate: x\r\nA: 1\r\nB: 2\r\nContent-Length: 0\r\nVia: 1.1 ${PSEUDONYM}\r\n\r\n`,
  );
});

/** What Connection has no business naming. */
const SURVIVORS = [
  "Cache-Control: no-store",
  "Authorization: Basic eDp5",
  "Cookie: a=b",
  "Set-Cookie: a=b",
  "Via: 1.1 other",
  "X-Forwarded-For: 192.0.2.1",
  "Forwarded: for=192.0.2.1",
  "Content-Type: text/plain",
  "Content-Encoding: gzip",
  "Range: bytes=0-1",
  "Content-Range: bytes 0-1/2",
  "Max-Forwards: 1",
  "Pragma: x",
  "Expires: 0",
  "Age: 1",
  "Vary: a",
  'ETag: "a"',
  "Location: /",
  "Date: x",
  "Trailer: a",
];

proxied("fields that Connection must not name survive it (RFC 9110 §7.6.1)", async ({ connect, origin }) => {
  const names = [...SURVIVORS.map((line) => line.slice(0, line.indexOf(":"))), "Host", "Content-Length"].join(
    ", ",
  );
  const lines = `Connection: ${names}\r\nConnection: ${names.toLowerCase()}\r\n${SURVIVORS.join("\r\n")}\r\n`;
  const client = await connect();
  await client.send(`POST ${origin.url}/ HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n${lines}\r\nhi`);
  const upstream = await origin.accept();
  const sent = await upstream.message();
  await upstream.send(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n${lines}\r\nhi`);
  const got = await client.message();
  for (const message of [sent, got]) {
    const there = message.fields.map(([name, value]) => `${name}: ${value}`);
    assertEquals(SURVIVORS.filter((line) => !there.includes(line)), []);
    assertEquals(message.content, "hi");
    assertEquals(valuesOf(message, "connection"), []);
  }
  assertEquals(valuesOf(sent, "host"), [origin.authority]);
});

proxied("close is for weir and not for the origin (RFC 9112 §9.6)", async (setting) => {
  const { sent, got, client, upstream } = await roundTrip(
    setting,
    get(setting.origin, "/", "Connection: close"),
  );
  assertEquals(valuesOf(sent, "connection"), []);
  assertEquals(valuesOf(got, "connection"), ["close"]);
  assertEquals(await client.rest(), "");
  // the origin's connection is kept for another client
  await (await setting.connect()).send(get(setting.origin, "/2"));
  assertEquals((await upstream.message()).startLine, "GET /2 HTTP/1.1");
});

/** What a client says of TE, and what the origin is told. */
const TE: [lines: string[], te: string[]][] = [
  [["TE: trailers"], ["trailers"]],
  [["TE: trailers", "Connection: TE"], ["trailers"]],
  [["te: gzip, Trailers;q=1"], []],
  [["TE: deflate;q=0.5, TRAILERS"], ["trailers"]],
  [["TE: gzip"], []],
  [["TE:"], []],
];
for (const [lines, te] of TE) {
  proxied(
    `${lines.join(" and ")} offers ${te.join() || "nothing"} anew (RFC 9110 §10.1.4)`,
    async (setting) => {
      const { sent } = await roundTrip(setting, get(setting.origin, "/", ...lines));
      assertEquals(valuesOf(sent, "te"), te);
      assertEquals(valuesOf(sent, "connection"), te.map(() => "TE"));
    },
  );
}

/** Versions that came, and what Via says of them. */
for (const version of ["1.0", "1.1"]) {
  proxied(
    `Via gains a member that says HTTP/${version} came, both ways (RFC 9110 §7.6.3)`,
    async (setting) => {
      const { origin } = setting;
      const { sent, got } = await roundTrip(
        setting,
        `GET ${origin.url}/ HTTP/${version}\r\nHost: a\r\nVia: 1.0 before\r\nVia: HTTP/1.1 then\r\n\r\n`,
        `HTTP/${version} 200 OK\r\nVia: 2.0 inner\r\nContent-Length: 0\r\n\r\n`,
      );
      assertEquals(valuesOf(sent, "via"), ["1.0 before", "HTTP/1.1 then", `${version} ${PSEUDONYM}`]);
      assertEquals(valuesOf(got, "via"), ["2.0 inner", `${version} ${PSEUDONYM}`]);
    },
  );
}

/** What becomes of the fields that tell for whom a request is made, by mode. */
const FORWARDED: [
  mode: "leave" | "delete" | "set" | "append",
  lines: string[],
  xff: string[],
  forwarded: string[],
][] = [
  ["leave", [], [], []],
  ["leave", ["X-Forwarded-For: a", "Forwarded: for=b"], ["a"], ["for=b"]],
  ["delete", ["X-Forwarded-For: a", "x-forwarded-for: c", "Forwarded: for=b"], [], []],
  ["set", [], ["127.0.0.1"], []],
  ["set", ["X-Forwarded-For: a", "X-Forwarded-For: c", "Forwarded: for=b"], ["127.0.0.1"], []],
  ["append", [], ["127.0.0.1"], []],
  ["append", ["X-Forwarded-For: a, b"], ["a, b", "127.0.0.1"], []],
  ["append", ["X-Forwarded-For: a", "Forwarded: for=b"], ["a", "127.0.0.1"], ["for=b", "for=127.0.0.1"]],
];
for (const [forwardedFor, lines, xff, forwarded] of FORWARDED) {
  proxied(
    `forwarded-for ${forwardedFor} with ${lines.join(" and ") || "nothing"} (RFC 7239 §4)`,
    { settings: { forwardedFor } },
    async (setting) => {
      const { sent } = await roundTrip(setting, get(setting.origin, "/", ...lines));
      assertEquals([valuesOf(sent, "x-forwarded-for"), valuesOf(sent, "forwarded")], [xff, forwarded]);
    },
  );
}

proxied(
  "an IPv6 client is told in brackets and quotes (RFC 7239 §6)",
  { settings: { forwardedFor: "append" }, listen: [{ hostname: "::1", port: 0 }] },
  async (setting) => {
    const { sent } = await roundTrip(setting, get(setting.origin, "/", "Forwarded: for=b"));
    assertEquals(valuesOf(sent, "x-forwarded-for"), ["::1"]);
    assertEquals(valuesOf(sent, "forwarded"), ["for=b", 'for="[::1]"']);
  },
);

proxied(
  "an IPv4 client on a listener for both families is told as IPv4 (RFC 4291 §2.5.5)",
  { settings: { forwardedFor: "set" }, listen: [{ hostname: "::", port: 0 }] },
  async (setting) => {
    const client = await setting.connect({ to: { ...setting.addresses[0], hostname: "127.0.0.1" } });
    const { sent } = await roundTrip(setting, get(setting.origin), OK, { client });
    assertEquals(valuesOf(sent, "x-forwarded-for"), ["127.0.0.1"]);
    const exchange = await setting.exchanges.next();
    assertEquals([exchange.clientAddress, exchange.listener], [
      "127.0.0.1",
      `127.0.0.1:${setting.addresses[0].port}`,
    ]);
  },
);

proxied("Date is added to a response without one (RFC 9110 §6.6.1)", async (setting) => {
  const before = Math.floor(Date.now() / 1000) * 1000;
  const { got } = await roundTrip(setting, get(setting.origin));
  const [date, ...more] = valuesOf(got, "date");
  assertMatch(date, /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/);
  assertEquals([Date.parse(date) >= before, Date.parse(date) <= Date.now(), more], [true, true, []]);
});

proxied("a Date that is there stays, whatever it says (RFC 9110 §6.6.1)", async (setting) => {
  const { got } = await roundTrip(
    setting,
    get(setting.origin),
    "HTTP/1.1 200 OK\r\ndate: long ago\r\nContent-Length: 0\r\n\r\n",
  );
  assertEquals(valuesOf(got, "date"), ["long ago"]);
});

/** Status lines and what is made of them. */
const STATUS_LINES: [came: string, goes: string][] = [
  ["HTTP/1.1 200", "HTTP/1.1 200 "],
  ["HTTP/1.1 200 ", "HTTP/1.1 200 "],
  ["HTTP/1.0 404 Not  here\t!", "HTTP/1.1 404 Not  here\t!"],
  ["HTTP/1.1 999 <b>", "HTTP/1.1 999 <b>"],
];
for (const [came, goes] of STATUS_LINES) {
  proxied(
    `the status line ${JSON.stringify(came)} goes on as ${JSON.stringify(goes)} (RFC 9112 §4)`,
    async (setting) => {
      const { got } = await roundTrip(setting, get(setting.origin), came + "\r\nContent-Length: 0\r\n\r\n");
      assertEquals(got.startLine, goes);
      const exchange = await setting.exchanges.next();
      assertEquals([exchange.status, exchange.originStatus], [got.status, got.status]);
    },
  );
}

proxied("a thousand names in Connection cost no more than they should (http-rules §1)", async (setting) => {
  const names = Array.from({ length: 9000 }, (_, i) => `n${i}`).join(",");
  const fields = Array.from({ length: 200 }, (_, i) => `N${i * 40}: x`);
  const { sent } = await roundTrip(
    setting,
    get(setting.origin, "/", `Connection: ${names}`, ...fields, "M: 1"),
  );
  assertEquals(sent.fields.map(([name]) => name), ["Host", "M", "Via"]);
});
