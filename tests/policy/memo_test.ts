import { assertEquals } from "@std/assert";
import { Memo } from "../../src/policy/memo.ts";

Deno.test("what was kept for a text is found by the same text", () => {
  const memo = new Memo<number>();
  assertEquals(memo.get("a"), undefined);
  assertEquals(memo.set("a", 1), 1);
  assertEquals(["a", ["", "a"].join(""), "b", " a", ""].map((key) => memo.get(key)), [
    1,
    1,
    undefined,
    undefined,
    undefined,
  ]);
});

Deno.test("when it is full all is forgotten, and it goes on", () => {
  const memo = new Memo<number>();
  for (let i = 0; i < 4096; i++) memo.set(`key ${i}`, i);
  assertEquals(memo.get("key 0"), 0);
  memo.set("one more", 1);
  assertEquals([memo.get("key 0"), memo.get("key 4095"), memo.get("one more")], [undefined, undefined, 1]);
});
