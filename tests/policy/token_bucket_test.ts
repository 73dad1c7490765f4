import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { TokenBucket } from "../../src/policy/token_bucket.ts";

Deno.test("a bucket fills at its rate, and holds its capacity at most", () => {
  const bucket = new TokenBucket(0, 1_000);
  assertEquals(bucket.fill(10, 5, 1_000), 0);
  assertEquals(bucket.fill(10, 5, 1_200), 2);
  assertEquals(bucket.fill(10, 5, 1_450), 4.5);
  assertEquals(bucket.fill(10, 5, 9_000), 5);
});

Deno.test("a smaller capacity than before pours off what is too much, a larger one gives nothing by itself", () => {
  const bucket = new TokenBucket(100, 0);
  assertEquals(bucket.fill(1, 40, 0), 40);
  assertEquals(bucket.fill(1, 100, 0), 40);
});

Deno.test("a clock that jumps back gives nothing and takes nothing, and the bucket fills on from there", () => {
  const bucket = new TokenBucket(1, 100_000);
  assertEquals(bucket.fill(1, 10, 5_000), 1);
  assertEquals(bucket.fill(1, 10, 7_000), 3);
});

Deno.test("who takes what is there need not wait, and who comes after waits until that is paid for", () => {
  const bucket = new TokenBucket(100, 0);
  assertEquals(bucket.reserve(100, 100, 100, 0), 0);
  assertEquals(bucket.reserve(50, 100, 100, 0), 0, "nothing is owed yet");
  assertEquals(bucket.reserve(25, 100, 100, 0), 500);
  assertEquals(bucket.reserve(1, 100, 100, 0), 750);
  assertEquals(bucket.reserve(0, 100, 100, 760), 0);
});

interface Taker {
  at: number;
  reads: number[];
}

/** Lets takers read and wait as they are told; calls back with each time at which bytes move, in order. */
function simulate(takers: Taker[], rate: number, moved: (at: number, bytes: number) => void): void {
  const bucket = new TokenBucket(rate, 0);
  const moves: [number, number][] = [];
  for (;;) {
    const next = takers.filter(({ reads }) => reads.length > 0).sort((a, b) => a.at - b.at)[0];
    if (next === undefined) break;
    const bytes = next.reads.shift()!;
    next.at += bucket.reserve(bytes, rate, rate, next.at);
    moves.push([next.at, bytes]);
  }
  moves.sort(([a], [b]) => a - b);
  for (const [at, bytes] of moves) moved(at, bytes);
}

const takersOf = fc.array(
  fc.record({
    at: fc.integer({ min: 0, max: 5_000 }),
    reads: fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 40 }),
  }),
  { minLength: 1, maxLength: 8 },
);

Deno.test("however many take, in any stretch of time no more moves than a second's worth, one read and the rate", () => {
  fc.assert(fc.property(takersOf, fc.integer({ min: 100, max: 100_000 }), (takers, rate) => {
    const moves: [number, number][] = [];
    simulate(structuredClone(takers), rate, (at, bytes) => moves.push([at, bytes]));
    const largest = Math.max(...moves.map(([, bytes]) => bytes));
    for (let from = 0; from < moves.length; from++) {
      let sum = 0;
      for (let to = from; to < moves.length; to++) {
        sum += moves[to][1];
        const allowed = rate + largest + rate * (moves[to][0] - moves[from][0]) / 1_000;
        assert(sum <= allowed + 1e-3, `${sum} bytes where ${allowed} are allowed`);
      }
    }
  }));
});

Deno.test("nobody starves: all that several want to take is taken in the time that it needs at that rate", () => {
  fc.assert(fc.property(takersOf, fc.integer({ min: 100, max: 100_000 }), (takers, rate) => {
    const total = takers.flatMap(({ reads }) => reads).reduce((sum, bytes) => sum + bytes);
    const last = Math.max(...takers.map(({ at }) => at));
    let end = 0;
    simulate(structuredClone(takers), rate, (at) => end = Math.max(end, at));
    assert(end <= last + total / rate * 1_000 + 1e-3, `${end} ms`);
  }));
});
