import { assertEquals } from "@std/assert";
import { printable, quote } from "../../src/config/printable.ts";

Deno.test("a message shows no control character, and nothing that turns a line around", () => {
  assertEquals(printable("a\x1b[31mb\r\n\x7f\x9b"), "a\\u{1b}[31mb\\u{d}\\u{a}\\u{7f}\\u{9b}");
  assertEquals(printable("a\u202eb\u2028c"), "a\\u{202e}b\\u{2028}c");
  assertEquals(printable("größe.toml"), "größe.toml");
});

Deno.test("a message shows at most sixty characters of what was written", () => {
  assertEquals(printable("x".repeat(1000)), "x".repeat(60) + "…");
  assertEquals(quote("10"), '"10"');
});
