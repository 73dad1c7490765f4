import { assertEquals, assertMatch } from "@std/assert";
import { readHash, readScrypt } from "../../src/passwords/hash.ts";

/** As passlib's documentation has it, for the password `password`. */
const SCRYPT = "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E";
const BCRYPT = "$2y$04$abcdefghijklmnopqrstuughE8Ev8uGFaUgY2cNEySvxngrb/Jzdm";

Deno.test("bcrypt of all three letters and scrypt as passlib writes it are hashes", () => {
  for (const letter of ["a", "b", "y"]) {
    const text = BCRYPT.replace("$2y", `$2${letter}`);
    assertEquals(readHash(text), { scheme: "bcrypt", text });
  }
  assertEquals(readHash(SCRYPT), { scheme: "scrypt", text: SCRYPT });
});

Deno.test("what is not a whole hash is none", () => {
  for (let length = 0; length < BCRYPT.length; length++) {
    assertEquals(typeof readHash(BCRYPT.slice(0, length)), "string", BCRYPT.slice(0, length));
  }
  assertEquals(readHash(BCRYPT + "x"), "is no whole bcrypt hash");
  assertEquals(readHash(BCRYPT.replace("u", "!")), "is no whole bcrypt hash");
  assertEquals(readHash("$2x" + BCRYPT.slice(3)), "is a hash of another kind, which weir does not take");
  for (
    const [from, to, message] of [
      ["ln=16,", "", "is no whole scrypt hash"],
      ["ln=16", "ln=-1", "is no whole scrypt hash"],
      ["ln=16", "ln=1e1", "is no whole scrypt hash"],
      ["p=1", "p=1,x=2", "is no whole scrypt hash"],
      ["5E", "5F", "is a scrypt hash whose base64 is broken"],
      ["5E", "", "is a scrypt hash whose base64 is broken"],
      ["5E", "5E=", "is no whole scrypt hash"],
      ["aM15713r3Xsvxbi31lqr1Q", "aM15713r", "is a scrypt hash whose salt is not 8 to 64 bytes long"],
      ["r=8", "r=0", "is a scrypt hash whose ln, r or p is 0"],
      [
        "nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E",
        "nFNh",
        "is a scrypt hash that is not 16 to 64 bytes long itself",
      ],
    ]
  ) assertEquals(readHash(SCRYPT.replace(from, to)), message, `${from} → ${to}`);
});

Deno.test("a hash that costs more than a request is worth is refused", () => {
  const bcrypt = (cost: string) => readHash(BCRYPT.replace("$04$", `$${cost}$`));
  assertEquals(typeof bcrypt("14"), "object");
  assertEquals(bcrypt("15"), "has a bcrypt cost of 15, which takes too long: the most is 14");
  assertEquals(bcrypt("31"), "has a bcrypt cost of 31, which takes too long: the most is 14");
  assertEquals(bcrypt("03"), "has a bcrypt cost of 3: the least is 4");
  const scrypt = (parameters: string) => readHash(SCRYPT.replace("ln=16,r=8,p=1", parameters));
  for (const fine of ["ln=17,r=8,p=1", "ln=16,r=8,p=2", "ln=15,r=8,p=3", "ln=14,r=8,p=5", "ln=13,r=8,p=10"]) {
    assertEquals(typeof scrypt(fine), "object", fine);
  }
  for (
    const dear of ["ln=17,r=8,p=2", "ln=18,r=1,p=1", "ln=17,r=9,p=1", "ln=1,r=99999,p=99999", "ln=99,r=1,p=1"]
  ) {
    assertMatch(String(scrypt(dear)), /takes too much/, dear);
  }
});

Deno.test("a hash of a kind that is broken by now says which it is", () => {
  for (
    const [text, kind] of [
      ["$apr1$lZL6V/ci$eIMz/iKDkbtys/uU7LEK00", "an MD5 hash"],
      ["{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "a SHA-1 hash"],
      ["rqXexS6ZhobKA", "plain text or a hash of the old crypt"],
      ["$6$rounds=5000$usesomesillystri$D4IrlXatmP7rx3P3", "a hash of crypt"],
      ["$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA", "an Argon2 hash"],
      ["open sesame", "plain text or a hash of the old crypt"],
      ["", "empty"],
    ]
  ) assertEquals(readHash(text), `is ${kind}, which weir does not take`);
  assertEquals(readHash("x".repeat(10_000)), "is too long for a hash");
});

Deno.test("scrypt's parts are bytes", () => {
  const parts = readScrypt(SCRYPT);
  if (typeof parts === "string") throw new Error(parts);
  assertEquals([parts.ln, parts.r, parts.p, parts.salt.length, parts.key.length], [16, 8, 1, 16, 32]);
});
