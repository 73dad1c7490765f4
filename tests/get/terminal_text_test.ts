import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { looksBinary, TerminalText } from "../../src/get/terminal_text.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

function shown(...pieces: Uint8Array[]): string {
  const text = new TerminalText();
  return pieces.map((piece) => text.push(piece)).join("") + text.end();
}

Deno.test("text is told from other things by its first bytes", () => {
  for (const text of ["", "plain\n", "größer \u{1f600}\r\n", "\x1b[31mred\x1b[0m text"]) {
    assertEquals(looksBinary(bytes(text)), false, text);
  }
  assertEquals(looksBinary(bytes("a\0b")), true);
  assertEquals(looksBinary(Uint8Array.of(0x1f, 0x8b, 8, 0)), true);
  assertEquals(looksBinary(Uint8Array.from({ length: 100 }, (_, i) => 128 + i)), true);
  // a character that the end of the piece cuts is no sign of anything
  assertEquals(looksBinary(bytes("ü".repeat(2000)).subarray(0, 1023)), false);
});

Deno.test("nothing in a body commands a terminal", () => {
  assertEquals(
    shown(bytes("a\x1b[2J\x07\x9b1m\u202e\u2028b\tc\r\nd\re\n")),
    "a\\x1b[2J\\x07\\x9b1m\\u{202e}\\u{2028}b\tc\nd\\x0de\n",
  );
});

Deno.test("whatever the pieces, the text is the same and safe", () => {
  const nasty = fc.uint8Array({ maxLength: 40 });
  fc.assert(fc.property(nasty, fc.nat(40), (body, at) => {
    const whole = shown(body);
    assertEquals(shown(body.subarray(0, at), body.subarray(at)), whole);
    // deno-lint-ignore no-control-regex
    assertEquals(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e]/.test(whole), false);
  }));
});
