/**
 * Chunked bodies (RFC 9112 §7.1): unwrapped in the buffer in which they came, and wrapped anew in place.
 *
 * The data of all chunks that one read brought is moved together, so that it goes on as one chunk in one write;
 * chunk extensions are skipped and never sent on, with the white space that may stand before them (§7.1.1).
 */

import { CR, HEXADECIMAL, HTAB, LF, SEMICOLON, SP, VALUE } from "./characters.ts";
import { badRequest, badResponse, HttpError } from "./error.ts";
import { type HeadKind, type HeadLimits, HeadReader } from "./head_reader.ts";
import { TolerantHead, tolerantLimits } from "./tolerant_head.ts";

const State = {
  Size: 0,
  Extension: 1,
  SizeEnd: 2,
  Data: 3,
  DataCR: 4,
  DataLF: 5,
  Trailers: 6,
  Done: 7,
  Space: 8,
} as const;
type State = (typeof State)[keyof typeof State];

const PLAIN: readonly string[] = [];
/** A section has not come to its end. */
const MORE = -1;

/** Bytes of one size line, its extensions included. */
const MAX_SIZE_LINE = 4096;
/** Digits of a size below 2^53, and some leading zeros, which are legal. */
const MAX_SIZE_DIGITS = 16;

/** Room that a chunk's size line needs before its data, and the line's end after it. */
export const CHUNK_PREFIX = 16;
/** Room that is needed after the data: its CRLF, and `0 CRLF CRLF` when it was the last. */
export const CHUNK_SUFFIX = 7;

export class ChunkedReader {
  /** After {@link read}: the data is `bytes[dataStart..dataEnd)`. */
  dataStart = 0;
  dataEnd = 0;
  /** After {@link read}: how far the bytes were used; what follows does not belong to this body. */
  consumed = 0;

  #state: State = State.Size;
  #size = 0;
  #digits = 0;
  #lineLength = 0;
  #trailers: TrailerSection | null = null;
  /** Whether a second CR has come where a line ends. */
  #twice = false;

  /** What was odd about the framing so far, in a few words each. */
  odd: readonly string[] = PLAIN;

  /**
   * @param tolerant whether line ends of LF or CR CR LF, white space behind a size and odd trailers are understood;
   * for responses alone
   */
  constructor(readonly kind: HeadKind, readonly limits: HeadLimits, readonly tolerant = false) {}

  get done(): boolean {
    return this.#state === State.Done;
  }

  /** The trailer section once the body is done; `null` when it is empty. */
  get trailers(): HeadReader | null {
    return this.#trailers?.fields ?? null;
  }

  /**
   * Takes `bytes[from..to)`. Data that stood in several chunks is moved together towards the front. Throws
   * {@link HttpError}; the connection is of no use after that.
   */
  read(bytes: Uint8Array, from: number, to: number): void {
    let at = from;
    let end = -1;
    this.dataStart = this.dataEnd = from;
    while (at < to && this.#state !== State.Done) {
      switch (this.#state) {
        case State.Data: {
          const length = Math.min(this.#size, to - at);
          if (end < 0) {
            this.dataStart = end = at;
          } else {
            bytes.copyWithin(end, at, at + length);
          }
          end += length;
          at += length;
          this.#size -= length;
          if (this.#size === 0) this.#state = State.DataCR;
          break;
        }
        case State.Trailers: {
          at = this.#readTrailers(bytes, at, to);
          break;
        }
        default:
          this.#readFrame(bytes[at++]);
      }
    }
    if (end >= 0) this.dataEnd = end;
    this.consumed = at;
  }

  #readFrame(byte: number): void {
    switch (this.#state) {
      case State.Size: {
        const digit = HEXADECIMAL[byte];
        if (digit !== 255) {
          if (++this.#digits > MAX_SIZE_DIGITS) throw this.#refuse("a chunk size of too many digits");
          this.#size = this.#size * 16 + digit;
          if (this.#size > Number.MAX_SAFE_INTEGER) throw this.#refuse("a chunk size beyond all measure");
          return;
        }
        if (this.#digits === 0) throw this.#refuse("a chunk without a size");
        this.#lineLength = this.#digits + 1;
        if (byte === CR) this.#state = State.SizeEnd;
        else if (byte === SEMICOLON) this.#state = State.Extension;
        else if (byte === SP || byte === HTAB) this.#state = State.Space;
        else if (this.#endsOddly(byte)) this.#endSize();
        else throw this.#refuse("a chunk size that is not hexadecimal");
        return;
      }
      case State.Space:
        if (++this.#lineLength > MAX_SIZE_LINE) throw this.#refuse("a chunk extension that is too long");
        if (byte === SP || byte === HTAB) return;
        if (byte === SEMICOLON) {
          this.#state = State.Extension;
          return;
        }
        if (!this.tolerant || (byte !== CR && byte !== LF)) {
          throw this.#refuse("white space behind a chunk size, and no extension");
        }
        this.#note("white space after a chunk size");
        if (byte === CR) this.#state = State.SizeEnd;
        else if (this.#endsOddly(byte)) this.#endSize();
        return;
      case State.Extension:
        if (++this.#lineLength > MAX_SIZE_LINE) throw this.#refuse("a chunk extension that is too long");
        if (byte === CR) this.#state = State.SizeEnd;
        else if (this.#endsOddly(byte)) this.#endSize();
        else if (VALUE[byte] === 0) throw this.#refuse("a control character in a chunk extension");
        return;
      case State.SizeEnd:
        if (byte === LF) this.#endSize();
        else if (!this.#returnsTwice(byte)) {
          throw this.#refuse("a chunk size line that does not end in CRLF");
        }
        return;
      case State.DataCR:
        if (byte === CR) this.#state = State.DataLF;
        else if (this.#endsOddly(byte)) this.#endData();
        else throw this.#refuse("a chunk longer than its size");
        return;
      case State.DataLF:
        if (byte === LF) this.#endData();
        else if (!this.#returnsTwice(byte)) throw this.#refuse("a chunk longer than its size");
        return;
    }
  }

  #endSize(): void {
    this.#twice = false;
    this.#digits = 0;
    this.#state = this.#size === 0 ? State.Trailers : State.Data;
  }

  #endData(): void {
    this.#twice = false;
    this.#state = State.Size;
    this.#size = 0;
  }

  /** Whether this byte ends a line by itself: a LF, where that is tolerated. */
  #endsOddly(byte: number): boolean {
    if (byte !== LF || !this.tolerant) return false;
    this.#note("LF line end");
    return true;
  }

  /** Whether this byte is the second CR before a LF, where that is tolerated. */
  #returnsTwice(byte: number): boolean {
    if (byte !== CR || !this.tolerant || this.#twice) return false;
    this.#note("CR CR LF line end");
    return this.#twice = true;
  }

  #note(what: string): void {
    if (!this.odd.includes(what)) this.odd = [...this.odd, what];
  }

  /** Nearly always the two bytes of an empty section; a longer one is collected, within the limits of a head. */
  #readTrailers(bytes: Uint8Array, at: number, to: number): number {
    if (this.#trailers === null) {
      if (to - at >= 2 && bytes[at] === CR && bytes[at + 1] === LF) {
        this.#state = State.Done;
        return at + 2;
      }
      this.#trailers = new TrailerSection(this.kind, this.limits, this.tolerant);
    }
    const taken = this.#trailers.read(bytes, at, to);
    if (this.#trailers.complete) {
      this.#state = State.Done;
      for (const what of this.#trailers.odd) this.#note(what);
      if (this.#trailers.fields.count === 0) this.#trailers = null;
    }
    return at + taken;
  }

  #refuse(message: string): HttpError {
    return this.kind === "request"
      ? badRequest(message)
      : badResponse(`the origin's body is not valid: ${message}`);
  }
}

/** The fields after the last chunk, kept in a buffer of their own since the body's is used again. */
class TrailerSection {
  readonly fields: HeadReader;
  odd: readonly string[] = PLAIN;
  #bytes = new Uint8Array(512);
  #length = 0;
  /** Reads the section that the strict reader has refused. */
  #tolerant: TolerantHead | null = null;
  readonly #most: number;

  constructor(kind: HeadKind, limits: HeadLimits, readonly tolerates: boolean) {
    this.fields = new HeadReader(kind, limits);
    this.fields.beginFields(this.#bytes, 0);
    this.#most = (tolerates ? tolerantLimits(limits) : limits).maxHeadSize;
  }

  get complete(): boolean {
    return this.fields.complete;
  }

  /** Takes what belongs to the section of `bytes[from..to)` and returns how many bytes that were. */
  read(bytes: Uint8Array, from: number, to: number): number {
    const before = this.#length;
    // a section that fills its limit and is not whole is refused by the reader, so that there is always room
    const most = Math.min(to - from, this.#most - before);
    const needed = before + most;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
      if (this.#tolerant === null) this.fields.move(grown, 0);
      else this.#tolerant.move(grown, 0);
    }
    this.#bytes.set(bytes.subarray(from, from + most), before);
    this.#length = needed;
    const end = this.#readTo(needed);
    return end === MORE ? most : end - before;
  }

  /** Where the section ends, or {@link MORE}. */
  #readTo(available: number): number {
    if (this.#tolerant === null) {
      try {
        return this.fields.read(available) ? this.fields.end : MORE;
      } catch (error) {
        if (!this.tolerates || !(error instanceof HttpError)) throw error;
        this.#tolerant = new TolerantHead(this.#bytes, 0, this.fields.limits, "fields");
      }
    }
    if (!this.#tolerant.read(available)) return MORE;
    this.fields.readCanonical(this.#tolerant.canonical(), "fields");
    this.odd = [...this.#tolerant.odd];
    return this.#tolerant.end;
  }
}

/**
 * Writes the size line of a chunk before its data and CRLF after it, both in place: `bytes[start..end)` is the
 * data, with {@link CHUNK_PREFIX} bytes of room before and two behind. Returns where the chunk begins; it ends at
 * `end + 2`. Throws RangeError when there is no data: such a chunk would be the last one (RFC 9112 §7.1).
 */
export function wrapChunk(bytes: Uint8Array, start: number, end: number): number {
  if (start >= end) throw new RangeError("a chunk without data would end the body");
  bytes[end] = CR;
  bytes[end + 1] = LF;
  bytes[--start] = LF;
  bytes[--start] = CR;
  let length = end - start - 2;
  do {
    const digit = length & 15;
    bytes[--start] = digit < 10 ? 0x30 + digit : 0x57 + digit;
    length >>>= 4;
  } while (length > 0);
  return start;
}
