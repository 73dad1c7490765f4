import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { fieldOf } from "../../src/cache/field_lines.ts";
import { freshen, selectedBy, updateByHead } from "../../src/cache/freshen.ts";
import type { StoredResponse } from "../../src/cache/stored_response.ts";
import { after, at, linesOf, stored } from "./making.ts";

/** What is left of a stored response after a 304 ten seconds later, which answered a request with its tag. */
function after304(kept: StoredResponse, ...lines: string[]): StoredResponse | null {
  return freshen(kept, linesOf(...lines), after(9), after(10), fieldOf(kept.fields, "etag"));
}

const DATE = "Date: " + at(10);

Deno.test("a 304 makes a stored response as young as itself (RFC 9111 §4.3.4)", () => {
  const kept = { ...stored('ETag: "a"', "Date: " + at(0), "Age: 30"), status: 203, vary: linesOf("foo: 1") };
  const fresh = after304(kept, 'ETag: "a"', DATE)!;
  assertEquals(fresh, {
    ...kept,
    fields: linesOf('ETag: "a"', DATE),
    requestTime: after(9),
    responseTime: after(10),
  });
  assertEquals(fieldOf(after304(kept, "Age: 3", DATE)!.fields, "age"), "3");
  // a 304 without a date has the one at which it came (RFC 9110 §6.6.1)
  assertEquals(fieldOf(after304(kept)!.fields, "date"), at(10));
  assertEquals(
    kept.fields,
    linesOf('ETag: "a"', "Date: " + at(0), "Age: 30"),
    "what is stored is not changed",
  );
});

Deno.test("the fields of a 304 replace the stored ones by name, and the others stay (RFC 9111 §3.2)", () => {
  const kept = stored('ETag: "a"', "A: 1", "Set-Cookie: a", "B: 1", "set-cookie: b", "Date: " + at(0));
  assertEquals(
    after304(kept, DATE, 'ETag: "a"', "a: 2", "Set-Cookie: c", "C: 3", "Set-Cookie: d")?.fields,
    linesOf("B: 1", DATE, 'ETag: "a"', "a: 2", "Set-Cookie: c", "C: 3", "Set-Cookie: d"),
  );
});

Deno.test("fields that a 304 changes and those that it does not, as the public suite has them (RFC 9111 §3.2)", () => {
  const changed = [
    "Test-Header",
    "X-Test-Header",
    "Content-Foo",
    "X-Content-Foo",
    "Cache-Control",
    "Content-Location",
    "Content-Security-Policy",
    "Content-Type",
    "Clear-Site-Data",
    "Expires",
    "Public-Key-Pins",
    "Set-Cookie",
    "Set-Cookie2",
    "X-Frame-Options",
    "X-XSS-Protection",
    "Last-Modified",
  ];
  const kept = [
    "Content-Encoding",
    "Content-Length",
    "Content-MD5",
    "Content-Range",
    "Content-Digest",
    "Repr-Digest",
    "Digest",
  ];
  for (const name of [...changed, ...kept]) {
    const fresh = after304(stored('ETag: "a"', `${name}: 1`), 'ETag: "a"', DATE, `${name.toLowerCase()}: 2`)!;
    assertEquals(fieldOf(fresh.fields, name.toLowerCase()), changed.includes(name) ? "2" : "1", name);
  }
  for (
    const name of [
      "Connection",
      "Keep-Alive",
      "Proxy-Authenticate",
      "Proxy-Authentication-Info",
      "Proxy-Authorization",
      "Proxy-Connection",
      "TE",
      "Transfer-Encoding",
      "Upgrade",
      ...kept,
    ]
  ) assertEquals(fieldOf(after304(stored('ETag: "a"'), `${name}: 2`)!.fields, name.toLowerCase()), "", name);
});

Deno.test("what the Connection of a 304 names is not stored, unless it has no business there (RFC 9111 §3.1)", () => {
  const fresh = after304(
    stored('ETag: "a"', "A: 1"),
    "Connection: a, Cache-Control",
    "A: 2",
    "Cache-Control: no-store",
  )!;
  assertEquals(fieldOf(fresh.fields, "a"), "1");
  assertEquals(fieldOf(fresh.fields, "cache-control"), "no-store");
});

Deno.test("the bytes keep the tag to which they were given when a 304 names another one", () => {
  const kept = stored('ETag: "abcdef"', "Last-Modified: " + at(-60), "Cache-Control: max-age=2");
  const fresh = after304(
    kept,
    'ETag: "ghijkl"',
    "Last-Modified: " + at(0),
    "Cache-Control: max-age=3",
    DATE,
  )!;
  assertEquals(fieldOf(fresh.fields, "etag"), '"abcdef"');
  assertEquals(fieldOf(fresh.fields, "last-modified"), at(-60));
  assertEquals(fieldOf(fresh.fields, "cache-control"), "max-age=3");
  assertEquals(fresh.responseTime, after(10));
});

Deno.test("a tag is replaced by one that promises no more", () => {
  const cases: [before: string, came: string, then: string][] = [
    ['"a"', '"a"', '"a"'],
    ['"a"', 'W/"a"', 'W/"a"'],
    ['W/"a"', '"a"', 'W/"a"'],
    ['W/"a"', 'W/"a"', 'W/"a"'],
    ["a", "a", "a"],
  ];
  for (const [before, came, then] of cases) {
    assertEquals(fieldOf(after304(stored(`ETag: ${before}`), `ETag: ${came}`)!.fields, "etag"), then, came);
  }
});

Deno.test("a 304 that varies by more than was noted updates nothing, and one that varies by less widens nothing", () => {
  const kept = { ...stored('ETag: "a"', "Vary: Foo, Bar"), vary: linesOf("foo: 1", "bar: 2") };
  for (const vary of ["Foo, Bar", "bar", "FOO", ""]) {
    assertEquals(fieldOf(after304(kept, `Vary: ${vary}`)!.fields, "vary"), "Foo, Bar", vary);
  }
  for (const vary of ["Foo, Baz", "*", "Foo, *", "Foo Bar"]) {
    assertEquals(after304(kept, `Vary: ${vary}`), null, vary);
  }
  assertEquals(after304(stored('ETag: "a"'), "Vary: Accept-Encoding"), null);
});

Deno.test("a head does not grow beyond its bounds by 304s", () => {
  const many = (count: number) => Array.from({ length: count }, (_, index) => `A${index}: 1`);
  assert(after304(stored('ETag: "a"'), DATE, ...many(254)) !== null);
  assertEquals(after304(stored('ETag: "a"'), DATE, ...many(255)), null);
  assert(after304(stored('ETag: "a"'), DATE, "A: " + "a".repeat(65_000)) !== null);
  assertEquals(after304(stored('ETag: "a"'), DATE, "A: " + "a".repeat(65_536)), null);

  let kept: StoredResponse | null = stored('ETag: "a"');
  for (let round = 0; round < 300 && kept !== null; round++) kept = after304(kept, `A${round}: 1`);
  assertEquals(kept, null);
});

const A = stored('ETag: "a"', "Last-Modified: " + at(-60), "Date: " + at(0));
const B = stored('ETag: "b"', "Last-Modified: " + at(-60), "Date: " + at(0));
const WEAK = stored('ETag: W/"w"', "Date: " + at(0));
const DATED = stored("Last-Modified: " + at(-60), "Date: " + at(0));
const JUST = stored("Last-Modified: " + at(0), "Date: " + at(0));
const BARE = stored("Date: " + at(0));

Deno.test("a 304 selects the stored response that its validators name (RFC 9111 §4.3.4)", () => {
  const cases: [why: string, variants: StoredResponse[], asked: string, lines: string[], selected: number][] =
    [
      ["a strong tag names the one with it", [A, B], '"a", "b"', ['ETag: "b"'], 1],
      ["whatever its date", [A, B], '"a", "b"', ['ETag: "b"', "Last-Modified: " + at(-1)], 1],
      ["a strong tag that none has names none", [A, B], '"a", "b"', ['ETag: "c"'], -1],
      ["nor that of the client, which was asked with them", [A], '"a", "c"', ['ETag: "c"'], -1],
      ["a strong tag is no weak one", [WEAK, A], 'W/"w", "a"', ['ETag: "w"'], -1],
      [
        "a weak tag names one that is the same but for that",
        [A, B, WEAK],
        '"a", "b", W/"w"',
        ['ETag: W/"b"'],
        1,
      ],
      ["and a weak one", [A, B, WEAK], '"a", "b", W/"w"', ['ETag: W/"w"'], 2],
      ["no validator, and several that it may be", [A, B], '"a", "b"', [], -1],
      ["or that the client may have asked for", [A], '"a", "c"', [], -1],
      ["a date that several have", [A, B], '"a", "b"', ["Last-Modified: " + at(-60)], -1],
      ["a date that one has", [A, WEAK], '"a", W/"w"', ["Last-Modified: " + at(-60)], 0],
      ["one of which nothing was asked", [A, B], '"b"', [], 1],
      ["not the one of which nothing was asked", [A, B], '"b"', ['ETag: "a"'], 1],
      ["asked by date", [DATED], "", ["Last-Modified: " + at(-60)], 0],
      ["in another format", [DATED], "", ["Last-Modified: Friday, 15-Mar-24 11:59:00 GMT"], 0],
      ["another date than was asked for", [DATED], "", ["Last-Modified: " + at(-61)], -1],
      ["asked by date, no word of it", [DATED], "", [], 0],
      ["asked by date, a strong date and a tag", [DATED], "", ["Last-Modified: " + at(-60), 'ETag: "c"'], 0],
      [
        "asked by date, a weak date and a strong tag",
        [JUST],
        "",
        ["Last-Modified: " + at(0), 'ETag: "c"'],
        -1,
      ],
      [
        "asked by date, a weak date and a weak tag",
        [JUST],
        "",
        ["Last-Modified: " + at(0), 'ETag: W/"c"'],
        0,
      ],
      ["asked by date, a tag alone", [DATED], "", ['ETag: "c"'], -1],
      ["nothing to ask with, nothing said", [BARE], "", [], 0],
      ["nothing to ask with, a tag", [BARE], "", ['ETag: "c"'], -1],
      ["a date that cannot be read", [DATED], "", ["Last-Modified: nonsense"], -1],
      ["nothing stored", [], '"a"', ['ETag: "a"'], -1],
      // where a single tag was asked for, nothing else can be meant: beyond the letter of §4.3.4
      ["one asked for, no validator", [A], '"a"', [], 0],
      ["one asked for, another tag", [A], '"a"', ['ETag: "c"'], 0],
      ["one asked for that two share, another tag", [A, A], '"a"', ['ETag: "c"'], -1],
      ["one asked for that two share, that tag", [A, A], '"a"', ['ETag: "a"'], 0],
      ["one asked for that is not stored", [A], '"c"', ['ETag: "c"'], -1],
      ["one asked for that is not stored, no validator", [A], '"c"', [], -1],
    ];
  for (const [why, variants, asked, lines, selected] of cases) {
    assertEquals(selectedBy(variants, asked, linesOf(...lines)), selected, why);
  }
});

Deno.test("a 304 about another response updates nothing", () => {
  assertEquals(freshen(A, linesOf('ETag: "b"'), after(9), after(10), '"a", "b"'), null);
  assertEquals(freshen(A, linesOf('ETag: "b"'), after(9), after(10)), null);
  assertEquals(freshen(DATED, linesOf("Last-Modified: " + at(0)), after(9), after(10)), null);
});

Deno.test("a HEAD of the same representation updates what is stored (RFC 9111 §4.3.5)", () => {
  const kept = stored(
    'ETag: "a"',
    "Last-Modified: " + at(-60),
    "A: 1",
    "B: 1",
    "Content-Length: 10",
    "Age: 9",
  );
  const cases: [lines: string[], updated: boolean][] = [
    [['ETag: "a"'], true],
    [['ETag: "a"', "Content-Length: 10"], true],
    [["Last-Modified: " + at(-60)], true],
    [['ETag: "a"', "Last-Modified: " + at(-60)], true],
    [['ETag: "a"', "Last-Modified: " + at(-59)], false],
    [['ETag: "b"', "Last-Modified: " + at(-60)], false],
    [['ETag: W/"a"'], false],
    [['ETag: "a"', "Content-Length: 11"], false],
    [['ETag: "a"', "Content-Length: 010"], false],
    [['ETag: "a"', "Content-Encoding: gzip"], false],
    // nothing speaks for the same one
    [["Content-Length: 10"], false],
    [[], false],
  ];
  for (const [lines, updated] of cases) {
    const fresh = updateByHead(kept, 200, linesOf(...lines, "a: 2"), after(9), after(10));
    assertEquals(fresh !== null, updated, lines.join(" | "));
    if (fresh === null) continue;
    assertEquals(["a", "b", "age", "date"].map((name) => fieldOf(fresh.fields, name)), [
      "2",
      "1",
      "",
      at(10),
    ]);
    assertEquals([fresh.length, fresh.requestTime, fresh.responseTime], [10, after(9), after(10)]);
  }
});

Deno.test("without validators on either side the length decides about a HEAD", () => {
  const kept = stored("A: 1");
  assert(updateByHead(kept, 200, linesOf("Content-Length: 10"), after(9), after(10)) !== null);
  assertEquals(updateByHead(kept, 200, linesOf("Content-Length: 9"), after(9), after(10)), null);
  assertEquals(updateByHead(kept, 200, [], after(9), after(10)), null);
  assertEquals(
    updateByHead(kept, 200, linesOf('ETag: "a"', "Content-Length: 10"), after(9), after(10)),
    null,
  );
});

Deno.test("a HEAD of another status, or of a stored one that is no 200, updates nothing", () => {
  const lines = linesOf('ETag: "a"', "Content-Length: 10");
  for (const status of [201, 206, 304, 404, 410, 500]) {
    assertEquals(updateByHead(stored('ETag: "a"'), status, lines, after(9), after(10)), null);
    assertEquals(updateByHead({ ...stored('ETag: "a"'), status }, 200, lines, after(9), after(10)), null);
  }
});

Deno.test("a HEAD says the length of the whole of which a part is stored", () => {
  const part = { ...stored('ETag: "a"'), status: 206, range: { first: 0, last: 9, whole: 20 } };
  const lines = (length: number) => linesOf('ETag: "a"', `Content-Length: ${length}`);
  assert(updateByHead(part, 200, lines(20), after(9), after(10)) !== null);
  assertEquals(updateByHead(part, 200, lines(10), after(9), after(10)), null);
});

const line = fc.tuple(
  fc.constantFrom(
    "ETag",
    "Last-Modified",
    "Date",
    "Vary",
    "Age",
    "Content-Length",
    "Content-Encoding",
    "A",
    "Connection",
  ),
  fc.oneof(
    fc.constantFrom('"a"', 'W/"a"', '"b"', at(0), at(-60), "10", "*", "foo", "etag, a"),
    fc.string({ unit: "binary", maxLength: 12 }),
  ),
);
const lines = fc.array(line, { maxLength: 8 });

Deno.test("whatever comes: no exception, the body's own fields as before, no strong tag but the stored one", () => {
  fc.assert(
    fc.property(lines, lines, fc.constantFrom("", '"a"', '"a", "b"'), (before, came, asked) => {
      const kept = { ...stored(), fields: before };
      for (
        const fresh of [
          freshen(kept, came, after(9), after(10), asked),
          updateByHead(kept, 200, came, after(9), after(10)),
        ]
      ) {
        if (fresh === null) continue;
        for (const name of ["content-length", "content-encoding", "vary"]) {
          assertEquals(fieldOf(fresh.fields, name), fieldOf(before, name), name);
        }
        const tag = fieldOf(fresh.fields, "etag");
        if (/^"[^" ]*"$/.test(tag) && fieldOf(before, "etag") !== "") {
          assertEquals(tag, fieldOf(before, "etag"));
        }
        assert(
          fieldOf(fresh.fields, "date") !== "" ||
            came.some(([name]) => name === "Date" || name === "Connection"),
        );
      }
    }),
    { numRuns: 1000 },
  );
});
