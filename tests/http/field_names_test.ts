import { assert, assertEquals } from "@std/assert";
import { Field, FIELD_NAMES, fieldNumber, fieldNumberOf, hashStep } from "../../src/http/field_names.ts";
import { bytes } from "./reading.ts";

/** The number of a name as a head's reader finds it. */
function numberOf(name: string): number {
  const buffer = bytes(`..${name}: x`);
  const hash = bytes(name.toLowerCase()).reduce((hash, byte) => hashStep(hash, byte), 0);
  return fieldNumber(buffer, 2, 2 + name.length, hash);
}

Deno.test("every known field has one number, and its name stands at it", () => {
  const numbers = Object.values(Field);
  assertEquals(numbers.toSorted((a, b) => a - b), FIELD_NAMES.map((_, number) => number));
  for (const [identifier, number] of Object.entries(Field)) {
    if (number === Field.Other) continue;
    assertEquals(FIELD_NAMES[number].replaceAll("-", ""), identifier.toLowerCase());
  }
});

Deno.test("a known field is found in any case (RFC 9110 §5.1)", () => {
  for (let number = 1; number < FIELD_NAMES.length; number++) {
    const name = FIELD_NAMES[number];
    for (const written of [name, name.toUpperCase(), name[0].toUpperCase() + name.slice(1)]) {
      assertEquals(numberOf(written), number);
      assertEquals(fieldNumberOf(written), number);
    }
  }
});

Deno.test("a name that only resembles a known one is another", () => {
  for (const name of FIELD_NAMES.slice(1)) {
    for (const other of [name + "x", "x" + name, name.slice(1), name.slice(0, -1), name.replace("e", "3")]) {
      const known = FIELD_NAMES.indexOf(other);
      assertEquals(numberOf(other), Math.max(known, 0));
      assertEquals(fieldNumberOf(other), Math.max(known, 0));
    }
  }
  assertEquals(fieldNumberOf(""), 0);
});

Deno.test("a name with the hash of a known field is still another", () => {
  // in base 31, "ho" is worth the same as "iP" but for case: h·31+o = i·31+P
  const [first, second] = ["host", "iPst"];
  const hash = (name: string) => bytes(name).reduce((hash, byte) => hashStep(hash, byte), 0);
  assertEquals(hash(first), hash(second));
  const buffer = bytes(second);
  assertEquals(fieldNumber(buffer, 0, buffer.length, hash(second)), 0);
});

Deno.test("fields that rules ask for by a bit have a number below 32", () => {
  const { TransferEncoding, ContentLength, Connection, Host, Via, Expect, Upgrade, XForwardedFor } = Field;
  for (const n of [TransferEncoding, ContentLength, Connection, Host, Via, Expect, Upgrade, XForwardedFor]) {
    assert(n > 0 && n < 32);
  }
});
