import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { fieldOf } from "../../src/cache/field_lines.ts";
import { combine, contentRange, readContentRange, readRange, spanOf } from "../../src/cache/range.ts";
import type { StoredResponse } from "../../src/cache/stored_response.ts";
import { after, at, stored } from "./making.ts";

const MOST = Number.MAX_SAFE_INTEGER;

function part(first: number, last: number, whole: number, ...lines: string[]): StoredResponse {
  return {
    ...stored(...lines, `Content-Range: bytes ${first}-${last}/${whole}`),
    status: 206,
    length: last - first + 1,
    range: { first, last, whole },
  };
}

Deno.test("a single range of bytes is read (RFC 9110 §14.1.1)", () => {
  assertEquals(readRange("bytes=0-4"), { first: 0, last: 4 });
  assertEquals(readRange("BYTES=007-"), { first: 7, last: null });
  assertEquals(readRange("bytes=-5"), { suffix: 5 });
  assertEquals(readRange("bytes= 1-2\t"), { first: 1, last: 2 });
  assertEquals(readRange("bytes=,, 1-2 ,"), { first: 1, last: 2 });
  assertEquals(readRange("bytes=9007199254740991-9007199254740992"), { first: MOST, last: MOST });
  assertEquals(readRange(`bytes=${"9".repeat(200)}-`), { first: MOST, last: null });
});

Deno.test("what is not exactly one range of bytes is none (RFC 9110 §14.2)", () => {
  for (
    const text of [
      "",
      "bytes",
      "bytes=",
      "bytes=,",
      "bytes=-",
      "bytes=--1",
      "bytes=1--2",
      "bytes=2-1",
      "bytes=0-1,2-3",
      "bytes =0-1",
      " bytes=0-1",
      "bytes=0 -1",
      "bytes=0- 1",
      "bytes=+0-1",
      "bytes=0x1-2",
      "bytes=1e1-",
      "bytes=1.0-",
      "bytes=0-1;",
      "bytes:0-1",
      "items=0-1",
      "bytes=\u00a01-2",
      `bytes=${" ".repeat(300)}1-2`,
    ]
  ) assertEquals(readRange(text), null, text);
});

Deno.test("a Content-Range is read that says which bytes of how many (RFC 9110 §14.4)", () => {
  assertEquals(readContentRange("bytes 0-4/10"), { first: 0, last: 4, whole: 10 });
  assertEquals(readContentRange("Bytes 9-9/10"), { first: 9, last: 9, whole: 10 });
  for (
    const text of [
      "",
      "bytes 0-4/*",
      "bytes */10",
      "bytes 5-4/10",
      "bytes 0-10/10",
      "bytes 0-4",
      "bytes 0-4/",
      "bytes -4/10",
      "bytes 0-/10",
      "bytes=0-4/10",
      "bytes  0-4/10",
      "bytes 0-4/10 ",
      "bytes 0-4/10, bytes 0-4/10",
      "bytes 0/4-10",
      "items 0-4/10",
      "bytes 0-4/9007199254740991",
      "bytes 0-9007199254740993/9007199254740994",
      "bytes 0-4/1e3",
    ]
  ) assertEquals(readContentRange(text), null, text);
});

Deno.test("what is written as Content-Range reads back the same", () => {
  fc.assert(fc.property(fc.nat(), fc.nat(), fc.nat(), (first, more, beyond) => {
    const whole = { first, last: first + more, whole: first + more + beyond + 1 };
    assertEquals(readContentRange(contentRange(whole)), whole);
  }));
});

/** The places of the bytes that a range asks for, by looking at each. */
function wanted(text: string, length: number): number[] | null {
  const [first, last] = text.slice("bytes=".length).split("-").map((digits) =>
    digits === "" ? null : BigInt(digits)
  );
  if (first !== null && last !== null && last < first) return null;
  const places = Array.from({ length }, (_, place) => place);
  if (first === null) return places.filter((place) => BigInt(length - place) <= last!);
  return places.filter((place) => BigInt(place) >= first && (last === null || BigInt(place) <= last));
}

Deno.test("a range means the bytes that one finds by looking at each of them (RFC 9110 §14.1.2)", () => {
  const position = fc.oneof(
    fc.bigInt(0n, 12n),
    fc.bigInt(0n, 2n ** 70n),
    fc.bigInt(2n ** 53n - 3n, 2n ** 53n + 3n),
  );
  const range = fc.oneof(
    fc.tuple(position, position).map(([first, last]) => `bytes=${first}-${last}`),
    position.map((first) => `bytes=${first}-`),
    position.map((suffix) => `bytes=-${suffix}`),
  );
  fc.assert(
    fc.property(range, fc.nat(12), (text, length) => {
      const places = wanted(text, length);
      const read = readRange(text);
      if (places === null) {
        // beyond 2^53 the order of positions is lost, but nothing is there
        assert(read === null || spanOf(read, length) === null);
        return;
      }
      const span = read === null ? null : spanOf(read, length);
      if (places.length > 0) assertEquals(span, { first: places[0], end: places[places.length - 1] + 1 });
      else assert(span === null || length === 0 && span.first === 0 && span.end === 0);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("any text is read without an exception, and what it means is within the representation", () => {
  const text = fc.string({
    unit: fc.constantFrom("bytes", "=", "-", "0", "1", "9", ",", " ", "/", "*", "\t", "x"),
    maxLength: 24,
  });
  fc.assert(fc.property(text, fc.maxSafeNat(), (text, length) => {
    for (const written of [text, `bytes=${text}`]) {
      const range = readRange(written);
      const span = range === null ? null : spanOf(range, length);
      if (span !== null) assert(0 <= span.first && span.first <= span.end && span.end <= length);
    }
    const said = readContentRange(`bytes ${text}`);
    if (said !== null) assert(said.first <= said.last && said.last < said.whole && said.whole < MOST);
  }));
});

Deno.test("parts of one strong tag that meet become a longer one, or all of it (RFC 9110 §15.3.7.3)", () => {
  const both = combine(part(0, 4, 10, 'ETag: "a"', "A: 1", "B: 1"), {
    ...part(5, 7, 10, 'ETag: "a"', "a: 2", "Date: " + at(5)),
    requestTime: after(4),
    responseTime: after(5),
  })!;
  assertEquals(both.pieces, [{ of: "stored", first: 0, end: 5 }, { of: "added", first: 0, end: 3 }]);
  assertEquals(both.response, {
    status: 206,
    fields: [["B", "1"], ["ETag", '"a"'], ["a", "2"], ["Date", at(5)], ["Content-Range", "bytes 0-7/10"], [
      "Content-Length",
      "8",
    ]],
    requestTime: after(4),
    responseTime: after(5),
    vary: [],
    length: 8,
    range: { first: 0, last: 7, whole: 10 },
  });
  const all = combine(both.response, part(6, 9, 10, 'ETag: "a"'))!;
  assertEquals(all.pieces, [{ of: "stored", first: 0, end: 8 }, { of: "added", first: 2, end: 4 }]);
  assertEquals([all.response.status, all.response.length, all.response.range], [200, 10, null]);
  assertEquals(fieldOf(all.response.fields, "content-range"), "");
  assertEquals(fieldOf(all.response.fields, "content-length"), "10");
});

Deno.test("parts are not combined without the same strong tag and length, or with a gap (RFC 9110 §15.3.7.3)", () => {
  const first = part(0, 4, 10, 'ETag: "a"');
  assert(combine(first, part(5, 9, 10, 'ETag: "a"')) !== null);
  for (
    const other of [
      part(5, 9, 10, 'ETag: "b"'),
      part(5, 9, 10, 'ETag: W/"a"'),
      part(5, 9, 10),
      part(5, 9, 11, 'ETag: "a"'),
      part(6, 9, 10, 'ETag: "a"'),
      { ...part(5, 9, 10, 'ETag: "a"'), length: 4 },
      { ...part(5, 9, 10, 'ETag: "a"'), status: 200 },
      { ...stored('ETag: "a"'), status: 206 },
      part(5, 9, 10, 'ETag: "a"', "Vary: Foo"),
    ]
  ) assertEquals(combine(first, other), null);
  const weak = ['ETag: W/"a"', "Last-Modified: " + at(-60), "Date: " + at(0)];
  assertEquals(combine(part(0, 4, 10, ...weak), part(5, 9, 10, ...weak)), null);
  assertEquals(combine(part(0, 4, 10), part(5, 9, 10)), null);
});

Deno.test("a part that comes to a complete response freshens its fields and none of its bytes (RFC 9111 §3.4)", () => {
  const both = combine(stored('ETag: "a"', "A: 1"), part(2, 3, 10, 'ETag: "a"', "A: 2"))!;
  assertEquals(both.pieces, [{ of: "stored", first: 0, end: 10 }]);
  assertEquals(both.response.status, 200);
  assertEquals(fieldOf(both.response.fields, "a"), "2");
  assertEquals(combine(stored('ETag: "a"'), part(2, 3, 11, 'ETag: "a"')), null);
});

Deno.test("combined bytes are those of the representation, whatever the parts", () => {
  const whole = "0123456789abcdef";
  const edges = fc.tuple(fc.nat(15), fc.nat(15)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
  fc.assert(fc.property(edges, edges, ([from, to], [first, last]) => {
    const old = part(from, to, 16, 'ETag: "a"');
    const young = part(first, last, 16, 'ETag: "a"');
    const both = combine(old, young);
    const apart = first > to + 1 || from > last + 1;
    assertEquals(both === null, apart);
    if (both === null) return;
    const bodies = { stored: whole.slice(from, to + 1), added: whole.slice(first, last + 1) };
    let body = "";
    for (const { of, first, end } of both.pieces) {
      assert(0 <= first && first < end && end <= bodies[of].length);
      body += bodies[of].slice(first, end);
    }
    assertEquals(body, whole.slice(Math.min(from, first), Math.max(to, last) + 1));
    assertEquals(both.response.length, body.length);
    assertEquals(both.response.range === null, body.length === 16);
  }));
});
