import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Health, JITTER, LONGEST_PAUSE, SHORTEST_PAUSE } from "../../src/net/health.ts";

/** No jitter. */
const MIDDLE = 0.5;

Deno.test("a failure takes a target out for 1 s, and each that follows for twice as long, up to 1 min", () => {
  const health = new Health();
  const pauses: number[] = [];
  for (let now = 0; pauses.length < 9; now = health.outUntil) {
    assertEquals(health.failed(health.term, now, MIDDLE), pauses.length === 0, "it goes out once");
    assert(!health.isIn);
    assert(!health.isDue(health.outUntil - 1) && health.isDue(health.outUntil));
    pauses.push(health.outUntil - now);
  }
  assertEquals(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => seconds * 1000));
});

Deno.test("a pause is a fifth shorter or longer by chance", () => {
  fc.assert(fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (random) => {
    const health = new Health();
    health.failed(health.term, 0, random);
    assert(
      health.outUntil >= SHORTEST_PAUSE * (1 - JITTER) && health.outUntil <= SHORTEST_PAUSE * (1 + JITTER),
    );
  }));
});

Deno.test("many attempts that fail at once are one failure, be they late or early", () => {
  const health = new Health();
  const { term } = health;
  for (let i = 0; i < 100; i++) assertEquals(health.failed(term, 0, MIDDLE), i === 0);
  assertEquals(health.outUntil, 1000);
  // those that were silent until now began when it was in service
  assertEquals(health.failed(term, 10_000, MIDDLE), false);
  assertEquals(health.outUntil, 1000);
});

Deno.test("a failure within the pause is what was to be expected", () => {
  const health = new Health();
  health.failed(health.term, 0, MIDDLE);
  health.failed(health.term, 500, MIDDLE);
  assertEquals(health.outUntil, 1000);
});

Deno.test("an answer brings it back at once, and says so once", () => {
  const health = new Health();
  assertEquals(health.answered(0), false, "it was never out");
  health.failed(health.term, 0, MIDDLE);
  assertEquals([health.answered(100), health.isIn, health.outSince], [true, true, null]);
  assertEquals(health.answered(100), false);
});

Deno.test("one that comes and goes is out for longer each time, until it has stayed for a minute", () => {
  const health = new Health();
  health.failed(health.term, 0, MIDDLE);
  health.answered(1000);
  assert(health.failed(health.term, 1000 + LONGEST_PAUSE, MIDDLE));
  assertEquals(health.outUntil, 1000 + LONGEST_PAUSE + 2000);
  health.answered(100_000);
  assert(health.failed(health.term, 100_001 + LONGEST_PAUSE, MIDDLE));
  assertEquals(health.outUntil, 100_001 + LONGEST_PAUSE + 1000);
});
