import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { blanks, padLeft, padRight, shortened, shown } from "../../src/observe/columns.ts";

Deno.test("padding fills a column and never cuts", () => {
  assertEquals(padRight("ab", 4) + "|", "ab  |");
  assertEquals(padLeft("ab", 4) + "|", "  ab|");
  assertEquals(padRight("abcde", 4), "abcde");
  assertEquals(padLeft("abcde", 4), "abcde");
  assertEquals([blanks(-1), blanks(0), blanks(3), blanks(1000).length], ["", "", "   ", 128]);
});

Deno.test("a long text keeps its beginning and its end", () => {
  assertEquals(shortened("0123456789", 10), "0123456789");
  assertEquals(shortened("0123456789a", 10), "012345…89a");
  assertEquals(shortened("0123𝄞56789a", 6, 0), "0123\ufffd…");
  assertEquals(shortened("http://example.com/a/b/c/picture.webp", 30, 12), "http://example.co…picture.webp");
});

Deno.test("an escape is counted in a column's width", () => {
  assertEquals(shown("\x1b[2J and more", 20), "\\x1b[2J and more");
  assertEquals(shown("\x00\x00\x00\x00\x00\x00", 20), "\\x00\\x00\\x00\\…00\\x00");
});

Deno.test("what is shown fits its column and has nothing unseen in it, whatever came", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary", maxLength: 80 }),
      fc.integer({ min: 20, max: 40 }),
      (text, width) => {
        const column = shown(text, width);
        assert(column.length <= width, column);
        assert(!/[\p{C}\p{Zl}\p{Zp}]/u.test(column), JSON.stringify(column));
      },
    ),
  );
});
