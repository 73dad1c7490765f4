import { assertEquals } from "@std/assert";
import { QuotaWindow } from "../../src/policy/quota_window.ts";

const HOUR = 3_600_000;

Deno.test("a span begins with the first use, not with the full hour, and ends an hour later", () => {
  const window = new QuotaWindow(0);
  window.add(100, HOUR, 50_000_000);
  window.add(1, HOUR, 50_000_000 + HOUR - 1);
  assertEquals([window.left(HOUR, 50_000_000 + HOUR - 1), window.used], [1, 101]);
  assertEquals([window.left(HOUR, 50_000_000 + HOUR), window.used], [HOUR, 0]);
});

Deno.test("the next span begins with the next use", () => {
  const window = new QuotaWindow(0);
  window.add(100, HOUR, 0);
  window.left(HOUR, 2 * HOUR);
  window.add(5, HOUR, 3 * HOUR - 1);
  assertEquals([window.left(HOUR, 4 * HOUR - 2), window.used], [1, 5]);
});

Deno.test("a clock that jumps back forgets nothing, and makes no span longer than it is", () => {
  const window = new QuotaWindow(0);
  window.add(100, HOUR, 100 * HOUR);
  assertEquals([window.left(HOUR, 5 * HOUR), window.used], [HOUR, 100]);
  assertEquals([window.left(HOUR, 6 * HOUR), window.used], [HOUR, 0]);
});
