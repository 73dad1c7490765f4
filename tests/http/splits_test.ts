/** Bytes come in pieces of any size: whatever the pieces, what is read is the same. */

import { assertEquals } from "@std/assert";
import { ChunkedReader } from "../../src/http/chunked.ts";
import { type HeadKind, HeadReader } from "../../src/http/head_reader.ts";
import { attempt, readInPieces } from "../fuzz/invariants.ts";
import { REFUSED_HEADS, REQUESTS, RESPONSES, type Sample } from "./corpus.ts";
import { bytes, describe, fieldsOf, LIMITS, text } from "./reading.ts";
import { SMUGGLED_CHUNKS } from "./smuggling.ts";

/** What becomes of a head that ends at `end`: all that it says, or why it is refused. */
function outcome(reader: HeadReader, read: () => boolean, end?: number): string {
  const result = attempt(read);
  if (result instanceof Error) return `${result.status} ${result.message}`;
  if (!result) return "more is needed";
  return JSON.stringify(describe(reader, end === undefined ? 0 : reader.end - end));
}

/** Reads from one buffer, which fills up to each of these places in turn. */
function readUpTo(reader: HeadReader, message: Uint8Array, cuts: readonly number[]): boolean {
  reader.begin(message, 0);
  return [...cuts, message.length].some((cut) => reader.read(cut));
}

function checkEverySplit(kind: HeadKind, { name, bytes: message }: Sample): void {
  const reader = new HeadReader(kind, LIMITS);
  const whole = outcome(reader, () => readUpTo(reader, message, []));
  const end = reader.end;
  const places = Array.from({ length: message.length - 1 }, (_, index) => index + 1);
  for (const cuts of [...places.map((place) => [place]), places]) {
    const where = `${name}, ${cuts.length === 1 ? `cut at ${cuts[0]}` : "byte by byte"}`;
    assertEquals(outcome(reader, () => readUpTo(reader, message, cuts)), whole, where);
    assertEquals(
      outcome(reader, () => readInPieces(reader, message, cuts), end),
      whole,
      `${where} and moved`,
    );
  }
}

Deno.test("a request's head is the same wherever it is cut, moved or not", () => {
  for (const sample of REQUESTS) checkEverySplit("request", sample);
});

Deno.test("a response's head is the same wherever it is cut, moved or not", () => {
  for (const sample of RESPONSES) checkEverySplit("response", sample);
});

Deno.test("a head is refused for the same reason wherever it is cut, moved or not", () => {
  for (const { rule, message } of REFUSED_HEADS) {
    checkEverySplit("request", { name: rule, bytes: bytes(message) });
  }
});

Deno.test("two requests in one buffer are the same wherever they are cut (RFC 9112 §9.3.2)", () => {
  const first = REQUESTS[0].bytes;
  const both = new Uint8Array([...first, ...REQUESTS[1].bytes]);
  const expected = [first, REQUESTS[1].bytes].map((message) => {
    const reader = new HeadReader("request", LIMITS);
    return outcome(reader, () => readUpTo(reader, message, []));
  });
  for (let cut = 1; cut < both.length; cut++) {
    const reader = new HeadReader("request", LIMITS);
    const found: string[] = [];
    reader.begin(both, 0);
    for (const limit of [cut, both.length]) {
      while (reader.read(limit)) {
        found.push(JSON.stringify(describe(reader, found.length === 0 ? 0 : first.length)));
        reader.begin(both, reader.end);
      }
    }
    assertEquals(found, expected, `cut at ${cut}`);
  }
});

const BODIES = [
  "0\r\n\r\n",
  "5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1\r\n",
  "5;a=b\r\nhello\r\n00A;x\r\n0123456789\r\n1\r\n\n\r\n0;last\r\n\r\n",
  "1\r\na\r\n0\r\nX-Checksum: abc\r\nServer-Timing: a;dur=1\r\n\r\nrest",
  `${(300).toString(16)}\r\n${"\r\n0\r\n\r\n".repeat(43).slice(0, 300)}\r\n0\r\n\r\n`,
  "3\r\nabc\r\n0\r\nEmpty:\r\nOdd: \xff\r\n\r\n",
];

/** What becomes of a chunked body that comes in these pieces. */
function unwrapped(body: string, cuts: readonly number[]): string {
  const reader = new ChunkedReader("request", LIMITS);
  let data = "";
  let used = 0;
  const refused = attempt(() => {
    for (const cut of [...cuts, body.length]) {
      const piece = bytes(body.slice(used, cut));
      reader.read(piece, 0, piece.length);
      data += text(piece.subarray(reader.dataStart, reader.dataEnd));
      used += reader.consumed;
      if (reader.done) return;
    }
  });
  if (refused instanceof Error) return `${refused.status} ${refused.message}`;
  const trailers = reader.trailers === null ? null : fieldsOf(reader.trailers);
  return JSON.stringify({ data, used, done: reader.done, trailers });
}

Deno.test("a chunked body and its trailers are the same wherever they are cut (RFC 9112 §7.1)", () => {
  for (const body of [...BODIES, ...SMUGGLED_CHUNKS.map((smuggled) => smuggled.body)]) {
    const whole = unwrapped(body, []);
    const places = Array.from({ length: body.length - 1 }, (_, index) => index + 1);
    for (const place of places) assertEquals(unwrapped(body, [place]), whole, `${body} cut at ${place}`);
    assertEquals(unwrapped(body, places), whole, `${body} byte by byte`);
  }
});
