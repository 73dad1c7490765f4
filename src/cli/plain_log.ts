/** Makes of a log, as it was kept, the bytes that were written: out of gzip, and out of UTF-16. */

import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";

/**
 * The bytes themselves; or what they hold when they begin as gzip does; or UTF-8 for the UTF-16 that a shell of Windows
 * makes of what is redirected into a file. Memory does not grow with the log, nor with what it holds. What breaks off
 * is an error of the stream.
 */
export function plainLog(stream: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  return ReadableStream.from(plain(stream));
}

async function* plain(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    let head: Uint8Array = new Uint8Array();
    while (head.length < 2) {
      const { value, done } = await reader.read();
      if (done) break;
      head = joined(head, value);
    }
    const pieces = piecesOf(head, reader);
    const is = (first: number, second: number) => head[0] === first && head[1] === second;
    if (is(0x1f, 0x8b)) yield* inflated(pieces);
    else if (is(0xff, 0xfe)) yield* recoded(pieces);
    else yield* pieces;
  } finally {
    // whoever stops early leaves no file open
    await reader.cancel().catch(() => {});
  }
}

async function* piecesOf(
  head: Uint8Array,
  reader: ReadableStreamDefaultReader<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  if (head.length > 0) yield head;
  while (true) {
    const { value, done } = await reader.read();
    if (done) return;
    yield value;
  }
}

/**
 * Inflates in small pieces, however much a few bytes stand for, and goes on with what is appended as gzip of its own:
 * DecompressionStream does neither.
 */
async function* inflated(pieces: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  const compressed = Readable.from(pieces);
  const gunzip = createGunzip();
  compressed.on("error", (error) => gunzip.destroy(error));
  compressed.pipe(gunzip);
  try {
    for await (const bytes of gunzip) yield bytes as Uint8Array;
  } finally {
    compressed.destroy();
    gunzip.destroy();
  }
}

async function* recoded(pieces: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  const decoder = new TextDecoder("utf-16le");
  const encoder = new TextEncoder();
  for await (const bytes of pieces) yield encoder.encode(decoder.decode(bytes, { stream: true }));
  yield encoder.encode(decoder.decode());
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}
