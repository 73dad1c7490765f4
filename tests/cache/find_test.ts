import { assert, assertEquals } from "@std/assert";
import { find, type Finding } from "../../src/cache/find.ts";
import type { CacheRequest, FieldLine, StoredResponse } from "../../src/cache/stored_response.ts";
import { after, at, get, linesOf, NOON, stored } from "./making.ts";

const TAG = 'ETag: "abc"';
const MODIFIED = `Last-Modified: ${at(-10_000)}`;

/** The finding, which has to be of this kind. */
function only<Kind extends Finding["kind"]>(finding: Finding, kind: Kind): Extract<Finding, { kind: Kind }> {
  assertEquals(finding.kind, kind);
  return finding as Extract<Finding, { kind: Kind }>;
}

/** A finding in a few words: what it is, and why. */
function told(finding: Finding): string {
  switch (finding.kind) {
    case "bypass":
      return `bypass ${finding.forward}: ${finding.reason}`;
    case "miss":
      return `miss ${finding.reason}`;
    case "hit":
      return finding.ttl > 0 ? "hit" : "hit, stale";
    case "validate":
      return `validate ${finding.reason}`;
    default:
      return finding.kind;
  }
}

/** What is found so many seconds after noon of a 200 with these lines. */
function found(seconds: number, lines: readonly string[], ...asked: string[]): string {
  return told(find([stored(...lines)], get(...asked), after(seconds)));
}

/** Whether it may be used in place of an origin that is gone, or that answers with an error. */
function inNeed(seconds: number, lines: readonly string[], ...asked: string[]): string {
  const finding = only(find([stored(...lines)], get(...asked), after(seconds)), "validate");
  assert(finding.staleIfDisconnected || !finding.staleIfError, "an error is no less than silence");
  return finding.staleIfError ? "error" : finding.staleIfDisconnected ? "disconnected" : "never";
}

function fieldsSent(finding: Finding): readonly FieldLine[] {
  return "fields" in finding ? finding.fields : [];
}

/** A part of ten bytes: from `first` to `last`. */
function part(first: number, last: number, ...lines: string[]): StoredResponse {
  return {
    ...stored("Cache-Control: max-age=60", ...lines),
    status: 206,
    range: { first, last, whole: 10 },
    length: last - first + 1,
  };
}

Deno.test("requests that no stored response answers go by the store (RFC 9111 §4)", () => {
  const variants = [stored("Cache-Control: max-age=60")];
  const asked = (request: CacheRequest) => told(find(variants, request, NOON));
  assertEquals(asked({ ...get(), method: "POST" }), "bypass method: method");
  assertEquals(asked({ ...get(), method: "DELETE", hasBody: true }), "bypass method: method");
  assertEquals(asked({ ...get(), hasBody: true }), "bypass bypass: request body");
  assertEquals(asked(get("Cache-Control: no-store")), "bypass request: request no-store");
  assertEquals(asked(get("If-Match: *")), "bypass request: if-match");
  assertEquals(asked(get(`If-Unmodified-Since: ${at(0)}`)), "bypass request: if-unmodified-since");
});

Deno.test("what is not there is a miss, and what is there for other requests (RFC 9111 §4.1)", () => {
  assertEquals(told(find([], get(), NOON)), "miss uri-miss");
  const one = { ...stored("Cache-Control: max-age=60", "Vary: Foo"), vary: linesOf("foo: 1") };
  assertEquals(told(find([one], get("Foo: 2"), NOON)), "miss vary-miss");
  assertEquals(told(find([one], get("Foo: 1"), NOON)), "hit");
});

Deno.test("a response is used until its age is its lifetime (RFC 9111 §4.2)", () => {
  const lines = ["Cache-Control: max-age=60", "Age: 10"];
  assertEquals(found(0, lines), "hit");
  assertEquals(found(49.9, lines), "hit");
  assertEquals(found(50, lines), "validate stale");
  const finding = only(find([stored(...lines)], get(), after(20)), "hit");
  assertEquals([finding.age, finding.ttl], [30, 30]);
  assertEquals(found(0, ["Cache-Control: max-age=60", "Age: 0", "Age: 0"]), "validate stale");
});

Deno.test("HEAD is answered from what was stored for GET (RFC 9110 §9.3.2)", () => {
  const head = { ...get(), method: "HEAD" };
  assertEquals(told(find([stored("Cache-Control: max-age=60")], head, NOON)), "hit");
  assertEquals(told(find([part(0, 9, TAG)], head, NOON)), "miss partial");
});

Deno.test("no-cache in a response asks the origin each time, for its fields alone it does not (RFC 9111 §5.2.2.4)", () => {
  assertEquals(found(0, ["Cache-Control: max-age=60, no-cache", TAG]), "validate stale");
  assertEquals(found(0, ['Cache-Control: max-age=60, no-cache="a"', TAG]), "hit");
});

Deno.test("no-cache in a request, or Pragma without Cache-Control, asks the origin (RFC 9111 §5.2.1.4, §5.4)", () => {
  const lines = ["Cache-Control: max-age=60", TAG];
  assertEquals(found(0, lines, "Cache-Control: no-cache"), "validate request");
  assertEquals(found(0, lines, "Pragma: no-cache"), "validate request");
  assertEquals(found(0, lines, "Pragma: no-cache", "Cache-Control: nothing-to-see-here"), "hit");
  assertEquals(found(60, lines, "Cache-Control: no-cache"), "validate stale");
});

Deno.test("max-age in a request wants no older response (RFC 9111 §5.2.1.1)", () => {
  const lines = ["Cache-Control: max-age=3600", "Age: 1800"];
  assertEquals(found(0, lines, "Cache-Control: max-age=600"), "validate request");
  assertEquals(found(0, lines, "Cache-Control: max-age=1801"), "hit");
  assertEquals(found(0, ["Cache-Control: max-age=3600"], "Cache-Control: max-age=0"), "validate request");
});

Deno.test("min-fresh wants one that is fresh for as long (RFC 9111 §5.2.1.3)", () => {
  const lines = ["Cache-Control: max-age=1500", "Age: 1000"];
  assertEquals(found(0, lines, "Cache-Control: min-fresh=1000"), "validate request");
  assertEquals(found(0, lines, "Cache-Control: min-fresh=499"), "hit");
  assertEquals(found(0, lines, "Cache-Control: min-fresh=500"), "validate request");
});

Deno.test("max-stale takes a stale response that nothing forbids (RFC 9111 §5.2.1.2, §4.2.4)", () => {
  const lines = ["Cache-Control: max-age=1500", "Age: 2000"];
  assertEquals(found(0, lines, "Cache-Control: max-stale=1000"), "hit, stale");
  assertEquals(found(0, lines, "Cache-Control: max-stale=500"), "validate stale");
  assertEquals(found(0, lines, "Cache-Control: max-stale"), "hit, stale");
  assertEquals(found(0, lines, "Cache-Control: max-stale, max-age=2000"), "validate stale");
  assertEquals(found(0, lines, "Cache-Control: max-stale, min-fresh=1"), "validate stale");
  assertEquals(found(0, lines, "Cache-Control: max-stale, no-cache"), "validate stale");
  for (const forbids of ["must-revalidate", "proxy-revalidate", "no-cache", "s-maxage=1500"]) {
    assertEquals(
      found(0, [...lines, `Cache-Control: ${forbids}`], "Cache-Control: max-stale"),
      "validate stale",
      forbids,
    );
  }
});

Deno.test("stale-while-revalidate answers at once and asks behind the client's back (RFC 5861 §3)", () => {
  const lines = ["Cache-Control: max-age=10, stale-while-revalidate=20", TAG];
  assertEquals(found(9, lines), "hit");
  assertEquals(found(10, lines), "stale");
  assertEquals(found(29, lines), "stale");
  assertEquals(found(30, lines), "validate stale");
  assertEquals(found(10, lines, "Cache-Control: no-cache"), "validate stale");
  assertEquals(found(10, lines, "Cache-Control: max-age=5"), "validate stale");
  assertEquals(found(10, [...lines, "Cache-Control: must-revalidate"]), "validate stale");
  assertEquals(found(10, [...lines, "Cache-Control: s-maxage=10"]), "validate stale");
  assertEquals(fieldsSent(find([stored(...lines)], get(), after(10))), [["If-None-Match", '"abc"']]);
});

Deno.test("stale-if-error hides errors as long as it says (RFC 5861 §4)", () => {
  const lines = ["Cache-Control: max-age=2, stale-if-error=60"];
  assertEquals(inNeed(2, lines), "error");
  assertEquals(inNeed(61, lines), "error");
  assertEquals(inNeed(62, lines), "never", "what the origin allowed is over");
  assertEquals(inNeed(5, lines, "Cache-Control: no-cache"), "never");
  const asked = "Cache-Control: max-age=0, stale-if-error=10";
  assertEquals(inNeed(5, ["Cache-Control: max-age=2"], asked), "error");
  assertEquals(inNeed(12, ["Cache-Control: max-age=2"], asked), "never");
  assertEquals(inNeed(5, ["Cache-Control: max-age=2, stale-if-error=3"], asked), "never");
  assertEquals(inNeed(0, ["Cache-Control: max-age=60"], asked), "error", "a fresh one all the more");
});

Deno.test("an origin that is gone is replaced by what is stale for a day at most, if nothing forbids it (RFC 9111 §4.2.4)", () => {
  const lines = ["Cache-Control: max-age=2"];
  assertEquals(inNeed(5, lines), "disconnected");
  assertEquals(inNeed(86_401, lines), "disconnected");
  assertEquals(inNeed(86_402, lines), "never");
  assertEquals(inNeed(5, [...lines, "Age: x"]), "never", "nobody knows how old it is");
  assertEquals(inNeed(5, lines, "Cache-Control: no-cache"), "never");
  assertEquals(inNeed(5, lines, "Cache-Control: max-age=1"), "never");
  assertEquals(inNeed(5, lines, "Cache-Control: max-stale=1"), "never");
  for (const forbids of ["must-revalidate", "proxy-revalidate", "no-cache", "s-maxage=2"]) {
    assertEquals(inNeed(5, [...lines, `Cache-Control: ${forbids}, stale-if-error=60`]), "never", forbids);
  }
});

Deno.test("a reload of what is immutable is answered while it is fresh (RFC 8246 §2)", () => {
  const lines = ["Cache-Control: max-age=60, immutable", TAG];
  assertEquals(found(5, lines, "Cache-Control: max-age=0"), "hit");
  assertEquals(found(5, lines, "Cache-Control: max-age=3"), "validate request");
  assertEquals(found(5, lines, "Cache-Control: no-cache"), "validate request");
  assertEquals(found(5, lines, "Cache-Control: max-age=0, min-fresh=60"), "validate request");
  assertEquals(found(60, lines, "Cache-Control: max-age=0"), "validate stale");
  assertEquals(found(60, lines), "validate stale");
  const willing = ["Cache-Control: max-age=60, immutable, stale-while-revalidate=60", TAG];
  assertEquals(found(60, willing, "Cache-Control: max-age=0"), "validate stale");
});

Deno.test("only-if-cached never asks the origin (RFC 9111 §5.2.1.7)", () => {
  const lines = ["Cache-Control: max-age=60, stale-while-revalidate=60", TAG];
  assertEquals(found(5, lines, "Cache-Control: only-if-cached"), "hit");
  assertEquals(found(60, lines, "Cache-Control: only-if-cached"), "stale");
  assertEquals(found(120, lines, "Cache-Control: only-if-cached, max-stale"), "hit, stale");
  assertEquals(found(120, lines, "Cache-Control: only-if-cached"), "unsatisfiable");
  assertEquals(found(5, lines, "Cache-Control: only-if-cached, no-cache"), "unsatisfiable");
  assertEquals(found(5, lines, "Cache-Control: only-if-cached, no-store"), "unsatisfiable");
  assertEquals(told(find([], get("Cache-Control: only-if-cached"), NOON)), "unsatisfiable");
  assertEquals(
    told(find([], { ...get("Cache-Control: only-if-cached"), method: "POST" }, NOON)),
    "unsatisfiable",
  );
});

Deno.test("the origin is asked with the validators of what is stored (RFC 9111 §4.3.1)", () => {
  const sent = (...lines: string[]) =>
    fieldsSent(find([stored("Cache-Control: max-age=0", ...lines)], get(), NOON));
  assertEquals(sent(TAG), [["If-None-Match", '"abc"']]);
  assertEquals(sent('ETag: W/"abc"'), [["If-None-Match", 'W/"abc"']]);
  assertEquals(sent(MODIFIED), [["If-Modified-Since", at(-10_000)]]);
  assertEquals(sent(TAG, MODIFIED), [["If-None-Match", '"abc"'], ["If-Modified-Since", at(-10_000)]]);
  assertEquals(sent(), []);
  assertEquals(sent("ETag: abc", "Last-Modified: yesterday"), []);
});

Deno.test("only what was a 200 is validated: a 304 says nothing of other statuses (RFC 9110 §13.2.1)", () => {
  const gone = { ...stored("Cache-Control: max-age=0", TAG, MODIFIED), status: 404 };
  const finding = find([gone], get(), NOON);
  assertEquals([told(finding), fieldsSent(finding)], ["validate stale", []]);
});

Deno.test("the tags of all variants are sent at once, and then no date (RFC 9111 §4.3.1)", () => {
  const variant = (foo: string, ...lines: string[]): StoredResponse => ({
    ...stored("Cache-Control: max-age=0", "Vary: Foo", ...lines),
    vary: linesOf(`foo: ${foo}`),
  });
  const variants = [
    variant("1", 'ETag: "one"'),
    variant("2", 'ETag: "two"', MODIFIED),
    variant("3", 'ETag: W/"three"'),
    variant("4", MODIFIED),
    variant("5", 'ETag: "two"'),
    { ...variant("6", 'ETag: "six"'), status: 404 },
    { ...part(0, 4, 'ETag: "seven"'), vary: linesOf("foo: 7") },
  ];
  const tags = 'W/"three"';
  assertEquals(fieldsSent(find(variants, get("Foo: 2"), NOON)), [
    ["If-None-Match", `"two", "one", ${tags}`],
  ]);
  assertEquals(fieldsSent(find(variants, get("Foo: 4"), NOON)), [["If-Modified-Since", at(-10_000)]]);
  const missing = find(variants, get("Foo: 9"), NOON);
  assertEquals(told(missing), "miss vary-miss");
  assertEquals(fieldsSent(missing), [["If-None-Match", `"one", "two", ${tags}`]]);
  for (const own of ['If-None-Match: "x"', `If-Modified-Since: ${at(0)}`, "Range: bytes=0-1"]) {
    assertEquals(fieldsSent(find(variants, get("Foo: 9", own), NOON)), [], own);
  }
  const many = Array.from({ length: 100 }, (_, n) => variant(String(n), `ETag: "${n}"`));
  assertEquals(fieldsSent(find(many, get("Foo: 50"), NOON))[0][1].split(", ").length, 16);
  assertEquals(fieldsSent(find(many, get("Foo: 50"), NOON))[0][1].startsWith('"50", "0"'), true);
});

Deno.test("of several that match the one with the latest Date is used, and of these the last that came (RFC 9111 §4)", () => {
  const made = (seconds: number, mark: string) =>
    stored("Cache-Control: max-age=600", `Date: ${at(seconds)}`, `Mark: ${mark}`);
  const marked = (variants: StoredResponse[]) => {
    return only(find(variants, get(), NOON), "hit").stored.fields.at(-1)![1];
  };
  assertEquals(marked([made(-30, "a"), made(-10, "b"), made(-20, "c")]), "b");
  assertEquals(marked([made(-10, "a"), { ...made(-10, "b"), responseTime: after(1) }, made(-20, "c")]), "b");
  assertEquals(marked([{ ...made(-10, "b"), responseTime: after(1) }, made(-10, "a")]), "b");
  assertEquals(
    marked([made(-10, "a"), stored("Cache-Control: max-age=600", "Date: x", "Mark: b")]),
    "b",
    "made when it came",
  );
});

Deno.test("a stored part answers requests for what it holds (RFC 9111 §3.4)", () => {
  const asked = (range: string, ...lines: string[]) =>
    told(find([part(4, 9, TAG)], get(`Range: ${range}`, ...lines), NOON));
  for (const range of ["bytes=4-9", "bytes=6-8", "bytes=6-", "bytes=-5", "bytes=-1", "bytes=5-100"]) {
    assertEquals(asked(range), "hit", range);
  }
  for (const range of ["bytes=3-5", "bytes=-7", "bytes=0-", "bytes=10-", "bytes=5-6,8-9", "items=5-6", "x"]) {
    assertEquals(asked(range), "miss partial", range);
  }
  assertEquals(asked("bytes=6-8", 'If-Range: "abc"'), "hit");
  assertEquals(asked("bytes=6-8", 'If-Range: "other"'), "miss partial");
  assertEquals(asked("bytes=6-8", `If-Range: ${at(0)}`), "miss partial");
  assertEquals(told(find([part(4, 9, TAG)], get(), NOON)), "miss partial");
});

Deno.test("a complete response answers whatever part is asked for, and comes before parts that do not (RFC 9111 §3.4)", () => {
  const whole = stored("Cache-Control: max-age=60", `Date: ${at(-5)}`, TAG);
  const range = get("Range: bytes=0-1");
  assertEquals(told(find([whole], range, NOON)), "hit");
  assertEquals(only(find([part(4, 9, TAG), whole], range, NOON), "hit").stored, whole);
});

Deno.test("of a stale part only its own tag is asked for: another one would not hold what is wanted", () => {
  const old = { ...part(4, 9, TAG), responseTime: after(-600), requestTime: after(-600) };
  const other = { ...stored('ETag: "other"'), vary: linesOf("foo: 1") };
  const finding = find([other, old], get("Range: bytes=4-5"), NOON);
  assertEquals([told(finding), fieldsSent(finding)], ["validate stale", [["If-None-Match", '"abc"']]]);
});
