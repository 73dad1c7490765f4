import { assertEquals, assertThrows } from "@std/assert";
import { bytesOf, decodeText, writeText } from "../../src/http/text.ts";

const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, byte) => byte);

Deno.test("every byte is one character and comes back as itself", () => {
  const text = decodeText(EVERY_BYTE, 0, 256, true);
  assertEquals(Array.from(text, (character) => character.charCodeAt(0)), [...EVERY_BYTE]);
  assertEquals(bytesOf(text), EVERY_BYTE);
});

Deno.test("ASCII is decoded as itself, from any place to any other", () => {
  const ascii = EVERY_BYTE.subarray(0, 128);
  for (const [start, end] of [[0, 128], [65, 70], [10, 10], [127, 128]]) {
    assertEquals(bytesOf(decodeText(ascii, start, end, false)), ascii.slice(start, end));
    assertEquals(bytesOf(decodeText(ascii, start, end, true)), ascii.slice(start, end));
  }
});

Deno.test("long text is decoded as well as short", () => {
  const long = new Uint8Array(100_000).map((_, i) => i % 256);
  assertEquals(bytesOf(decodeText(long, 1, 99_999, true)), long.slice(1, 99_999));
});

Deno.test("text is written where it belongs", () => {
  const out = new Uint8Array(8);
  assertEquals(writeText("a\xffb", out, 2), 5);
  assertEquals([...out], [0, 0, 0x61, 0xff, 0x62, 0, 0, 0]);
});

Deno.test("a character above 0xFF is refused: U+010D U+010A would be cut down to CRLF", () => {
  for (const text of ["\u010d\u010a", "\u0100", "\u2028", "\ud83d\ude00"]) {
    assertThrows(() => bytesOf(text), RangeError);
  }
});
