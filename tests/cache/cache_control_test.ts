import { assert, assertEquals } from "@std/assert";
import {
  MAX_SECONDS,
  readRequestDirectives,
  readResponseDirectives,
  readSeconds,
  type RequestDirectives,
  requestDirectivesOf,
  type ResponseDirectives,
} from "../../src/cache/cache_control.ts";
import { get } from "./making.ts";

const SILENT = readResponseDirectives("");
const NOTHING_ASKED = readRequestDirectives("");

/** What differs from a response or a request that says nothing. */
function said<T extends object>(read: T, silent: T): Partial<T> {
  const differing = Object.entries(read).filter(([name, value]) => value !== silent[name as keyof T]);
  return Object.fromEntries(differing) as Partial<T>;
}

function responds(text: string, expected: Partial<ResponseDirectives>): void {
  assertEquals<unknown>(said(readResponseDirectives(text), SILENT), expected, JSON.stringify(text));
}

function asks(text: string, expected: Partial<RequestDirectives>): void {
  assertEquals<unknown>(said(readRequestDirectives(text), NOTHING_ASKED), expected, JSON.stringify(text));
}

Deno.test("directives of a response are read in any case, with white space where it may stand (RFC 9111 §5.2)", () => {
  responds("", {});
  responds("max-age=3600", { maxAge: 3600 });
  responds("MaX-aGe=3600", { maxAge: 3600 });
  responds(" , max-age=60 ,,\tPublic\t,", { maxAge: 60, public: true });
  responds("s-maxage=1,max-age=2", { sMaxAge: 1, maxAge: 2 });
  responds("nO-StOrE", { noStore: true });
  responds("No-CaChE, PRIVATE", { noCache: true, private: true });
  responds("must-revalidate, proxy-revalidate, must-understand, no-transform, immutable", {
    mustRevalidate: true,
    proxyRevalidate: true,
    mustUnderstand: true,
    noTransform: true,
    immutable: true,
  });
  responds("stale-while-revalidate=5, stale-if-error=6", { staleWhileRevalidate: 5, staleIfError: 6 });
});

Deno.test("what is unknown is ignored, and so is what it quotes (RFC 9111 §5.2.3)", () => {
  responds("foobar, max-age=3600", { maxAge: 3600 });
  responds('extension="max-age=3600", max-age=1', { maxAge: 1 });
  responds('max-age=1, extension="max-age=3600"', { maxAge: 1 });
  responds('max-age="1", extension="max-age=3600, no-store"', { maxAge: 1 });
  responds('a="\\"", no-store', { noStore: true });
  responds('a="\\\\", max-age=5', { maxAge: 5 });
  responds('"no-store", max-age=5', { maxAge: 5 });
  responds("no-storefoo, xno-store, no-store-x", {});
  responds("=no-store, max-age=5", { maxAge: 5 });
  responds("constructor, __proto__=1, max-age=5", { maxAge: 5 });
});

Deno.test("an argument may be quoted (RFC 9111 §5.2)", () => {
  responds('max-age="3600"', { maxAge: 3600 });
  responds('max-age="36\\00"', { maxAge: 3600 });
});

Deno.test("a lifetime that cannot be read is none: the response is stale (RFC 9111 §4.2.1)", () => {
  const malformed = [
    "max-age",
    "max-age=",
    "max-age=''",
    "max-age='3600'",
    "max-age=-3600",
    "max-age=+3600",
    "max-age=3600.0",
    "max-age=3600.5",
    "max-age=3600a",
    "max-age=a3600",
    "max-age=0x10",
    "max-age=1e3",
    "max-age =3600",
    "max-age= 3600",
    "max-age=36 00",
    "max-age=3600 x",
    'max-age="3600"x',
    'max-age="36 00"',
    'max-age=""',
    "max-age=3600=1",
    "max-age: 3600",
    "max-age=\u00b2",
  ];
  for (const text of malformed) responds(text, { maxAge: 0 });
  responds("s-maxage=x, stale-while-revalidate=x, stale-if-error", {
    sMaxAge: 0,
    staleWhileRevalidate: 0,
    staleIfError: 0,
  });
});

Deno.test("seconds may begin with zeros, and end at 2^31 (RFC 9111 §1.2.2)", () => {
  responds("max-age=003600", { maxAge: 3600 });
  responds("max-age=2147483647", { maxAge: 2147483647 });
  for (const number of ["2147483648", "2147483649", "99999999999", "9".repeat(400)]) {
    responds(`max-age=${number}`, { maxAge: MAX_SECONDS });
  }
  assertEquals(readSeconds(""), null);
  assertEquals(readSeconds(" 1"), null);
  assertEquals(readSeconds("0".repeat(1000) + "7"), 7);
});

Deno.test("of several lifetimes the shortest counts, wherever it stands (RFC 9111 §4.2.1)", () => {
  responds("max-age=1, max-age=1800", { maxAge: 1 });
  responds("max-age=1800, max-age=1", { maxAge: 1 });
  responds("max-age=1800, max-age=x", { maxAge: 0 });
  responds("s-maxage=7, s-maxage=6", { sMaxAge: 6 });
  responds("stale-if-error=7, stale-if-error=6", { staleIfError: 6 });
});

Deno.test("no-cache and private are of the whole response, or of the fields that they name in quotes (§5.2.2.4, §5.2.2.7)", () => {
  responds('no-cache="a"', { noCache: ["a"] });
  responds('no-cache="a, B ,,\tc "', { noCache: ["a", "b", "c"] });
  responds('private="x", private="Y,x"', { private: ["x", "y"] });
  responds('private="x", private', { private: true });
  responds('private, private="x"', { private: true });
  const whole = [
    'no-cache=""',
    'no-cache=" , "',
    'no-cache="a b"',
    'no-cache="a;b"',
    'no-cache="\u00e4"',
    'no-cache="a\u00a0"',
    'no-cache="a"b',
    "no-cache=a",
    "no-cache=true",
    "no-cache=",
    "no-cache;x",
    'no-cache="cache-control"',
    'no-cache="a, Content-Encoding"',
    `no-cache="${Array.from({ length: 33 }, (_, n) => `f${n}`)}"`,
  ];
  for (const text of whole) responds(text, { noCache: true });
  const names = Array.from({ length: 32 }, (_, n) => `f${n}`);
  responds(`no-cache="${names}"`, { noCache: names });
  responds(`no-cache="${names}", no-cache="one-more"`, { noCache: true });
});

Deno.test("what forbids is heeded however it is written, what allows only as it is defined", () => {
  responds("no-store=1, must-revalidate=x, proxy-revalidate=", {
    noStore: true,
    mustRevalidate: true,
    proxyRevalidate: true,
  });
  responds("public=1, immutable=x, must-understand=1", {});
});

Deno.test("a semicolon is no separator, but hides nothing behind it", () => {
  responds("private; max-age=3600", { private: true, maxAge: 3600 });
  responds("max-age=3600; private", { private: true, maxAge: 0 });
  responds("public; no-store", { noStore: true });
  responds('max-age=3600 "a;b, c" ; no-cache', { maxAge: 0, noCache: true });
});

Deno.test("a quoted string without an end may hide anything: the response is not to be stored", () => {
  responds('max-age=3600, x="', { maxAge: 3600, noStore: true });
  responds('x="\\", public, must-understand', { noStore: true });
  responds('must-understand, x y"', { noStore: true });
  asks('x="', { noStore: true });
});

Deno.test("directives of a request are read (RFC 9111 §5.2.1)", () => {
  asks("", {});
  asks("nothing-to-see-here", {});
  asks("No-Cache, no-store, no-transform, only-if-cached", {
    noCache: true,
    noStore: true,
    noTransform: true,
    onlyIfCached: true,
  });
  asks("max-age=0, min-fresh=5, max-stale=7, stale-if-error=9", {
    maxAge: 0,
    minFresh: 5,
    maxStale: 7,
    staleIfError: 9,
  });
  asks("max-stale", { maxStale: MAX_SECONDS });
  asks("max-stale, max-stale=5", { maxStale: 5 });
});

Deno.test("what cannot be read in a request asks for the most (RFC 9111 §5.2.1)", () => {
  asks("max-age=x", { maxAge: 0 });
  asks("max-stale=x", { maxStale: 0 });
  asks("min-fresh=x", { minFresh: MAX_SECONDS });
  asks("min-fresh=5, min-fresh=9", { minFresh: 9 });
  asks("min-fresh=0, stale-if-error=x", { minFresh: 0, staleIfError: 0 });
  asks("no-cache=x", { noCache: true });
});

Deno.test("Pragma: no-cache counts in a request without Cache-Control (RFC 9111 §5.4)", () => {
  assertEquals(requestDirectivesOf(get("Pragma: no-cache").fields).noCache, true);
  assertEquals(requestDirectivesOf(get("Pragma: x, No-Cache").fields).noCache, true);
  assertEquals(requestDirectivesOf(get("Pragma: foo").fields), NOTHING_ASKED);
  assertEquals(requestDirectivesOf(get("Pragma: no-store, only-if-cached").fields), NOTHING_ASKED);
  assertEquals(
    requestDirectivesOf(get("Pragma: no-cache", "Cache-Control: max-age=5").fields).noCache,
    false,
  );
  assertEquals(requestDirectivesOf(get().fields), NOTHING_ASKED);
});

Deno.test("long texts are read in time that grows as they do, and are not remembered", () => {
  for (const piece of ['x="', "\\", '"', "a,", "=;", " ", 'no-cache="a",', "max-age=1;", '""']) {
    const text = piece.repeat(Math.ceil(65_536 / piece.length));
    assert(readResponseDirectives(text) !== null);
    assert(readRequestDirectives(text) !== null);
    assert(readResponseDirectives(`no-cache="${text}"`) !== null);
  }
});

Deno.test("what was read before is not changed by what is read after it", () => {
  const first = readResponseDirectives("max-age=77");
  for (let number = 0; number < 2000; number++) readResponseDirectives(`max-age=${number}`);
  assertEquals(first.maxAge, 77);
  assertEquals(readResponseDirectives("max-age=77").maxAge, 77);
});
