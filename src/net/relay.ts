/** Two connections become one: what either sends goes to the other, as it comes. */

import { borrow, giveBack, LARGE, MEDIUM, SMALL } from "./buffers.ts";
import { type Connection, ENDED, FAILED } from "./connection.ts";

/** Why a relay is over. */
export type RelayEnd = "ended" | "idle" | "near_failed" | "far_failed";

/**
 * Fits a connection's buffer to its stream: a larger one after two reads that filled it, the small one again after
 * a read that hardly used it, so that only who moves much holds much. Call it when the buffer is empty, with the
 * size of the last read.
 */
export class BufferFit {
  #full = 0;

  constructor(readonly connection: Connection, readonly smallest: number = SMALL) {}

  after(count: number): void {
    const { connection } = this;
    const { length } = connection.buffer;
    if (count === connection.capacity && length < LARGE) {
      if (++this.#full === 2) this.#change(length < MEDIUM ? MEDIUM : LARGE);
    } else {
      this.#full = 0;
      if (length > this.smallest && count < length >> 3) this.#change(this.smallest);
    }
  }

  /** Back to the smallest, unless what is in the buffer would not fit. */
  reset(): void {
    const { start, end, base, buffer } = this.connection;
    const spare = this.smallest - base - (end - start);
    if (buffer.length > this.smallest && spare >= this.smallest >> 1) this.#change(this.smallest);
  }

  #change(size: number): void {
    this.#full = 0;
    giveBack(this.connection.swap(borrow(size)));
  }
}

/**
 * Relays between `near` and `far` until both have ended, one has failed, or nothing has moved for `idle` ms. Each
 * direction ends on its own: the end of one is passed on as such, and the other goes on. A failure on one side
 * ends the other at once. Bytes that are in the buffers already go first. Both connections are closed at the end.
 */
export async function relay(near: Connection, far: Connection, idle: number): Promise<RelayEnd> {
  near.onExpire = far.onExpire = null;
  touch(near, far, idle);
  const [out, back] = await Promise.all([pump(near, far, idle), pump(far, near, idle)]);
  const expired = near.expired || far.expired;
  near.close();
  far.close();
  if (expired) return "idle";
  if (out === "from" || back === "to") return "near_failed";
  if (out === "to" || back === "from") return "far_failed";
  return "ended";
}

function touch(near: Connection, far: Connection, idle: number): void {
  near.deadline = far.deadline = near.clock.in(idle);
}

/** Moves one direction. Says which side failed, if one did; then both are closed. */
async function pump(from: Connection, to: Connection, idle: number): Promise<"ended" | "from" | "to"> {
  const fit = new BufferFit(from);
  for (;;) {
    const waiting = from.end - from.start;
    if (waiting === 0) {
      if (!from.reading) from.empty();
      const count = await from.read();
      if (count === FAILED) {
        to.close();
        return "from";
      }
      if (count === ENDED) {
        await to.closeWrite();
        return "ended";
      }
      touch(from, to, idle);
    }
    const count = from.end - from.start;
    if (!await to.write(from.buffer.subarray(from.start, from.end))) {
      from.bufferLost = true;
      from.close();
      return "to";
    }
    touch(from, to, idle);
    from.empty();
    fit.after(count);
  }
}
