/**
 * The work of reading is linear in the bytes received. Time says little of that on a machine that others use too,
 * so what is counted is how often a reader looks at a byte: its buffer is a proxy that keeps count.
 */

import { assert, assertEquals } from "@std/assert";
import { ChunkedReader } from "../../src/http/chunked.ts";
import { HeadReader } from "../../src/http/head_reader.ts";
import { bytes, LIMITS } from "./reading.ts";

interface Count {
  looks: number;
  /** Bytes that were copied as stretches. */
  copied: number;
}

/** `message` as a buffer that counts. */
function counting(message: Uint8Array): [Uint8Array, Count] {
  const count = { looks: 0, copied: 0 };
  const buffer = new Proxy(message, {
    get(target, key) {
      if (key === "subarray") {
        return (start: number, end: number) => {
          count.copied += end - start;
          return target.subarray(start, end);
        };
      }
      if (key === "copyWithin") {
        return (to: number, start: number, end: number) => {
          count.copied += end - start;
          return target.copyWithin(to, start, end);
        };
      }
      if (typeof key === "string" && /^[0-9]+$/.test(key)) count.looks++;
      return Reflect.get(target, key, target);
    },
  });
  return [buffer, count];
}

/** How often the bytes of a head are looked at when it comes in pieces of `step` bytes. */
function looksAtHead(message: Uint8Array, step: number): number {
  const [buffer, count] = counting(message);
  const reader = new HeadReader("request", LIMITS);
  reader.begin(buffer, 0);
  for (let limit = step; !reader.read(Math.min(limit, message.length)); limit += step);
  assertEquals(reader.end, message.length);
  return count.looks;
}

const LINE = "GET http://example.com/ HTTP/1.1\r\n";
const SIZE = 60 * 1024;

const LONG_HEADS: Record<string, Uint8Array> = {
  "one long value": bytes(`${LINE}A: ${"b".repeat(SIZE)}\r\n\r\n`),
  "one long name": bytes(`${LINE}${"A".repeat(SIZE)}: b\r\n\r\n`),
  "a long target": bytes(`GET http://a/${"b".repeat(SIZE)} HTTP/1.1\r\n\r\n`),
  "white space before a value": bytes(`${LINE}A:${" \t".repeat(SIZE / 2)}b\r\n\r\n`),
  "white space after a value": bytes(`${LINE}A: b${" \t".repeat(SIZE / 2)}\r\n\r\n`),
  "white space within a value": bytes(`${LINE}A: b${" ".repeat(SIZE)}b\r\n\r\n`),
  "many fields": bytes(LINE + `Accept-Charset: ${"b".repeat(220)}\r\n`.repeat(256) + "\r\n"),
};

for (const [name, message] of Object.entries(LONG_HEADS)) {
  Deno.test(`a long head with ${name} is looked through once, even byte by byte`, () => {
    const once = looksAtHead(message, message.length);
    // most bytes once, the end of a value with white space behind it twice, a field's name twice when it is known
    assert(once < 4 * message.length, `${once} looks at ${message.length} bytes`);
    // a piece may end where the byte that begins the next one is looked at anew, and no more than that
    for (const step of [1, 2, 7, 1000]) {
      const looks = looksAtHead(message, step);
      assert(looks <= once + 2 * Math.ceil(message.length / step), `${looks} looks in pieces of ${step}`);
    }
  });
}

/** The looks at, and copies of, the bytes of a chunked body in pieces of `step` bytes. */
function workOfBody(message: Uint8Array, step: number): number {
  const [buffer, count] = counting(message.slice()); // a body is moved in its buffer
  const reader = new ChunkedReader("request", LIMITS);
  for (let at = 0; at < message.length; at += step) {
    reader.read(buffer, at, Math.min(at + step, message.length));
  }
  assert(reader.done);
  return count.looks + count.copied;
}

const BODIES: Record<string, Uint8Array> = {
  "small chunks": bytes("1\r\na\r\n".repeat(10_000) + "0\r\n\r\n"),
  "long extensions": bytes(`1;${"a".repeat(4000)}\r\nb\r\n`.repeat(15) + "0\r\n\r\n"),
  "one long chunk": bytes(`f000\r\n${"a".repeat(0xf000)}\r\n0\r\n\r\n`),
  "long trailers": bytes("0\r\n" + `A: ${"b".repeat(230)}\r\n`.repeat(256) + "\r\n"),
};

for (const [name, message] of Object.entries(BODIES)) {
  Deno.test(`a body of ${name} is worked through once, even byte by byte`, () => {
    for (const step of [message.length, 1, 2, 7, 1000]) {
      const work = workOfBody(message, step);
      assert(work <= 3 * message.length, `${work} for ${message.length} bytes in pieces of ${step}`);
    }
  });
}
