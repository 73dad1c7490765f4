import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  hasStrongDate,
  isNotModified,
  matchesWeakly,
  strongTagOf,
  tagsIn,
} from "../../src/cache/conditional.ts";
import { at, get, stored } from "./making.ts";

Deno.test("tags are compared weakly (RFC 9110 §8.8.3.2)", () => {
  const cases: [one: string, other: string, same: boolean][] = [
    ['W/"1"', 'W/"1"', true],
    ['W/"1"', 'W/"2"', false],
    ['W/"1"', '"1"', true],
    ['"1"', '"1"', true],
    ['"1"', "1", false],
    ["1", "1", true],
    ['w/"1"', '"1"', false],
    ['w/"1"', 'w/"1"', true],
    ['W/"1', '"1', false],
    ['W/W/"1"', 'W/"1"', false],
    ["", "", false],
  ];
  for (const [one, other, same] of cases) {
    assertEquals(matchesWeakly(one, other), same, `${one} ${other}`);
    assertEquals(matchesWeakly(other, one), same, `${other} ${one}`);
  }
});

Deno.test("a strong tag is an entity tag that is not weak (RFC 9110 §8.8.1)", () => {
  assertEquals(strongTagOf('"a"'), '"a"');
  for (const tag of ['W/"a"', "a", "", '"a", "b"', 'w/"a"', '"a']) assertEquals(strongTagOf(tag), null, tag);
});

Deno.test("a list of tags is split at commas that are not within quotes", () => {
  assertEquals(tagsIn('"a",W/"b,c" , , d,'), ['"a"', 'W/"b,c"', "d"]);
  assertEquals(tagsIn('"a, "b"'), ['"a, "b"']);
  assertEquals(tagsIn(""), []);
});

Deno.test("If-None-Match with the stored tag among others means not modified (RFC 9110 §13.1.2)", () => {
  const cases: [etag: string, asked: string, unmodified: boolean][] = [
    ['"abcdef"', '"abcdef"', true],
    ['"abcdef"', '"abcdef", "1234", "5678"', true],
    ['"abcdef"', '"1234", "abcdef", "5678"', true],
    ['"abcdef"', '"1234","5678","abcdef"', true],
    ['"abcdef"', 'W/"abcdef"', true],
    ['W/"abcdef"', 'W/"abcdef"', true],
    ['W/"abcdef"', '"abcdef"', true],
    ['"abcdef\u00c3\u00bc"', '"abcdef\u00c3\u00bc"', true],
    ['"a,b"', '"x", "a,b"', true],
    ["", "*", true],
    ['"abcdef"', "*", true],
    ['"abcdef"', '"ABCDEF"', false],
    ['"abcdef"', '"abcde"', false],
    ['"a,b"', '"a", "b"', false],
    ['"a", "b"', '"a", "b"', false],
    ["", '"abcdef"', false],
    ['"abcdef"', '*, "x"', false],
    // what is no tag is the same as itself alone: only from this origin can a client have it
    ["abcdef", "abcdef", true],
    ['w/"abcdef"', 'w/"abcdef"', true],
    ['W\\"abcdef"', 'W\\"abcdef"', true],
    ['"abcdef"', "abcdef", false],
    ["abcdef", '"abcdef"', false],
  ];
  for (const [etag, asked, unmodified] of cases) {
    const kept = etag === "" ? stored() : stored(`ETag: ${etag}`);
    assertEquals(isNotModified(kept, get(`If-None-Match: ${asked}`).fields), unmodified, `${etag} ${asked}`);
  }
  assertEquals(
    isNotModified(stored('ETag: "a"'), get('If-None-Match: "b"', 'If-None-Match: "a"').fields),
    true,
  );
});

Deno.test("If-Modified-Since counts without If-None-Match alone (RFC 9110 §13.1.3)", () => {
  const kept = stored('ETag: "a"', "Last-Modified: " + at(-5000), "Date: " + at(0));
  const since = "If-Modified-Since: ";
  assertEquals(isNotModified(kept, get(since + at(-1)).fields), true);
  assertEquals(isNotModified(kept, get(since + at(-1), 'If-None-Match: "b"').fields), false);
  assertEquals(isNotModified(kept, get(since + at(-9000), 'If-None-Match: "a"').fields), true);
});

Deno.test("If-Modified-Since is compared with Last-Modified, else with Date, else with the time of arrival (RFC 9111 §4.3.2)", () => {
  const modified = "Last-Modified: " + at(-3000);
  const date = "Date: " + at(-10);
  const cases: [lines: string[], since: string, unmodified: boolean][] = [
    [[modified, date], at(-3000), true],
    [[modified, date], at(-2000), true],
    [[modified, date], at(-3001), false],
    [[modified, date], "Friday, 15-Mar-24 11:10:00 GMT", true],
    [[modified, date], "Fri Mar 15 11:10:00 2024", true],
    [[date], at(-10), true],
    [[date], at(-11), false],
    [[], at(0), true],
    [[], at(-1), false],
    [["Date: nonsense"], at(-1), false],
    // a modification of which the date cannot be read may have been at any time
    [["Last-Modified: nonsense", date], at(0), false],
    [[modified, modified, date], at(0), false],
    // and a condition that cannot be read is none
    [[modified, date], "nonsense", false],
    [[modified, date], `${at(0)}, ${at(0)}`, false],
  ];
  for (const [lines, since, unmodified] of cases) {
    assertEquals(
      isNotModified(stored(...lines), get("If-Modified-Since: " + since).fields),
      unmodified,
      `${lines} | ${since}`,
    );
  }
});

Deno.test("a date is strong when the response was made a second after it at the earliest (RFC 9110 §8.8.2.2)", () => {
  assertEquals(hasStrongDate(stored("Last-Modified: " + at(-1), "Date: " + at(0))), true);
  assertEquals(hasStrongDate(stored("Last-Modified: " + at(0), "Date: " + at(0))), false);
  assertEquals(hasStrongDate(stored("Last-Modified: " + at(1), "Date: " + at(0))), false);
  assertEquals(hasStrongDate(stored("Last-Modified: " + at(-1))), false);
  assertEquals(hasStrongDate(stored("Date: " + at(0))), false);
});

Deno.test("a client that names another validator than the stored one is never told that it has it", () => {
  const opaque = fc.string({
    unit: fc.constantFrom("a", "b", ",", " ", "*", "W", "/", "\\", "\u00e4"),
    maxLength: 5,
  });
  const tag = fc.tuple(fc.constantFrom("", "W/"), opaque).map(([weak, text]) => `${weak}"${text}"`);
  fc.assert(fc.property(tag, fc.array(tag, { minLength: 1, maxLength: 5 }), (etag, asked) => {
    fc.pre(!asked.some((other) => other.replace(/^W\//, "") === etag.replace(/^W\//, "")));
    const kept = stored(`ETag: ${etag}`, "Last-Modified: " + at(-60));
    const request = get(`If-None-Match: ${asked.join(", ")}`, "If-Modified-Since: " + at(0));
    assertEquals(isNotModified(kept, request.fields), false);
  }));
  fc.assert(
    fc.property(
      fc.integer({ min: -9999, max: 9999 }),
      fc.integer({ min: -9999, max: 9999 }),
      (changed, since) => {
        const kept = stored(`Last-Modified: ${at(changed)}`);
        assertEquals(isNotModified(kept, get(`If-Modified-Since: ${at(since)}`).fields), changed <= since);
      },
    ),
  );
});
