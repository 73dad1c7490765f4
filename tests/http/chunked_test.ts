import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { CHUNK_PREFIX, CHUNK_SUFFIX, ChunkedReader, wrapChunk } from "../../src/http/chunked.ts";
import type { HeadLimits } from "../../src/http/head_reader.ts";
import { bytes, fieldsOf, LIMITS, refusal, text } from "./reading.ts";

interface Unwrapped {
  data: string;
  trailers: [string, string][];
  done: boolean;
  /** Bytes that belong to the body. */
  length: number;
}

/** Reads a body in pieces of `step` bytes, as a connection would bring them. */
function unwrap(body: string, step = body.length, limits: HeadLimits = LIMITS): Unwrapped {
  const reader = new ChunkedReader("request", limits);
  let data = "";
  let length = 0;
  for (let at = 0; at < body.length && !reader.done; at += step) {
    const piece = bytes(body.slice(at, at + step));
    reader.read(piece, 0, piece.length);
    data += text(piece.subarray(reader.dataStart, reader.dataEnd));
    length += reader.consumed;
    if (!reader.done) assertEquals(reader.consumed, piece.length, "until the end, every byte is taken");
  }
  const trailers = reader.trailers === null ? [] : fieldsOf(reader.trailers);
  return { data, trailers, done: reader.done, length };
}

Deno.test("a chunked body is its chunks' data, up to the chunk of size 0 (RFC 9112 §7.1)", () => {
  const body = "4\r\nWiki\r\n5\r\npedia\r\ne\r\n in\r\n\r\nchunks.\r\n0\r\n\r\n";
  assertEquals(unwrap(body), {
    data: "Wikipedia in\r\n\r\nchunks.",
    trailers: [],
    done: true,
    length: body.length,
  });
});

Deno.test("a body may be empty (RFC 9112 §7.1)", () => {
  assertEquals(unwrap("0\r\n\r\n"), { data: "", trailers: [], done: true, length: 5 });
});

Deno.test("sizes are hexadecimal in either case, leading zeros are legal (RFC 9112 §7.1)", () => {
  const data = "x".repeat(0xab);
  for (const size of ["ab", "AB", "aB", "0ab", "000000000000AB"]) {
    assertEquals(unwrap(`${size}\r\n${data}\r\n000\r\n\r\n`).data, data);
  }
});

Deno.test("extensions are passed over, on the last chunk too (RFC 9112 §7.1.1)", () => {
  for (const extension of [";", ";a", ";a=b", '; a = "b;\t\xff"', ";a;b;c=d", ";=", ";0\t"]) {
    assertEquals(unwrap(`3${extension}\r\nabc\r\n0${extension}\r\n\r\n`), {
      data: "abc",
      trailers: [],
      done: true,
      length: 13 + 2 * extension.length,
    });
  }
});

Deno.test("a size line may have 4 KiB with its extensions and no more (RFC 9112 §7.1.1)", () => {
  assertEquals(unwrap(`3;${"a".repeat(4093)}\r\nabc\r\n0\r\n\r\n`).data, "abc");
  assertEquals(refusal(() => unwrap(`3;${"a".repeat(4094)}\r\nabc\r\n0\r\n\r\n`)).status, 400);
  assertEquals(refusal(() => unwrap(`3;${"a".repeat(4096)}`, 1)).status, 400, "before its end has come");
});

Deno.test("each size line has its own measure", () => {
  const chunk = `1;${"a".repeat(4000)}\r\nx\r\n`;
  assertEquals(unwrap(chunk.repeat(3) + "0\r\n\r\n").data, "xxx");
});

Deno.test("a size is less than 2^53 (RFC 9112 §7.1)", () => {
  assertFalse(unwrap("1fffffffffffff\r\n").done);
  assertEquals(refusal(() => unwrap("20000000000000\r\n")).status, 400);
  assertEquals(refusal(() => unwrap("fffffffffffffffff")).status, 400);
});

Deno.test("what follows a body is left alone (RFC 9112 §9.3.2)", () => {
  const body = "3\r\nabc\r\n0\r\n\r\n";
  assertEquals(unwrap(body + "GET / HTTP/1.1\r\n\r\n").length, body.length);
  assertEquals(unwrap(body + "\n\0 anything").length, body.length);
  const reader = new ChunkedReader("response", LIMITS);
  const all = bytes(body + "more");
  reader.read(all, 0, all.length);
  reader.read(all, body.length, all.length);
  assertEquals(reader.consumed, body.length, "a body that is done takes nothing");
  assertEquals(reader.dataEnd - reader.dataStart, 0);
});

Deno.test("the data of all chunks of one piece is moved together in place", () => {
  const all = bytes("....4\r\nWiki\r\n5;x\r\npedia\r\n3\r\nab");
  const reader = new ChunkedReader("response", LIMITS);
  reader.read(all, 4, all.length);
  assertEquals(text(all.subarray(reader.dataStart, reader.dataEnd)), "Wikipediaab");
  assertEquals(reader.consumed, all.length);
  assertEquals(text(all.subarray(0, 4)), "....", "what stands before is not touched");
});

Deno.test("a piece without data says so", () => {
  const reader = new ChunkedReader("response", LIMITS);
  const piece = bytes("ff;a=b\r");
  reader.read(piece, 0, piece.length);
  assertEquals(reader.dataEnd, reader.dataStart);
  assertEquals(reader.consumed, piece.length);
  reader.read(piece, 3, 3);
  assertEquals([reader.dataStart, reader.dataEnd, reader.consumed], [3, 3, 3], "and so does an empty one");
});

Deno.test("a body cut anywhere is not done (RFC 9112 §8)", () => {
  const body = "5;a=b\r\nhello\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\n";
  for (let cut = 0; cut < body.length; cut++) {
    assertFalse(unwrap(body.slice(0, cut)).done, `after ${cut} bytes`);
    assertFalse(unwrap(body.slice(0, cut), 1).done, `after ${cut} bytes, one by one`);
  }
  assert(unwrap(body).done);
});

Deno.test("trailers are read as fields (RFC 9112 §7.1.2)", () => {
  const body = "1\r\na\r\n0\r\nX-Checksum: \t abc \r\nx-b:\r\nX-Checksum: \xff\r\n\r\n";
  assertEquals(unwrap(body + "rest"), {
    data: "a",
    trailers: [["X-Checksum", "abc"], ["x-b", ""], ["X-Checksum", "\xff"]],
    done: true,
    length: body.length,
  });
});

Deno.test("trailers outlive the buffer in which they came", () => {
  const piece = bytes("0\r\nA: b\r\n\r\n");
  const reader = new ChunkedReader("request", LIMITS);
  reader.read(piece, 0, piece.length);
  piece.fill(0x78);
  assertEquals(fieldsOf(reader.trailers!), [["A", "b"]]);
});

Deno.test("a body without trailers has none, wherever it is cut", () => {
  for (let step = 1; step < 6; step++) {
    const reader = new ChunkedReader("request", LIMITS);
    const body = bytes("0\r\n\r\n");
    for (let at = 0; at < 5; at += step) reader.read(body, at, Math.min(at + step, 5));
    assert(reader.done);
    assertEquals(reader.trailers, null);
  }
});

Deno.test("long trailers within the limit are kept whole (RFC 9112 §7.1.2)", () => {
  const lines = Array.from({ length: 200 }, (_, i): [string, string] => [`X-${i}`, "v".repeat(i)]);
  const body = "0\r\n" + lines.map(([name, value]) => `${name}: ${value}\r\n`).join("") + "\r\n";
  for (const step of [1, 7, 512, 513, 100_000]) assertEquals(unwrap(body, step).trailers, lines);
});

const SMALL = { maxHeadSize: 100, maxFields: 3 };

Deno.test("trailers are bounded as a head is, however they come (RFC 9110 §6.5)", () => {
  const fits = `A: ${"b".repeat(93)}\r\n\r\n`;
  assertEquals(fits.length, 100);
  // where the limit falls, a line's end may just have begun: there too the reader neither waits nor turns
  for (let size = 80; size < 120; size++) {
    const section = `A: ${"b".repeat(size - 7)}\r\n\r\n`;
    for (const step of [1, 2, 3, 101, 102, 103, 104, 1000]) {
      if (size <= 100) assert(unwrap("0\r\n" + section, step, SMALL).done);
      else assertEquals(refusal(() => unwrap("0\r\n" + section, step, SMALL)).status, 431);
    }
  }
  for (const step of [1, 5, 1000]) {
    const many = "0\r\n" + "A: b\r\n".repeat(4) + "\r\n";
    assertEquals(refusal(() => unwrap(many, step, SMALL)).status, 431);
    const endless = "0\r\n" + "a".repeat(5000);
    assertEquals(refusal(() => unwrap(endless, step, SMALL)).status, 431);
  }
});

Deno.test("an origin's chunks that are wrong are answered with 502", () => {
  for (const body of ["x\r\n", "0\r\nA : b\r\n\r\n", `0\r\n${"a".repeat(200)}`]) {
    const error = refusal(() => new ChunkedReader("response", SMALL).read(bytes(body), 0, body.length));
    assertEquals([error.status, error.error], [502, "http_protocol_error"]);
  }
});

// Wrapping

/** The chunk that is made of `data`. */
function wrapped(data: Uint8Array): string {
  const room = new Uint8Array(CHUNK_PREFIX + data.length + CHUNK_SUFFIX).fill(0x2e);
  room.set(data, CHUNK_PREFIX);
  const end = CHUNK_PREFIX + data.length;
  const start = wrapChunk(room, CHUNK_PREFIX, end);
  assert(room.subarray(0, start).every((byte) => byte === 0x2e), "nothing before the chunk is written");
  assert(room.subarray(end + 2).every((byte) => byte === 0x2e), "nor behind it");
  return text(room.subarray(start, end + 2));
}

Deno.test("data is wrapped with its size in hexadecimal, in place (RFC 9112 §7.1)", () => {
  for (const size of [1, 9, 10, 15, 16, 255, 256, 4095, 4096, 65535, 65536, 262144, 1048577]) {
    const chunk = wrapped(new Uint8Array(size).fill(0x61));
    assertEquals(chunk.slice(0, 20), `${size.toString(16)}\r\n${"a".repeat(size)}\r\n`.slice(0, 20));
    assertEquals(chunk.length, size.toString(16).length + size + 4);
    assertEquals(chunk.slice(-3), "a\r\n");
  }
});

Deno.test("no data is never wrapped: it would be the last chunk (RFC 9112 §7.1)", () => {
  assertThrows(() => wrapChunk(new Uint8Array(64), 32, 32), RangeError);
});

Deno.test("chunks that came are wrapped anew in the room they had", () => {
  // the size line of what is moved together may be longer than the first one was: by four bytes at most
  const all = bytes("...." + "1\r\na\r\n".repeat(5000));
  const reader = new ChunkedReader("response", LIMITS);
  reader.read(all, 4, all.length);
  const start = wrapChunk(all, reader.dataStart, reader.dataEnd);
  assert(start >= 0);
  assertEquals(text(all.subarray(start, reader.dataEnd + 2)), `1388\r\n${"a".repeat(5000)}\r\n`);
});
