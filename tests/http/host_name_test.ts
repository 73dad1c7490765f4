import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { HttpError } from "../../src/http/error.ts";
import { canonicalName, shown } from "../../src/http/host_name.ts";

Deno.test("a name is lower case, of A-labels, and without its final dot", () => {
  const canonical: Record<string, string> = {
    "example.com": "example.com",
    "EXAMPLE.Com": "example.com",
    "example.com.": "example.com",
    "a": "a",
    "_dmarc.example_x.com": "_dmarc.example_x.com",
    "r3---sn-x.example": "r3---sn-x.example",
    "-a-.example": "-a-.example",
    "XN--Bcher-KVA.example": "xn--bcher-kva.example",
    "bücher.example": "xn--bcher-kva.example",
    "BÜCHER.example": "xn--bcher-kva.example",
    "bu\u0308cher.example": "xn--bcher-kva.example",
    "straße.example": "xn--strae-oqa.example",
    "例え.テスト": "xn--r8jz45g.xn--zckzah",
    "example。com": "example.com",
    "www．bücher｡example。": "www.xn--bcher-kva.example",
    "ｅｘａｍｐｌｅ.com": "example.com",
    "Kelvin.example": "kelvin.example",
    "soft\u00adhyphen.example": "softhyphen.example",
  };
  for (const [name, expected] of Object.entries(canonical)) {
    assertEquals(canonicalName(name), expected, name);
    assertEquals(canonicalName(expected), expected, `${expected} once more`);
  }
});

Deno.test("labels of up to 63 and names of up to 253 characters are taken, no longer ones", () => {
  const label = "a".repeat(63);
  const longest = `${label}.${label}.${label}.${"b".repeat(61)}`;
  assertEquals(longest.length, 253);
  assertEquals(canonicalName(longest), longest);
  assertEquals(canonicalName(`${longest}.`), longest);
  assertThrows(() => canonicalName(`${longest}b`), HttpError, "longer than 253");
  assertThrows(() => canonicalName(`${label}a.example`), HttpError, "more than 63");
  assertThrows(() => canonicalName(`example.${label}a`), HttpError, "more than 63");
  // The limits are those of the ASCII form.
  assertThrows(() => canonicalName("ü".repeat(63)), HttpError);
  assertThrows(() => canonicalName("ü".repeat(254)), HttpError, "longer than 253");
});

Deno.test("every ASCII character but letters, digits, hyphen, underscore and dot is refused", () => {
  for (let code = 0; code < 128; code++) {
    const character = String.fromCharCode(code);
    if (/[A-Za-z0-9._-]/.test(character)) continue;
    for (
      const name of [`a${character}b.example`, `${character}a`, `a${character}`, `ü${character}`, character]
    ) {
      assertThrows(() => canonicalName(name), HttpError, undefined, JSON.stringify(name));
    }
  }
});

Deno.test("characters that turn into forbidden ones, or into nothing, are refused", () => {
  for (
    const name of [
      "％41.example", // a full-width percent sign
      "user＠example.com",
      "example.com／path",
      "example.com＼path",
      "example.com？q",
      "example.com＃f",
      "example.com：80",
      "［::1］",
      "℀.example", // becomes a/c
      "a！b.example", // the URL Standard lets these pass
      "a＊b.example",
      "a，b.example",
      "a＇b.example",
      "a\u3000b.example", // an ideographic space
      "\u00ad",
      "\u200b",
      "a\u200db.example",
      "a\u202eb.example",
      "\ud800.example",
      "xn--a.ü",
      "ü..example",
      "。ü",
      "ü。。",
      "ü\u0000",
      "ü%00",
      "ü@example",
    ]
  ) assertThrows(() => canonicalName(name), HttpError, undefined, JSON.stringify(name));
});

Deno.test("an empty name, an empty label and a second final dot are refused", () => {
  for (const name of ["", ".", "..", ".example", "a..b", "example..", "。"]) {
    assertThrows(() => canonicalName(name), HttpError, undefined, name);
  }
});

Deno.test("what is taken is canonical already when it is read again; else the error is an HttpError of status 400", () => {
  const name = fc.oneof(
    fc.string({ unit: "binary", maxLength: 40 }),
    fc.string({ unit: fc.constantFrom(..."aZ0-_.。ü％＠１\u00ad\u200d\u0308ß例%@\0 "), maxLength: 20 }),
    fc.domain(),
  );
  fc.assert(
    fc.property(name, (name) => {
      let canonical: string;
      try {
        canonical = canonicalName(name);
      } catch (error) {
        if (!(error instanceof HttpError)) throw error;
        assertEquals(error.status, 400);
        assert(/^[\x20-\x7e…]+$/.test(error.message), `printable: ${JSON.stringify(error.message)}`);
        return;
      }
      assert(/^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/.test(canonical), canonical);
      assertEquals(canonicalName(canonical), canonical);
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("what a message shows of a text is printable, and short", () => {
  assertEquals(shown("a b"), '"a b"');
  assertEquals(shown("a\0\n\x7fé。😀"), '"a<U+0000><U+000A><U+007F><U+00E9><U+3002><U+1F600>"');
  assertEquals(shown("x".repeat(81)), `"${"x".repeat(80)}…"`);
  assert(shown("\0".repeat(1_000_000)).length < 100);
});
