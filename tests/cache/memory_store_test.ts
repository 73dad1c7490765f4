import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { MemoryStore } from "../../src/cache/memory_store.ts";
import { Random } from "../fuzz/random.ts";

/** What an empty value with an empty key takes. */
function overheadOf(key: string): number {
  const store = new MemoryStore<null>(1_000_000);
  store.set(key, null, 0);
  return store.bytes;
}

const LIMIT = 64_000;
const key = fc.oneof(
  fc.constantFrom("a", "b", "c", "d", "e", "", "__proto__", "constructor", "\u0000", "\ud800"),
  fc.nat(60).map(String),
);
const size = fc.oneof(
  fc.nat(LIMIT / 8),
  fc.constantFrom(0, 1, LIMIT / 8, LIMIT, 2 ** 53, Infinity, NaN, -1, 0.5),
);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("set" as const), key, size }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom("get" as const, "peek" as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("delete" as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("limit" as const), limit: fc.nat(2 * LIMIT) }) },
);

Deno.test("whatever is done, the store keeps within its limit, and a key has the value set last or none", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      /** All that must be there: what was kept and is neither evicted nor deleted. */
      const model = new Map<string, { value: number; bytes: number }>();
      const store = new MemoryStore<number>(LIMIT, (key, value) => {
        assertEquals(model.get(key)?.value, value, "what is evicted was there, and once");
        model.delete(key);
      });
      let number = 0;
      for (const each of steps) {
        if (each.do === "set") {
          const value = number++;
          const bytes = each.size + overheadOf(each.key);
          const fits = Number.isInteger(each.size) && each.size >= 0 && bytes <= store.limit / 8;
          if (fits) model.set(each.key, { value, bytes });
          else model.delete(each.key);
          assertEquals(store.set(each.key, value, each.size), fits);
          if (fits) assertEquals(store.peek(each.key), value, "what was just set is there");
        } else if (each.do === "delete") {
          assertEquals(store.delete(each.key), model.delete(each.key));
        } else if (each.do === "limit") {
          store.limit = each.limit;
        } else {
          assertEquals(store[each.do](each.key), model.get(each.key)?.value);
        }
        assert(store.bytes <= store.limit, `${store.bytes} of ${store.limit}`);
        assertEquals(store.count, model.size);
        assertEquals(store.bytes, [...model.values()].reduce((sum, { bytes }) => sum + bytes, 0));
      }
      assertEquals(
        new Map([...store.entries()].map(({ key, value, bytes }) => [key, { value, bytes }])),
        model,
      );
      assertEquals([...store.entries()].length, model.size);
    }),
    { numRuns: 500 },
  );
});

Deno.test("nothing is evicted as long as there is room, in the window and beyond it", () => {
  const store = new MemoryStore<number>(80 * (1000 + overheadOf("10")), () => assert(false, "evicted"));
  for (let i = 10; i < 90; i++) assert(store.set(`${i}`, i, 1000));
  assertEquals(store.count, 80);
  assertEquals(store.bytes, store.limit);
});

Deno.test("an entry that is asked for stays while others come that nobody asks for again", () => {
  const store = new MemoryStore<number>(100_000);
  store.set("asked", -1, 1000);
  for (let i = 0; i < 10_000; i++) {
    store.set(`${i}`, i, 1000);
    assertEquals(store.get("asked"), -1);
  }
});

Deno.test("what is asked for now and then survives a scan of any length", () => {
  const store = new MemoryStore<number>(200 * (1000 + overheadOf("000000")));
  const popular = Array.from({ length: 100 }, (_, i) => `${i}`.padStart(6, "0"));
  const askFor = (key: string) => store.get(key) !== undefined || (store.set(key, 0, 1000), false);
  for (let round = 0; round < 3; round++) for (const key of popular) askFor(key);
  for (let i = 100; i < 300; i++) askFor(`${i}`.padStart(6, "0"));
  for (const key of popular) askFor(key);
  let scanned = 1000;
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 500; i++) askFor(`${scanned++}`.padStart(6, "0"));
    const there = popular.filter(askFor).length;
    assert(there >= 95, `${there} of 100 after ${scanned} others`);
  }
});

Deno.test("a large entry drives out many small ones only if it is asked for more often than all of them", () => {
  const store = new MemoryStore<string>(80_000);
  const small = Array.from({ length: 56 }, (_, i) => `small ${i}`);
  for (const key of small) store.set(key, key, 1000);
  for (const key of small) store.get(key);
  const held = small.filter((key) => store.peek(key) !== undefined).length;
  for (let i = 0; i < 40; i++) store.set(`large ${i}`, "large", 9000);
  const left = small.filter((key) => store.peek(key) !== undefined).length;
  assert(left >= held - 10, `${left} of ${held} are left`);
  // and what nobody asks for any more does not keep them out for ever
  for (let i = 0; i < 4000; i++) {
    const key = `large ${i % 6}`;
    if (store.get(key) === undefined) store.set(key, "large", 9000);
  }
  const large = [0, 1, 2, 3, 4, 5].filter((i) => store.peek(`large ${i}`) !== undefined).length;
  assert(large >= 5, `${large} of 6`);
});

Deno.test("more is answered than by forgetting what was not used for longest", () => {
  const room = 200;
  const store = new MemoryStore<true>(room * (1000 + overheadOf("0000")));
  const recent = new Map<string, true>();
  const random = new Random(1);
  let [hits, others] = [0, 0];
  for (let i = 0; i < 50_000; i++) {
    // half are few keys that many ask for, half a loop that is larger than the store
    const number = i % 2 === 0 ? Math.floor(2000 ** (random.next() / 2 ** 32)) : 2000 + (i >> 1) % 400;
    const key = `${number}`.padStart(4, "0");
    if (store.get(key)) hits++;
    else store.set(key, true, 1000);
    if (recent.delete(key)) others++;
    recent.set(key, true);
    if (recent.size > room) recent.delete(recent.keys().next().value!);
  }
  assert(hits > 1.2 * others, `${hits} hits, ${others} by last use`);
});

Deno.test("a replaced value may have another size, and what it cost before is free", () => {
  const store = new MemoryStore<number>(80_000);
  for (let i = 0; i < 1000; i++) assert(store.set("a", i, (i * 997) % 9000));
  assertEquals([store.count, store.get("a"), store.bytes], [1, 999, overheadOf("a") + (999 * 997) % 9000]);
  store.set("a", 0, 0);
  assertEquals(store.bytes, overheadOf("a"));
});

Deno.test("an object above an eighth of the limit is refused, and what its key had before is gone", () => {
  const evicted: string[] = [];
  const store = new MemoryStore<string>(80_000, (key) => evicted.push(key));
  const most = 10_000 - overheadOf("a");
  assert(store.set("a", "small", 10));
  assert(store.set("a", "just right", most));
  assertEquals(store.get("a"), "just right");
  assert(!store.set("a", "too large", most + 1));
  assertEquals([store.get("a"), store.count, store.bytes], [undefined, 0, 0]);
  assertEquals(evicted, [], "who was told that it is not kept needs not hear it again");
});

Deno.test("a size that is no whole number from 0 on is refused", () => {
  const store = new MemoryStore<string>(Number.MAX_SAFE_INTEGER);
  for (const size of [NaN, -1, -Infinity, Infinity, 0.5, 2 ** 53, Number.MAX_VALUE]) {
    assert(!store.set("a", "value", size), `${size}`);
  }
  assertEquals([store.count, store.bytes], [0, 0]);
  assert(store.set("a", "value", 0));
  assertEquals(store.get("a"), "value");
});

Deno.test("a key counts with its length, so that long ones do not pass the limit unseen", () => {
  const store = new MemoryStore<null>(80_000);
  assert(overheadOf("k".repeat(1000)) - overheadOf("") >= 1000);
  assert(!store.set("k".repeat(10_000), null, 0));
  assertEquals(store.count, 0);
});

Deno.test("a limit that is no number of bytes is refused, and the store goes on with the old one", () => {
  for (const limit of [NaN, -1, Infinity]) {
    assertThrows(() => new MemoryStore(limit), RangeError, "bytes");
    const store = new MemoryStore<number>(8000);
    store.set("a", 1, 10);
    assertThrows(() => (store.limit = limit), RangeError, "bytes");
    assertEquals([store.limit, store.get("a")], [8000, 1]);
  }
});

Deno.test("with a limit of 0 nothing is kept", () => {
  const store = new MemoryStore<number>(0);
  assert(!store.set("", 1, 0));
  assertEquals([store.count, store.bytes, store.get("")], [0, 0, undefined]);
});

Deno.test("a smaller limit evicts at once, down to nothing, and a larger one makes room again", () => {
  const evicted: string[] = [];
  const store = new MemoryStore<number>(100_000, (key) => evicted.push(key));
  for (let i = 0; i < 20; i++) store.set(`${i}`, i, 1000);
  store.limit = 10_000;
  assert(store.bytes <= 10_000 && store.bytes > 5_000, `${store.bytes}`);
  assertEquals(store.count + evicted.length, 20);
  store.limit = 0;
  assertEquals([store.count, store.bytes], [0, 0]);
  assertEquals(new Set(evicted).size, 20);
  assertEquals(evicted.length, 20);
  store.limit = 100_000;
  assert(store.set("again", 1, 1000));
});

Deno.test("an entry grows at the cost of others, never of itself", () => {
  const store = new MemoryStore<string>(80_000);
  for (let i = 0; i < 60; i++) store.set(`${i}`, "small", 1000);
  for (let i = 0; i < 60; i++) {
    if (store.peek(`${i}`) === undefined) continue;
    assert(store.set(`${i}`, "grown", 9000));
    assertEquals(store.peek(`${i}`), "grown");
    assert(store.bytes <= store.limit);
  }
});

Deno.test("who hears of an eviction may use the store", () => {
  const heard: string[] = [];
  const store: MemoryStore<number> = new MemoryStore<number>(10_000, (key, value) => {
    heard.push(key);
    assertEquals(store.peek(key), undefined);
    if (value < 3) store.set(`again ${key}`, 100, 900);
    if (value === 5) store.clear();
    assert(store.bytes <= store.limit);
  });
  for (let i = 0; i < 100; i++) store.set(`${i}`, i, 900);
  assertEquals(new Set(heard).size, heard.length);
  assert(store.bytes <= store.limit && store.count > 0);
});

Deno.test("entries are listed as they were at the start, less those that have gone meanwhile", () => {
  const store = new MemoryStore<number>(100_000);
  for (let i = 0; i < 10; i++) store.set(`${i}`, i, 100);
  const seen: number[] = [];
  for (const { key, value } of store.entries()) {
    seen.push(value);
    store.delete(key);
    store.delete(`${(value + 5) % 10}`);
    store.set(`new ${key}`, -1, 100);
  }
  assertEquals(seen.length, 5);
  assertEquals(store.count, 5);
  for (const _ of store.entries()) {
    store.clear();
    seen.push(-1);
  }
  assertEquals(seen.length, 6);
  assertEquals([...store.entries()], []);
  assert(store.set("after", 1, 100));
});
