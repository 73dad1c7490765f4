import { assert, assertEquals, assertFalse } from "@std/assert";
import { BodyReader } from "../../src/http/body_reader.ts";
import { CHUNKED, UNTIL_CLOSE } from "../../src/http/framing.ts";
import { bytes, fieldsOf, LIMITS, refusal, text } from "./reading.ts";

/** Reads on and tells the data that was found. */
function take(reader: BodyReader, buffer: Uint8Array, from: number, to: number): string {
  reader.read(buffer, from, to);
  return text(buffer.subarray(reader.dataStart, reader.dataEnd));
}

Deno.test("no body is done before a byte was read (RFC 9112 §6.3)", () => {
  const reader = new BodyReader("request", 0, LIMITS);
  assert(reader.done);
  const next = bytes("GET / HTTP/1.1");
  assertEquals(take(reader, next, 0, next.length), "");
  assertEquals(reader.consumed, 0, "what comes is not its");
  assert(reader.done);
  assert(reader.end());
});

Deno.test("a body of a length ends with its last byte, and takes none beyond it (RFC 9112 §6.2)", () => {
  const buffer = bytes("hello worldGET /");
  const reader = new BodyReader("request", 11, LIMITS);
  assertEquals(take(reader, buffer, 0, 6), "hello ");
  assertEquals(reader.consumed, 6);
  assertFalse(reader.done);
  assertEquals(take(reader, buffer, 6, 6), "");
  assertFalse(reader.done);
  assertEquals(take(reader, buffer, 6, buffer.length), "world");
  assertEquals(reader.consumed, 11);
  assert(reader.done);
  assert(reader.end());
  assertEquals(reader.trailers, null);
});

Deno.test("a body of a length that is cut short is not whole (RFC 9112 §8)", () => {
  const reader = new BodyReader("response", 5, LIMITS);
  take(reader, bytes("hell"), 0, 4);
  assertFalse(reader.end());
  assertFalse(reader.done);
});

Deno.test("a body until close takes everything and is whole when the connection ends (RFC 9112 §6.3)", () => {
  const reader = new BodyReader("response", UNTIL_CLOSE, LIMITS);
  const buffer = bytes("HTTP/1.1 200 OK\r\n\r\n");
  assertEquals(take(reader, buffer, 3, buffer.length), text(buffer.subarray(3)));
  assertEquals(reader.consumed, buffer.length);
  assertFalse(reader.done);
  assert(reader.end());
  assert(reader.done);
  assert(new BodyReader("response", UNTIL_CLOSE, LIMITS).end(), "an empty one too");
});

Deno.test("a chunked body is done with its trailers (RFC 9112 §7.1)", () => {
  const reader = new BodyReader("response", CHUNKED, LIMITS);
  const buffer = bytes("3\r\nabc\r\n2\r\nde\r\n0\r\nA: b\r\n\r\nrest");
  assertFalse(reader.done);
  assertEquals(take(reader, buffer, 0, 20), "abcde");
  assertEquals(reader.consumed, 20);
  assertFalse(reader.end(), "cut short here, it is not whole");
  assertEquals(take(reader, buffer, 20, buffer.length), "");
  assert(reader.done);
  assert(reader.end());
  assertEquals(reader.consumed, buffer.length - 4);
  assertEquals(fieldsOf(reader.trailers!), [["A", "b"]]);
});

Deno.test("chunks that are wrong are refused by whose they are (RFC 9112 §7.1)", () => {
  for (const [kind, status] of [["request", 400], ["response", 502]] as const) {
    const reader = new BodyReader(kind, CHUNKED, LIMITS);
    assertEquals(refusal(() => take(reader, bytes("5 \r\n"), 0, 4)).status, status);
    assertFalse(reader.done);
  }
});

Deno.test("a body of 2^53 - 1 bytes is counted exactly", () => {
  const reader = new BodyReader("response", Number.MAX_SAFE_INTEGER, LIMITS);
  const buffer = new Uint8Array(3);
  reader.read(buffer, 0, 3);
  assertEquals(reader.consumed, 3);
  assertFalse(reader.done);
});
