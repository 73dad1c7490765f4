/**
 * Reads the head of a message, a start line and fields, from bytes that come in pieces (RFC 9112 §2 to §5).
 *
 * The head stays where it is in the buffer; the reader notes where its parts begin and end, in one pass that
 * also checks every byte. Whatever the pieces, the result is the same, and no byte is looked at twice. What a
 * start line says is for {@link readRequestLine} and {@link readStatusLine}.
 */

import { COLON, CR, HTAB, LF, SP, TOKEN_LOWER, VALUE, VALUE_OR_CONTROL } from "./characters.ts";
import { badRequest, badResponse, type HttpError } from "./error.ts";
import { fieldNumber, fieldNumberOf, hashStep } from "./field_names.ts";
import { decodeText } from "./text.ts";

/** Where in the message the next byte belongs. */
const Phase = { Before: 0, StartLine: 1, Line: 2, Name: 3, ValueStart: 4, Value: 5, Done: 6 } as const;
type Phase = (typeof Phase)[keyof typeof Phase];

/** Numbers kept per field: where the name and the value begin and end, and the field's number. */
const STRIDE = 5;
const FIRST_FIELDS = 32;
/** Empty lines that are skipped before a request line (RFC 9112 §2.2). */
const MAX_EMPTY_LINES = 4;

export interface HeadLimits {
  /** Bytes of the whole head. */
  maxHeadSize: number;
  /** Number of fields. */
  maxFields: number;
  /** The limits of odd heads of responses, where they are not the usual ones of {@link TolerantHead}. */
  readonly oddHeads?: HeadLimits;
}

export type HeadKind = "request" | "response";

export class HeadReader {
  /** The buffer in which the head is; it must not change below {@link end} while the head is in use. */
  bytes: Uint8Array = EMPTY;
  /** The head is `bytes[start..end)`, the empty line at its end included. */
  start = 0;
  end = 0;
  /** The start line is `bytes[start..startLineEnd)`. */
  startLineEnd = 0;
  /** How many fields there are. */
  count = 0;
  /** Bit n is set when the field with the number n, below 32, is there. */
  seen = 0;
  /** The same for the numbers from 32 on. */
  #seenToo = 0;

  #places = new Int32Array(FIRST_FIELDS * STRIDE);
  #phase: Phase = Phase.Before;
  #position = 0;
  #hash = 0;
  #nameStart = 0;
  #nameEnd = 0;
  #valueStart = 0;
  #emptyLines = 0;
  /** All bytes of values and start line or'ed: at 0x80 and above the head is not ASCII alone. */
  #bits = 0;
  #text = "";
  /** Whether control characters other than CR, LF and NUL may stand in values. */
  #keepsControls = false;

  /** @param kind decides what an error says and what it answers: 4xx for a request, 502 for a response */
  constructor(readonly kind: HeadKind, public limits: HeadLimits) {}

  /** Starts anew with a head that begins at `start` in `bytes`. */
  begin(bytes: Uint8Array, start: number): void {
    this.bytes = bytes;
    this.start = this.#position = start;
    this.end = this.startLineEnd = 0;
    this.count =
      this.seen =
      this.#seenToo =
      this.#bits =
      this.#emptyLines =
        0;
    this.#text = "";
    this.#phase = this.kind === "request" ? Phase.Before : Phase.StartLine;
    this.#keepsControls = false;
  }

  /** Starts anew with a section of fields alone, as trailers are: `start` is where the first field begins. */
  beginFields(bytes: Uint8Array, start: number): void {
    this.begin(bytes, start);
    this.startLineEnd = start;
    this.#phase = Phase.Line;
  }

  /**
   * Reads a whole head, or fields alone, in the canonical form that {@link TolerantHead} has given it: control
   * characters other than CR, LF and NUL are kept in values. Limits were judged by what came. Throws {@link HttpError}.
   */
  readCanonical(bytes: Uint8Array, what: "head" | "fields"): void {
    if (what === "head") this.begin(bytes, 0);
    else this.beginFields(bytes, 0);
    this.#keepsControls = true;
    const { limits } = this;
    this.limits = { maxHeadSize: bytes.length + 1, maxFields: bytes.length };
    try {
      this.read(bytes.length);
    } finally {
      this.limits = limits;
    }
  }

  /** Lets go of the buffer. */
  release(): void {
    this.bytes = EMPTY;
    this.#text = "";
    this.#phase = Phase.Before;
    this.count = 0;
  }

  /** Whether the head is whole. */
  get complete(): boolean {
    return this.#phase === Phase.Done;
  }

  /** Whether a byte of a message has come: empty lines before it do not count. */
  get begun(): boolean {
    return this.#phase !== Phase.Before && this.#position > this.start;
  }

  /** Tells that an incomplete head has been moved: to another buffer, or by `delta` bytes within one. */
  move(bytes: Uint8Array, delta: number): void {
    this.bytes = bytes;
    this.start += delta;
    this.startLineEnd += delta;
    this.#position += delta;
    this.#nameStart += delta;
    this.#nameEnd += delta;
    this.#valueStart += delta;
    for (let field = 0; field < this.count; field++) {
      const at = field * STRIDE;
      for (let i = at; i < at + 4; i++) this.#places[i] += delta;
    }
  }

  /**
   * Reads on up to `available`, the end of the bytes that are there. True when the head is whole; false when more
   * is needed. Throws {@link HttpError} for what cannot become a head; the reader is of no use after that.
   */
  read(available: number): boolean {
    const bytes = this.bytes;
    let position = this.#position;
    let phase: Phase = this.#phase;
    if (phase === Phase.Done) return true;
    if (phase === Phase.Before) {
      position = this.#skipEmptyLines(position, available);
      if (position >= available || bytes[position] === CR) {
        this.#position = position;
        return false;
      }
      this.start = position;
      phase = Phase.StartLine;
    }
    // bytes beyond the limit are not looked at, so that pieces of any size end in the same way
    const most = this.start + this.limits.maxHeadSize;
    const limit = Math.min(available, most);
    let bits = this.#bits;
    reading: for (;;) {
      if (phase === Phase.Value) {
        let byte = 0;
        while (position < limit && VALUE[byte = bytes[position]] === 1) {
          bits |= byte;
          position++;
        }
        if (position + 1 >= limit) {
          if (position === limit || byte === CR) break;
          if (!this.#keeps(byte)) throw this.#refuse(valueMessage(byte));
          position++;
          continue reading;
        }
        if (byte !== CR || bytes[position + 1] !== LF) {
          if (!this.#keeps(byte)) throw this.#refuse(valueMessage(byte));
          position++;
          continue reading;
        }
        this.#add(position);
        position += 2;
        phase = Phase.Line;
      } else if (phase === Phase.Line) {
        if (position >= limit) break;
        const byte = bytes[position];
        if (byte === CR) {
          if (position + 1 >= limit) break;
          if (bytes[position + 1] !== LF) throw this.#refuse("a bare CR in the head");
          position += 2;
          phase = Phase.Done;
          this.end = position;
          break;
        }
        if (TOKEN_LOWER[byte] === 0) throw this.#refuse(lineMessage(byte, this.count));
        if (this.count >= this.limits.maxFields) {
          throw this.#refuse(`more than ${this.limits.maxFields} fields`, 431);
        }
        this.#nameStart = position;
        this.#hash = 0;
        phase = Phase.Name;
      } else if (phase === Phase.Name) {
        let hash = this.#hash;
        let lower = 0;
        while (position < limit && (lower = TOKEN_LOWER[bytes[position]]) !== 0) {
          hash = hashStep(hash, lower);
          position++;
        }
        this.#hash = hash;
        if (position >= limit) break;
        if (bytes[position] !== COLON) throw this.#refuse(nameMessage(bytes[position]));
        this.#nameEnd = position++;
        phase = Phase.ValueStart;
      } else if (phase === Phase.ValueStart) {
        while (position < limit && (bytes[position] === SP || bytes[position] === HTAB)) position++;
        if (position >= limit) break;
        this.#valueStart = position;
        phase = Phase.Value;
      } else { // Phase.StartLine
        let byte = 0;
        while (position < limit && VALUE[byte = bytes[position]] === 1) {
          bits |= byte;
          position++;
        }
        if (position >= limit) break;
        if (byte !== CR) throw this.#refuse(startLineMessage(byte));
        if (position + 1 >= limit) break;
        if (bytes[position + 1] !== LF) throw this.#refuse("a bare CR in the start line");
        this.startLineEnd = position;
        position += 2;
        phase = Phase.Line;
        continue reading;
      }
    }
    this.#position = position;
    this.#phase = phase;
    this.#bits = bits;
    if (phase === Phase.Done) return true;
    // an unfinished head that fills its limit can never become one within it
    if (limit === most) {
      if (phase === Phase.StartLine && this.kind === "request") {
        throw this.#refuse("the request target is too long", 414);
      }
      throw this.#refuse(`a head of more than ${this.limits.maxHeadSize} bytes`, 431);
    }
    return false;
  }

  /** The number of field `index` (see {@link Field}); 0 when weir does not know it. */
  number(index: number): number {
    return this.#places[index * STRIDE + 4];
  }

  /** Where the line of field `index` begins; for `index === count`, where the empty line does. */
  lineStart(index: number): number {
    return index < this.count ? this.#places[index * STRIDE] : this.end - 2;
  }

  nameEnd(index: number): number {
    return this.#places[index * STRIDE + 1];
  }

  valueStart(index: number): number {
    return this.#places[index * STRIDE + 2];
  }

  valueEnd(index: number): number {
    return this.#places[index * STRIDE + 3];
  }

  /** The first field with this number, of those that weir knows, at or after `from`; -1 when there is none. */
  find(number: number, from = 0): number {
    // most of what is asked for is not there
    if (((number < 32 ? this.seen : this.#seenToo) & (1 << (number & 31))) === 0) return -1;
    const places = this.#places;
    for (let index = from; index < this.count; index++) {
      if (places[index * STRIDE + 4] === number) return index;
    }
    return -1;
  }

  /** Text of `bytes[from..to)` within the head, one character a byte: bytes above 0x7F as ISO 8859-1. */
  text(from: number, to: number): string {
    if (this.#text === "") this.#text = decodeText(this.bytes, this.start, this.end, this.#bits >= 0x80);
    return this.#text.slice(from - this.start, to - this.start);
  }

  /** The name of field `index` as it was written. */
  name(index: number): string {
    return this.text(this.lineStart(index), this.nameEnd(index));
  }

  /** The value of field `index`, white space around it trimmed. */
  value(index: number): string {
    return this.text(this.valueStart(index), this.valueEnd(index));
  }

  /** All values of the field with this number, joined by `, ` as RFC 9110 §5.3 allows; `""` without one. */
  values(number: number): string {
    let index = this.find(number);
    if (index < 0) return "";
    let joined = this.value(index);
    while ((index = this.find(number, index + 1)) >= 0) joined += ", " + this.value(index);
    return joined;
  }

  /** The values of a field by its name in any case, joined by `, `; `""` without one. */
  field(name: string): string {
    const number = fieldNumberOf(name);
    if (number !== 0) return this.values(number);
    const wanted = name.toLowerCase();
    let joined = "";
    let first = true;
    for (let index = 0; index < this.count; index++) {
      if (this.number(index) !== 0 || this.name(index).toLowerCase() !== wanted) continue;
      joined += (first ? "" : ", ") + this.value(index);
      first = false;
    }
    return joined;
  }

  #add(end: number): void {
    const bytes = this.bytes;
    const start = this.#valueStart;
    while (end > start && (bytes[end - 1] === SP || bytes[end - 1] === HTAB)) end--;
    const number = fieldNumber(bytes, this.#nameStart, this.#nameEnd, this.#hash);
    const at = this.count++ * STRIDE;
    if (at === this.#places.length) this.#grow();
    const places = this.#places;
    places[at] = this.#nameStart;
    places[at + 1] = this.#nameEnd;
    places[at + 2] = start;
    places[at + 3] = end;
    places[at + 4] = number;
    if (number === 0) return;
    if (number < 32) this.seen |= 1 << number;
    else this.#seenToo |= 1 << (number & 31);
  }

  #grow(): void {
    const grown = new Int32Array(this.#places.length * 2);
    grown.set(this.#places);
    this.#places = grown;
  }

  /** Whether this byte, which no value has, is left where it stands. */
  #keeps(byte: number): boolean {
    return this.#keepsControls && VALUE_OR_CONTROL[byte] === 1;
  }

  #skipEmptyLines(position: number, limit: number): number {
    const bytes = this.bytes;
    while (position < limit) {
      const byte = bytes[position];
      if (byte !== CR) {
        if (TOKEN_LOWER[byte] === 0) {
          throw this.#refuse("this is no HTTP request: a request begins with a method");
        }
        return position;
      }
      if (position + 1 >= limit) return position;
      if (bytes[position + 1] !== LF) throw this.#refuse("a bare CR before the request line");
      if (++this.#emptyLines > MAX_EMPTY_LINES) throw this.#refuse("too many empty lines before the request");
      position += 2;
    }
    return position;
  }

  #refuse(message: string, status = 400): HttpError {
    return this.kind === "request"
      ? badRequest(message, status)
      : badResponse(`the origin's head is not valid: ${message}`);
  }
}

const EMPTY = new Uint8Array(0);

function startLineMessage(byte: number): string {
  return byte === LF ? "the start line ends in a bare LF" : "a control character in the start line";
}

function valueMessage(byte: number): string {
  if (byte === CR) return "a bare CR in a field";
  if (byte === LF) return "a field line ends in a bare LF";
  return byte === 0 ? "a NUL in a field" : "a control character in a field";
}

function nameMessage(byte: number): string {
  if (byte === SP || byte === HTAB) return "white space between a field's name and its colon";
  if (byte === CR || byte === LF) return "a field line without a colon";
  return "a character in a field's name that may not stand there";
}

function lineMessage(byte: number, count: number): string {
  if (byte === SP || byte === HTAB) {
    return count === 0 ? "white space before the first field" : "a folded field line";
  }
  if (byte === COLON) return "a field without a name";
  return byte === LF ? "a bare LF in the head" : "a character in a field's name that may not stand there";
}
