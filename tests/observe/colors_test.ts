import { assertEquals } from "@std/assert";
import { CYAN, GREEN, MAGENTA, paint, RED, statusColor, YELLOW } from "../../src/observe/colors.ts";

Deno.test("paint colours and resets, or leaves the text alone", () => {
  assertEquals(paint(true, RED, "no"), "\x1b[31mno\x1b[0m");
  assertEquals(paint(false, RED, "no"), "no");
});

Deno.test("each class of status has its colour, and no status is bad", () => {
  assertEquals([0, 101, 200, 304, 404, 502].map(statusColor), [RED, MAGENTA, GREEN, CYAN, YELLOW, RED]);
});
