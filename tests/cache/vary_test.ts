import { assertEquals } from "@std/assert";
import type { CacheRequest, StoredResponse } from "../../src/cache/stored_response.ts";
import { matches, normalise, varyOf } from "../../src/cache/vary.ts";
import { get, linesOf, response, stored } from "./making.ts";

/** A response to a request with these lines that varies by them. */
function variant(vary: string, request: CacheRequest, ...lines: string[]): StoredResponse {
  const selected = varyOf(request, response(200, `Vary: ${vary}`));
  if (selected === null) throw new Error(`${vary} is not to be stored`);
  return { ...stored(`Vary: ${vary}`, ...lines), vary: selected };
}

/** Whether what was stored for one value of a field answers a request with another one. */
function same(name: string, value: string, asked: string): boolean {
  return matches(variant(name, get(`${name}: ${value}`)), get(`${name}: ${asked}`));
}

Deno.test("what a request says in the fields of Vary is kept in their order, each once (RFC 9111 §4.1)", () => {
  const request = get("Foo: 1", "Bar: abc", "foo: 2", "Other: 3");
  assertEquals(varyOf(request, response(200)), []);
  assertEquals(varyOf(request, response(200, "Vary: ")), []);
  assertEquals(varyOf(request, response(200, "Vary: bar, FOO ,, Baz,foo")), [
    ["bar", "abc"],
    ["foo", "1, 2"],
    ["baz", ""],
  ]);
  assertEquals(varyOf(request, response(200, "Vary: Foo", "Vary: Bar")), [["foo", "1, 2"], ["bar", "abc"]]);
});

Deno.test("an asterisk anywhere in Vary matches no request (RFC 9111 §4.1)", () => {
  for (const vary of ["*", "*, *", ", *", "*, Foo", "Foo, *", "Foo,*,"]) {
    assertEquals(varyOf(get("Foo: 1"), response(200, `Vary: ${vary}`)), null, vary);
  }
  assertEquals(varyOf(get("Foo: 1"), response(200, "Vary: Foo", "Vary: *")), null);
  assertEquals(varyOf(get("Foo: 1"), response(200, "Vary:", "Vary: *")), null);
});

Deno.test("a Vary that is no list of names, or is longer than the bounds, matches no request", () => {
  for (const vary of ["Foo Bar", "Foo;q=1", '"Foo"', "F\u00e4", "Foo\u00a0", "a/b"]) {
    assertEquals(varyOf(get(), response(200, `Vary: ${vary}`)), null, vary);
  }
  const names = (count: number) => Array.from({ length: count }, (_, n) => `f${n}`).join();
  assertEquals(varyOf(get(), response(200, `Vary: ${names(32)}`))?.length, 32);
  assertEquals(varyOf(get(), response(200, `Vary: ${names(33)}`)), null);
  assertEquals(varyOf(get(`Foo: ${"x".repeat(4093)}`), response(200, "Vary: foo"))?.length, 1);
  assertEquals(varyOf(get(`Foo: ${"x".repeat(4094)}`), response(200, "Vary: foo")), null);
});

Deno.test("what depends on a credential that was sent is of use to nobody else, and is not kept", () => {
  for (const name of ["Cookie", "authorization", "Proxy-Authorization"]) {
    assertEquals(varyOf(get(`${name}: a=b`), response(200, `Vary: ${name}`)), null, name);
    assertEquals(varyOf(get(), response(200, `Vary: ${name}`)), [[name.toLowerCase(), ""]]);
  }
});

Deno.test("a stored response answers requests that say the same in all fields of its Vary (RFC 9111 §4.1)", () => {
  const two = variant("Foo, Bar", get("Foo: 1", "Bar: abc", "Other: 2"));
  assertEquals(matches(two, get("bar: abc", "Foo: 1", "Other: 3")), true);
  assertEquals(matches(two, get("Foo: 2", "Bar: abc")), false);
  assertEquals(matches(two, get("Foo: 1", "Bar: abcd")), false);
  assertEquals(
    matches(two, get("Foo: 1", "Bar: ABC")),
    false,
    "of a field that weir does not know case counts",
  );
  assertEquals(matches(two, get("Foo: 1")), false);
  assertEquals(matches(two, get()), false);
  assertEquals(matches(stored(), get("Foo: 1")), true);
});

Deno.test("a field that was absent is matched by its absence alone (RFC 9111 §4.1)", () => {
  const absent = variant("Foo, Bar", get("Foo: 1"));
  assertEquals(matches(absent, get("Foo: 1")), true);
  assertEquals(matches(absent, get("Foo: 1", "Bar: x")), false);
  assertEquals(matches(absent, get("Foo: 1", "Bar: ,")), false);
  assertEquals(same("Accept-Encoding", "gzip;q=1", ""), false);
});

Deno.test("lines that are combined and white space around commas mean nothing (RFC 9111 §4.1)", () => {
  assertEquals(matches(variant("Foo", get("Foo: 1, 2")), get("Foo: 1", "Foo: 2")), true);
  assertEquals(same("Foo", "1,2", " 1, 2 "), true);
  assertEquals(same("Foo", "1,2", "1\t ,\t2"), true);
  assertEquals(same("Foo", "1,2", "2,1"), false);
  assertEquals(same("Foo", "1 2", "1  2"), false);
  assertEquals(same("Foo", "1,2", "1,,2"), false);
  assertEquals(same("Foo", "1,2", "12"), false);
});

Deno.test("white space in quoted strings counts (RFC 9110 §5.6.4)", () => {
  assertEquals(same("Foo", '"1, 2"', '"1,2"'), false);
  assertEquals(same("Foo", '"\\", 1"', '"\\",1"'), false);
  assertEquals(same("Foo", '"1",2', '"1", 2'), true);
  assertEquals(same("Foo", '"1, 2', '"1,2'), false);
});

Deno.test("languages and codings are in any order, case and spacing, and their weights in any form (RFC 9110 §12.5)", () => {
  assertEquals(same("Accept-Language", "en, de", "de, en"), true);
  assertEquals(same("Accept-Language", "en, de", "eN, De"), true);
  assertEquals(same("Accept-Language", "en, de", " en ,   de"), true);
  assertEquals(same("Accept-Language", "en;q=0.5, de", "DE;q=1.000, en ; Q=0.50"), true);
  assertEquals(same("Accept-Language", "en;q=0.5", "en;q=0.51"), false);
  assertEquals(same("Accept-Language", "en", "en, de"), false);
  assertEquals(same("Accept-Language", "en", "en-GB"), false);
  assertEquals(same("Accept-Encoding", "gzip, deflate, br", "br,gzip,deflate"), true);
  assertEquals(same("Accept-Encoding", "gzip", "gzip;q=0"), false);
  assertEquals(same("Accept-Encoding", "gzip", "x-gzip"), false);
  assertEquals(same("Accept-Charset", "UTF-8", "utf-8"), true);
});

Deno.test("weights are read as they are defined and no other way (RFC 9110 §12.4.2)", () => {
  const whole = ["q=1", "q=1.", "q=1.0", "q=1.000"];
  for (const weight of whole) assertEquals(normalise("accept-language", `en;${weight}`), "en", weight);
  assertEquals(normalise("accept-language", "en;q=0.12"), normalise("accept-language", "en;q=0.120"));
  assertEquals(normalise("accept-language", "en;q=0"), normalise("accept-language", "en;q=0.000"));
  const malformed = ["q=", "q", "1", "q=2", "q=1.1", "q=1.001", "q=0.1234", "q=00", "q=.5", "q=0,5", "q=0.x"];
  for (const weight of malformed) assertEquals(same("Accept-Language", "en", `en;${weight}`), false, weight);
  for (const weight of ["p=0.5", "q=0/5", "q=0.5x", "q=.5", "q=5", "q=0.50000", "q=0.5;x"]) {
    assertEquals(same("Accept-Language", "en;q=0.5", `en;${weight}`), false, weight);
  }
  assertEquals(same("Accept-Language", "en;q=0", "en;q="), false);
});

Deno.test("values with other characters than those of ASCII mean what they are, byte for byte", () => {
  assertEquals(same("Accept-Language", "\u00c4", "\u00e4"), false);
  assertEquals(same("Foo", "a\u00a0,b", "a,b"), false);
  assertEquals(same("Foo", "\u00e4, b", "\u00e4, b"), true);
});

Deno.test("a response in one language answers who wants that one most of all (RFC 9111 §4.1, RFC 9110 §12.5.4)", () => {
  const german = variant("Accept-Language", get("Accept-Language: en, de"), "Content-Language: de");
  const answers = (asked: string) => matches(german, get(`Accept-Language: ${asked}`));
  assertEquals(answers("fr;q=0.5, de;q=1.0"), true);
  assertEquals(answers("DE, en;q=0.9"), true);
  assertEquals(answers("de;q=0.2, en;q=0.1"), true);
  assertEquals(answers("fr, de"), false, "as much as another one");
  assertEquals(answers("fr, de;q=0.5"), false);
  assertEquals(answers("de-AT"), false);
  assertEquals(answers("*"), false);
  assertEquals(answers("de;q=0"), false);
  assertEquals(answers("de;q=x"), false);
  assertEquals(answers(""), false);
  const both = variant("Accept-Language", get("Accept-Language: en, de"), "Content-Language: de, en");
  assertEquals(matches(both, get("Accept-Language: de")), false);
  const other = variant("Foo", get("Foo: en"), "Content-Language: de");
  assertEquals(matches(other, get("Foo: de")), false);
  const none = variant("Accept-Language", get(), "Content-Language: de");
  assertEquals(matches(none, get("Accept-Language: de")), false, "the absent is matched by the absent alone");
});

Deno.test("the names that were kept decide, whatever the Vary says by now", () => {
  const kept = { ...stored("Vary: bar"), vary: linesOf("foo: 1") };
  assertEquals(matches(kept, get("Foo: 1")), true);
  assertEquals(matches(kept, get("Foo: 2")), false);
});
