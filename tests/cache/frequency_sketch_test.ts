import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { FrequencySketch } from "../../src/cache/frequency_sketch.ts";
import { Random } from "../fuzz/random.ts";

const hashes = fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { maxLength: 200 });

Deno.test("a key is never counted too low before the first halving, and never above 15", () => {
  fc.assert(fc.property(hashes, (hashes) => {
    const sketch = new FrequencySketch();
    const counts = new Map<number, number>();
    for (const hash of [...hashes, ...hashes.slice(0, 100)]) {
      sketch.add(hash);
      counts.set(hash, (counts.get(hash) ?? 0) + 1);
    }
    for (const [hash, count] of counts) {
      assert(sketch.count(hash) >= Math.min(count, 15));
      assert(sketch.count(hash) <= 15);
    }
  }));
});

Deno.test("growing forgets nothing", () => {
  fc.assert(fc.property(hashes, fc.nat(5000), (hashes, keys) => {
    const sketch = new FrequencySketch();
    for (const hash of hashes) sketch.add(hash);
    const before = hashes.map((hash) => sketch.count(hash));
    sketch.fit(keys);
    assertEquals(hashes.map((hash) => sketch.count(hash)), before);
  }));
});

Deno.test("what is not asked for any more is forgotten, while others are counted", () => {
  const sketch = new FrequencySketch();
  sketch.fit(1024);
  for (let i = 0; i < 15; i++) sketch.add(1);
  assertEquals(sketch.count(1), 15);
  const random = new Random(1);
  for (let i = 0; i < 60_000; i++) sketch.add(random.pick([random.next() | 0, 2]));
  assert(sketch.count(1) <= 6, `${sketch.count(1)}`);
  assertEquals(sketch.count(2), 15);
});

Deno.test("as many keys as it has room for are told apart from one that comes up often", () => {
  const sketch = new FrequencySketch();
  sketch.fit(4096);
  const random = new Random(2);
  const others = Array.from({ length: 4096 }, () => random.next() | 0);
  for (const hash of others) sketch.add(hash);
  for (let i = 0; i < 10; i++) sketch.add(7);
  const wrong = others.filter((hash) => sketch.count(hash) > 3).length;
  assert(wrong < 40, `${wrong} of 4096 are counted far too high`);
  assert(sketch.count(7) >= 10);
});
