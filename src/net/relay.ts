/** Two connections become one: what either sends goes to the other, as it comes. */

import { borrow, giveBack, LARGE, MEDIUM, SMALL } from "./buffers.ts";
import { type Connection, ENDED, FAILED } from "./connection.ts";

/** Why a relay is over; "stopped" when somebody has closed a connection meanwhile. */
export type RelayEnd = "ended" | "idle" | "near_failed" | "far_failed" | "stopped";

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
  near.onExpire = () => expire(near, far);
  far.onExpire = () => expire(far, near);
  touch(near, far, idle);
  const ends = { count: 0 };
  const [out, back] = await Promise.all([pump(near, far, idle, ends), pump(far, near, idle, ends)]);
  near.onExpire = far.onExpire = null;
  near.close();
  far.close();
  if (near.expired) return "idle";
  if (out === "from" || back === "to") return "near_failed";
  if (out === "to" || back === "from") return "far_failed";
  return out === "closed" || back === "closed" ? "stopped" : "ended";
}

function touch(near: Connection, far: Connection, idle: number): void {
  near.deadline = far.deadline = near.clock.in(idle);
}

/** What moves in one direction keeps both connections: a write puts off the deadline of the one it goes to. */
function expire(connection: Connection, other: Connection): void {
  if (other.deadline > connection.clock.now && other.deadline < Infinity) {
    connection.deadline = other.deadline;
    return;
  }
  connection.expired = other.expired = true;
  connection.close();
  other.close();
}

/** How one direction came to its end; "closed" when a connection was closed by this side. */
type PumpEnd = "ended" | "from" | "to" | "closed";

/**
 * Moves one direction until `from` has ended. When one side fails, both are closed.
 *
 * @param ends how many of the two directions have ended
 */
async function pump(
  from: Connection,
  to: Connection,
  idle: number,
  ends: { count: number },
): Promise<PumpEnd> {
  const fit = new BufferFit(from);
  for (;;) {
    if (from.end === from.start) {
      if (!from.reading) from.empty();
      const count = await from.read();
      if (count === FAILED) {
        const end = from.closed ? "closed" : "from";
        from.close();
        to.close();
        return end;
      }
      if (count === ENDED) {
        // the second end closes both connections, which says the same
        if (++ends.count === 1) await to.closeWrite();
        return "ended";
      }
      touch(from, to, idle);
    }
    const count = from.end - from.start;
    if (!await to.write(from.buffer.subarray(from.start, from.end))) {
      const end = to.closed ? "closed" : "to";
      from.bufferLost = true;
      from.close();
      to.close();
      return end;
    }
    touch(from, to, idle);
    from.empty();
    fit.after(count);
  }
}
