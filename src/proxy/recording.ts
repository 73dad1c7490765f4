/**
 * A response's body while it comes, for as many as want it: each reads at its own pace from what has come, and all
 * wait for the same rest. One that was recorded whole can be kept.
 *
 * A body that grows beyond what may be kept is recorded through a window: what all have read is let go, and who stays
 * behind by more than the window while others wait is left behind, so that a slow reader holds up nobody.
 */

/** What a reader is told besides bytes. */
export const BODY_DONE = "done";
export const BODY_LOST = "lost";

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

  /** Pieces in order; the first begins at `#base`. */
  readonly #pieces: Uint8Array[] = [];
  #base = 0;
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
    this.#pieces.push(bytes.slice());
    this.length += bytes.length;
    this.budget.used += bytes.length;
    this.#letGo();
    this.#wake();
  }

  /** Nothing more comes: all of it has, or it was cut short. */
  end(whole: boolean): void {
    this.state = whole ? "whole" : "failed";
    this.#letGo();
    this.#wake();
  }

  /** Resolves when there is room for more; `null` when there is. */
  room(): Promise<void> | null {
    if (this.complete && this.length < this.keepable && this.budget.used < this.budget.limit) return null;
    if (this.length - this.#base < this.#window) return null;
    if (this.#readers.size === 0) return null;
    return new Promise((resolve) => this.#room = resolve);
  }

  /** The window gets narrower when there is little left for all. */
  get #window(): number {
    return this.budget.used < this.budget.limit ? this.keepable : Math.min(this.keepable, 256 * 1024);
  }

  /** A reader that begins at `position`; `null` when that is not there any more. */
  reader(position = 0): RecordingReader | null {
    if (position < this.#base || this.#released) return null;
    const reader = new RecordingReader(this, position);
    this.#readers.add(reader);
    return reader;
  }

  /** All bytes, of a recording that is whole and {@link complete}; they are the caller's from now on. */
  take(): Uint8Array[] {
    return this.#pieces.slice();
  }

  /** Nobody else is going to read it: its bytes count until its readers have gone. */
  release(): void {
    this.#released = true;
    if (this.#readers.size === 0) this.#free();
  }

  #free(): void {
    this.budget.used -= this.length - this.#base;
    this.#base = this.length;
    this.#pieces.length = 0;
  }

  /** The piece at `position`, which is not behind the last byte. */
  pieceAt(position: number, hint: { index: number; start: number }): Uint8Array {
    // readers go forward: where the last piece was is where the next one begins, unless pieces were let go
    let { index, start } = hint;
    if (start < this.#base || index >= this.#pieces.length || start > position) {
      index = 0;
      start = this.#base;
    }
    while (start + this.#pieces[index].length <= position) start += this.#pieces[index++].length;
    hint.index = index;
    hint.start = start;
    return this.#pieces[index].subarray(position - start);
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
    if (room === null) return;
    if (this.length - this.#base < this.#window || this.#readers.size === 0) {
      this.#room = null;
      room();
    }
  }

  /** Lets go of what all readers have passed, once it can not be kept as a whole. */
  #letGo(): void {
    if (this.length <= this.keepable && this.#base === 0 && this.budget.used <= this.budget.limit) return;
    let least = this.length;
    let most = 0;
    for (const { position } of this.#readers) {
      least = Math.min(least, position);
      most = Math.max(most, position);
    }
    if (this.#readers.size > 1 && this.length - least > this.#window && most > least) {
      // others have read on: who is a whole window behind is left behind
      least = Math.min(most, this.length - this.#window);
      for (const reader of this.#readers) if (reader.position < least) reader.lose();
    }
    while (this.#pieces.length > 0 && this.#base + this.#pieces[0].length <= least) {
      const { length } = this.#pieces.shift()!;
      this.#base += length;
      this.budget.used -= length;
    }
  }

  #wake(): void {
    for (const reader of this.#readers) reader.wake();
  }
}

export class RecordingReader {
  #lost = false;
  #waiting: (() => void) | null = null;
  readonly #hint = { index: 0, start: 0 };

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
