import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { answerFrom, type StoredAnswer } from "../../src/cache/answer.ts";
import { fieldOf } from "../../src/cache/field_lines.ts";
import { find } from "../../src/cache/find.ts";
import type { StoredResponse } from "../../src/cache/stored_response.ts";
import { after, at, get, stored } from "./making.ts";

const PLAIN = [
  "Date: " + at(0),
  'ETag: "a"',
  "Last-Modified: " + at(-3600),
  "Cache-Control: max-age=60",
  "A: 1",
];

function head(...lines: string[]) {
  return { ...get(...lines), method: "HEAD" };
}

function part(first: number, last: number, whole: number, ...lines: string[]): StoredResponse {
  return {
    ...stored(
      ...lines,
      `Content-Range: bytes ${first}-${last}/${whole}`,
      `Content-Length: ${last - first + 1}`,
    ),
    status: 206,
    length: last - first + 1,
    range: { first, last, whole },
  };
}

/** The lines in one text: `Name: value|Name: value`. */
function linesIn(answer: StoredAnswer | null): string {
  return answer?.lines.map(([name, value]) => `${name}: ${value}`).join("|") ?? "none";
}

/** Status and the stretch of the body, in a few words. */
function outcome(answer: StoredAnswer | null): string {
  if (answer === null) return "origin";
  return `${answer.status} ${answer.body === null ? "-" : `${answer.body.first}..${answer.body.end}`}`;
}

Deno.test("a stored response is sent with its fields, the length that is sent and its age (RFC 9111 §4, §5.1)", () => {
  const kept = stored(
    "Date: " + at(0),
    "Age: 5",
    "content-length: 99",
    "Set-Cookie: a",
    "A: 1",
    "Set-Cookie: b",
  );
  const answer = answerFrom(kept, get(), 7.9);
  assertEquals(outcome(answer), "200 0..10");
  assertEquals(
    linesIn(answer),
    `Date: ${at(0)}|A: 1|Content-Length: 10|Age: 7`,
  );
  assertEquals(
    linesIn(answerFrom(kept, get(), 7.9, true)),
    `Date: ${at(0)}|Set-Cookie: a|A: 1|Set-Cookie: b|Content-Length: 10|Age: 7`,
    "a cookie that its own origin has just sent along",
  );
});

Deno.test("HEAD gets the head that GET would, and no body (RFC 9110 §9.3.2)", () => {
  const kept = stored(...PLAIN);
  assertEquals(linesIn(answerFrom(kept, head(), 0)), linesIn(answerFrom(kept, get(), 0)));
  assertEquals(outcome(answerFrom(kept, head(), 0)), "200 -");
  assertEquals(outcome(answerFrom(kept, head("Range: bytes=0-1"), 0)), "200 -");
  assertEquals(outcome(answerFrom(kept, head('If-None-Match: "a"'), 0)), "304 -");
});

Deno.test("only GET and HEAD are answered from the store", () => {
  for (const method of ["POST", "OPTIONS", "get", "M-SEARCH", ""]) {
    assertEquals(answerFrom(stored(...PLAIN), { ...get(), method }, 0), null);
  }
});

Deno.test("an age is whole seconds of a bounded number (RFC 9111 §1.2.2)", () => {
  for (
    const [age, written] of [[-3, "0"], [NaN, "0"], [0.9, "0"], [12, "12"], [1e300, "2147483648"]] as const
  ) {
    assertEquals(fieldOf(answerFrom(stored(), get(), age)!.lines, "age"), written);
  }
});

Deno.test("a 204 has no Content-Length and an empty 200 has one of 0 (RFC 9110 §8.6)", () => {
  const none = answerFrom({ ...stored("Content-Length: 0"), status: 204, length: 0 }, get(), 0);
  assertEquals(linesIn(none), "Age: 0");
  assertEquals(outcome(none), "204 -");
  const empty = answerFrom({ ...stored(), length: 0 }, get(), 0);
  assertEquals(linesIn(empty), "Content-Length: 0|Age: 0");
  assertEquals(outcome(empty), "200 0..0");
});

Deno.test("If-Match and If-Unmodified-Since are for the origin to evaluate (RFC 9111 §4.3.2)", () => {
  for (const line of ['If-Match: "a"', "If-Match: *", "If-Unmodified-Since: " + at(0)]) {
    assertEquals(answerFrom(stored(...PLAIN), get(line), 0), null, line);
    assertEquals(answerFrom(stored(...PLAIN), get(line, 'If-None-Match: "a"'), 0), null, line);
  }
});

Deno.test("a 304 has the fields of RFC 9110 §15.4.5 and the age, and no others", () => {
  const kept = stored(
    ...PLAIN,
    "Content-Location: /a",
    "Vary: Foo",
    "Expires: " + at(60),
    "Vary: Bar",
    "Content-Type: text/plain",
    "Content-Length: 10",
    "Set-Cookie: a=b",
  );
  assertEquals(
    linesIn(answerFrom(kept, get('If-None-Match: "a"'), 3)),
    `Date: ${at(0)}|ETag: "a"|Cache-Control: max-age=60|Content-Location: /a|Vary: Foo|` +
      `Expires: ${at(60)}|Vary: Bar|Age: 3`,
  );
  const untagged = stored("Last-Modified: " + at(-60), "A: 1");
  assertEquals(
    linesIn(answerFrom(untagged, get("If-Modified-Since: " + at(0)), 3)),
    `Last-Modified: ${at(-60)}|Age: 3`,
  );
});

Deno.test("conditions change nothing for stored statuses but 200 and 206 (RFC 9111 §4.3.2)", () => {
  for (const status of [203, 299, 301, 302, 404, 410, 500, 599]) {
    const kept = { ...stored(...PLAIN), status };
    for (
      const line of [
        'If-None-Match: "a"',
        "If-None-Match: *",
        "If-Modified-Since: " + at(0),
        "Range: bytes=0-1",
      ]
    ) {
      assertEquals(outcome(answerFrom(kept, get(line), 0)), `${status} 0..10`, `${status} ${line}`);
    }
  }
});

Deno.test("a range of a complete 200 is answered with 206 (RFC 9110 §14.2)", () => {
  const cases: [range: string, outcome: string, contentRange: string][] = [
    ["bytes=0-1", "206 0..2", "bytes 0-1/10"],
    ["bytes=1-", "206 1..10", "bytes 1-9/10"],
    ["bytes=-1", "206 9..10", "bytes 9-9/10"],
    ["bytes=-99", "206 0..10", "bytes 0-9/10"],
    ["bytes=0-", "206 0..10", "bytes 0-9/10"],
    ["bytes=9-99", "206 9..10", "bytes 9-9/10"],
    ["Bytes=0-0", "206 0..1", "bytes 0-0/10"],
    ["bytes=0-9007199254740993", "206 0..10", "bytes 0-9/10"],
    ["bytes=10-", "416 -", "bytes */10"],
    ["bytes=10-20", "416 -", "bytes */10"],
    ["bytes=-0", "416 -", "bytes */10"],
    ["bytes=9007199254740993-", "416 -", "bytes */10"],
    // ignored, so that the whole is sent
    ["bytes=0-1, 3-4", "200 0..10", ""],
    ["bytes=20-30, 40-50", "200 0..10", ""],
    ["bytes=2-1", "200 0..10", ""],
    ["bytes=a-b", "200 0..10", ""],
    ["bytes", "200 0..10", ""],
    ["lines=0-1", "200 0..10", ""],
  ];
  for (const [range, expected, contentRange] of cases) {
    const answer = answerFrom(stored(...PLAIN), get("Range: " + range), 4)!;
    assertEquals(outcome(answer), expected, range);
    assertEquals(fieldOf(answer.lines, "content-range"), contentRange, range);
    const length = answer.body === null ? 0 : answer.body.end - answer.body.first;
    assertEquals(fieldOf(answer.lines, "content-length"), String(length), range);
    if (answer.status !== 416) assertEquals(fieldOf(answer.lines, "a"), "1");
  }
});

Deno.test("a 416 is not to be stored and says the length and the validators (RFC 9110 §15.5.17)", () => {
  assertEquals(
    linesIn(answerFrom(stored(...PLAIN), get("Range: bytes=10-"), 4)),
    `ETag: "a"|Last-Modified: ${
      at(-3600)
    }|Content-Range: bytes */10|Cache-Control: no-store|Content-Length: 0`,
  );
});

Deno.test("a Content-Range that an origin wrote into a 200 stays there, and is never in a 206 of weir's", () => {
  const kept = stored("content-range: nonsense");
  assertEquals(fieldOf(answerFrom(kept, get(), 0)!.lines, "content-range"), "nonsense");
  assertEquals(fieldOf(answerFrom(kept, get("Range: bytes=0-0"), 0)!.lines, "content-range"), "bytes 0-0/10");
});

Deno.test("an empty representation has no ranges: its suffix is all of it, the rest is 416 (RFC 9110 §14.1.2)", () => {
  const empty = { ...stored(), length: 0 };
  assertEquals(outcome(answerFrom(empty, get("Range: bytes=-5"), 0)), "200 0..0");
  assertEquals(outcome(answerFrom(empty, get("Range: bytes=0-"), 0)), "416 -");
});

Deno.test("If-Range lets a range pass by a strong comparison alone (RFC 9110 §13.1.5)", () => {
  const cases: [ifRange: string, lines: string[], status: number][] = [
    ['"a"', PLAIN, 206],
    ['"b"', PLAIN, 200],
    ['W/"a"', PLAIN, 200],
    ['W/"a"', ['ETag: W/"a"'], 200],
    ['"a"', ['ETag: W/"a"'], 200],
    ["a", ["ETag: a"], 200],
    ['"a", "b"', ['ETag: "a"', 'ETag: "b"'], 200],
    [at(-3600), PLAIN, 206],
    [at(-3599), PLAIN, 200],
    [at(-3601), PLAIN, 200],
    // in the second of the last change another change may have followed (§8.8.2.2)
    [at(0), ["Date: " + at(0), "Last-Modified: " + at(0)], 200],
    [at(-1), ["Date: " + at(0), "Last-Modified: " + at(-1)], 206],
    [at(-1), ["Last-Modified: " + at(-1)], 200],
    ["yesterday", ["Date: " + at(0), "Last-Modified: yesterday"], 200],
  ];
  for (const [ifRange, lines, status] of cases) {
    const answer = answerFrom(stored(...lines), get("Range: bytes=0-1", "If-Range: " + ifRange), 0);
    assertEquals(answer?.status, status, `${ifRange} | ${lines}`);
  }
});

Deno.test("If-None-Match is looked at before Range (RFC 9110 §13.2.2)", () => {
  const kept = stored(...PLAIN);
  assertEquals(outcome(answerFrom(kept, get('If-None-Match: "a"', "Range: bytes=0-1"), 0)), "304 -");
  assertEquals(outcome(answerFrom(kept, get('If-None-Match: "b"', "Range: bytes=0-1"), 0)), "206 0..2");
  assertEquals(outcome(answerFrom(kept, get('If-None-Match: "a"', "Range: bytes=99-"), 0)), "304 -");
});

Deno.test("a stored part answers ranges that are within it, and nothing else (RFC 9111 §3.3)", () => {
  const kept = part(4, 8, 10, 'ETag: "a"', "Date: " + at(0));
  const cases: [line: string, outcome: string][] = [
    ["Range: bytes=4-8", "206 0..5"],
    ["Range: bytes=6-7", "206 2..4"],
    ["Range: bytes=-5", "origin"],
    ["Range: bytes=6-", "origin"],
    ["Range: bytes=3-4", "origin"],
    ["Range: bytes=10-", "origin"],
    ["Range: bytes=5-6,7-8", "origin"],
    ["Range: nonsense", "origin"],
    ["A: b", "origin"],
    ['If-None-Match: "a"', "304 -"],
  ];
  for (const [line, expected] of cases) assertEquals(outcome(answerFrom(kept, get(line), 0)), expected, line);
  assertEquals(outcome(answerFrom(kept, get("Range: bytes=4-8", 'If-Range: "b"'), 0)), "origin");
  assertEquals(outcome(answerFrom(kept, head(), 0)), "origin");
  const end = answerFrom(part(5, 9, 10), get("Range: bytes=-2"), 1);
  assertEquals(outcome(end), "206 3..5");
  assertEquals(linesIn(end), "Content-Range: bytes 8-9/10|Content-Length: 2|Age: 1");
});

Deno.test("a part that contradicts itself answers nothing", () => {
  assertEquals(answerFrom({ ...part(4, 8, 10), length: 3 }, get("Range: bytes=7-8"), 0), null);
  assertEquals(answerFrom({ ...part(4, 8, 10), status: 200 }, get("Range: bytes=7-8"), 0), null);
  assertEquals(answerFrom({ ...stored(), status: 206 }, get("Range: bytes=7-8"), 0), null);
});

Deno.test("fields that no-cache or private name go out after validation alone (RFC 9111 §5.2.2.4, §5.2.2.7)", () => {
  const kept = stored(
    'Cache-Control: max-age=60, no-cache="A, b", private="C"',
    "a: 1",
    "B: 2",
    "c: 3",
    "D: 4",
  );
  const unvalidated = answerFrom(kept, get(), 0);
  assertEquals(unvalidated?.lines.map(([name]) => name), ["Cache-Control", "D", "Content-Length", "Age"]);
  const validated = answerFrom(kept, get(), 0, true);
  assertEquals(validated?.lines.map(([name]) => name), [
    "Cache-Control",
    "a",
    "B",
    "c",
    "D",
    "Content-Length",
    "Age",
  ]);
  // and what was sent once is not remembered for others
  assertEquals(linesIn(answerFrom(kept, get(), 0)), linesIn(unvalidated));
});

Deno.test("what is sent can be added to without changing what is sent next", () => {
  const kept = stored("A: 1");
  for (let i = 0; i < 2; i++) {
    for (const line of ["A: b", "If-None-Match: *", "Range: bytes=0-0", "Range: bytes=99-"]) {
      const answer = answerFrom(kept, get(line), 0)!;
      assert(!linesIn(answer).includes("Via"), line);
      answer.lines.push(["Via", "1.1 weir"]);
    }
  }
});

const field = fc.oneof(
  fc.constantFrom(
    [
      'ETag: "a"',
      'ETag: W/"a"',
      'ETag: "b"',
      "ETag: a",
      "Last-Modified: " + at(-60),
      "Last-Modified: " + at(-1),
    ],
    ["Date: " + at(0)],
    ["Content-Range: bytes 0-1/2", "Age: 1", "Content-Length: 4"],
    ["Cache-Control: private=a, no-cache"],
  ),
  fc.tuple(
    fc.constantFrom("ETag", "Last-Modified", "Date", "Cache-Control", "Content-Range"),
    fc.string({ unit: "binary", maxLength: 20 }),
  ).map(([name, value]) => [`${name}: ${value}`]),
);
const condition = fc.oneof(
  fc.constantFrom('If-None-Match: "a"', 'If-None-Match: W/"a", "b"', "If-None-Match: *", 'If-Range: "a"'),
  fc.integer({ min: -100, max: 100 }).map((seconds) => "If-Modified-Since: " + at(seconds)),
  fc.tuple(fc.nat(20), fc.nat(20)).map(([first, last]) => `Range: bytes=${first}-${last}`),
  fc.nat(20).map((suffix) => `Range: bytes=-${suffix}`),
  fc.tuple(
    fc.constantFrom("If-None-Match", "If-Modified-Since", "If-Range", "Range"),
    fc.string({ unit: "binary", maxLength: 20 }),
  ).map(([name, value]) => `${name}: ${value}`),
);

Deno.test("whatever is stored and asked: no exception, a body within the stored one, the length that is sent", () => {
  fc.assert(fc.property(
    fc.array(field, { maxLength: 5 }),
    fc.array(condition, { maxLength: 4 }),
    fc.constantFrom("GET", "HEAD"),
    fc.nat(20),
    fc.option(fc.tuple(fc.nat(20), fc.nat(20)), { nil: null }),
    (lines, conditions, method, length, missing) => {
      const whole = stored(...lines.flat());
      const kept: StoredResponse = missing === null || length === 0 ? { ...whole, length } : {
        ...whole,
        status: 206,
        length,
        range: {
          first: missing[0],
          last: missing[0] + length - 1,
          whole: missing[0] + length + missing[1],
        },
      };
      const answer = answerFrom(kept, { ...get(...conditions), method }, 5);
      if (answer === null) return;
      const { body, status } = answer;
      if (body !== null) {
        assert(0 <= body.first && body.first <= body.end && body.end <= length);
        assertEquals(fieldOf(answer.lines, "content-length"), String(body.end - body.first));
      }
      assertEquals(body === null, method === "HEAD" || status === 304 || status === 416);
      if (status === 206) {
        const start = kept.range?.first ?? 0;
        const size = kept.range?.whole ?? length;
        const said = `bytes ${start + body!.first}-${start + body!.end - 1}/${size}`;
        assertEquals(fieldOf(answer.lines, "content-range"), said);
      } else if (status === 200) {
        assertEquals(kept.range, null);
        if (body !== null) assertEquals(body, { first: 0, end: length });
      }
    },
  ));
});

Deno.test("what is found to be a hit is answered, a part too", () => {
  const lines = ["Date: " + at(0), 'ETag: "a"', "Last-Modified: " + at(-60), "Cache-Control: max-age=60"];
  const range = fc.oneof(
    fc.tuple(fc.nat(12), fc.nat(12)).map(([first, last]) => `bytes=${first}-${last}`),
    fc.nat(12).map((first) => `bytes= ${first}-`),
    fc.nat(12).map((suffix) => `Bytes=-${suffix} `),
    // what a part holds, which chance alone would ask for too seldom
    fc.constantFrom("bytes=4-8", "bytes=5-6", "bytes=8-8"),
  );
  const more = fc.constantFrom(
    "A: b",
    'If-Range: "a"',
    "If-Range: " + at(-60),
    'If-None-Match: "b"',
    "If-Match: *",
  );
  let hits = 0;
  fc.assert(
    fc.property(range, more, fc.boolean(), fc.constantFrom("GET", "HEAD"), (range, more, isPart, method) => {
      const kept = isPart ? part(4, 8, 10, ...lines) : stored(...lines);
      const request = { ...get("Range: " + range, more), method };
      if (find([kept], request, after(5)).kind !== "hit") return;
      if (isPart) hits++;
      assert(answerFrom(kept, request, 5) !== null);
    }),
    { numRuns: 1000 },
  );
  assert(hits > 0);
});
