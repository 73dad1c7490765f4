/**
 * A connection with its own buffer, one pending read at most, and a deadline. Everything above this file reads and
 * writes through it, so that a silent, slow or vanished peer has the same few outcomes everywhere.
 */

import { borrow, giveBack } from "./buffers.ts";
import type { Clock, Deadlined } from "./clock.ts";
import { countRead, turnToRead } from "./fair_reads.ts";
import { UNLISTED } from "./roster.ts";

/** What {@link Connection.read} says besides a number of bytes. */
export const ENDED = 0;
export const FAILED = -1;

/** Bytes at a buffer's end that reads leave free, so that what was read can be wrapped in place. */
const TAIL = 8;

const NOTHING = new Uint8Array();
const FALSE = Promise.resolve(false);
const IS_FAILED = Promise.resolve(FAILED);

/**
 * Deno up to 2.6, and later ones for TLS, hold a descriptor after `close()` for as long as a write is under way
 * that the peer does not take. Nothing can be done about such a write but to count it.
 */
let stuck = 0;

/** Connections that are closed and whose descriptors wait for their peers to take or refuse a last write. */
export function stuckConnections(): number {
  return stuck;
}

/** The part of `Deno.TcpConn` and `Deno.TlsConn` that is used. */
export interface Stream {
  read(into: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  closeWrite(): Promise<void>;
  close(): void;
}

export class Connection implements Deadlined {
  /** Bytes that came and are not used yet: `buffer[start..end)`. */
  buffer: Uint8Array;
  start: number;
  end: number;

  place = UNLISTED;
  deadline = Infinity;
  /** Set when the connection was closed because its deadline had passed. */
  expired = false;
  closed = false;
  /** The peer has closed its sending side. */
  ended = false;
  /** Why reading or writing failed. */
  error: unknown = null;
  /** The address that the peer was reached at, or `""`. */
  address = "";
  /** Bytes read and written so far. */
  received = 0;
  sent = 0;

  /** Somebody may still read from or write to the buffer after the end: it is not lent again. */
  bufferLost = false;

  /** Bytes that one read brings at most, for one who does not want as many as there is room for. */
  readLimit = Infinity;

  /** Bytes a second that the peer has to take of what is written to it, on average; 0: any number. */
  leastRate = 0;

  /** Called instead of closing when the deadline passes. */
  onExpire: ((connection: Connection) => void) | null = null;
  /** Called when a read has settled, for one who does not wait for it. */
  onSettled: ((connection: Connection) => void) | null = null;

  #reading: Promise<number> | null = null;
  #written: ((whole: boolean) => void) | null = null;
  /** What is still to be written. */
  #writing: Uint8Array = NOTHING;
  /** When the write under way began or went on, on the clock's time. */
  #wroteAt = 0;
  #released = false;

  /**
   * @param base where in its buffer an empty connection begins to read; the bytes before it are for those who
   *   write something in front of what was read
   */
  constructor(public stream: Stream, readonly clock: Clock, size: number, readonly base: number) {
    this.buffer = borrow(size);
    this.start = this.end = base;
    clock.watch(this);
  }

  /** Whether a read is under way. */
  get reading(): boolean {
    return this.#reading !== null;
  }

  /** What one read into the empty buffer can bring, bytes. */
  get capacity(): number {
    return this.buffer.length - TAIL - this.base;
  }

  /** Room for a read, bytes. */
  get room(): number {
    return this.buffer.length - TAIL - this.end;
  }

  /**
   * Reads what comes next behind `end`; there must be room. Joins a read that is under way. Resolves with the
   * number of bytes that came, {@link ENDED} or {@link FAILED}; never rejects.
   */
  read(): Promise<number> {
    if (this.#reading !== null) return this.#reading;
    return this.closed ? IS_FAILED : this.#reading = this.#startRead();
  }

  #startRead(): Promise<number> {
    const turn = turnToRead();
    return turn === null ? this.#readNow() : turn.then(() => this.#readNow());
  }

  /** Closed meanwhile, the stream says so itself. */
  #readNow(): Promise<number> {
    const { buffer } = this;
    const end = Math.min(buffer.length - TAIL, this.end + this.readLimit);
    return this.stream.read(buffer.subarray(this.end, end)).then(
      this.#onRead,
      this.#onReadFailed,
    );
  }

  readonly #onRead = (count: number | null): number => {
    countRead();
    this.#reading = null;
    if (count === null) this.ended = true;
    else {
      this.end += count;
      this.received += count;
    }
    if (this.#released) this.#giveBack();
    else this.onSettled?.(this);
    return count ?? ENDED;
  };

  readonly #onReadFailed = (error: unknown): number => {
    this.#reading = null;
    this.error ??= error;
    if (this.#released) this.#giveBack();
    else this.onSettled?.(this);
    return FAILED;
  };

  /** Forgets the bytes that are there, so that the next read begins at the base. Not while a read is under way. */
  empty(): void {
    this.start = this.end = this.base;
  }

  /**
   * Goes on with another buffer, into which unused bytes are copied, and returns the old one, which is now the
   * caller's. Not while a read is under way.
   */
  swap(next: Uint8Array): Uint8Array {
    const old = this.buffer;
    const { start, end, base } = this;
    if (end > start) next.set(old.subarray(start, end), base);
    this.buffer = next;
    this.start = base;
    this.end = base + end - start;
    return old;
  }

  /**
   * Writes all of `bytes`, which must not change before that has settled. Resolves with whether all went out, with
   * false as soon as the connection is closed; never rejects. One at a time. After false the system may still take
   * bytes from where they were: that buffer must not be lent to anybody else.
   *
   * A peer that takes a part is slow, not silent: the deadline is put off by the time that the part took, or by as
   * much of it as {@link leastRate} allows for so many bytes.
   */
  write(bytes: Uint8Array): Promise<boolean> {
    if (this.closed) return FALSE;
    this.#wroteAt = this.clock.now;
    this.#writeOn(bytes);
    return new Promise(this.#keepWritten);
  }

  // made once for a connection, and not for each write
  readonly #keepWritten = (resolve: (whole: boolean) => void): void => {
    this.#written = resolve;
  };

  #writeOn(bytes: Uint8Array): void {
    this.#writing = bytes;
    this.stream.write(bytes).then(this.#onWritten, this.#onWriteFailed);
  }

  readonly #onWritten = (count: number): void => {
    this.sent += count;
    const bytes = this.#writing;
    if (this.closed) stuck--;
    else if (count < bytes.length) {
      const { now } = this.clock;
      const took = now - this.#wroteAt;
      this.deadline += this.leastRate === 0 ? took : Math.min(took, count * 1000 / this.leastRate);
      this.#wroteAt = now;
      this.#writeOn(bytes.subarray(count));
    } else {
      this.#writing = NOTHING;
      this.#settleWrite(true);
    }
  };

  readonly #onWriteFailed = (error: unknown): void => {
    if (this.closed) {
      stuck--;
      return;
    }
    this.error ??= error;
    this.#settleWrite(false);
  };

  #settleWrite(whole: boolean): void {
    const written = this.#written;
    this.#written = null;
    written?.(whole);
  }

  /**
   * Tells the peer that nothing more will come (FIN, and over TLS what goes before it); reading goes on. Not while a
   * write is under way. Resolves when that is done or the connection closed; never rejects.
   */
  closeWrite(): Promise<boolean> {
    if (this.closed) return FALSE;
    return new Promise((resolve) => {
      this.#written = resolve;
      this.stream.closeWrite().then(() => {
        if (this.closed) stuck--;
        else this.#settleWrite(true);
      }, this.#onWriteFailed);
    });
  }

  /** Deadline: closes, unless somebody has said what else to do. */
  expire(): void {
    if (this.onExpire !== null) return this.onExpire(this);
    this.expired = true;
    this.close();
  }

  /** Ends the connection at once. What waits for it is told so. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.deadline = Infinity;
    this.clock.unwatch(this);
    if (this.#written !== null) {
      stuck++;
      this.#settleWrite(false);
    }
    try {
      this.stream.close();
    } catch {
      // it has closed itself
    }
  }

  /** Gives the buffer back, once nothing uses it. The connection is closed and of no use afterwards. */
  release(): void {
    this.close();
    if (this.#released) return;
    this.#released = true;
    if (this.#reading === null) this.#giveBack();
  }

  #giveBack(): void {
    if (!this.bufferLost) giveBack(this.buffer);
  }
}
