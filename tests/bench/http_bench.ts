/**
 * What a request costs in `http/`: `deno bench tests/bench/http_bench.ts`. Heads are those of real browsers, 600 to
 * 1,200 bytes; times are per head. Of bodies, 1 MiB is unwrapped per iteration: 1 ms is 1 GB/s.
 */

import { CHUNK_PREFIX, CHUNK_SUFFIX, ChunkedReader, wrapChunk } from "../../src/http/chunked.ts";
import { CHUNKED, type Framing, requestFraming, responseFraming } from "../../src/http/framing.ts";
import { HeadReader } from "../../src/http/head_reader.ts";
import { fieldLine, HeadWriter, TRANSFER_ENCODING_CHUNKED } from "../../src/http/head_writer.ts";
import { ConnectionOptions } from "../../src/http/hop_by_hop.ts";
import {
  readRequestLine,
  readStatusLine,
  type RequestLine,
  type StatusLine,
} from "../../src/http/start_line.ts";
import { readTarget, type Target } from "../../src/http/target.ts";
import { BROWSER_REQUESTS, RESPONSES } from "../http/corpus.ts";
import { LIMITS } from "../http/reading.ts";

/** Heads per iteration, each browser's as often as the others'. */
const requests = BROWSER_REQUESTS.map((sample) => sample.bytes);
const responses = RESPONSES.slice(0, 6).map((sample) => sample.bytes);

const head = new HeadReader("request", LIMITS);
const line: RequestLine = { methodEnd: 0, targetStart: 0, targetEnd: 0, minorVersion: 0 };
const options = new ConnectionOptions();
const writer = new HeadWriter(4096);
const via = fieldLine("Via", "1.1 weir-1f3a");
let target: Target;
let framing: Framing;
let next = 0;

function nextOf(messages: readonly Uint8Array[]): Uint8Array {
  next = (next + 1) % messages.length;
  return messages[next];
}

function readHead(message: Uint8Array): void {
  head.begin(message, 0);
  if (!head.read(message.length)) throw new Error("a head is not whole");
}

function understand(message: Uint8Array): string {
  readHead(message);
  readRequestLine(head, line);
  const method = head.text(head.start, line.methodEnd);
  target = readTarget(head, line, method);
  framing = requestFraming(head, line.minorVersion);
  return method;
}

Deno.bench("request: read the head", { group: "request", baseline: true }, () => {
  readHead(nextOf(requests));
});

Deno.bench("request: read head, line, target, framing", { group: "request" }, () => {
  understand(nextOf(requests));
});

Deno.bench("request: the same, and rewrite it", { group: "request" }, () => {
  const method = understand(nextOf(requests));
  options.read(head);
  writer.begin(head);
  writer.requestLine(head, line, target, method);
  writer.fields(head, options, target);
  if (framing === CHUNKED) writer.add(TRANSFER_ENCODING_CHUNKED);
  writer.add(via);
  writer.end();
});

Deno.bench("request: read the head in pieces of 100 bytes", { group: "request" }, () => {
  const message = nextOf(requests);
  head.begin(message, 0);
  for (let limit = 100; !head.read(Math.min(limit, message.length)); limit += 100);
});

Deno.bench("request: decode the head as text and split it", { group: "request" }, () => {
  const text = new TextDecoder("latin1").decode(nextOf(requests));
  const fields = new Map<string, string>();
  for (const fieldLine of text.slice(0, text.indexOf("\r\n\r\n")).split("\r\n").slice(1)) {
    const colon = fieldLine.indexOf(":");
    fields.set(fieldLine.slice(0, colon).toLowerCase(), fieldLine.slice(colon + 1).trim());
  }
  if (fields.size === 0) throw new Error("a head without fields");
});

const responseHead = new HeadReader("response", LIMITS);
const statusLine: StatusLine = { status: 0, minorVersion: 0, reasonStart: 0 };

Deno.bench("response: read head, line, framing, and rewrite it", () => {
  const message = nextOf(responses);
  responseHead.begin(message, 0);
  if (!responseHead.read(message.length)) throw new Error("a head is not whole");
  readStatusLine(responseHead, statusLine);
  framing = responseFraming(responseHead, statusLine.status, "GET");
  options.read(responseHead);
  writer.begin(responseHead);
  writer.statusLine(responseHead, statusLine);
  writer.fields(responseHead, options, null);
  if (framing === CHUNKED) writer.add(TRANSFER_ENCODING_CHUNKED);
  writer.add(via);
  writer.end();
});

const MEBIBYTE = 1 << 20;
/** What one read of a busy connection brings. */
const READ = 65536;

/** A body of 1 MiB in chunks of `size` bytes. */
function chunkedBody(size: number): Uint8Array {
  const chunk = new TextEncoder().encode(`${size.toString(16)}\r\n${"x".repeat(size)}\r\n`);
  const count = MEBIBYTE / size;
  const body = new Uint8Array(chunk.length * count + 5);
  for (let i = 0; i < count; i++) body.set(chunk, i * chunk.length);
  body.set(new TextEncoder().encode("0\r\n\r\n"), chunk.length * count);
  return body;
}

for (const size of [16, 256, 4096, 16384]) {
  const body = chunkedBody(size);
  const buffer = new Uint8Array(CHUNK_PREFIX + READ + CHUNK_SUFFIX);
  Deno.bench(`1 MiB in chunks of ${size} bytes: unwrap and wrap`, { group: "chunks" }, () => {
    const reader = new ChunkedReader("response", LIMITS);
    for (let at = 0; at < body.length; at += READ) {
      // each read brings fresh bytes into the one buffer, as a connection's does
      const piece = body.subarray(at, at + READ);
      buffer.set(piece, CHUNK_PREFIX);
      reader.read(buffer, CHUNK_PREFIX, CHUNK_PREFIX + piece.length);
      if (reader.dataEnd > reader.dataStart) wrapChunk(buffer, reader.dataStart, reader.dataEnd);
    }
    if (!reader.done) throw new Error("a body is not whole");
  });
}

Deno.bench("1 MiB copied in pieces of 64 KiB, for comparison", { group: "chunks", baseline: true }, () => {
  const buffer = new Uint8Array(READ);
  for (let at = 0; at < MEBIBYTE; at += READ) buffer.set(copied.subarray(at, at + READ));
});
const copied = new Uint8Array(MEBIBYTE);
