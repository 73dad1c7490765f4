import { assertEquals } from "@std/assert";
import { Allowance } from "../../src/net/allowance.ts";
import { TICK } from "../../src/net/clock.ts";

/** Waits of so many ms each, that bring so many bytes each, until the time is used up; how many that were. */
function waits(allowance: Allowance, milliseconds: number, bytes: number, most = 10_000): number {
  let now = 0;
  for (let count = 0; count < most; count++) {
    allowance.begin(now);
    now += milliseconds;
    allowance.end(now, bytes);
    if (allowance.isSpent) return count + 1;
  }
  return Infinity;
}

Deno.test("without a least rate any byte brings all of the time back, and framing brings none", () => {
  assertEquals(waits(new Allowance(1_000, 0), 900, 1), Infinity);
  assertEquals(waits(new Allowance(1_000, 0), 250, 0), (1_000 + TICK) / 250);
});

Deno.test("who sends less than the least rate runs out of time, and who sends as much does not", () => {
  assertEquals(waits(new Allowance(10_000, 8), 1_000, 8), Infinity);
  assertEquals(waits(new Allowance(10_000, 8), 1_000, 1_000_000), Infinity);
  assertEquals(waits(new Allowance(10_000, 8), 1_000, 4), Math.ceil((10_000 + TICK) / 500));
});

Deno.test("a silence takes no longer than the time, however much came before", () => {
  const allowance = new Allowance(10_000, 8);
  allowance.begin(0);
  allowance.end(0, 1_000_000);
  assertEquals([allowance.begin(0), allowance.isReduced], [10_000, false]);
  allowance.end(4_000, 8);
  assertEquals([allowance.begin(4_000), allowance.isReduced], [7_000, true]);
});

Deno.test("what passes between two waits is not counted", () => {
  const allowance = new Allowance(1_000, 0);
  for (let now = 0; now < 1_000_000; now += 50_000) {
    allowance.begin(now);
    allowance.end(now + 10, 0);
  }
  assertEquals(allowance.begin(0), 800);
});
