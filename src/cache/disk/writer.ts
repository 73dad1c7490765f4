/** An object on its way to the disk. */

import { PIECE_SIZE } from "./schema.ts";

/** Where it goes. */
export interface WriterTarget {
  /** The bytes are the target's from then on. False when it takes nothing more of this writer. */
  piece(writer: number, bytes: Uint8Array<ArrayBuffer>): boolean;
  /** False when it is not kept. */
  finish(writer: number, meta: string, length: number): boolean;
  /** What has come, if any has, is thrown away; `outdated`: and what it was to replace. */
  abort(writer: number, outdated: boolean, any: boolean): void;
  /** Bytes of the longest body. */
  readonly longest: number;
}

/**
 * Takes a body bit by bit, and keeps it when it is finished. It never waits: when the disk does not keep up, the
 * object is not kept.
 */
export class DiskWriter {
  #length = 0;
  #piece: Uint8Array<ArrayBuffer> | null = null;
  #filled = 0;
  /** The target has taken a piece. */
  #given = false;
  #state: "open" | "done" | "refused" = "open";

  constructor(private readonly target: WriterTarget, private readonly number: number) {}

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  /** Copies bytes. False when the object is not going to be kept: there is nothing more to be told then. */
  append(bytes: Uint8Array): boolean {
    if (this.#state !== "open") return false;
    this.#length += bytes.length;
    if (this.#length > this.target.longest) return this.#refuse();
    for (let start = 0; start < bytes.length;) {
      const part = bytes.subarray(start, start + PIECE_SIZE - this.#filled);
      this.#pieceFor(this.#filled + part.length).set(part, this.#filled);
      this.#filled += part.length;
      start += part.length;
      if (this.#filled === PIECE_SIZE && !this.#give()) return this.#refuse();
    }
    return true;
  }

  /**
   * All of it has come: it takes the place of the object with this key and variant, once it is written.
   *
   * @returns false when it is not kept; the one that it would have replaced is not either
   */
  finish(meta: string): boolean {
    if (this.#state !== "open") return false;
    if (this.#filled > 0 && !this.#give()) return this.#refuse();
    if (!this.target.finish(this.number, meta, this.#length)) return this.#refuse();
    this.#state = "done";
    return true;
  }

  /** It did not come whole. What was stored before stays. Nothing after it was finished. */
  abort(): void {
    if (this.#state !== "open") return;
    this.#state = "refused";
    this.target.abort(this.number, false, this.#given);
  }

  /** The piece, large enough for so many bytes: short bodies take little more than they need. */
  #pieceFor(length: number): Uint8Array {
    const piece = this.#piece;
    if (piece !== null && piece.length >= length) return piece;
    const larger = new Uint8Array(Math.min(PIECE_SIZE, Math.max(length, 2 * (piece?.length ?? 0))));
    if (piece !== null) larger.set(piece);
    this.#piece = larger;
    return larger;
  }

  #give(): boolean {
    const piece = this.#piece!;
    const bytes = this.#filled === piece.length ? piece : piece.slice(0, this.#filled);
    this.#piece = null;
    this.#filled = 0;
    const taken = this.target.piece(this.number, bytes);
    this.#given ||= taken;
    return taken;
  }

  #refuse(): false {
    this.#state = "refused";
    this.#piece = null;
    this.target.abort(this.number, true, this.#given);
    return false;
  }
}
