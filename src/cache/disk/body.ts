/** A body on its way from the disk. */

import { PIECE_SIZE } from "./schema.ts";

/** It has been removed meanwhile, or was damaged. */
export class DiskBodyLost extends Error {
  override readonly name = "DiskBodyLost";
}

/** Where the pieces come from; `null` for what is lost. */
export interface PieceSource {
  piece(index: number): Uint8Array | null | Promise<Uint8Array | null>;
  /** No more is read. */
  close(): void;
}

/** The bytes of an object from `first` up to `end`, in pieces. One is read ahead. */
export class DiskBody implements AsyncIterable<Uint8Array> {
  #position: number;
  #ahead: Promise<Uint8Array | null> | null = null;
  #closed = false;

  constructor(private readonly source: PieceSource, first: number, private readonly end: number) {
    this.#position = first;
  }

  /**
   * The next bytes, `null` after the last ones.
   *
   * @throws {DiskBodyLost} when they are not there as they were written; then none of them may be used as a whole
   */
  async next(): Promise<Uint8Array | null> {
    if (this.#position >= this.end) {
      this.close();
      return null;
    }
    if (this.#closed) throw new DiskBodyLost("the reading has ended");
    const index = Math.floor(this.#position / PIECE_SIZE);
    const piece = await (this.#ahead ?? this.source.piece(index));
    this.#ahead = null;
    const start = index * PIECE_SIZE;
    if (piece === null || this.#closed) {
      this.close();
      throw new DiskBodyLost("a part of an object is not on the disk any more");
    }
    const until = Math.min(this.end, start + PIECE_SIZE);
    const bytes = piece.subarray(this.#position - start, until - start);
    this.#position = until;
    if (until < this.end) this.#ahead = Promise.resolve(this.source.piece(index + 1));
    else this.close();
    return bytes;
  }

  /** Ends the reading, at its end or before. It has to be called; again: nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.source.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (let bytes = await this.next(); bytes !== null; bytes = await this.next()) yield bytes;
    } finally {
      this.close();
    }
  }
}
