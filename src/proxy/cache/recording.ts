/**
 * A response's body while it comes, for as many as want it: each reads at its own pace from what has come, and all
 * wait for the same rest. One that was recorded whole can be kept.
 *
 * A body that grows beyond what may be kept, or comes when there is no room left for all of them, is recorded
 * through a window: what all have read is let go, and who stays a whole window behind one who waits for more is left
 * behind, so that a slow reader holds up nobody.
 */

/** What a reader is told besides bytes. */
export const BODY_DONE = "done";
export const BODY_LOST = "lost";

/** The window when there is no room left for all recordings, bytes. */
const NARROW_WINDOW = 256 * 1024;
/** What comes in pieces smaller than this is put together with what follows, bytes. */
const SMALL_PIECE = 4 * 1024;
const MOST_PUT_TOGETHER = 16 * 1024;

/** Bytes of the recordings under way of one proxy, so that many at once do not take more than they may. */
export class RecordingBudget {
  used = 0;
  /** @param limit bytes */
  constructor(public limit: number) {}
}

export class Recording {
  /** Bytes so far, whether they are still there or not. */
  length = 0;
  state: "open" | "whole" | "failed" = "open";

  /** Pieces in order; the first begins at `#base`, and so many were before it. */
  readonly #pieces: Uint8Array[] = [];
  #base = 0;
  #gone = 0;
  /** What the last piece is the beginning of, if there is room in it for more. */
  #tail: Uint8Array | null = null;
  readonly #readers = new Set<RecordingReader>();
  #released = false;
  /** Called with all that is recorded, as it comes. */
  tee: ((bytes: Uint8Array) => void) | null = null;
  /** Called when the last reader has gone. */
  unwanted: (() => void) | null = null;
  /** Called when a reader has taken something, or gone. */
  #room: (() => void) | null = null;

  /**
   * @param keepable bytes of a body that may be kept; also the window of a longer one
   */
  constructor(readonly budget: RecordingBudget, readonly keepable: number) {}

  /** Whether every byte that has come is still there. */
  get complete(): boolean {
    return this.#base === 0 && this.length <= this.keepable;
  }

  /** Whether anybody reads. */
  get wanted(): boolean {
    return this.#readers.size > 0;
  }

  /** A copy of `bytes` is recorded. Afterwards {@link room} says when more may come. */
  append(bytes: Uint8Array): void {
    this.tee?.(bytes);
    const left = bytes.subarray(this.#appendToTail(bytes));
    if (left.length >= SMALL_PIECE) this.#pieces.push(left.slice());
    else if (left.length > 0) {
      // what drips in should not cost more than it is: memory for further bytes, in proportion to what has come
      const tail = new Uint8Array(Math.max(left.length, Math.min(this.length >> 1, MOST_PUT_TOGETHER)));
      tail.set(left);
      this.#tail = tail;
      this.#pieces.push(tail.subarray(0, left.length));
    }
    this.length += bytes.length;
    this.budget.used += bytes.length;
    this.#letGo();
    for (const reader of this.#readers) reader.wake();
  }

  /** How many bytes there was room for behind the last ones. */
  #appendToTail(bytes: Uint8Array): number {
    const tail = this.#tail;
    if (tail === null) return 0;
    const last = this.#pieces.length - 1;
    const filled = this.#pieces[last].length;
    const count = Math.min(bytes.length, tail.length - filled);
    tail.set(bytes.subarray(0, count), filled);
    this.#pieces[last] = tail.subarray(0, filled + count);
    if (filled + count === tail.length) this.#tail = null;
    return count;
  }

  /** Nothing more comes: all of it has, or it was cut short. */
  end(whole: boolean): void {
    this.state = whole ? "whole" : "failed";
    this.#letGo();
    for (const reader of this.#readers) reader.wake();
    this.#room?.();
    this.#room = null;
  }

  /** Resolves when there is room for more; `null` when there is. */
  room(): Promise<void> | null {
    return this.#hasRoom ? null : new Promise((resolve) => this.#room = resolve);
  }

  /** Who reads alone, or is the first of all, never waits for room: only for what comes. */
  get #hasRoom(): boolean {
    if (this.#keepsAll || this.#readers.size === 0) return true;
    return this.length - this.#least < this.#window;
  }

  /** Whether it goes on to hold every byte. */
  get #keepsAll(): boolean {
    return this.complete && this.budget.used < this.budget.limit;
  }

  /** The window gets narrower when there is little left for all. */
  get #window(): number {
    return this.budget.used < this.budget.limit ? this.keepable : Math.min(this.keepable, NARROW_WINDOW);
  }

  /** Where the last of the readers is. */
  get #least(): number {
    let least = this.length;
    for (const { position } of this.#readers) if (position < least) least = position;
    return least;
  }

  /** A reader that begins at `position`; `null` when that is not there any more, or will not be for long. */
  reader(position = 0): RecordingReader | null {
    if (position < this.#base || this.#released) return null;
    if (!this.#keepsAll && this.length - position >= this.#window && this.#readers.size > 0) return null;
    const reader = new RecordingReader(this, position);
    this.#readers.add(reader);
    return reader;
  }

  /** All bytes, of a recording that is whole and {@link complete}; they are the caller's from now on. */
  take(): Uint8Array[] {
    return this.#pieces.map((piece) => piece.length === piece.buffer.byteLength ? piece : piece.slice());
  }

  /** Nobody else is going to read it: its bytes count until its readers have gone. */
  release(): void {
    this.#released = true;
    if (this.#readers.size === 0) this.#free();
  }

  #free(): void {
    this.budget.used -= this.length - this.#base;
    this.#base = this.length;
    this.#gone += this.#pieces.length;
    this.#pieces.length = 0;
    this.#tail = null;
  }

  /**
   * The piece at `position`, which is not behind the last byte.
   *
   * @param hint the number of the piece that was read last, of all there have been, and where it begins
   */
  pieceAt(position: number, hint: { number: number; start: number }): Uint8Array {
    // readers go forward: where the last piece was is where the next one begins, unless that has gone
    let { number, start } = hint;
    if (number < this.#gone || start > position) {
      number = this.#gone;
      start = this.#base;
    }
    let piece = this.#pieces[number - this.#gone];
    while (start + piece.length <= position) {
      start += piece.length;
      piece = this.#pieces[++number - this.#gone];
    }
    hint.number = number;
    hint.start = start;
    return piece.subarray(position - start);
  }

  left(reader: RecordingReader): void {
    if (!this.#readers.delete(reader)) return;
    if (this.#released && this.#readers.size === 0) return this.#free();
    this.progressed();
    if (this.#readers.size === 0) this.unwanted?.();
  }

  /** A reader has gone forward, or away. */
  progressed(): void {
    this.#letGo();
    const room = this.#room;
    if (room === null || !this.#hasRoom) return;
    this.#room = null;
    room();
  }

  /** Lets go of what all readers have passed, once it can not be kept as a whole. */
  #letGo(): void {
    if (this.#keepsAll) return;
    this.#leaveBehind();
    const least = this.#least;
    while (this.#pieces.length > 0 && this.#base + this.#pieces[0].length <= least) {
      const { length } = this.#pieces.shift()!;
      this.#gone++;
      this.#base += length;
      this.budget.used -= length;
    }
    if (this.#pieces.length === 0) this.#tail = null;
  }

  /** Where one reader waits for more, those who are a whole window behind are not waited for. */
  #leaveBehind(): void {
    if (this.state !== "open" || this.#readers.size < 2) return;
    const from = this.length - this.#window;
    let waits = false;
    let behind = false;
    for (const { position } of this.#readers) {
      if (position === this.length) waits = true;
      else if (position <= from) behind = true;
    }
    if (!waits || !behind) return;
    for (const reader of this.#readers) {
      if (reader.position > from) continue;
      this.#readers.delete(reader);
      reader.lose();
    }
  }
}

export class RecordingReader {
  #lost = false;
  #waiting: (() => void) | null = null;
  readonly #hint = { number: 0, start: 0 };

  constructor(readonly recording: Recording, public position: number) {}

  /** What there is to read next, of which {@link took} tells what was taken; or a promise that there will be. */
  next(): Uint8Array | Promise<void> | typeof BODY_DONE | typeof BODY_LOST {
    const { recording, position } = this;
    if (this.#lost) return BODY_LOST;
    if (position < recording.length) return recording.pieceAt(position, this.#hint);
    if (recording.state === "whole") return BODY_DONE;
    if (recording.state === "failed") return BODY_LOST;
    return new Promise((resolve) => this.#waiting = resolve);
  }

  took(bytes: number): void {
    this.position += bytes;
    this.recording.progressed();
  }

  /** What it reads next is not there any more. */
  lose(): void {
    this.#lost = true;
    this.wake();
  }

  wake(): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.();
  }

  /** It reads no more. */
  leave(): void {
    this.recording.left(this);
    this.wake();
  }
}
