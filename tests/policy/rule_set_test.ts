import { assertEquals } from "@std/assert";
import { addRule, emptyRuleSet, removeRule } from "../../src/policy/rule_set.ts";

Deno.test("a set holds the rules that were added and not removed, in every word of it", () => {
  const set = emptyRuleSet(100);
  const held = () =>
    Array.from({ length: 100 }, (_, index) => index).filter((index) =>
      set[index >>> 5] & (1 << (index & 31))
    );
  assertEquals(held(), []);
  for (const index of [0, 30, 31, 32, 63, 64, 99]) addRule(set, index);
  assertEquals(held(), [0, 30, 31, 32, 63, 64, 99]);
  for (const index of [31, 64, 1]) removeRule(set, index);
  assertEquals(held(), [0, 30, 32, 63, 99]);
});

Deno.test("a set for no rules has room all the same", () => {
  assertEquals([0, 1, 32, 33].map((count) => emptyRuleSet(count).length), [1, 1, 1, 2]);
});
