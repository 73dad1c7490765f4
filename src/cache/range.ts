/** Parts of a representation: what `Range` and `Content-Range` say, and what parts make together (RFC 9110 §14). */

import { fieldOf } from "./field_lines.ts";
import type { StoredResponse } from "./stored_response.ts";
import { replaceFields } from "./stored_fields.ts";
import { strongTagOf } from "./conditional.ts";

/** A range as it was asked for. Positions and lengths of 2^53 and more are the greatest number below it. */
export type ByteRange =
  /** From `first` on, to `last` or to the end. */
  | { readonly first: number; readonly last: number | null }
  /** That many bytes at the end. */
  | { readonly suffix: number };

/** Bytes of a representation: the first and the one after the last. */
export interface Span {
  readonly first: number;
  readonly end: number;
}

/** Which part a body is, as in {@link StoredResponse.range}. */
export type Part = NonNullable<StoredResponse["range"]>;

/** White space and empty members that may stand around the one range: more of it is no range. */
const MAX_LENGTH = 256;

/**
 * Reads a `Range` that asks for one range of bytes (RFC 9110 §14.1.1, §14.2). `null` for everything else: other
 * units, several ranges, and what cannot be read. Such a field is ignored, which answers with the whole.
 */
export function readRange(text: string): ByteRange | null {
  if (text.length > MAX_LENGTH) return null;
  const equals = text.indexOf("=");
  if (equals < 0 || text.slice(0, equals).toLowerCase() !== "bytes") return null;
  let found: string | null = null;
  for (const member of text.slice(equals + 1).split(",")) {
    const range = trimmed(member);
    if (range === "") continue;
    if (found !== null) return null;
    found = range;
  }
  if (found === null) return null;
  const dash = found.indexOf("-");
  if (dash < 0) return null;
  const last = readPosition(found, dash + 1, found.length);
  if (dash === 0) return last === null ? null : { suffix: last };
  const first = readPosition(found, 0, dash);
  if (first === null) return null;
  if (dash + 1 === found.length) return { first, last: null };
  return last === null || last < first ? null : { first, last };
}

/** Without spaces and tabs around it. */
function trimmed(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isSpace(text.charCodeAt(from))) from++;
  while (to > from && isSpace(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** Reads the digits of `text[from..to)`; `null` where there is anything else, or nothing. */
function readPosition(text: string, from: number, to: number): number | null {
  if (from === to) return null;
  let position = 0;
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return null;
    // beyond this an exact number does not matter: no body is as long
    position = position > MOST_BEFORE_A_DIGIT ? Number.MAX_SAFE_INTEGER : position * 10 + digit;
  }
  return position;
}

const MOST_BEFORE_A_DIGIT = Math.floor(Number.MAX_SAFE_INTEGER / 10) - 1;

/**
 * Which bytes a range means in a representation of this length (RFC 9110 §14.1.2). `null` when it holds none of
 * them: that is for 416. A suffix of an empty representation is all of it, and empty.
 */
export function spanOf(range: ByteRange, length: number): Span | null {
  if ("suffix" in range) {
    return range.suffix === 0 ? null : { first: length - Math.min(range.suffix, length), end: length };
  }
  if (range.first >= length) return null;
  return { first: range.first, end: range.last === null ? length : Math.min(range.last, length - 1) + 1 };
}

/**
 * Reads a `Content-Range` that says which bytes of how many a body is (RFC 9110 §14.4): `bytes 0-4/10`. `null` for
 * everything else: other units, a length that is not known (`*`), a range that none satisfied, positions that
 * contradict each other or are 2^53 and more.
 */
export function readContentRange(text: string): Part | null {
  if (text.length > MAX_LENGTH || text.slice(0, 6).toLowerCase() !== "bytes ") return null;
  const dash = text.indexOf("-");
  const slash = text.indexOf("/");
  if (dash < 0 || slash < dash) return null;
  const first = readPosition(text, 6, dash);
  const last = readPosition(text, dash + 1, slash);
  const whole = readPosition(text, slash + 1, text.length);
  if (first === null || last === null || whole === null || whole >= Number.MAX_SAFE_INTEGER) return null;
  return first <= last && last < whole ? { first, last, whole } : null;
}

/** `bytes 0-4/10`, as `Content-Range` writes it. */
export function contentRange({ first, last, whole }: Part): string {
  return `bytes ${first}-${last}/${whole}`;
}

/** The bytes that a stored body holds of its representation. */
export function heldBy({ range, length }: StoredResponse): Span {
  return range === null ? { first: 0, end: length } : { first: range.first, end: range.last + 1 };
}

/** The length of the whole representation of which a stored body is a part, or all. */
export function wholeLength({ range, length }: StoredResponse): number {
  return range === null ? length : range.whole;
}

/** A stretch of one of two bodies. */
export interface Piece {
  readonly of: "stored" | "added";
  /** Positions in that body, not in the representation. */
  readonly first: number;
  readonly end: number;
}

/** What two parts make together. */
export interface Combined {
  readonly response: StoredResponse;
  /** Of which stretches its body is made, in order. Its length is theirs together. */
  readonly pieces: readonly Piece[];
}

/**
 * Joins a part that has come to a stored response, complete or a part too (RFC 9110 §15.3.7.3, RFC 9111 §3.4):
 * only if both are known to be of the same representation, by the same strong entity tag and the same length of
 * the whole, and leave no gap. `null` otherwise. The fields of the part that has come replace the stored ones;
 * of bytes that both have, the stored ones are kept, being the same. When nothing is missing any more, the result
 * is a complete 200.
 *
 * @param stored of the same variant as `added`
 * @param added a 206 with its `range`; its `length` has to be that of its body
 */
export function combine(stored: StoredResponse, added: StoredResponse): Combined | null {
  if (added.range === null || !isConsistent(added) || !isConsistent(stored)) return null;
  if (stored.status !== (stored.range === null ? 200 : 206) || added.status !== 206) return null;
  const tag = strongTagOf(fieldOf(stored.fields, "etag"));
  if (tag === null || tag !== strongTagOf(fieldOf(added.fields, "etag"))) return null;
  const whole = wholeLength(stored);
  if (whole !== added.range.whole) return null;
  const old = heldBy(stored);
  const young = heldBy(added);
  if (young.first > old.end || old.first > young.end) return null;

  const pieces: Piece[] = [];
  if (young.first < old.first) {
    pieces.push({ of: "added", first: 0, end: old.first - young.first });
  }
  if (old.end > old.first) pieces.push({ of: "stored", first: 0, end: stored.length });
  if (young.end > old.end) {
    pieces.push({ of: "added", first: old.end - young.first, end: added.length });
  }
  const first = Math.min(old.first, young.first);
  const end = Math.max(old.end, young.end);
  const complete = first === 0 && end === whole;
  const range = complete ? null : { first, last: end - 1, whole };
  const fields = replaceFields(stored, added.fields);
  if (fields === null) return null;
  const lines = fields.filter(([name]) => !/^content-(?:range|length)$/i.test(name));
  if (range !== null) lines.push(["Content-Range", contentRange(range)]);
  lines.push(["Content-Length", String(end - first)]);
  return {
    response: {
      status: complete ? 200 : 206,
      fields: lines,
      requestTime: added.requestTime,
      responseTime: added.responseTime,
      ...added.behind ? { behind: added.behind } : {},
      ...stored.noEstimate || added.noEstimate ? { noEstimate: true } : {},
      vary: stored.vary,
      length: end - first,
      range,
    },
    pieces,
  };
}

/** Whether the body is as long as the part that it is said to be. */
function isConsistent({ length, range }: StoredResponse): boolean {
  if (!Number.isSafeInteger(length) || length < 0) return false;
  if (range === null) return true;
  const { first, last, whole } = range;
  return first >= 0 && first <= last && last < whole && length === last - first + 1;
}
