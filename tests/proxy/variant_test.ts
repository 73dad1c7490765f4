import { assertEquals } from "@std/assert";
import { lifetimeOf } from "../../src/cache/freshness.ts";
import type { FieldLine, StoredResponse } from "../../src/cache/stored_response.ts";
import { Packing } from "../../src/proxy/cache/packing.ts";
import { Variant } from "../../src/proxy/cache/variant.ts";

function head(fields: FieldLine[], length: number, more: Partial<StoredResponse> = {}): StoredResponse {
  return { status: 200, fields, requestTime: 1, responseTime: 2, vary: [], length, range: null, ...more };
}

function made(fields: FieldLine[], pieces: Uint8Array[], more: Partial<StoredResponse> = {}): Variant {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return new Variant(head(fields, length, more), "OK", "127.0.0.1", pieces);
}

function textOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

function bodyOf({ body }: Variant): number[] {
  if (!(body instanceof Array)) throw new Error("its body is no pieces");
  return body.flatMap((piece) => [...piece]);
}

Deno.test("the fields of a stored response are those that it was made of, empty and odd ones too", () => {
  const fields: FieldLine[] = [
    ["X-Empty", ""],
    ["x-CASE", "a: b"],
    ["X-Latin", "\xe9\xff\x80"],
    ["X-Twice", "1"],
    ["X-Twice", "2"],
    ["X-Blank", "one  two\tthree"],
  ];
  for (const length of [0, 10, 20_000]) {
    const variant = made(fields, [new Uint8Array(length)]);
    assertEquals(variant.fields, fields);
  }
});

Deno.test("what is made anew for each answer is not among what all answers begin with", () => {
  const fields: FieldLine[] = [
    ["Age", "5"],
    ["X-A", "1"],
    ["Content-Length", "3"],
    ["Cache-Control", 'max-age=9, no-cache="x-own"'],
    ["X-Own", "secret"],
    ["X-B", "2"],
  ];
  const variant = made(fields, [Uint8Array.of(7, 8, 9)]);
  assertEquals(
    textOf(variant.sent),
    'HTTP/1.1 200 OK\r\nX-A: 1\r\nCache-Control: max-age=9, no-cache="x-own"\r\nX-B: 2\r\n',
  );
  // nothing is lost
  const sorted = (lines: readonly FieldLine[]) => lines.map(([name, value]) => `${name}: ${value}`).sort();
  assertEquals(sorted(variant.fields), sorted(fields));
  assertEquals(bodyOf(variant), [7, 8, 9]);
});

Deno.test("a body is the same in one piece or several, packed or not, and with another head", () => {
  const packing = new Packing();
  for (const length of [0, 1, 1024, 4096, 16_384, 16_385, 70_000, 140_000]) {
    const whole = Uint8Array.from({ length }, (_, index) => index % 251);
    for (const cut of [0, length >> 1, length]) {
      const variant = made([["ETag", '"1"']], [whole.slice(0, cut), whole.slice(cut)]);
      if (variant.isSmall) packing.add(variant);
      const other = variant.with(head([["ETag", '"2"'], ["X-More", "x".repeat(100)]], length));
      for (const each of [variant, other]) {
        assertEquals(new Uint8Array(bodyOf(each)), whole);
        assertEquals(each.length, length);
      }
      assertEquals(variant.fields, [["ETag", '"1"']]);
      assertEquals(other.fields[1], ["X-More", "x".repeat(100)]);
    }
  }
});

Deno.test("a response whose body is elsewhere has no body of its own", () => {
  const variant = new Variant(head([["ETag", '"1"']], 1000), "OK", "127.0.0.1", []);
  assertEquals(variant.isSmall, false);
  assertEquals(bodyOf(variant), []);
  assertEquals(variant.fields, [["ETag", '"1"']]);
});

Deno.test("variants that are made one after another each have their own bytes", () => {
  const variants = Array.from(
    { length: 300 },
    (_, number) => made([["X-Number", `${number}`]], [new Uint8Array(number).fill(number)]),
  );
  for (const [number, variant] of variants.entries()) {
    assertEquals(variant.fields, [["X-Number", `${number}`]]);
    assertEquals(bodyOf(variant), Array(number).fill(number % 256));
  }
});

Deno.test("a body that is one piece in a buffer of its own is not copied, and a view of a larger one is", () => {
  const buffer = new Uint8Array(16_384);
  assertEquals((made([], [buffer]).body as Uint8Array[])[0].buffer === buffer.buffer, true);
  const view = buffer.subarray(0, 10_000);
  assertEquals((made([], [view]).body as Uint8Array[])[0].buffer === buffer.buffer, false);
});

Deno.test("a copy with other fields is judged by those, whatever is known of the first", () => {
  const variant = made([["Cache-Control", "max-age=9"]], []);
  assertEquals(lifetimeOf(variant).seconds, 9);
  const fields: FieldLine[] = [["Cache-Control", "max-age=20"]];
  assertEquals(lifetimeOf({ ...variant, fields }).seconds, 20);
  assertEquals(lifetimeOf(variant.with({ ...variant, fields })).seconds, 20);
});

Deno.test("parts and responses without a body are no whole ones", () => {
  const piece = new Uint8Array(3);
  assertEquals(made([], [piece]).whole?.length, 1);
  assertEquals(made([], [], { status: 204 }).whole, null);
  assertEquals(made([], [piece], { status: 206, range: { first: 0, last: 2, whole: 9 } }).whole, null);
});

Deno.test("what it says of the memory that it takes covers head, body and what Vary names", () => {
  const long = made([["X-Long", "x".repeat(1000)]], [new Uint8Array(100_000)]);
  assertEquals(long.size > 101_000, true);
  const varied = made([], [new Uint8Array(10)], { vary: [["accept", "y".repeat(500)]] });
  assertEquals(varied.size - made([], [new Uint8Array(10)]).size >= 500, true);
});
