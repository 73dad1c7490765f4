import { assertEquals } from "@std/assert";
import { NoticeLimit } from "../../src/net/notice_limit.ts";

Deno.test("of the same trouble there is one notice in five seconds, whatever others there are", () => {
  let now = 0;
  const limit = new NoticeLimit(() => now);
  assertEquals([limit.allows("accept"), limit.allows("accept"), limit.allows("limit")], [true, false, true]);
  now = 4_999;
  assertEquals(limit.allows("accept"), false);
  now = 5_000;
  assertEquals([limit.allows("accept"), limit.allows("accept")], [true, false]);
  now = 9_999;
  assertEquals([limit.allows("accept"), limit.allows("limit")], [false, true]);
});
