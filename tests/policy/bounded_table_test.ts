import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { BoundedTable } from "../../src/policy/bounded_table.ts";

interface Entry {
  weight: number;
}

const tableOf = (capacity: number) => new BoundedTable<Entry>(capacity, ({ weight }) => weight);

Deno.test("a table never holds more than its capacity, whatever is added", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 20 }), fc.array(fc.nat(5)), (capacity, weights) => {
    const table = tableOf(capacity);
    weights.forEach((weight, index) => {
      table.add(`${index}`, { weight }, 0);
      assert(table.size <= capacity, `${table.size} of ${capacity}`);
      assertEquals(table.get(`${index}`), { weight }, "what was just added is there");
    });
  }));
});

Deno.test("an entry that must not go stays, and the table is small again when others may", () => {
  const table = tableOf(10);
  const busy = Array.from({ length: 30 }, () => ({ weight: Infinity }));
  busy.forEach((entry, index) => table.add(`busy ${index}`, entry, 0));
  assertEquals(table.size, 30);
  for (let i = 0; i < 100; i++) table.add(`other ${i}`, { weight: 0 }, 0);
  for (let i = 0; i < 30; i++) assert(table.get(`busy ${i}`) !== undefined);
  for (const entry of busy) entry.weight = 0;
  for (let i = 0; i < 100; i++) table.add(`later ${i}`, { weight: 0 }, 0);
  assertEquals(table.size, 10);
});

Deno.test("what weighs much stays while many others come and go that weigh little", () => {
  const table = tableOf(1_000);
  for (let i = 0; i < 500; i++) table.add(`heavy ${i}`, { weight: 1 }, 0);
  for (let i = 0; i < 10_000; i++) table.add(`light ${i}`, { weight: 0.001 }, 0);
  let kept = 0;
  for (let i = 0; i < 500; i++) if (table.get(`heavy ${i}`) !== undefined) kept++;
  // which are looked at is left to chance: each time all of them are heavy with a probability of 2^-8
  assert(kept >= 400, `${kept} of 500`);
});
