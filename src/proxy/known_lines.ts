/**
 * Request lines that come again and again. What one says follows from its bytes alone, whoever sends it, and so it is
 * worked out once: a popular URL is neither read nor made a text of each time.
 */

import type { HeadReader } from "../http/head_reader.ts";
import type { RequestLine } from "../http/start_line.ts";
import { type Target, targetText } from "../http/target.ts";
import { bytesOf, copyOf, decodeText } from "../http/text.ts";
import { keyFor } from "./cache/cache_key.ts";

/** A valid request line as it was understood. All places hold for a line that begins at `start` in its buffer. */
export interface KnownLine extends Readonly<RequestLine> {
  readonly start: number;
  readonly bytes: Uint8Array;
  readonly method: string;
  readonly target: Target;
  /** The target as a text of its own. */
  readonly text: string;
  /** What its answer is stored under where it is stored for all. */
  readonly key: string;
}

/** How many are known, and how long the longest is, bytes. */
const PLACES = 1024;
const LONGEST = 512;
/** The last bytes of a line choose its place, less those that say the version. */
const VERSION = 9;
const TELLING = 16;

const known: (KnownLine | null)[] = new Array(PLACES).fill(null);
/** The last line of each place as a number: only one that comes twice in a row there is worth its memory. */
const last = new Int32Array(PLACES);

/** The request line of a whole head as it was understood before; `null` where it is not known. */
export function recallLine(head: HeadReader): KnownLine | null {
  const { bytes, start, startLineEnd } = head;
  const line = known[hashOf(head) & (PLACES - 1)];
  if (line === null || line.start !== start) return null;
  const { bytes: wanted } = line;
  const { length } = wanted;
  if (startLineEnd - start !== length) return null;
  for (let i = 0; i < length; i++) if (bytes[start + i] !== wanted[i]) return null;
  return line;
}

/** Remembers what was understood of a request line, if it is one that comes again. */
export function rememberLine(head: HeadReader, line: RequestLine, method: string, target: Target): void {
  const { bytes, start, startLineEnd } = head;
  if (startLineEnd - start > LONGEST) return;
  const hash = hashOf(head);
  const place = hash & (PLACES - 1);
  if (last[place] !== hash) {
    last[place] = hash;
    return;
  }
  const { methodEnd, targetStart, targetEnd, minorVersion } = line;
  const text = copyOf(targetText(head, target));
  known[place] = {
    start,
    bytes: bytes.slice(start, startLineEnd),
    method: copyOf(method),
    methodEnd,
    targetStart,
    targetEnd,
    minorVersion,
    target,
    text,
    key: inOnePiece(keyFor("", text)),
  };
}

/** The same text, made anew: one that was joined is put together each time that it is looked up. */
function inOnePiece(text: string): string {
  const bytes = bytesOf(text);
  return decodeText(bytes, 0, bytes.length, bytes.some((byte) => byte >= 0x80));
}

function hashOf({ bytes, start, startLineEnd }: HeadReader): number {
  const end = startLineEnd - VERSION;
  let hash = startLineEnd - start;
  for (let at = Math.max(start, end - TELLING); at < end; at++) {
    hash = Math.imul(hash ^ bytes[at], 0x01000193);
  }
  return hash ^ (hash >>> 15);
}
