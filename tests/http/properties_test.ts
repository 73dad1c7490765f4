/** What holds for messages of any content: made at random, smaller ones tried first when something does not hold. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { CHUNK_PREFIX, CHUNK_SUFFIX, ChunkedReader, wrapChunk } from "../../src/http/chunked.ts";
import { CHUNKED, requestFraming, responseFraming, UNTIL_CLOSE } from "../../src/http/framing.ts";
import { HeadReader } from "../../src/http/head_reader.ts";
import { readStatusLine, type StatusLine } from "../../src/http/start_line.ts";
import {
  checkChunked,
  checkOddChunked,
  checkOddResponse,
  checkRequest,
  checkResponse,
  readInPieces,
} from "../fuzz/invariants.ts";
import { REQUESTS, RESPONSES } from "./corpus.ts";
import { ODD } from "./odd.ts";
import { bytes, fieldsOf, LIMITS, read, text, understand } from "./reading.ts";
import { SMUGGLED_CHUNKS } from "./smuggling.ts";

const RUNS = { numRuns: 300 };

/** Text of characters that are bytes of one class. */
function textOf(
  characters: RegExp,
  constraints: { minLength?: number; maxLength: number },
): fc.Arbitrary<string> {
  const bytes = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));
  const unit = fc.constantFrom(...bytes.filter((byte) => characters.test(byte)));
  return fc.string({ unit, ...constraints });
}

const token = textOf(/[!#$%&'*+\-.^_`|~0-9A-Za-z]/, { minLength: 1, maxLength: 20 });
const value = textOf(/[\t\x20-\x7e\x80-\xff]/, { maxLength: 60 })
  .map((written) => written.replace(/^[ \t]+|[ \t]+$/g, ""));
const space = fc.constantFrom("", " ", "\t", " \t ");
const otherName = token.filter((name) => !/^(content-length|transfer-encoding|host)$/i.test(name));
const fields = fc.array(fc.tuple(otherName, space, value, space), { maxLength: 40 });
const path = textOf(/[\x21-\x22\x24-\x7e\x80-\xff]/, { maxLength: 80 }).map((written) => `/${written}`);
const cuts = fc.array(fc.nat(2000), { maxLength: 6 });

/** Places within a message of this length, in order. */
function within(cuts: readonly number[], length: number): number[] {
  return cuts.filter((cut) => cut > 0 && cut < length).sort((a, b) => a - b);
}

type Fields = [name: string, before: string, value: string, after: string][];

function serialised(startLine: string, fields: Fields): string {
  const lines = fields.map(([name, before, value, after]) => `${name}:${before}${value}${after}\r\n`);
  return `${startLine}\r\n${lines.join("")}\r\n`;
}

const framingField = fc.oneof(
  fc.constant<[Fields, number | null]>([[], null]),
  fc.maxSafeNat().map((length): [Fields, number] => [[["Content-Length", " ", String(length), ""]], length]),
  fc.constantFrom("chunked", "Chunked").map((coding): [Fields, number] => [
    [["transfer-Encoding", "\t", coding, " "]],
    CHUNKED,
  ]),
);

Deno.test("a request that is serialised reads back the same", () => {
  fc.assert(
    fc.property(token, path, fc.constantFrom(0, 1), fields, framingField, cuts, (...made) => {
      const [method, path, minorVersion, others, [framing, length], cuts] = made;
      fc.pre(method !== "CONNECT" && (minorVersion === 1 || length !== CHUNKED));
      const all: Fields = [...others, ...framing];
      const target = `http://example.com:8080${path}`;
      const message = serialised(`${method} ${target} HTTP/1.${minorVersion}`, all);
      const request = understand(message);
      assertEquals(request.method, method);
      assertEquals(request.minorVersion, minorVersion);
      assertEquals(request.target.authority!.text, "example.com:8080");
      assertEquals(request.head.text(request.target.pathStart, request.target.pathEnd), path);
      assertEquals(request.framing, length ?? 0);
      const expected = all.map(([name, , value]) => [name, value]);
      assertEquals(fieldsOf(request.head), expected);

      const reader = new HeadReader("request", LIMITS);
      assert(readInPieces(reader, bytes(message), within(cuts, message.length)));
      assertEquals(fieldsOf(reader), expected);
    }),
    RUNS,
  );
});

Deno.test("a response that is serialised reads back the same", () => {
  const reason = textOf(/[\t\x20-\x7e\x80-\xff]/, { maxLength: 30 });
  fc.assert(
    fc.property(
      fc.integer({ min: 200, max: 999 }),
      reason,
      fields,
      framingField,
      (status, reason, others, framed) => {
        const [framing, length] = framed;
        const all: Fields = [...framing, ...others];
        const reader = read("response", serialised(`HTTP/1.1 ${status} ${reason}`, all));
        const line: StatusLine = { status: 0, minorVersion: 0, reasonStart: 0 };
        readStatusLine(reader, line);
        assertEquals(line.status, status);
        assertEquals(reader.text(line.reasonStart, reader.startLineEnd), reason);
        assertEquals(fieldsOf(reader), all.map(([name, , value]) => [name, value]));
        const bodiless = status === 204 || status === 304;
        assertEquals(responseFraming(reader, status, "GET"), bodiless ? 0 : length ?? UNTIL_CLOSE);
      },
    ),
    RUNS,
  );
});

Deno.test("every length below 2^53 is read as what it is, and no other (RFC 9112 §6.2)", () => {
  const digits = fc.oneof(
    fc.bigInt({ min: 0n, max: 2n ** 53n - 1n }),
    fc.bigInt({ min: 2n ** 53n - 1000n, max: 2n ** 53n + 1000n }),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 80n }),
  );
  fc.assert(
    fc.property(digits, fc.nat(20), (length, zeros) => {
      const written = "0".repeat(zeros) + length;
      const head = read("request", `POST / HTTP/1.1\r\nContent-Length: ${written}\r\n\r\n`);
      if (length < 2n ** 53n) assertEquals(BigInt(requestFraming(head, 1)), length);
      else assertEquals(refusedWith(() => requestFraming(head, 1)), 400);
    }),
    RUNS,
  );
});

function refusedWith(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return (error as { status?: number }).status;
  }
}

const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 700 }), { maxLength: 12 });
const extension = fc.oneof(
  fc.constant(""),
  textOf(/[\t\x20-\x7e\x80-\xff]/, { maxLength: 30 }).map((written) => ";" + written),
);

/** `chunks` as a chunked body, the last chunk and trailers included. */
function chunked(chunks: Uint8Array[], extension: string, trailers: Fields): Uint8Array {
  const framed = chunks.map((data) => `${data.length.toString(16)}${extension}\r\n${text(data)}\r\n`);
  const lines = trailers.map(([name, before, value, after]) => `${name}:${before}${value}${after}\r\n`);
  return bytes(`${framed.join("")}0${extension}\r\n${lines.join("")}\r\n`);
}

Deno.test("data in any chunks, in any pieces, reads back the same, and so does what is made of it", () => {
  const trailers = fc.array(fc.tuple(otherName, space, value, space), { maxLength: 5 });
  fc.assert(
    fc.property(chunks, extension, trailers, cuts, (chunks, extension, trailers, cuts) => {
      const body = chunked(chunks, extension, trailers);
      const data = chunks.map(text).join("");
      let found = "";
      let wrapped = "";
      const reader = new ChunkedReader("response", LIMITS);
      let used = 0;
      for (const cut of [...within(cuts, body.length), body.length]) {
        // as a connection's buffer is: with room before what is read, and some behind it
        const buffer = new Uint8Array(CHUNK_PREFIX + cut - used + CHUNK_SUFFIX);
        buffer.set(body.subarray(used, cut), CHUNK_PREFIX);
        reader.read(buffer, CHUNK_PREFIX, CHUNK_PREFIX + cut - used);
        const { dataStart, dataEnd } = reader;
        found += text(buffer.subarray(dataStart, dataEnd));
        if (dataEnd > dataStart) {
          wrapped += text(buffer.subarray(wrapChunk(buffer, dataStart, dataEnd), dataEnd + 2));
        }
        used = cut;
      }
      assert(reader.done);
      assertEquals(found, data);
      const expected = trailers.map(([name, , value]) => [name, value]);
      assertEquals(reader.trailers === null ? [] : fieldsOf(reader.trailers), expected);

      const again = new ChunkedReader("response", LIMITS);
      const onward = bytes(wrapped + "0\r\n\r\n");
      again.read(onward, 0, onward.length);
      assert(again.done);
      assertEquals(text(onward.subarray(again.dataStart, again.dataEnd)), data);
    }),
    RUNS,
  );
});

/** One damage: at a place, this many bytes are replaced by others. */
const damage = fc.record({
  at: fc.nat(1200),
  length: fc.oneof(fc.constant(0), fc.nat(3), fc.nat(300)),
  by: fc.oneof(
    fc.constantFrom(
      "",
      "\r\n",
      "\n",
      "\r",
      "\0",
      "\t",
      " ",
      ":",
      ",",
      ";",
      "\x7f",
      "\xff",
      "\r\n\r\n",
      "\r\n ",
    ),
    textOf(/[^]/, { maxLength: 5 }),
  ),
});

function damaged(message: string, damages: { at: number; length: number; by: string }[]): Uint8Array {
  let all = message;
  for (const { at, length, by } of damages) {
    const place = at % (all.length + 1);
    all = all.slice(0, place) + by + all.slice(place + length);
  }
  return bytes(all);
}

const damages = fc.array(damage, { maxLength: 4 });

Deno.test("a request damaged anyhow is refused, or sent on as what it was understood as", () => {
  fc.assert(
    fc.property(fc.constantFrom(...REQUESTS), damages, cuts, (sample, damages, cuts) => {
      const message = damaged(text(sample.bytes), damages);
      checkRequest(message, within(cuts, message.length));
    }),
    { numRuns: 1000 },
  );
});

Deno.test("a response damaged anyhow is refused, or sent on as what it was understood as", () => {
  const method = fc.constantFrom("GET", "HEAD", "CONNECT");
  fc.assert(
    fc.property(fc.constantFrom(...RESPONSES), damages, cuts, method, (sample, damages, cuts, method) => {
      const message = damaged(text(sample.bytes), damages);
      checkResponse(message, within(cuts, message.length), method);
    }),
    { numRuns: 1000 },
  );
});

Deno.test("an odd response damaged anyhow is refused, or sent on in canonical form as what it means", () => {
  const method = fc.constantFrom("GET", "HEAD", "CONNECT");
  const short = ODD.filter(({ response }) => response.length < 10_000);
  fc.assert(
    fc.property(fc.constantFrom(...short), damages, cuts, method, ({ response }, damages, cuts, method) => {
      const message = damaged(response, damages);
      checkOddResponse(message, within(cuts, message.length), method);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("a chunked body damaged anyhow is refused, cut, or sent on as the same data", () => {
  const body = fc.oneof(
    fc.tuple(chunks, extension, fields).map(([chunks, extension, fields]) =>
      text(chunked(chunks, extension, fields))
    ),
    fc.constantFrom(...SMUGGLED_CHUNKS.map((smuggled) => smuggled.body)),
  );
  fc.assert(
    fc.property(body, damages, cuts, (body, damages, cuts) => {
      const message = damaged(body, damages);
      checkChunked(message, within(cuts, message.length));
      checkOddChunked(message, within(cuts, message.length));
    }),
    { numRuns: 1000 },
  );
});

Deno.test("bytes of any kind are refused or wait for more, and nothing else happens", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), cuts, (message, cuts) => {
      checkRequest(message, within(cuts, message.length));
      checkResponse(message, within(cuts, message.length), "GET");
      checkOddResponse(message, within(cuts, message.length), "GET");
      checkChunked(message, within(cuts, message.length));
    }),
    { numRuns: 1000 },
  );
});
