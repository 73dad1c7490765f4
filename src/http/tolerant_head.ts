/**
 * Heads of responses that are not quite HTTP and that browsers take all the same: each oddity is understood in the
 * one way that the RFCs leave, and the head is written anew in canonical form, which {@link HeadReader} then reads
 * as any other. What could be understood in two ways stays refused: NUL, a bare CR, differing lengths, unknown
 * codings. Requests never come here.
 *
 * Reading is incremental and linear: whatever the pieces, the result is the same, and no byte is looked at twice
 * but where its line ends.
 */

import { COLON, CR, HTAB, isToken, LF, SP, VALUE } from "./characters.ts";
import { badResponse, type HttpError } from "./error.ts";
import { canonicalFraming } from "./framing_lines.ts";
import type { HeadLimits } from "./head_reader.ts";
import { canonicalStatusLine } from "./odd_status_line.ts";
import { bytesOf, decodeText } from "./text.ts";

/** The least limits of an odd head, unless others are wanted: real ones have hundreds of cookies. */
export const ODD_HEADS: HeadLimits = { maxHeadSize: 256 * 1024, maxFields: 1000 };
/** Empty lines that are skipped before a status line, as before a request line. */
const MAX_EMPTY_LINES = 4;

/** The limits of heads that are read with tolerance: those that are wanted, or no less than {@link ODD_HEADS}. */
export function tolerantLimits({ maxHeadSize, maxFields, oddHeads }: HeadLimits): HeadLimits {
  return oddHeads ?? {
    maxHeadSize: Math.max(maxHeadSize, ODD_HEADS.maxHeadSize),
    maxFields: Math.max(maxFields, ODD_HEADS.maxFields),
  };
}

export class TolerantHead {
  /** What was odd, in a few words each; a fixed number of different ones. */
  readonly odd = new Set<string>();
  /** Where the head ends, its empty line included; valid once {@link read} has said that it is whole. */
  end = 0;
  /** Whether Transfer-Encoding and Content-Length were changed. */
  reframed = false;

  readonly #most: HeadLimits;
  #bytes: Uint8Array;
  #start: number;
  #position: number;
  #lineStart: number;
  /** How many CR stand before the next byte. */
  #returns = 0;
  #emptyLines = 0;
  /** Canonical; `null` while it has not come, `""` where there is none: before trailers. */
  #statusLine: string | null;
  readonly #lines: [name: string, value: string][] = [];
  /** Whether a folded line goes on with the last of them. */
  #goesOn = false;
  #count = 0;
  /** Lines that a field may have begun with or gone on in: what is kept of each costs more than its bytes. */
  #fieldLines = 0;

  /**
   * @param start where in `bytes` the head begins
   * @param limits of heads that are not odd
   * @param what a whole head, or fields alone as trailers are
   */
  constructor(bytes: Uint8Array, start: number, readonly limits: HeadLimits, what: "head" | "fields") {
    this.#most = tolerantLimits(limits);
    this.#bytes = bytes;
    this.#start = this.#position = this.#lineStart = start;
    this.#statusLine = what === "head" ? null : "";
  }

  /** Tells that the bytes have been moved: to another buffer, or by `delta` bytes within one. */
  move(bytes: Uint8Array, delta: number): void {
    this.#bytes = bytes;
    this.#start += delta;
    this.#position += delta;
    this.#lineStart += delta;
  }

  /** Reads on up to `available`. True when the head is whole. Throws {@link HttpError} 502. */
  read(available: number): boolean {
    const bytes = this.#bytes;
    const most = this.#start + this.#most.maxHeadSize;
    const limit = Math.min(available, most);
    let position = this.#position;
    let returns = this.#returns;
    while (position < limit) {
      const byte = bytes[position++];
      if (byte === LF) {
        const end = position - 1 - returns;
        if (returns !== 1) this.odd.add(returns === 0 ? "LF line end" : "CR CR LF line end");
        returns = 0;
        if (this.#line(this.#lineStart, end)) {
          this.end = position;
          this.#noteSize();
          return true;
        }
        this.#lineStart = position;
      } else if (byte === CR) {
        if (++returns > 2) throw refuse("a bare CR");
      } else if (returns > 0) throw refuse("a bare CR");
      else if (byte === 0) throw refuse("a NUL");
    }
    this.#position = position;
    this.#returns = returns;
    if (limit === most) throw refuse(`a head of more than ${this.#most.maxHeadSize} bytes`);
    return false;
  }

  /** A head that is whole, in canonical form. */
  canonical(): Uint8Array {
    const { lines, odd } = canonicalFraming(this.#lines);
    this.reframed = odd.length > 0;
    for (const what of odd) this.odd.add(what);
    const start = this.#statusLine === "" ? "" : `${this.#statusLine}\r\n`;
    return bytesOf(`${start}${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`);
  }

  /** Takes the line `bytes[from..to)`. True when it is the empty one at the end. */
  #line(from: number, to: number): boolean {
    if (this.#statusLine === null) this.#beforeFields(from, to);
    else if (from === to) return true;
    else this.#field(from, to);
    return false;
  }

  #beforeFields(from: number, to: number): void {
    if (from === to) {
      if (++this.#emptyLines > MAX_EMPTY_LINES) throw refuse("too many empty lines before the status line");
      this.odd.add("empty line before the status line");
      return;
    }
    for (let at = from; at < to; at++) {
      if (VALUE[this.#bytes[at]] === 0) throw refuse("a control character in the status line");
    }
    const { line, odd } = canonicalStatusLine(this.#text(from, to));
    this.#statusLine = line;
    for (const what of odd) this.odd.add(what);
  }

  #field(from: number, to: number): void {
    const bytes = this.#bytes;
    if (++this.#fieldLines > this.#most.maxFields) throw refuse(`more than ${this.#most.maxFields} fields`);
    if (isSpace(bytes[from])) return this.#fold(from, to);
    this.#count++;
    this.#goesOn = false;
    let colon = from;
    while (colon < to && bytes[colon] !== COLON) colon++;
    if (colon === to) {
      this.odd.add("line without a colon");
      return;
    }
    let nameEnd = colon;
    while (nameEnd > from && isSpace(bytes[nameEnd - 1])) nameEnd--;
    const name = this.#text(from, nameEnd);
    if (!isToken(name)) {
      this.odd.add("invalid field name");
      return;
    }
    if (nameEnd < colon) this.odd.add("white space before a colon");
    this.#lines.push([name, this.#value(colon + 1, to)]);
    this.#goesOn = true;
  }

  /** A line that goes on with the value before it: one space stands for the fold (RFC 9112 §5.2). */
  #fold(from: number, to: number): void {
    if (!this.#goesOn) {
      // white space before the first field (RFC 9112 §2.2), or what belongs to a line that was left out
      this.odd.add("line that continues none");
      return;
    }
    this.odd.add("folded line");
    const more = this.#value(from, to);
    if (more === "") return;
    const last = this.#lines[this.#lines.length - 1];
    last[1] += last[1] === "" ? more : ` ${more}`;
  }

  /** `bytes[from..to)` without spaces and tabs around it; other control characters are no white space, and kept. */
  #value(from: number, to: number): string {
    const bytes = this.#bytes;
    while (from < to && isSpace(bytes[from])) from++;
    while (to > from && isSpace(bytes[to - 1])) to--;
    for (let at = from; at < to; at++) {
      if (VALUE[bytes[at]] === 1) continue;
      this.odd.add("control character in a value");
      break;
    }
    return this.#text(from, to);
  }

  #text(from: number, to: number): string {
    return decodeText(this.#bytes, from, to, true);
  }

  #noteSize(): void {
    const { maxHeadSize, maxFields } = this.limits;
    if (this.end - this.#start > maxHeadSize) this.odd.add(`head of more than ${maxHeadSize} bytes`);
    if (this.#count > maxFields) this.odd.add(`more than ${maxFields} fields`);
  }
}

function isSpace(byte: number): boolean {
  return byte === SP || byte === HTAB;
}

function refuse(message: string): HttpError {
  return badResponse(`the origin's head is not valid: ${message}`);
}
