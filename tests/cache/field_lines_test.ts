import { assertEquals } from "@std/assert";
import { fieldOf, fieldsOf } from "../../src/cache/field_lines.ts";
import { linesOf } from "./making.ts";

Deno.test("lines of one name are joined in their order, whatever the case of the name (RFC 9110 §5.3)", () => {
  const lines = linesOf("Vary: a", "X: 1", "vary: b", "VARY:", "Va: no", "Varx: no");
  assertEquals(fieldOf(lines, "vary"), "a, b, ");
  assertEquals(fieldOf(lines, "x"), "1");
  assertEquals(fieldOf(lines, "none"), "");
  assertEquals(fieldOf([], "none"), "");
  assertEquals(fieldsOf(lines).field("vary"), "a, b, ");
});
