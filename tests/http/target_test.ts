import { assertEquals, assertStringIncludes } from "@std/assert";
import { targetText } from "../../src/http/target.ts";
import { refusal, type Request, understand } from "./reading.ts";

function request(method: string, target: string): Request {
  return understand(`${method} ${target} HTTP/1.1\r\nHost: x\r\n\r\n`);
}

/** Scheme, canonical authority and path of a target, as it came. */
function parts(method: string, target: string): [scheme: string, authority: string, path: string] {
  const { head, target: read } = request(method, target);
  assertEquals(read.form, "absolute");
  return [read.scheme, read.authority!.text, head.text(read.pathStart, read.pathEnd)];
}

Deno.test("the absolute form is scheme, authority, path and query (RFC 9112 §3.2.2)", () => {
  assertEquals(parts("GET", "http://example.com/a?b"), ["http", "example.com:80", "/a?b"]);
  assertEquals(parts("GET", "https://example.com:8443/"), ["https", "example.com:8443", "/"]);
  assertEquals(parts("GET", "https://example.com/"), ["https", "example.com:443", "/"]);
  assertEquals(parts("POST", "http://[2001:DB8::0:1]:81/"), ["http", "[2001:db8::1]:81", "/"]);
});

Deno.test("the scheme is read in any case (RFC 9110 §4.2.3)", () => {
  assertEquals(parts("GET", "HTTP://a/")[0], "http");
  assertEquals(parts("GET", "hTTpS://a/")[0], "https");
});

Deno.test("the authority is canonical whatever it was written like (RFC 9110 §4.2.3)", () => {
  for (const written of ["example.com", "EXAMPLE.com", "example.com.", "example.com:80", "example.com:"]) {
    assertEquals(parts("GET", `http://${written}/`)[1], "example.com:80");
  }
  assertEquals(parts("GET", "http://b\xc3\xbccher.example/")[1], "xn--bcher-kva.example:80");
});

Deno.test("an authority that was met before is read the same again, for each scheme by itself", () => {
  for (let round = 0; round < 3; round++) {
    assertEquals(parts("GET", "http://again.example/")[1], "again.example:80");
    assertEquals(parts("GET", "https://again.example/")[1], "again.example:443");
    assertEquals(refusal(() => request("CONNECT", "again.example")).status, 400);
    assertEquals(parts("GET", "http://again.example:443/")[1], "again.example:443");
    assertEquals(request("CONNECT", "again.example:443").target.authority!.text, "again.example:443");
  }
});

Deno.test("more authorities than are remembered are read as well", () => {
  for (let number = 0; number < 5000; number++) {
    assertEquals(parts("GET", `http://host-${number}.example/`)[1], `host-${number}.example:80`);
  }
});

Deno.test("path and query stay byte for byte (RFC 9112 §3.2.1)", () => {
  const paths = [
    "/",
    "//",
    "//evil.example/",
    "/a/../b/./c",
    "/%41%2f%2F%00%zz%",
    "/a?b?c&d=e;f",
    "/?",
    "/a:b@c",
    "/http://other.example/",
    "/*",
    "/caf\xc3\xa9\xff",
    '/"<>\\^`{|}',
  ];
  for (const path of paths) assertEquals(parts("GET", `http://example.com${path}`)[2], path);
});

Deno.test("an empty path stays empty here, with a query or without (RFC 9110 §4.2.3)", () => {
  assertEquals(parts("GET", "http://example.com"), ["http", "example.com:80", ""]);
  assertEquals(parts("GET", "http://example.com:81"), ["http", "example.com:81", ""]);
  assertEquals(parts("GET", "http://example.com?q"), ["http", "example.com:80", "?q"]);
  assertEquals(parts("GET", "http://example.com?http://b/"), ["http", "example.com:80", "?http://b/"]);
});

Deno.test("the authority form is for CONNECT and needs a port (RFC 9112 §3.2.3)", () => {
  const { target } = request("CONNECT", "Example.COM:443");
  assertEquals([target.form, target.authority!.text], ["authority", "example.com:443"]);
  assertEquals(target.pathStart, target.pathEnd);
  for (
    const other of ["example.com", "example.com:", "http://a/", "/", "*", "a:1/", "a:1?q", "a:1#f", "u@a:1"]
  ) {
    assertEquals(refusal(() => request("CONNECT", other)).status, 400, other);
  }
  for (const method of ["GET", "connect", "OPTIONS"]) {
    assertEquals(refusal(() => request(method, "example.com:443")).status, 400, method);
  }
});

Deno.test("the asterisk form is for OPTIONS (RFC 9112 §3.2.4)", () => {
  assertEquals(request("OPTIONS", "*").target.form, "asterisk");
  for (const method of ["GET", "TRACE", "options"]) {
    assertEquals(refusal(() => request(method, "*")).status, 400);
  }
  for (const target of ["**", "*a", "*/"]) {
    assertEquals(refusal(() => request("OPTIONS", target)).status, 400);
  }
});

Deno.test("the origin form has no authority (RFC 9112 §3.2.1)", () => {
  const { head, target } = request("GET", "/a?b");
  assertEquals([target.form, target.authority], ["origin", null]);
  assertEquals(head.text(target.pathStart, target.pathEnd), "/a?b");
  assertEquals(request("GET", "//a/b").target.form, "origin");
});

Deno.test("a fragment is cut off (RFC 9110 §7.1)", () => {
  for (
    const [written, path, text] of [
      ["http://a/#b", "/", "http://a/"],
      ["http://a#b", "", "http://a/"],
      ["http://a#@b.example/?c", "", "http://a/"],
      ["http://a/b?c#", "/b?c", "http://a/b?c"],
      ["http://a/b#?c#d", "/b", "http://a/b"],
      ["https://a?b#c", "?b", "https://a/?b"],
      ["/a#b", "/a", "/a"],
    ]
  ) {
    const { head, target } = request("GET", written);
    assertEquals(head.text(target.pathStart, target.pathEnd), path);
    assertEquals(targetText(head, target), text);
  }
  assertEquals(request("OPTIONS", "*#a").target.form, "asterisk");
  for (const written of ["#", "#http://a/"]) assertEquals(refusal(() => request("GET", written)).status, 400);
  assertEquals(refusal(() => request("CONNECT", "a:443#b")).status, 400);
});

Deno.test("a password is never in what refuses it, however it is written", () => {
  for (
    const written of [
      "u:secret@a",
      "u:secret/x@a",
      "u:secret#x@a",
      "u:se:secret/x@a",
      "u:1secret?@a",
      ":secret/@a",
    ]
  ) {
    const error = refusal(() => request("GET", `http://${written}/`));
    assertEquals([error.status, error.message.includes("secret")], [400, false], error.message);
  }
  assertStringIncludes(refusal(() => request("GET", "http://u@a/")).message, "in Authorization");
});

Deno.test("another scheme is refused by its name (RFC 9110 §4.2)", () => {
  for (
    const target of ["ftp://a/", "ws://a/", "FILE:///etc/passwd", "gopher://a", "httpx://a/", "h2c://a/"]
  ) {
    const error = refusal(() => request("GET", target));
    assertEquals(error.status, 400);
    assertStringIncludes(error.message, target.slice(0, target.indexOf(":")).toLowerCase());
  }
});

Deno.test("what is no target of any form is refused with how to use a proxy (RFC 9112 §3.2)", () => {
  for (
    const target of [
      "a",
      "http",
      "http:",
      "http:/",
      "http:/a/",
      "http:a",
      "?",
      "example.com/",
      "://a/",
      "1:2",
    ]
  ) {
    const error = refusal(() => request("GET", target));
    assertEquals(error.status, 400, target);
    assertStringIncludes(error.message, "proxy");
  }
});

const NO_AUTHORITY = [
  "http://",
  "http:///",
  "http:///path",
  "http://?q",
  "http://:80/",
  "http://user@a/",
  "http://user:pass@a/",
  "http://@a/",
  "http://good.example\\@evil.example/",
  "http://good.example%2f@evil.example/",
  "http://good.example\\evil.example/",
  "http://good.example%00.evil.example/",
  "http://a%2eb/",
  "http://a..b/",
  "http://.a/",
  "http://a:0/",
  "http://a:65536/",
  "http://a:+80/",
  "http://a:-1/",
  "http://a:8a/",
  "http://a:080/",
  "http://a:80:80/",
  "http://127.1/",
  "http://2130706433/",
  "http://0x7f.1/",
  "http://0177.0.0.1/",
  "http://127.0.0.1./",
  "http://\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1/",
  "http://[::1/",
  "http://[::1]a/",
  "http://[127.0.0.1]/",
  "http://[fe80::1%25eth0]/",
  "http://::1/",
  "http://\xff.example/",
  "http://\xc3.example/",
  "http://a;b/",
  "http://a,b/",
];

for (const target of NO_AUTHORITY) {
  Deno.test(`no authority that anybody may dial: ${JSON.stringify(target)} (RFC 9110 §4.2)`, () => {
    for (let round = 0; round < 2; round++) {
      assertEquals(refusal(() => request("GET", target)).status, 400);
    }
  });
}

Deno.test("a target in words is absolute and canonical, without a scheme for CONNECT", () => {
  const cases: [method: string, target: string, text: string][] = [
    ["GET", "http://EXAMPLE.com:80/a?b", "http://example.com/a?b"],
    ["GET", "https://example.com:443", "https://example.com/"],
    ["GET", "http://example.com:443?q", "http://example.com:443/?q"],
    ["GET", "http://[::1]:80/", "http://[::1]/"],
    ["CONNECT", "EXAMPLE.com:443", "example.com:443"],
    ["CONNECT", "[::1]:80", "[::1]:80"],
    ["GET", "/a?b", "/a?b"],
    ["OPTIONS", "*", "*"],
  ];
  for (const [method, target, text] of cases) {
    const { head, target: read } = request(method, target);
    assertEquals(targetText(head, read), text);
  }
});
