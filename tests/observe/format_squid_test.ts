import { assertEquals, assertStringIncludes } from "@std/assert";
import { formatSquid } from "../../src/observe/format_squid.ts";
import { forward, own, type Sample, tunnel, unreadable } from "./samples.ts";

Deno.test("a line is Squid's %ts.%03tu %6tr %>a %Ss/%03>Hs %<st %rm %ru %[un %Sh/%<a %mt", () => {
  assertEquals(
    formatSquid(forward()),
    "1795240825.152     47 127.0.0.1 TCP_MISS/200 1506 GET http://example.com/index.html?a=b - " +
      "HIER_DIRECT/93.184.216.34 text/html",
  );
  assertEquals(
    formatSquid(tunnel()),
    "1795240888.105  63000 127.0.0.1 TCP_TUNNEL/200 1843260 CONNECT example.com:443 - HIER_DIRECT/93.184.216.34 -",
  );
});

Deno.test("a duration wider than its column pushes, it is not cut", () => {
  assertEquals(formatSquid(tunnel({ endedAt: 12_346_678 })).split(" ").slice(0, 3), [
    "1795253170.783",
    "12345678",
    "127.0.0.1",
  ]);
});

/**
 * Code and status, target, hierarchy, type: Squid 5.7's in the same cases, less its own choice of status, and less the
 * suffix of a body that stood still.
 */
Deno.test("result codes and hierarchy are those of Squid", () => {
  const nowhere: Sample = {
    originAddress: "",
    originPort: 0,
    originStatus: 0,
    ownAnswer: true,
    contentType: "text/html",
  };
  const cases: [string, ReturnType<typeof forward>, string][] = [
    ["denied", own(), "TCP_DENIED/403 http://ads.example/ HIER_NONE/- text/plain"],
    ["login wanted", own({ status: 407 }), "TCP_DENIED/407 http://ads.example/ HIER_NONE/- text/plain"],
    [
      "name not found",
      forward({ ...nowhere, status: 502, error: "dns_error" }),
      "TCP_MISS/502 http://example.com/index.html?a=b HIER_NONE/- text/html",
    ],
    [
      "connection refused",
      forward({ ...nowhere, originAddress: "127.0.0.1", status: 502, error: "connection_refused" }),
      "TCP_MISS/502 http://example.com/index.html?a=b HIER_DIRECT/127.0.0.1 text/html",
    ],
    [
      "silent origin",
      forward({ ...nowhere, originAddress: "127.0.0.1", status: 504, error: "http_response_timeout" }),
      "TCP_MISS/504 http://example.com/index.html?a=b HIER_DIRECT/127.0.0.1 text/html",
    ],
    [
      "client left before the answer",
      forward({ status: 0, originStatus: 0, contentType: "" }),
      "TCP_MISS_ABORTED/000 http://example.com/index.html?a=b HIER_DIRECT/93.184.216.34 -",
    ],
    [
      "client left in the middle",
      forward({ truncated: true }),
      "TCP_MISS_ABORTED/200 http://example.com/index.html?a=b HIER_DIRECT/93.184.216.34 text/html",
    ],
    [
      "the body stood still",
      forward({ truncated: true, error: "connection_read_timeout" }),
      "TCP_MISS_TIMEOUT/200 http://example.com/index.html?a=b HIER_DIRECT/93.184.216.34 text/html",
    ],
    [
      "upgraded",
      forward({ kind: "upgrade", status: 101, contentType: "" }),
      "TCP_TUNNEL/101 " +
      "http://example.com/index.html?a=b HIER_DIRECT/93.184.216.34 -",
    ],
    [
      "upgrade not taken",
      forward({ kind: "upgrade" }),
      "TCP_MISS/200 " +
      "http://example.com/index.html?a=b HIER_DIRECT/93.184.216.34 text/html",
    ],
    ["tunnel cut", tunnel({ truncated: true }), "TCP_TUNNEL/200 example.com:443 HIER_DIRECT/93.184.216.34 -"],
    [
      "tunnel not opened",
      tunnel({ status: 502, error: "connection_refused" }),
      "NONE_NONE/502 " +
      "example.com:443 HIER_DIRECT/93.184.216.34 -",
    ],
    ["not a request", unreadable(), "NONE_NONE/400 error:invalid-request HIER_NONE/- -"],
    [
      "nothing came",
      unreadable({ status: 0, error: "", details: "" }),
      "NONE_NONE/000 error:transaction-end-before-headers HIER_NONE/- -",
    ],
    [
      "answered here",
      own({ verdict: "allow", status: 200 }),
      "NONE_NONE/200 http://ads.example/ " +
      "HIER_NONE/- text/plain",
    ],
  ];
  for (const [name, exchange, expected] of cases) {
    const [, , , code, , , target, , hierarchy, type] = formatSquid(exchange).split(/ +/);
    assertEquals([code, target, hierarchy, type].join(" "), expected, name);
  }
});

Deno.test("columns stay columns: ten fields, whatever the values hold", () => {
  const line = formatSquid(forward({
    user: 'a "[x]\x01\xc3\xa9\\% b',
    method: "G T",
    target: "http://example.com/ a\tb\x7f\xe9",
    contentType: " text/x y ; charset=a b",
  }));
  assertEquals(line.split(/ +/).slice(5), [
    "G%20T",
    "http://example.com/%20a%09b%7f%e9",
    'a%20"%5bx%5d%01%c3%a9\\\\%25%20b',
    "HIER_DIRECT/93.184.216.34",
    "%20text/x%20y",
  ]);
});

Deno.test("the type is the origin's, less its parameters", () => {
  assertEquals(
    formatSquid(forward({ contentType: "Text/HTML ;charset=utf-8" })).endsWith(" Text/HTML"),
    true,
  );
  assertEquals(formatSquid(forward({ contentType: ";x" })).endsWith(" -"), true);
});

Deno.test("a parent is the one that Squid asks first", () => {
  assertStringIncludes(
    formatSquid(forward({ parent: "corp 1", originAddress: "" })),
    " FIRSTUP_PARENT/corp%201 ",
  );
  assertStringIncludes(formatSquid(forward({ parent: "", originAddress: "" })), " HIER_NONE/- ");
});
