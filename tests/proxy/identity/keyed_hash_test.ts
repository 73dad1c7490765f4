import { createHmac, randomBytes } from "node:crypto";
import { assertEquals } from "@std/assert";
import { KeyedHash } from "../../../src/proxy/identity/keyed_hash.ts";

// by code units: two of them may look like a character of their own
const hexadecimal = (text: string) =>
  Array.from({ length: text.length }, (_, i) => text.charCodeAt(i).toString(16).padStart(4, "0")).join("");

Deno.test("the keyed hash is HMAC with SHA-256, whatever the length", () => {
  for (let length = 0; length < 300; length++) {
    const bytes = randomBytes(length + 7);
    const key = randomBytes(32);
    assertEquals(
      hexadecimal(new KeyedHash(key).of(bytes, 3, 3 + length)),
      createHmac("sha256", key).update(bytes.subarray(3, 3 + length)).digest("hex"),
      `${length} bytes`,
    );
  }
});

Deno.test("a hash leaves nothing behind for the next one", () => {
  const key = new Uint8Array(64).fill(7);
  const hash = new KeyedHash(key);
  for (const text of ["a", "", "b".repeat(200), "a", "c".repeat(55), "c".repeat(56), "c".repeat(64)]) {
    const bytes = new TextEncoder().encode(text);
    assertEquals(
      hexadecimal(hash.of(bytes, 0, bytes.length)),
      createHmac("sha256", key).update(text).digest("hex"),
    );
  }
});
