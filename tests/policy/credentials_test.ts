import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { MAX_CREDENTIALS, readBasic } from "../../src/policy/credentials.ts";

const ALICE = { user: "alice", password: "open sesame" };

/** Base64 of the UTF-8 of a text. */
function encoded(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

Deno.test("Basic is read in any case and behind any number of blanks (RFC 9110 §11.1)", () => {
  for (const scheme of ["Basic ", "basic ", "BASIC ", "bAsIc    "]) {
    assertEquals(readBasic(scheme + encoded("alice:open sesame")), ALICE);
  }
});

Deno.test("a password may be empty and may hold colons, a name may not", () => {
  assertEquals(readBasic(`Basic ${encoded("alice:")}`), { user: "alice", password: "" });
  assertEquals(readBasic(`Basic ${encoded("alice:a:b::")}`), { user: "alice", password: "a:b::" });
  for (const text of ["", "alice", ":", ":open sesame"]) {
    assertEquals(readBasic(`Basic ${encoded(text)}`), null);
  }
});

Deno.test("what is not Basic is as good as none", () => {
  const token = encoded("alice:open sesame");
  for (
    const value of [
      "",
      "Basic",
      "Basic ",
      `Basic\t${token}`,
      `Basic${token}`,
      ` Basic ${token}`,
      `Basics ${token}`,
      `Bearer ${token}`,
      "Negotiate YII=",
      'Digest username="alice"',
      token,
    ]
  ) assertEquals(readBasic(value), null, value);
});

Deno.test("base64 has to be the one way to write those bytes", () => {
  const token = encoded("al:ice?>~x"); // with padding
  assert(token.endsWith("=="));
  assert(readBasic(`Basic ${token}`) !== null);
  for (
    const other of [
      token.slice(0, -1),
      token.slice(0, -2),
      `${token}=`,
      token.slice(0, -3) + "B==", // bits that belong to no byte
      `${token.slice(0, 4)} ${token.slice(4)}`,
      `${token.slice(0, 4)}\t${token.slice(4)}`,
      `${token} `,
      `${token},`,
      `${token} realm="x"`,
      `=${token}`,
      `${token.slice(0, -2)}%3D%3D`,
      token.replace("+", "-").replace("/", "_") + "A",
      `${token}\u{e4}`,
      "!!!!",
    ]
  ) assertEquals(readBasic(`Basic ${other}`), null, other);
});

Deno.test("bytes are UTF-8 where they can be, else ISO 8859-1 (RFC 7617 §2.1)", () => {
  assertEquals(readBasic(`Basic ${encoded("jörg:grüße €")}`), { user: "jörg", password: "grüße €" });
  assertEquals(readBasic(`Basic ${btoa("j\xf6rg:gr\xfc\xdfe")}`), { user: "jörg", password: "grüße" });
  // a mark is a character like others, and makes another user
  assertEquals(readBasic(`Basic ${encoded("\u{feff}a:b")}`)?.user, "\u{feff}a");
});

Deno.test("control characters stand in no name and no password (RFC 7617 §2)", () => {
  for (const control of ["\0", "\t", "\r", "\n", "\x1b", "\x7f", "\u{80}", "\u{9f}"]) {
    assertEquals(readBasic(`Basic ${encoded(`al${control}ice:pass`)}`), null);
    assertEquals(readBasic(`Basic ${encoded(`alice:pa${control}ss`)}`), null);
  }
});

Deno.test("no more than the limit is looked at", () => {
  const room = (MAX_CREDENTIALS - "Basic ".length) / 4 * 3;
  const fits = `Basic ${btoa("a:" + "x".repeat(Math.floor(room) - 2 - Math.floor(room) % 3))}`;
  assert(fits.length <= MAX_CREDENTIALS && readBasic(fits) !== null);
  assertEquals(readBasic(`Basic ${btoa("a:" + "x".repeat(MAX_CREDENTIALS))}`), null);
  assertEquals(readBasic(`Basic ${" ".repeat(1_000_000)}`), null);
});

Deno.test("whoever writes credentials is read as they meant it", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 100 }).filter((text) => !/\p{Cc}/u.test(text));
  const name = text.filter((text) => text !== "" && !text.includes(":"));
  fc.assert(fc.property(name, text, (user, password) => {
    assertEquals(readBasic(`Basic ${encoded(`${user}:${password}`)}`), { user, password });
  }));
});

Deno.test("whatever comes, the answer is credentials or none, and two values never say the same in base64", () => {
  const token = fc.string({ unit: fc.constantFrom(..."QWxpY2U6eA==+/ \t,AB:é"), maxLength: 24 });
  fc.assert(
    fc.property(token, fc.string(), (token, any) => {
      readBasic(any);
      const found = readBasic(`Basic ${token}`);
      if (found === null) return;
      assert(found.user !== "" && !found.user.includes(":"));
      const bytes = atob(token);
      assertEquals(btoa(bytes), token.trimStart());
    }),
    { numRuns: 2_000 },
  );
});
