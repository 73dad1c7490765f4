/** What the tests of this room share: messages as text, and what a reader made of them as plain values. */

import { assert } from "@std/assert";
import { HttpError } from "../../src/http/error.ts";
import { type Framing, requestFraming } from "../../src/http/framing.ts";
import { type HeadKind, type HeadLimits, HeadReader } from "../../src/http/head_reader.ts";
import { readRequestLine, type RequestLine } from "../../src/http/start_line.ts";
import { readTarget, type Target } from "../../src/http/target.ts";

export const LIMITS: HeadLimits = { maxHeadSize: 65536, maxFields: 256 };

/** The bytes of a text, one a character. */
export function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Bytes as text, one character a byte. */
export function text(from: Uint8Array): string {
  let all = "";
  for (const byte of from) all += String.fromCharCode(byte);
  return all;
}

/** Lines, written one below the other in a test, as a head: each ends in CRLF, and an empty one ends them all. */
export function head(lines: string): string {
  return lines.trim().replaceAll("\n", "\r\n") + "\r\n\r\n";
}

/** A reader that has read `message` in one piece; it fails when the head in it is not whole. */
export function read(kind: HeadKind, message: string | Uint8Array, limits = LIMITS): HeadReader {
  const reader = begun(kind, message, limits);
  const all = reader.bytes.length;
  assert(reader.read(all), "the head is not whole");
  return reader;
}

/** A reader that is about to read `message`. */
export function begun(kind: HeadKind, message: string | Uint8Array, limits = LIMITS): HeadReader {
  const reader = new HeadReader(kind, limits);
  reader.begin(typeof message === "string" ? bytes(message) : message, 0);
  return reader;
}

export interface Request extends RequestLine {
  head: HeadReader;
  method: string;
  target: Target;
  framing: Framing;
}

/** A request as weir understands it: head, request line, target, framing, in this order. */
export function understand(message: string | Uint8Array): Request {
  const head = read("request", message);
  const line: RequestLine = { methodEnd: 0, targetStart: 0, targetEnd: 0, minorVersion: 0 };
  readRequestLine(head, line);
  const method = head.text(head.start, line.methodEnd);
  const target = readTarget(head, line, method);
  return { ...line, head, method, target, framing: requestFraming(head, line.minorVersion) };
}

/** What a whole head says, as plain values to compare. */
export interface Description {
  startLine: string;
  fields: [name: string, value: string, number: number][];
  seen: number;
  /** Bytes that belong to the message, empty lines before it included. */
  end: number;
}

export function describe(head: HeadReader, offset = 0): Description {
  const fields: Description["fields"] = [];
  for (let index = 0; index < head.count; index++) {
    fields.push([head.name(index), head.value(index), head.number(index)]);
  }
  return {
    startLine: head.text(head.start, head.startLineEnd),
    fields,
    seen: head.seen,
    end: head.end - offset,
  };
}

/** Names and values alone, as they were written. */
export function fieldsOf(head: HeadReader): [string, string][] {
  return describe(head).fields.map(([name, value]) => [name, value]);
}

/** The error that `run` throws; it fails when there is none, or when it is not the room's own. */
export function refusal(run: () => unknown): HttpError {
  try {
    run();
  } catch (error) {
    if (error instanceof HttpError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}
