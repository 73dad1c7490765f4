import { assertEquals } from "@std/assert";
import { ownCopy, Tally } from "../../src/review/tally.ts";

Deno.test("keys beyond the most share one entry, and those that are known keep their own", () => {
  const tally = new Tally<{ count: number }>(2, () => ({ count: 0 }));
  for (const key of ["a", "b", "c", "d", "a", "c"]) tally.of(key).count++;
  assertEquals(tally.sorted(({ count }) => count), [["a", { count: 2 }], ["b", { count: 1 }]]);
  assertEquals([tally.size, tally.rest], [2, { count: 3 }]);
});

Deno.test("there is no shared entry while there is room", () => {
  const tally = new Tally<{ count: number }>(2, () => ({ count: 0 }));
  tally.of("a");
  assertEquals(tally.rest, null);
});

Deno.test("equals are sorted by their key, whatever came first", () => {
  const tally = new Tally<number>(9, () => 1);
  for (const key of ["b", "c", "a"]) tally.of(key);
  assertEquals(tally.sorted((one) => one).map(([key]) => key), ["a", "b", "c"]);
});

Deno.test("a copy is the same text, also beyond the BMP", () => {
  for (const text of ["", "abc", "é😀", "\ud800x"]) assertEquals(ownCopy(text), text);
});
