import { assertEquals } from "@std/assert";
import { bounded, byteText, hexadecimal, jsonOf, jsonText, printable } from "../../src/observe/printable.ts";

Deno.test("bounded cuts and marks", () => {
  assertEquals(bounded("abcdef", 6), "abcdef");
  assertEquals(bounded("abcdefg", 6), "abcdef…");
  assertEquals(bounded("abcdefg", 6, "..."), "abcdef...");
});

Deno.test("printable writes what would not be seen as an escape", () => {
  const cases: [string, string][] = [
    ["plain text", "plain text"],
    ["\x00\t\r\n\x1b[31m\x7f", "\\x00\\x09\\x0d\\x0a\\x1b[31m\\x7f"],
    // C1: CSI as one character
    ["\x9b31m", "\\x9b31m"],
    // line and paragraph separators
    ["a\u2028b\u2029", "a\\u{2028}b\\u{2029}"],
    // marks of direction, isolates, zero width, byte order mark, soft hyphen
    ["\u202e\u2066\u200b\ufeff\xad\u061c", "\\u{202e}\\u{2066}\\u{200b}\\u{feff}\\xad\\u{61c}"],
    // tag characters, which nobody sees
    ["\u{e0041}", "\\u{e0041}"],
    // half a surrogate pair, and a whole one
    ["\ud834", "\\u{d834}"],
    ["𝄞 é → 漢", "𝄞 é → 漢"],
  ];
  for (const [text, expected] of cases) assertEquals(printable(text, 100), expected);
});

Deno.test("bytes of a head that are UTF-8 are shown as what they mean, others as ISO 8859-1", () => {
  assertEquals(printable("caf\xc3\xa9", 100), "café");
  assertEquals(printable("caf\xe9", 100), "café");
  // the UTF-8 of U+202E does not slip through
  assertEquals(printable("\xe2\x80\xae", 100), "\\u{202e}");
  assertEquals(jsonText("\xe2\x80\xae\xc3\xa9", 100), "\\u202eé");
});

Deno.test("jsonText makes the inside of a JSON string that reads back as the text", () => {
  const texts = ['a "b" \\ c', "\x00\x1f\x7f\x9b\u2028\u202e", "\u{e0041}𝄞", "tab\tline\r\n", "\ud834 half"];
  for (const text of texts) {
    const written = jsonText(text, 100);
    assertEquals(JSON.parse(`"${written}"`), text);
    assertEquals(/[\p{C}\p{Zl}\p{Zp}]/u.test(written), false, written);
  }
});

Deno.test("a value as JSON is one line that a terminal obeys nothing of, and means the same", () => {
  const value = { "\x9bkey": ["\x1b]0;x\x07", { deep: "\x85\u202e\u{e0041}\n" }], n: 1.5, none: null };
  const written = jsonOf(value);
  assertEquals(JSON.parse(written), value);
  assertEquals(/[\p{C}\p{Zl}\p{Zp}]/u.test(written), false, written);
});

Deno.test("byteText leaves bytes and makes UTF-8 of what is none", () => {
  assertEquals(byteText("a\xe9\xff"), "a\xe9\xff");
  assertEquals(byteText("→\xe9"), "\xe2\x86\x92\xe9");
  assertEquals(hexadecimal(0x0a), "0a");
  assertEquals(hexadecimal(0xff), "ff");
});
