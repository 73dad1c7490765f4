/** Targets as they come and as they are sent on (http-rules §2). */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { proxied } from "./harness.ts";
import { HAS_IPV6 } from "../net/ipv6.ts";
import { valuesOf } from "./peer.ts";
import { get, OK, request, roundTrip } from "./round_trip.ts";

proxied("an absolute target goes on in origin form (RFC 9112 §3.2.1)", async (setting) => {
  const { sent } = await roundTrip(setting, get(setting.origin, "/a/b?c=d&e"));
  assertEquals(sent.startLine, "GET /a/b?c=d&e HTTP/1.1");
  const exchange = await setting.exchanges.next();
  assertEquals(exchange.target, `${setting.origin.url}/a/b?c=d&e`);
  assertEquals([exchange.kind, exchange.scheme, exchange.host], ["forward", "http", "127.0.0.1"]);
});

/** What stands behind the authority, and the target that the origin gets. */
const PATHS: [method: string, written: string, sent: string][] = [
  ["GET", "", "/"],
  ["GET", "?q", "/?q"],
  ["GET", "?", "/?"],
  ["GET", "/?", "/?"],
  ["GET", "/.", "/."],
  ["GET", "/a/../b/./c", "/a/../b/./c"],
  ["GET", "//a//b", "//a//b"],
  ["GET", "/%41%2f%2E%zz", "/%41%2f%2E%zz"],
  ["GET", "/caf\xc3\xa9\xff\x80", "/caf\xc3\xa9\xff\x80"],
  ["GET", "/<>\"{}|\\^`';", "/<>\"{}|\\^`';"],
  ["GET", "/http://other.example/", "/http://other.example/"],
  ["GET", "?http://other.example/@b", "/?http://other.example/@b"],
  ["OPTIONS", "", "*"],
  ["OPTIONS", "/", "/"],
  ["OPTIONS", "?q", "/?q"],
  ["OPTIONS", "/*", "/*"],
];
for (const [method, written, target] of PATHS) {
  proxied(
    `${method} with ${JSON.stringify(written)} behind the authority asks for ${
      JSON.stringify(target)
    } (RFC 9112 §3.2)`,
    async (setting) => {
      const { sent, got } = await roundTrip(setting, request(setting.origin, method, written));
      assertEquals(sent.startLine, `${method} ${target} HTTP/1.1`);
      assertEquals(got.content, "ok");
    },
  );
}

proxied("the scheme is read in any case (RFC 3986 §3.1)", async (setting) => {
  const { authority } = setting.origin;
  const { sent } = await roundTrip(
    setting,
    `GET HtTp://${authority}/ HTTP/1.1\r\nHost: ${authority}\r\n\r\n`,
  );
  assertEquals(sent.startLine, "GET / HTTP/1.1");
});

proxied("Host is made from the target, where Host stood (RFC 9112 §3.2.2)", async (setting) => {
  const { authority } = setting.origin;
  const { sent } = await roundTrip(
    setting,
    `GET http://${authority}/ HTTP/1.1\r\nA: 1\r\nhOST: other.example:81\r\nB: 2\r\n\r\n`,
  );
  assertEquals(sent.fields.slice(0, 3), [["A", "1"], ["Host", authority], ["B", "2"]]);
  assertEquals(valuesOf(sent, "host"), [authority]);
});

proxied("an empty Host is replaced by the target's (RFC 9112 §3.2.2)", async (setting) => {
  const { authority } = setting.origin;
  const { sent } = await roundTrip(setting, `GET http://${authority}/ HTTP/1.1\r\nHost:\r\n\r\n`);
  assertEquals(valuesOf(sent, "host"), [authority]);
});

proxied("an HTTP/1.0 request without Host goes on with one (RFC 9112 §3.2)", async (setting) => {
  const { authority } = setting.origin;
  const { sent } = await roundTrip(setting, `GET http://${authority}/ HTTP/1.0\r\n\r\n`);
  assertEquals(sent.startLine, "GET / HTTP/1.1");
  assertEquals(valuesOf(sent, "host"), [authority]);
});

proxied("a host is sent on in its canonical form (RFC 9110 §4.2.3)", async (setting) => {
  const { port } = setting.origin;
  const { sent } = await roundTrip(
    setting,
    `GET http://LOCALHOST.:${port}/ HTTP/1.1\r\nHost: LocalHost\r\n\r\n`,
  );
  assertEquals(valuesOf(sent, "host"), [`localhost:${port}`]);
});

proxied("the scheme's own port is left out of Host (RFC 9110 §7.2)", async ({ connect, exchanges }) => {
  for (const authority of ["127.0.0.1:80", "127.0.0.1:", "127.0.0.1"]) {
    const client = await connect();
    // nothing is there: what is looked at is what was understood
    await client.send(`GET http://${authority}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    await client.rest();
    const exchange = await exchanges.next();
    assertEquals([exchange.target, exchange.port], ["http://127.0.0.1/", 80]);
  }
});

proxied(
  "an IPv6 address is written in brackets (RFC 3986 §3.2.2)",
  { ignore: !HAS_IPV6 },
  async (setting) => {
    const origin = setting.another("::1");
    const client = await setting.connect();
    const { port } = origin;
    await client.send(`GET http://[0:0:0:0:0:0:0:1]:${port}/ HTTP/1.1\r\nHost: x\r\n\r\n`);
    const upstream = await origin.accept();
    assertEquals(valuesOf(await upstream.message(), "host"), [`[::1]:${port}`]);
    await upstream.send(OK);
    assertEquals((await client.message()).status, 200);
    assertEquals((await setting.exchanges.next()).originAddress, "::1");
  },
);

const METHODS = [
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "DELETE",
  "PATCH",
  "PROPFIND",
  "get",
  "M-SEARCH",
  "!#$%&'*+-.^_`|~",
];
for (const method of METHODS) {
  proxied(`the method ${method} goes on as it is (RFC 9110 §9.1)`, async (setting) => {
    const { sent, got } = await roundTrip(setting, request(setting.origin, method, "/"));
    assertEquals(sent.startLine, `${method} / HTTP/1.1`);
    assertEquals(got.status, 200);
    assertEquals((await setting.exchanges.next()).method, method);
  });
}

/** Targets that nothing is sent for: what is answered, and what the answer says. `A` stands for the origin. */
const REFUSED: [method: string, target: string, status: number, says: string][] = [
  ["GET", "/", 400, "proxy"],
  ["GET", "/http://A/", 400, "proxy"],
  ["POST", "/", 400, "proxy"],
  ["OPTIONS", "/", 400, "proxy"],
  ["GET", "*", 400, "OPTIONS"],
  ["GET", "A", 400, ""],
  ["OPTIONS", "A", 400, ""],
  ["GET", "//A/", 400, ""],
  ["GET", "http:/A/", 400, ""],
  ["GET", "http:A/", 400, ""],
  ["GET", "http:///A/", 400, ""],
  ["GET", "http:\\\\A/", 400, ""],
  ["GET", "http://", 400, ""],
  ["GET", "http:///", 400, ""],
  ["GET", "http://:80/", 400, ""],
  ["GET", "http://user:se/cret@A/", 400, "leave user and password out"],
  ["GET", "http://user@A/", 400, "user information"],
  ["GET", "http://user:secret@A/", 400, "user information"],
  ["GET", "http://@A/", 400, "user information"],
  ["GET", "http://A@other.example/", 400, "user information"],
  ["GET", "http://A\\@other.example/", 400, ""],
  ["GET", "http://A%2f/", 400, ""],
  ["GET", "http://%31%32%37.0.0.1/", 400, "percent"],
  ["GET", "http://127.0.0.1:+80/", 400, "port"],
  ["GET", "http://127.0.0.1:-1/", 400, "port"],
  ["GET", "http://127.0.0.1:0/", 400, "port"],
  ["GET", "http://127.0.0.1:65536/", 400, "port"],
  ["GET", "http://127.0.0.1:080/", 400, "port"],
  ["GET", "http://127.0.0.1:8x/", 400, "port"],
  ["GET", "http://127.0.0.1:80:80/", 400, "colon"],
  ["GET", "http://127.1/", 400, "four decimal"],
  ["GET", "http://2130706433/", 400, "four decimal"],
  ["GET", "http://0x7f.1/", 400, "four decimal"],
  ["GET", "http://0177.0.0.1/", 400, "four decimal"],
  ["GET", "http://127.0.0.1./", 400, "four decimal"],
  ["GET", "http://::1/", 400, "bracket"],
  ["GET", "http://[::1/", 400, "bracket"],
  ["GET", "http://[::1%25lo]/", 400, "zone"],
  ["GET", "http://[127.0.0.1]/", 400, "IPv6"],
  ["GET", "http://a..example/", 400, "label"],
  ["GET", "http://ex ample/", 400, ""],
  ["GET", "ftp://A/", 400, "ftp"],
  ["GET", "gopher://A/", 400, "gopher"],
  ["GET", "file:///etc/passwd", 400, "file"],
  ["GET", "ws://A/", 400, "ws"],
  ["GET", "javascript:alert(1)", 400, ""],
  ["CONNECT", "http://A/", 400, ""],
  ["CONNECT", "/", 400, ""],
  ["CONNECT", "*", 400, ""],
  ["CONNECT", "127.0.0.1", 400, "port"],
  ["CONNECT", "127.0.0.1:", 400, "port"],
  ["CONNECT", "A/", 400, ""],
  ["CONNECT", "A?q", 400, ""],
  ["CONNECT", "A#f", 400, ""],
  ["CONNECT", "user@A", 400, "user information"],
];
for (const [method, target, status, says] of REFUSED) {
  proxied(
    `${method} ${target} is refused with ${status} and nothing is sent (RFC 9112 §3.2)`,
    async ({ connect, origin, exchanges }) => {
      const client = await connect();
      const written = target.replace("A", origin.authority);
      await client.send(`${method} ${written} HTTP/1.1\r\nHost: ${origin.authority}\r\n\r\n`);
      const answer = await client.message();
      assertEquals(answer.status, status);
      assertStringIncludes(answer.content, says);
      assertEquals(answer.content.includes("secret"), false, "what may be a password is not repeated");
      const exchange = await exchanges.next();
      assertEquals([exchange.status, exchange.verdict, exchange.ownAnswer], [status, "none", true]);
      await origin.assertNoFurtherConnection();
    },
  );
}
