import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { type Hash, readHash } from "../../src/passwords/hash.ts";
import { hashPassword, passwordProblem, verifyPassword } from "../../src/passwords/verify.ts";

function hash(text: string): Hash {
  const found = readHash(text);
  if (typeof found === "string") throw new Error(found);
  return found;
}

Deno.test("hashes that other programs have made are verified", async () => {
  for (
    const [text, password] of [
      // passlib's documentation
      [
        "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E",
        "password",
      ],
      // libxcrypt, which htpasswd uses, and Openwall's test of bcrypt
      ["$2y$04$abcdefghijklmnopqrstuughE8Ev8uGFaUgY2cNEySvxngrb/Jzdm", "password"],
      ["$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"],
    ]
  ) {
    assert(await verifyPassword(hash(text), password), text);
    for (const wrong of [password + "x", password.slice(1), password.toLowerCase() + "\0", ""]) {
      assert(!await verifyPassword(hash(text), wrong), `${text} ${wrong}`);
    }
  }
});

Deno.test("what is hashed here is verified here, each time with another salt", async () => {
  for (const scheme of ["scrypt", "bcrypt"] as const) {
    const password = "pässwörd 日本 €:";
    const one = await hashPassword(password, scheme);
    assertEquals(hash(one.text), one);
    assertMatch(one.text, scheme === "bcrypt" ? /^\$2y\$12\$/ : /^\$scrypt\$ln=15,r=8,p=1\$/);
    assert(await verifyPassword(one, password));
    assert(!await verifyPassword(one, password.toUpperCase()));
    assert((await hashPassword(password, scheme)).text !== one.text);
  }
});

Deno.test("bcrypt gets no password of which it would not look at the end", async () => {
  assertEquals(passwordProblem("x".repeat(72), "bcrypt"), null);
  assertMatch(passwordProblem("x".repeat(73), "bcrypt")!, /^has 73 bytes, of which bcrypt counts 72 alone/);
  assertMatch(passwordProblem("€".repeat(25), "bcrypt")!, /^has 75 bytes/);
  assertEquals(passwordProblem("x".repeat(73), "scrypt"), null);
  await assertRejects(() => hashPassword("x".repeat(73), "bcrypt"), RangeError, "73 bytes");
});

Deno.test("a hash of bcrypt from elsewhere is verified by the first 72 bytes, as everywhere", async () => {
  // crypt("x" * 80) of libxcrypt
  const other = hash("$2y$04$abcdefghijklmnopqrstuubzadhGtS2zEF.gu0yd0opP6cVzb.e0i");
  assert(await verifyPassword(other, "x".repeat(80)));
  assert(await verifyPassword(other, "x".repeat(72) + "y"));
  assert(!await verifyPassword(other, "x".repeat(71)));
  assert(!await verifyPassword(other, "x".repeat(72) + "\0"));
});

Deno.test("a password that no client can send is none", () => {
  for (const password of ["", "a\0b", "a\nb", "a\tb", "\x7f", "\ud800", "x".repeat(1025)]) {
    assert(passwordProblem(password, "scrypt") !== null, JSON.stringify(password));
  }
});

Deno.test("many at once are verified one after the other, in their order", async () => {
  const text = "$2y$04$abcdefghijklmnopqrstuughE8Ev8uGFaUgY2cNEySvxngrb/Jzdm";
  const order: number[] = [];
  const passwords = ["password", "a", "b", "password", "c"];
  const results = await Promise.all(
    passwords.map((password, i) => verifyPassword(hash(text), password).finally(() => order.push(i))),
  );
  assertEquals(results, [true, false, false, true, false]);
  assertEquals(order, [0, 1, 2, 3, 4]);
});
