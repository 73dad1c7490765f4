import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { invalidates } from "../../src/cache/invalidation.ts";
import { response } from "./making.ts";

const KEY = "http://example.com:80/a/b?c";

function keys(method: string, status: number, ...lines: string[]): string[] {
  return invalidates(method, status, KEY, response(status, ...lines).fields);
}

Deno.test("what a method that is not known to be safe may have changed is forgotten (RFC 9111 §4.4)", () => {
  for (const method of ["POST", "PUT", "DELETE", "PATCH", "M-SEARCH", "MKCOL", "X", "get", ""]) {
    assertEquals(keys(method, 200), [KEY], method);
  }
  for (const method of ["GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "QUERY", "REPORT", "SEARCH"]) {
    assertEquals(keys(method, 200, "Location: /x"), [], method);
  }
});

Deno.test("an error has changed nothing (RFC 9111 §4.4)", () => {
  for (const status of [200, 201, 204, 301, 303, 399]) assertEquals(keys("POST", status), [KEY]);
  for (const status of [0, 100, 199, 400, 404, 412, 500, 503, 599, NaN]) {
    assertEquals(keys("POST", status, "Location: /x"), []);
  }
});

Deno.test("Location and Content-Location of the same origin are forgotten too (RFC 9111 §4.4)", () => {
  const cases: [reference: string, ...others: string[]][] = [
    ["/x", "http://example.com:80/x"],
    ["x?y", "http://example.com:80/a/x?y"],
    ["../x#z", "http://example.com:80/x"],
    ["?y", "http://example.com:80/a/b?y"],
    ["http://example.com/x", "http://example.com:80/x"],
    ["http://example.com:80/x", "http://example.com:80/x"],
    ["HTTP://EXAMPLE.com?y", "http://example.com:80/?y"],
    ["//example.com/x", "http://example.com:80/x"],
    ["http://user@example.com/x", "http://example.com:80/x"],
    // as URL writes it, and as it is written
    ["/x/../y z", "http://example.com:80/y%20z", "http://example.com:80/x/../y z"],
    ["http://example.com/x/./y", "http://example.com:80/x/y", "http://example.com:80/x/./y"],
    ["/\u00c3\u00bc", "http://example.com:80/%C3%83%C2%BC", "http://example.com:80/\u00c3\u00bc"],
    // of other origins, or of none
    ["http://example.org/x"],
    ["https://example.com/x"],
    ["http://example.com:8080/x"],
    ["//example.org/x"],
    ["/\\example.org/x"],
    ["http://www.example.com/x"],
    ["http://example.com.:80/x"],
    ["urn:x"],
    ["data:,x"],
    ["http://["],
    ["http://example.com:99999/"],
    ["/" + "x".repeat(9000)],
    [""],
  ];
  for (const [reference, ...others] of cases) {
    for (const name of ["Location", "content-location"]) {
      assertEquals(keys("POST", 201, `${name}: ${reference}`), [KEY, ...others], reference.slice(0, 40));
    }
  }
  assertEquals(keys("POST", 201, "Location: x", "Content-Location: y"), [
    KEY,
    "http://example.com:80/a/x",
    "http://example.com:80/a/y",
  ]);
  assertEquals(keys("POST", 201, "Location: b?c"), [KEY], "each once");
});

Deno.test("a key with or without a port, of IPv6 and of https, is kept as it is written", () => {
  const of = (key: string) => invalidates("PUT", 200, key, response(200, "Location: /x").fields);
  assertEquals(of("https://example.com/a"), ["https://example.com/a", "https://example.com/x"]);
  assertEquals(of("https://example.com:443/a"), ["https://example.com:443/a", "https://example.com:443/x"]);
  assertEquals(of("http://[2001:db8::1]:80/"), ["http://[2001:db8::1]:80/", "http://[2001:db8::1]:80/x"]);
  assertEquals(of("nonsense"), ["nonsense"]);
});

Deno.test("whatever a response refers to, nothing of another origin is forgotten", () => {
  const text = fc.oneof(
    fc.webUrl({ withFragments: true, withQueryParameters: true }),
    fc.string({ unit: "binary", maxLength: 30 }),
    fc.string({
      unit: fc.constantFrom("http", ":", "/", "\\", "example.com", "@", ".", "?", "#", "80", "\t"),
      maxLength: 10,
    }),
  );
  fc.assert(
    fc.property(text, text, (location, contentLocation) => {
      for (const key of keys("POST", 200, `Location: ${location}`, `Content-Location: ${contentLocation}`)) {
        assert(key.startsWith("http://example.com:80/"), key);
      }
    }),
    { numRuns: 1000 },
  );
});
