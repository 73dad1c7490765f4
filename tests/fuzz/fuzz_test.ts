import { runCase } from "./cases.ts";
import { Random, seedOf } from "./random.ts";
import { assertEquals, assertNotEquals } from "@std/assert";

/** As many as take about a second; `deno task fuzz` runs for longer, and with other seeds. */
const CASES = 12_000;

Deno.test("a short run of made-up and damaged messages finds nothing", () => {
  for (let number = 0; number < CASES; number++) runCase(1, number);
});

Deno.test("random numbers come the same again from the same seed, and differ from case to case", () => {
  const numbers = (seed: number) =>
    Array.from({ length: 5 }, ((random) => () => random.next())(new Random(seed)));
  assertEquals(numbers(7), numbers(7));
  assertNotEquals(numbers(seedOf(1, 1)), numbers(seedOf(1, 2)));
  assertNotEquals(numbers(seedOf(1, 1)), numbers(seedOf(2, 1)));
});
