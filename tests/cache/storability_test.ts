import { assertEquals } from "@std/assert";
import { readResponseDirectives } from "../../src/cache/cache_control.ts";
import {
  canBeValidated,
  mayServeStale,
  mayStore,
  omittedFields,
  partOf,
  storedLines,
} from "../../src/cache/storability.ts";
import type { CacheRequest, CacheResponse } from "../../src/cache/stored_response.ts";
import { at, get, linesOf, NOON, response } from "./making.ts";

/** `""` when it may be stored, or else why not. */
function why(request: CacheRequest, response: CacheResponse): string {
  const decided = mayStore(request, response, NOON);
  return decided.store ? "" : decided.reason;
}

const FRESH = "Cache-Control: max-age=60";

Deno.test("the response to a GET without a body is stored, and to nothing else (RFC 9111 §3)", () => {
  assertEquals(why(get(), response(200, FRESH)), "");
  for (const method of ["HEAD", "POST", "PUT", "get", "OPTIONS", "QUERY"]) {
    assertEquals(why({ ...get(), method }, response(200, FRESH)), "method", method);
  }
  assertEquals(why({ ...get(), hasBody: true }, response(200, FRESH)), "request body");
});

Deno.test("a response to POST is stored if it says that it is what a GET of the same URL brings (RFC 9110 §9.3.3)", () => {
  const url = "http://example.com/a?b";
  const post = { ...get("Content-Type: text/plain"), method: "POST", hasBody: true };
  const whyPost = (status: number, ...lines: string[]) => {
    const decided = mayStore(post, response(status, ...lines), NOON, url);
    return decided.store ? "" : decided.reason;
  };
  for (const same of ["/a?b", url, "//example.com:80/a?b", "?b", "HTTP://EXAMPLE.COM/a?b"]) {
    assertEquals(whyPost(200, FRESH, `Content-Location: ${same}`), "", same);
  }
  for (const other of ["", "/a", "/a?b#c", "/A?b", "https://example.com/a?b", "http://[", "/a?b, /a?b"]) {
    assertEquals(whyPost(200, FRESH, `Content-Location: ${other}`), "method", other);
  }
  const same = "Content-Location: /a?b";
  assertEquals(whyPost(201, FRESH, same), "method");
  assertEquals(whyPost(200, `Last-Modified: ${at(-86_400)}`, `Date: ${at(0)}`, same), "method");
  assertEquals(whyPost(200, "Cache-Control: max-age=0", 'ETag: "a"', same), "method");
  assertEquals(whyPost(200, FRESH, "Cache-Control: private", same), "private");
  assertEquals(why(post, response(200, FRESH, same)), "method", "unless it is asked for");
  assertEquals(mayStore({ ...post, method: "PUT" }, response(200, FRESH, same), NOON, url).store, false);
});

Deno.test("final responses of any status are stored that say how long they are fresh (RFC 9111 §3)", () => {
  for (
    const status of [200, 203, 204, 299, 301, 302, 303, 307, 308, 400, 404, 410, 499, 500, 502, 503, 599]
  ) {
    assertEquals(why(get(), response(status, FRESH)), "", String(status));
    assertEquals(why(get(), response(status, `Expires: ${at(60)}`, `Date: ${at(0)}`)), "", String(status));
  }
  for (const status of [100, 101, 103, 199, 304, 600, 999, 0, NaN]) {
    assertEquals(why(get(), response(status, FRESH)), `status ${status}`);
  }
});

Deno.test("what a status says of one request alone is not stored (RFC 6585, RFC 9110 §15.5)", () => {
  for (const status of [401, 407, 408, 412, 416, 417, 421, 425, 428, 429, 431, 511]) {
    assertEquals(why(get(), response(status, "Cache-Control: public, max-age=60")), `status ${status}`);
  }
});

Deno.test("without freshness only statuses are stored that are defined so, or what is public (RFC 9111 §3)", () => {
  const modified = [`Last-Modified: ${at(-86_400)}`, `Date: ${at(0)}`];
  for (const status of [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501]) {
    assertEquals(why(get(), response(status, ...modified)), "", String(status));
  }
  for (const status of [201, 202, 302, 303, 307, 400, 403, 500, 502, 503, 504, 599]) {
    assertEquals(why(get(), response(status, ...modified)), `status ${status} without freshness`);
    assertEquals(why(get(), response(status, "Cache-Control: public", ...modified)), "");
    assertEquals(
      why(get(), response(status, 'Cache-Control: private="a"', ...modified)),
      `status ${status} without freshness`,
    );
  }
});

Deno.test("no-store of the request or the response and private are heeded (RFC 9111 §5.2)", () => {
  assertEquals(why(get("Cache-Control: no-store"), response(200, FRESH)), "request no-store");
  assertEquals(why(get(), response(200, FRESH, "Cache-Control: no-store")), "no-store");
  assertEquals(why(get(), response(200, "Cache-Control: nO-StOrE", FRESH)), "no-store");
  assertEquals(why(get(), response(200, FRESH, "Cache-Control: private")), "private");
  assertEquals(why(get(), response(200, FRESH, "Cache-Control: public, private")), "private");
  assertEquals(why(get(), response(200, FRESH, 'Cache-Control: private="a"')), "");
});

Deno.test("must-understand keeps out statuses that are not understood, and lifts no-store from the others (RFC 9111 §5.2.2.3)", () => {
  const understand = "Cache-Control: must-understand, no-store, max-age=60";
  assertEquals(why(get(), response(200, understand)), "");
  assertEquals(why(get(), response(404, understand)), "");
  assertEquals(why(get(), response(599, understand)), "must-understand");
  assertEquals(why(get(), response(599, FRESH, "Cache-Control: must-understand")), "must-understand");
  assertEquals(
    why(get(), response(200, "Cache-Control: must-understand=1, no-store, max-age=60")),
    "no-store",
  );
});

Deno.test("the response to a request with Authorization is stored if it says that it may be shared (RFC 9111 §3.5)", () => {
  const request = get("Authorization: FOO");
  assertEquals(why(request, response(200, `Expires: ${at(60)}`, `Date: ${at(0)}`)), "authorization");
  assertEquals(why(request, response(200, FRESH, 'ETag: "a"')), "authorization");
  assertEquals(why(request, response(200, FRESH, "Cache-Control: immutable")), "authorization");
  assertEquals(why(request, response(200, FRESH, "Cache-Control: proxy-revalidate")), "authorization");
  assertEquals(why(request, response(200, FRESH, "Cache-Control: s-maxage=x", 'ETag: "a"')), "authorization");
  assertEquals(why(request, response(200, FRESH, "Cache-Control: public")), "");
  assertEquals(why(request, response(200, FRESH, "Cache-Control: must-revalidate")), "");
  assertEquals(why(request, response(200, "Cache-Control: s-maxage=60")), "");
  assertEquals(why(request, response(200, FRESH, "Cache-Control: public, private")), "private");
});

Deno.test("a response with Set-Cookie is stored where Cache-Control says how long it lasts, or that it is public", () => {
  const cookie = ["Set-Cookie: a=b", 'ETag: "a"', `Last-Modified: ${at(-86_400)}`, `Date: ${at(0)}`];
  assertEquals(why(get(), response(200, ...cookie)), "set-cookie");
  assertEquals(why(get(), response(200, `Expires: ${at(60)}`, ...cookie)), "set-cookie");
  assertEquals(why(get(), response(200, "Cache-Control: max-age=0", ...cookie)), "set-cookie");
  assertEquals(why(get(), response(200, "Cache-Control: no-cache", ...cookie)), "set-cookie");
  assertEquals(why(get(), response(200, "Cache-Control: no-cache, max-age=60", ...cookie)), "set-cookie");
  assertEquals(why(get(), response(200, "Cache-Control: s-maxage=0, max-age=60", ...cookie)), "set-cookie");
  assertEquals(why(get(), response(200, FRESH, ...cookie)), "");
  assertEquals(why(get(), response(200, "Cache-Control: s-maxage=60", ...cookie)), "");
  assertEquals(why(get(), response(200, "Cache-Control: public", ...cookie)), "");
  assertEquals(why(get(), response(200, 'Cache-Control: private="set-cookie"', ...cookie)), "");
  assertEquals(why(get(), response(200, 'Cache-Control: no-cache="Set-Cookie"', ...cookie)), "");
});

Deno.test("a Vary that no request can be held against is not stored (RFC 9111 §4.1)", () => {
  assertEquals(why(get(), response(200, FRESH, "Vary: *")), "vary *");
  assertEquals(why(get(), response(200, FRESH, "Vary: Foo, *")), "vary *");
  assertEquals(why(get(), response(200, FRESH, "Vary: Foo")), "");
  assertEquals(why(get("Cookie: a=b"), response(200, FRESH, "Vary: Cookie")), "vary");
  assertEquals(why(get("Cookie: a=b"), response(200, FRESH)), "");
  assertEquals(why(get(), response(200, FRESH, "Vary: a b")), "vary");
});

Deno.test("what could never be used is not stored", () => {
  assertEquals(why(get(), response(200)), "no validator and no freshness");
  assertEquals(why(get(), response(200, "Cache-Control: max-age=0")), "no validator and no freshness");
  assertEquals(why(get(), response(200, "Expires: 0")), "no validator and no freshness");
  assertEquals(why(get(), response(200, "ETag: abc")), "no validator and no freshness");
  assertEquals(why(get(), response(200, FRESH, "Cache-Control: no-cache")), "no-cache without a validator");
  assertEquals(why(get(), response(200, 'ETag: "a"')), "");
  assertEquals(why(get(), response(200, 'ETag: W/"a"', "Cache-Control: no-cache")), "");
  assertEquals(why(get(), response(200, `Last-Modified: ${at(0)}`, "Cache-Control: max-age=0")), "");
  assertEquals(why(get(), response(404, 'ETag: "a"')), "no validator and no freshness", "a 304 is for a 200");
  assertEquals(why(get(), response(200, "Cache-Control: max-age=0, stale-while-revalidate=9")), "");
  assertEquals(why(get(), response(200, "Cache-Control: max-age=0, stale-if-error=9")), "");
  assertEquals(
    why(get(), response(200, "Cache-Control: max-age=0, stale-if-error=9, must-revalidate")),
    "no validator and no freshness",
  );
});

Deno.test("a 206 is stored if it says which part it is and has a strong validator (RFC 9111 §3.3, §3.4)", () => {
  const range = get("Range: bytes=0-4");
  const part = [FRESH, 'ETag: "a"'];
  const lines = [...part, "Content-Range: bytes 0-4/10"];
  assertEquals(why(range, response(206, ...lines)), "");
  assertEquals(partOf(range, response(206, ...lines)), { first: 0, last: 4, whole: 10 });
  assertEquals(partOf(range, response(206, ...lines, "Content-Length: 5")), { first: 0, last: 4, whole: 10 });
  assertEquals(why(range, response(206, ...lines, "Content-Length: 6")), "range");
  assertEquals(why(range, response(206, ...lines, "Content-Length: 5x")), "range");
  assertEquals(why(get(), response(206, ...lines)), "range", "nobody asked for it");
  assertEquals(why(range, response(206, FRESH, "Content-Range: bytes 0-4/10")), "range");
  assertEquals(why(range, response(206, FRESH, 'ETag: W/"a"', "Content-Range: bytes 0-4/10")), "range");
  const malformed = [
    "",
    "bytes 0-4/*",
    "bytes */10",
    "bytes 4-0/10",
    "bytes 0-10/10",
    "bytes 0-4",
    "bytes=0-4/10",
    "bytes  0-4/10",
    "bytes 0 - 4/10",
    "bytes -4/10",
    "bytes 0-4/10, bytes 0-4/10",
    "bytes 0-4/1e3",
    "items 0-4/10",
    "bytes 0-4/9999999999999999",
  ];
  for (const text of malformed) {
    assertEquals(why(range, response(206, ...part, `Content-Range: ${text}`)), "range", text);
  }
  assertEquals(partOf(range, response(200, ...lines)), null);
  assertEquals(why(range, response(200, ...lines)), "", "a 200 is the whole, whatever it says");
});

Deno.test("the fields that private and no-cache name are not stored (RFC 9111 §5.2.2.4, §5.2.2.7)", () => {
  const omitted = (text: string) => [...omittedFields(readResponseDirectives(text))];
  assertEquals(omitted('public, private="a, B", no-cache="c,a"'), ["a", "b", "c"]);
  assertEquals(omitted('s-maxage=5, no-cache="c"'), ["c"]);
});

Deno.test("Set-Cookie is not stored unless the response says that it is for sharing (RFC 9111 §7.3)", () => {
  const omitted = (text: string) => [...omittedFields(readResponseDirectives(text))];
  for (const text of ["public", "max-age=5, public", "s-maxage=5"]) assertEquals(omitted(text), [], text);
  for (const text of ["", "max-age=5", "no-cache, private", "s-maxage=0", "s-maxage=x, max-age=5"]) {
    assertEquals(omitted(text), ["set-cookie"], text);
  }
  assertEquals(omitted('no-cache="set-cookie"'), ["set-cookie"]);
  assertEquals(omitted('private="a"'), ["a", "set-cookie"]);
  const lines = linesOf(FRESH, "set-cookie: a=b", "A: 1", "Set-Cookie: c=d");
  assertEquals(storedLines(lines), linesOf(FRESH, "A: 1"));
  assertEquals(storedLines(linesOf(FRESH, "Cache-Control: public", "Set-Cookie: a")).length, 3);
});

Deno.test("nothing is kept on a guess for credentials, for this machine's origins or for a URL that is a key", () => {
  const modified = `Last-Modified: ${at(-86_400)}`;
  const cases: [string, ...string[]][] = [
    ["credentials", 'ETag: "a"'],
    ["credentials", modified],
    ["credentials", "Cache-Control: stale-while-revalidate=60", modified],
    ["credentials", 'Cache-Control: no-cache="a"', 'ETag: "a"'],
    // what may be used without asking once the origin is gone
    ["credentials", "Cache-Control: max-age=0", 'ETag: "a"'],
    ["credentials", "Expires: 0", 'ETag: "a"'],
    // a date says nothing of whose page it is
    ["credentials", "Cache-Control: no-cache", modified],
    ["credentials", "Cache-Control: max-age=0, must-revalidate", modified],
    ["", "Cache-Control: no-cache", 'ETag: "a"'],
    ["", "Cache-Control: max-age=0, must-revalidate", 'ETag: "a"'],
    ["", "Cache-Control: public, max-age=0", modified],
    // to be asked for each time: no lifetime is estimated
    ["", "Cache-Control: public", modified],
    ["", FRESH],
    ["", `Expires: ${at(60)}`],
  ];
  const key: CacheRequest = { ...get("X-Api-Key: a"), credentials: "key" };
  for (const [reason, ...lines] of cases) {
    assertEquals(why(get("Cookie: a=b"), response(200, ...lines)), reason, lines.join());
    assertEquals(why(key, response(200, ...lines)), reason, lines.join());
    const asked = get("Authorization: Basic x");
    const against = lines.some((line) => /public|must-revalidate/.test(line)) ? reason : "authorization";
    assertEquals(why(asked, response(200, ...lines)), against, lines.join());
  }
  const local = (...lines: string[]) => {
    const judged = mayStore(get(), response(200, ...lines), NOON, null, "no freshness");
    return judged.store ? "" : judged.reason;
  };
  for (const lines of [['ETag: "a"'], [modified], ["Cache-Control: public", modified]]) {
    assertEquals(local(...lines), "no freshness", lines.join());
  }
  for (const lines of [[FRESH], [`Expires: ${at(60)}`], ["Cache-Control: no-cache", modified]]) {
    assertEquals(local(...lines), "", lines.join());
  }
});

Deno.test("no-cache, must-revalidate, proxy-revalidate and s-maxage forbid what is stale (RFC 9111 §4.2.4)", () => {
  const allows = (text: string) => mayServeStale(readResponseDirectives(text));
  assertEquals(allows("max-age=2, stale-if-error=60"), true);
  assertEquals(allows('max-age=2, no-cache="a"'), true);
  for (const text of ["no-cache", "must-revalidate", "proxy-revalidate", "s-maxage=2"]) {
    assertEquals(allows(`max-age=2, stale-if-error=60, ${text}`), false, text);
  }
});

Deno.test("a 304 stands for what a 200 would have been, and validates nothing else (RFC 9110 §13.2.1)", () => {
  for (let status = 200; status < 600; status++) {
    assertEquals(canBeValidated(status), [200, 203, 206].includes(status), String(status));
  }
});
