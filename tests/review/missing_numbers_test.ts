import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { MissingNumbers } from "../../src/review/missing_numbers.ts";

interface Line {
  number: number;
  time: number;
  duration: number;
}

function missing(lines: readonly Line[]): number {
  const numbers = new MissingNumbers();
  for (const { number, time, duration } of lines) numbers.add(number, time, duration);
  return numbers.count;
}

/** One after the other: each takes 5 ms, and 10 ms later the next begins. */
function inOrder(...numbers: number[]): Line[] {
  return numbers.map((number) => ({ number, time: number * 10, duration: 5 }));
}

Deno.test("numbers between two that are there and that no line has are missing", () => {
  assertEquals(missing([]), 0);
  assertEquals(missing(inOrder(1, 2, 3)), 0);
  assertEquals(missing(inOrder(1, 3)), 1);
  assertEquals(missing(inOrder(1, 2, 5, 6, 9)), 4);
  assertEquals(missing(inOrder(1, 2, 1000)), 997);
});

Deno.test("lines come in the order of their ends, and a late one fills its gap", () => {
  const tunnel = { number: 2, time: 20, duration: 1000 };
  assertEquals(missing([...inOrder(1, 3, 4, 5), tunnel]), 0);
  assertEquals(missing([...inOrder(1, 3, 5), tunnel]), 1);
  assertEquals(missing([{ number: 3, time: 30, duration: 1 }, ...inOrder(1, 2)]), 0);
});

Deno.test("what is before a log's first line may be in an earlier log", () => {
  assertEquals(missing(inOrder(501, 502, 503)), 0);
  assertEquals(missing([{ number: 57, time: 570, duration: 4_440 }, ...inOrder(501, 502, 504)]), 1);
});

Deno.test("a weir that is started again counts from 1", () => {
  const again = (...numbers: number[]) =>
    inOrder(...numbers).map((line) => ({ ...line, time: line.time + 10_000 }));
  assertEquals(missing([...inOrder(1, 2, 3), ...again(1, 2, 3)]), 0);
  assertEquals(missing([...inOrder(1, 3), ...again(1, 2, 4)]), 2);
  assertEquals(missing([...inOrder(1), ...again(2, 1, 3)]), 0, "the first of it is greater than all before");
  assertEquals(missing([...inOrder(1), ...again(4, 1, 2)]), 1);
  assertEquals(missing([...inOrder(1), ...again(4, 3, 2, 1)]), 0);
});

Deno.test("lines without numbers say nothing", () => {
  assertEquals(missing(inOrder(0, 0, 5, 0, 6, 0)), 0);
});

/** What weirs log that run one after the other, with exchanges that overlap. */
const logs = fc.array(
  fc.array(fc.record({ wait: fc.integer({ min: 1, max: 9 }), duration: fc.integer({ min: 0, max: 60 }) }), {
    minLength: 1,
    maxLength: 40,
  }),
  { minLength: 1, maxLength: 4 },
).map((weirs) => {
  let now = 0;
  return weirs.flatMap((exchanges) => {
    const lines = exchanges.map(({ wait, duration }, index) => {
      now += wait;
      return { number: index + 1, time: now, duration };
    });
    lines.sort((a, b) => a.time + a.duration - b.time - b.duration);
    now = Math.max(...lines.map(({ time, duration }) => time + duration)) + 1;
    return lines;
  });
});

Deno.test("of a log that is whole nothing is missing, wherever it was cut off at its beginning and end", () => {
  fc.assert(
    fc.property(logs, fc.nat(), fc.nat(), (lines, from, to) => {
      const start = from % lines.length;
      // what is under way at the end is missing until it is over
      const part = lines.slice(start);
      // a log that begins with the first exchange of a weir is taken for that weir's first one
      fc.pre(start === 0 || part[0].number !== 1);
      assertEquals(missing(part), 0);
      const open = part.slice(0, to % part.length + 1);
      const rest = part.slice(open.length);
      assert(missing(open) <= rest.length);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("no more is missing than was lost", () => {
  fc.assert(
    fc.property(logs, fc.array(fc.nat(), { maxLength: 10 }), (lines, lost) => {
      const gone = new Set(lost.map((each) => each % lines.length));
      // the first line says where the log begins
      gone.delete(0);
      assert(missing(lines.filter((_, index) => !gone.has(index))) <= gone.size);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("a log with gaps everywhere takes bounded memory, and its gaps count", () => {
  const numbers = new MissingNumbers();
  for (let i = 0; i < 200_000; i++) numbers.add(2 * i + 1, i, 0);
  assertEquals(numbers.count, 199_999);
});
