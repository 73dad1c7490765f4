/**
 * How long a body is, decided in one place by the steps of RFC 9112 §6.3. What two readers could understand
 * differently is refused, never interpreted: that is how requests are smuggled.
 */

import { COMMA, HTAB, SP } from "./characters.ts";
import { badRequest, badResponse, type HttpError } from "./error.ts";
import { Field } from "./field_names.ts";
import type { HeadReader } from "./head_reader.ts";

/** The length of a body in bytes, 0 for none, or one of {@link CHUNKED} and {@link UNTIL_CLOSE}. */
export type Framing = number;
/** The body is chunked: it says itself when it is over (RFC 9112 §7.1). */
export const CHUNKED = -1;
/** The body ends with the connection; only a response's can. */
export const UNTIL_CLOSE = -2;

const FRAMING_FIELDS = (1 << Field.TransferEncoding) | (1 << Field.ContentLength);

const DIGIT_0 = 0x30;

/** The framing of a request's body. Throws {@link HttpError} 400 or 501; close the connection after either. */
export function requestFraming(head: HeadReader, minorVersion: number): Framing {
  const seen = head.seen & FRAMING_FIELDS;
  if (seen === 0) return 0; // §6.3 step 7: a request without either has no body, whatever its method
  if (seen === FRAMING_FIELDS) throw badRequest("both Transfer-Encoding and Content-Length");
  if (seen & (1 << Field.TransferEncoding)) {
    if (minorVersion === 0) throw badRequest("Transfer-Encoding in an HTTP/1.0 request"); // §6.1
    const at = head.find(Field.TransferEncoding);
    if (head.find(Field.TransferEncoding, at + 1) >= 0) {
      throw badRequest("Transfer-Encoding more than once", 501);
    }
    if (!isChunked(head, at)) throw badRequest("a transfer coding other than chunked", 501);
    return CHUNKED;
  }
  return contentLength(head, badRequest);
}

/**
 * The framing of the response to a request with this method. Throws {@link HttpError} 502; the upstream
 * connection is of no use after that.
 */
export function responseFraming(head: HeadReader, status: number, method: string): Framing {
  // step 2: what follows is the tunnel; such fields are to be ignored there (RFC 9110 §9.3.6)
  if (method === "CONNECT" && status >= 200 && status < 300) return 0;
  // step 1: these have no body, whatever their fields say
  if (hasNoBody(status, method)) return 0;
  const seen = head.seen & FRAMING_FIELDS;
  if (seen === FRAMING_FIELDS) {
    throw badResponse("the origin's answer has both Transfer-Encoding and Content-Length");
  }
  let framing: Framing = UNTIL_CLOSE; // step 8
  if (seen & (1 << Field.TransferEncoding)) {
    const at = head.find(Field.TransferEncoding);
    const repeated = head.find(Field.TransferEncoding, at + 1) >= 0;
    if (repeated || !isChunked(head, at)) {
      throw badResponse("the origin's answer has a transfer coding other than chunked");
    }
    framing = CHUNKED;
  } else if (seen & (1 << Field.ContentLength)) {
    framing = contentLength(head, badResponse);
  }
  return framing;
}

/** Whether a response never has a body (RFC 9112 §6.3 step 1). */
function hasNoBody(status: number, method: string): boolean {
  return method === "HEAD" || status < 200 || status === 204 || status === 304;
}

/**
 * Whether a response's framing fields mean one thing by the letter of §6.2 and §6.3: one valid length, `chunked` and
 * nothing else, or neither.
 */
export function isFramedPlainly(head: HeadReader): boolean {
  const seen = head.seen & FRAMING_FIELDS;
  if (seen === 0) return true;
  if (seen === FRAMING_FIELDS) return false;
  if (seen & (1 << Field.TransferEncoding)) {
    const at = head.find(Field.TransferEncoding);
    return head.find(Field.TransferEncoding, at + 1) < 0 && isChunked(head, at);
  }
  return lengthOf(head) >= 0;
}

/**
 * Whether a response that never has a body has framing fields that nothing without a body may have: some server sends
 * a body behind them all the same. `HEAD` and 304 may say how the body would be framed (§6.1, RFC 9110 §8.6), and a
 * length of zero says no more than the status.
 *
 * @param reframed whether its framing fields were others before they were read
 */
export function framesNothing(head: HeadReader, status: number, method: string, reframed: boolean): boolean {
  if (!hasNoBody(status, method)) return false;
  if (reframed) return true;
  if ((head.seen & FRAMING_FIELDS) === 0) return false;
  if (!isFramedPlainly(head)) return true;
  if (status >= 200 && status !== 204) return false;
  return (head.seen & (1 << Field.TransferEncoding)) !== 0 || lengthOf(head) > 0;
}

/** The one Content-Length of a head; -1 for one that is not valid, or several. */
function lengthOf(head: HeadReader): number {
  try {
    return contentLength(head, badResponse);
  } catch {
    return -1;
  }
}

/** Whether the field says `chunked` and nothing else, in any case. */
function isChunked(head: HeadReader, index: number): boolean {
  return head.valueEnd(index) - head.valueStart(index) === 7 && head.value(index).toLowerCase() === "chunked";
}

/** The one Content-Length: digits alone, below 2^53. Several, even identical ones, are refused. */
function contentLength(head: HeadReader, refuse: (message: string) => HttpError): number {
  const index = head.find(Field.ContentLength);
  if (head.find(Field.ContentLength, index + 1) >= 0) throw refuse("Content-Length more than once");
  const { bytes } = head;
  const end = head.valueEnd(index);
  let length = 0;
  let at = head.valueStart(index);
  if (at === end) throw refuse("an empty Content-Length");
  for (; at < end; at++) {
    const digit = bytes[at] - DIGIT_0;
    if (!(digit >= 0 && digit <= 9)) throw refuse("a Content-Length that is not one number");
    length = length * 10 + digit;
    if (length > Number.MAX_SAFE_INTEGER) throw refuse("a Content-Length beyond all measure");
  }
  return length;
}

/**
 * A Content-Length without the zeros that it begins with, which somebody might read as a sign of octal digits; `null`
 * where there are none.
 */
export function unpaddedLength(head: HeadReader): string | null {
  if ((head.seen & (1 << Field.ContentLength)) === 0) return null;
  const index = head.find(Field.ContentLength);
  const start = head.valueStart(index);
  if (head.bytes[start] !== DIGIT_0 || head.valueEnd(index) - start === 1) return null;
  return head.value(index).replace(/^0+(?=.)/, "");
}

/**
 * Calls `visit` for each member of a comma-separated list in field `index`, trimmed and not empty
 * (RFC 9110 §5.6.1), with its place in the head's buffer.
 */
export function eachMember(
  head: HeadReader,
  index: number,
  visit: (start: number, end: number) => void,
): void {
  const { bytes } = head;
  const end = head.valueEnd(index);
  let start = head.valueStart(index);
  while (start < end) {
    let comma = start;
    while (comma < end && bytes[comma] !== COMMA) comma++;
    let from = start;
    let to = comma;
    while (from < to && (bytes[from] === SP || bytes[from] === HTAB)) from++;
    while (to > from && (bytes[to - 1] === SP || bytes[to - 1] === HTAB)) to--;
    if (to > from) visit(from, to);
    start = comma + 1;
  }
}
