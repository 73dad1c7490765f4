/** What the first line of a head says (RFC 9112 §3 and §4). */

import { CR, LF, SP, TARGET, TOKEN_LOWER } from "./characters.ts";
import { badRequest, badResponse } from "./error.ts";
import type { HeadReader } from "./head_reader.ts";
import { bytesOf } from "./text.ts";

/** The parts of a request line, as places in the head's buffer. */
export interface RequestLine {
  methodEnd: number;
  targetStart: number;
  targetEnd: number;
  /** 0 or 1; a higher minor version is understood as 1 (RFC 9110 §2.5). */
  minorVersion: number;
}

const DIGIT_0 = 0x30;
const VERSION_LENGTH = 8; // HTTP/1.1

/** The minor version of `HTTP/1.x` at `at`; -1 when nothing like a version stands there, -2 for another major. */
function readVersion(bytes: Uint8Array, at: number): number {
  // H T T P / D . D: the name of the protocol is case-sensitive (RFC 9112 §2.3)
  if (
    bytes[at] !== 0x48 || bytes[at + 1] !== 0x54 || bytes[at + 2] !== 0x54 || bytes[at + 3] !== 0x50 ||
    bytes[at + 4] !== 0x2f || bytes[at + 6] !== 0x2e
  ) return -1;
  const major = bytes[at + 5] - DIGIT_0;
  const minor = bytes[at + 7] - DIGIT_0;
  if (major < 0 || major > 9 || minor < 0 || minor > 9) return -1;
  if (major !== 1) return major === 0 ? -1 : -2;
  return minor === 0 ? 0 : 1;
}

/**
 * Reads the request line of a whole head into `line`. Throws {@link HttpError}: 400 for what is none, 505 for a
 * major version above 1. Nothing is repaired: one space between the parts, no more (RFC 9112 §3).
 */
export function readRequestLine(head: HeadReader, line: RequestLine): void {
  const { bytes, start, startLineEnd } = head;
  let at = start;
  while (at < startLineEnd && TOKEN_LOWER[bytes[at]] !== 0) at++;
  if (at === start || bytes[at] !== SP) {
    throw badRequest("the request line does not begin with a method and a space");
  }
  line.methodEnd = at;
  line.targetStart = ++at;
  while (at < startLineEnd && TARGET[bytes[at]] === 1) at++;
  line.targetEnd = at;
  if (at === line.targetStart) throw badRequest("the request line has no target");
  if (at === startLineEnd) {
    throw badRequest("the request line has no HTTP version; HTTP/0.9 is not spoken here");
  }
  if (bytes[at] !== SP) throw badRequest("a character in the request target that may not stand there");
  at++;
  const minor = startLineEnd - at === VERSION_LENGTH ? readVersion(bytes, at) : -1;
  if (minor === -2) throw badRequest("only HTTP/1.1 and HTTP/1.0 are spoken here", 505);
  if (minor === -1) throw badRequest("the request line does not end in HTTP/1.1 or HTTP/1.0");
  line.minorVersion = minor;
}

/** What a status line says. */
export interface StatusLine {
  status: number;
  minorVersion: number;
  /** Where the reason phrase begins; it ends with the line and may be empty. */
  reasonStart: number;
}

/**
 * Reads the status line of a whole head into `line`. Throws {@link HttpError} (502). The space before an absent
 * reason phrase may be missing, as many servers leave it out.
 */
export function readStatusLine(head: HeadReader, line: StatusLine): void {
  const { bytes, start, startLineEnd } = head;
  const minor = startLineEnd - start >= VERSION_LENGTH + 4 ? readVersion(bytes, start) : -1;
  if (minor < 0) throw badResponse("the origin's answer does not begin with HTTP/1.1 or HTTP/1.0");
  const at = start + VERSION_LENGTH;
  const hundreds = bytes[at + 1] - DIGIT_0;
  const tens = bytes[at + 2] - DIGIT_0;
  const ones = bytes[at + 3] - DIGIT_0;
  const after = bytes[at + 4];
  if (
    bytes[at] !== SP || !(hundreds >= 1 && hundreds <= 9) || !(tens >= 0 && tens <= 9) ||
    !(ones >= 0 && ones <= 9) || (after !== SP && after !== CR)
  ) throw badResponse("the origin's status is not three digits");
  line.status = hundreds * 100 + tens * 10 + ones;
  line.minorVersion = minor;
  line.reasonStart = Math.min(at + 5, startLineEnd);
}

const VERSION_1 = bytesOf("HTTP/1.");
/** How an odd one may begin, in lower case. */
const ANY_VERSION = bytesOf("http/");
const ICY = bytesOf("ICY ");

/**
 * Whether `bytes[start..end)`, all that has come so far, can become a status line: who greets in another protocol
 * and then waits for an answer is not to be waited for.
 *
 * @param tolerant whether an odd one counts: after empty lines, of another version, or of a stream
 */
export function mayBecomeStatusLine(
  bytes: Uint8Array,
  start: number,
  end: number,
  tolerant = false,
): boolean {
  if (tolerant) return mayBecomeOdd(bytes, start, end);
  const length = Math.min(VERSION_1.length, end - start);
  for (let i = 0; i < length; i++) if (bytes[start + i] !== VERSION_1[i]) return false;
  return true;
}

function mayBecomeOdd(bytes: Uint8Array, start: number, end: number): boolean {
  while (start < end && (bytes[start] === CR || bytes[start] === LF)) start++;
  const as = (wanted: Uint8Array, fold: number) => {
    const length = Math.min(wanted.length, end - start);
    for (let i = 0; i < length; i++) {
      const byte = bytes[start + i];
      if (byte !== wanted[i] && (byte | fold) !== wanted[i]) return false;
    }
    return true;
  };
  return as(ANY_VERSION, 0x20) || as(ICY, 0);
}
