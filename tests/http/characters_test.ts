import { assertEquals } from "@std/assert";
import { HEXADECIMAL, isToken, TARGET, TOKEN_LOWER, VALUE } from "../../src/http/characters.ts";

/** The bytes, as characters, for which `test` holds. */
function characters(test: (byte: number) => boolean): string {
  return Array.from({ length: 256 }, (_, byte) => byte).filter(test)
    .map((byte) => String.fromCharCode(byte)).join("");
}

const VISIBLE = characters((byte) => byte > 0x20 && byte < 0x7f);
const BEYOND = characters((byte) => byte > 0x7f);

Deno.test("a token is made of 77 characters (RFC 9110 §5.6.2)", () => {
  const separators = '"(),/:;<=>?@[\\]{}';
  assertEquals(
    characters((byte) => TOKEN_LOWER[byte] !== 0),
    [...VISIBLE].filter((character) => !separators.includes(character)).join(""),
  );
});

Deno.test("a token's characters are lowered as ASCII is, and no others", () => {
  for (const character of VISIBLE) {
    const lower = TOKEN_LOWER[character.charCodeAt(0)];
    if (lower !== 0) assertEquals(String.fromCharCode(lower), character.toLowerCase());
  }
});

Deno.test("a value is made of visible characters, space, tab and bytes beyond ASCII (RFC 9110 §5.5)", () => {
  assertEquals(characters((byte) => VALUE[byte] === 1), "\t " + VISIBLE + BEYOND);
});

Deno.test("a target has no control character and no white space (RFC 9112 §3.2)", () => {
  assertEquals(characters((byte) => TARGET[byte] === 1), VISIBLE + BEYOND);
});

Deno.test("hexadecimal digits have their worth in either case (RFC 5234 §B.1)", () => {
  assertEquals(characters((byte) => HEXADECIMAL[byte] !== 255), "0123456789ABCDEFabcdef");
  for (const digit of "0123456789ABCDEFabcdef") {
    assertEquals(HEXADECIMAL[digit.charCodeAt(0)], parseInt(digit, 16));
  }
});

Deno.test("isToken takes tokens alone (RFC 9110 §5.6.2)", () => {
  for (const token of ["a", "GET", "weir-1f3a", "!#$%&'*+-.^_`|~09"]) assertEquals(isToken(token), true);
  for (const other of ["", " ", "a b", "a:", "é", "\u0161", "\u2713", "a\n", "a\0"]) {
    assertEquals(isToken(other), false);
  }
});
