/**
 * Tells of the bytes of a connection how many belong to a body, and when it is over. It moves no bytes and holds
 * none.
 */

import { ChunkedReader } from "./chunked.ts";
import { CHUNKED, type Framing, UNTIL_CLOSE } from "./framing.ts";
import type { HeadKind, HeadLimits, HeadReader } from "./head_reader.ts";

const PLAIN: readonly string[] = [];

export class BodyReader {
  /** After {@link read}: the body's data is `bytes[dataStart..dataEnd)`, without any framing. */
  dataStart = 0;
  dataEnd = 0;
  /** After {@link read}: where the bytes begin that do not belong to this body. */
  consumed = 0;
  /** Whether the body is whole. */
  done: boolean;

  #remaining: number;
  readonly #chunked: ChunkedReader | null;

  /** @param tolerant whether odd chunks of a response are understood, see {@link ChunkedReader} */
  constructor(kind: HeadKind, readonly framing: Framing, limits: HeadLimits, tolerant = false) {
    this.#remaining = framing;
    this.#chunked = framing === CHUNKED ? new ChunkedReader(kind, limits, tolerant) : null;
    this.done = framing === 0;
  }

  /** What was odd about its framing so far, in a few words each. */
  get odd(): readonly string[] {
    return this.#chunked === null ? PLAIN : this.#chunked.odd;
  }

  /** The trailer section of a chunked body that is done; `null` when it has none. */
  get trailers(): HeadReader | null {
    return this.#chunked?.trailers ?? null;
  }

  /** Takes `bytes[from..to)`; those of chunks are moved together. Throws {@link HttpError} for bad framing. */
  read(bytes: Uint8Array, from: number, to: number): void {
    const chunked = this.#chunked;
    if (chunked !== null) {
      chunked.read(bytes, from, to);
      this.dataStart = chunked.dataStart;
      this.dataEnd = chunked.dataEnd;
      this.consumed = chunked.consumed;
      this.done = chunked.done;
      return;
    }
    this.dataStart = from;
    if (this.framing === UNTIL_CLOSE) {
      this.dataEnd = this.consumed = to;
      return;
    }
    const length = Math.min(this.#remaining, to - from);
    this.#remaining -= length;
    this.dataEnd = this.consumed = from + length;
    this.done = this.#remaining === 0;
  }

  /** The connection has ended. True when that is the body's proper end, false when the body was cut short. */
  end(): boolean {
    if (this.framing === UNTIL_CLOSE) this.done = true;
    return this.done;
  }
}
