import { assertEquals } from "@std/assert";
import { Marks } from "../../src/proxy/cache/marks.ts";

Deno.test("what turns out again is remembered for longer each time, up to a limit", () => {
  const marks = new Marks(10, 35, 100);
  let now = 0;
  for (const lasts of [10, 20, 35, 35]) {
    assertEquals(marks.has("a", now), false);
    marks.set("a", now);
    // several that learn it at once learn it once
    marks.set("a", now + 1);
    assertEquals([marks.has("a", now + lasts - 1), marks.has("a", now + lasts)], [true, false]);
    now += lasts;
  }
  marks.delete("a");
  marks.set("a", now);
  assertEquals([marks.has("a", now + 9), marks.has("a", now + 10), marks.has("b", now)], [
    true,
    false,
    false,
  ]);
});

Deno.test("no more is remembered than may be: the oldest is forgotten", () => {
  const marks = new Marks(1000, 1000, 3);
  for (const key of ["a", "b", "c", "d"]) marks.set(key, 0);
  assertEquals(["a", "b", "c", "d"].map((key) => marks.has(key, 1)), [false, true, true, true]);
});
