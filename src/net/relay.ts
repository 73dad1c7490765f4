/** Two connections become one: what either sends goes to the other, as it comes. */

import { borrow, giveBack, LARGE, MEDIUM, sizeFor, SMALL } from "./buffers.ts";
import type { Clock, Deadlined } from "./clock.ts";
import { type Connection, ENDED, FAILED } from "./connection.ts";
import { UNLISTED } from "./roster.ts";

/**
 * Why a relay is over; "over" when it has had all its time, "stopped" when somebody has closed a connection meanwhile,
 * "refused" when the near side's first bytes were not let through.
 */
export type RelayEnd = "ended" | "idle" | "over" | "near_failed" | "far_failed" | "stopped" | "refused";

/** Who has a word in what a relay moves. What is not there costs nothing. */
export interface RelayWatch {
  readonly first?: FirstLook;
  /** ms for all of it, whatever moves; 0 or absent: no limit. */
  readonly lifetime?: number;
  /** Holds what goes from near to far to a rate, and what comes back. */
  readonly out?: Pace;
  readonly back?: Pace;
}

/** Slows one direction down. */
export interface Pace {
  /** How many bytes the next read should bring at most; Infinity for any number. */
  readonly most: number;
  /**
   * So many bytes are about to go on, of which it is told once: `null` when they may at once, else what resolves
   * when they may or one of the two connections is closed. The idle limit is its affair meanwhile.
   */
  wait(bytes: number): Promise<void> | null;
}

/**
 * Looks at the first bytes of the near side before any of them goes on; what the far side sends flows meanwhile, and
 * is heard. Once it has said "go" all of them go on unchanged, and it is never asked again. "stop" ends the relay.
 */
export interface FirstLook {
  /** ms in which the first byte has to come; Infinity leaves that to the relay's idle limit. */
  readonly firstByteTime: number;
  /** ms in which, from the first byte on, enough has to come to say anything but "more". */
  readonly decisionTime: number;
  /**
   * Looks at all that has come so far and has not gone on, `bytes[start..end)`: what was there before is there again,
   * and unchanged, though it may have been moved. "more" is answered with another call, or {@link cutShort}; so is a
   * number: so many bytes, one at least, go on, and what is left and comes behind them is the first again.
   */
  look(bytes: Uint8Array, start: number, end: number): "more" | "go" | "stop" | number;
  /** Takes note that so many bytes of memory hold what came and does not go on; 0 when none does any more. */
  hold(bytes: number): void;
  /** Nothing more comes: the near side has ended, the time is over, or there are {@link LARGE} bytes. */
  cutShort(by: "end" | "time" | "size"): "go" | "stop";
  /** Hears what the far side sends, all of which goes on at once; false when it has heard enough. */
  hear(bytes: Uint8Array, start: number, end: number): boolean;
  /** Resolves when it has: then it is asked again for its word, of no bytes if none have come. */
  readonly heard: Promise<unknown>;
}

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
 * ends the other at once. Bytes that are in the buffers already go first. Both connections are closed at the end,
 * but for the near one when the relay was refused: the other side may still be told why. A read from it may be under
 * way then.
 */
export async function relay(
  near: Connection,
  far: Connection,
  idle: number,
  watch?: RelayWatch,
): Promise<RelayEnd> {
  near.onExpire = () => expire(near, far);
  far.onExpire = () => expire(far, near);
  touch(near, far, idle);
  const ends: Ends = { count: 0, refused: false };
  const first = watch?.first;
  let isOver = false;
  const lifetime = watch?.lifetime
    ? new TimeLimit(near.clock, watch.lifetime, () => {
      isOver = true;
      near.close();
      far.close();
    })
    : null;
  const [out, back] = await Promise.all([
    first === undefined
      ? pump(near, far, idle, ends, watch?.out)
      : pumpIfLet(near, far, idle, ends, first, watch?.out),
    pump(far, near, idle, ends, watch?.back, first),
  ]);
  near.onExpire = far.onExpire = null;
  lifetime?.lift();
  if (isOver) return "over";
  far.close();
  if (ends.refused) return "refused";
  near.close();
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

/** What the two directions know of each other. */
interface Ends {
  /** How many of them have ended. */
  count: number;
  /** What the near side sent was not let through. */
  refused: boolean;
}

/** Moves one direction until `from` has ended. When one side fails, both are closed. */
async function pump(
  from: Connection,
  to: Connection,
  idle: number,
  ends: Ends,
  pace: Pace | undefined,
  ear?: FirstLook,
): Promise<PumpEnd> {
  const fit = new BufferFit(from);
  for (;;) {
    if (from.end === from.start) {
      if (!from.reading) from.empty();
      if (pace !== undefined) from.readLimit = pace.most;
      const count = await from.read();
      if (count === FAILED) {
        const end = from.closed ? "closed" : "from";
        from.close();
        if (!ends.refused) to.close();
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
    if (ear !== undefined && !ear.hear(from.buffer, from.start, from.end)) ear = undefined;
    const wait = pace === undefined ? null : pace.wait(count);
    if (wait !== null) await wait;
    if (!await to.write(from.buffer.subarray(from.start, from.end))) {
      return lose(from, to);
    }
    touch(from, to, idle);
    from.empty();
    fit.after(count);
  }
}

/** `to` has not taken what it was written; the system may still be reading it from the buffer of `from`. */
function lose(from: Connection, to: Connection): PumpEnd {
  const end = to.closed ? "closed" : "to";
  from.bufferLost = true;
  from.close();
  to.close();
  return end;
}

/** Moves the near side's direction as {@link pump} does, once its first bytes have been let through. */
async function pumpIfLet(
  near: Connection,
  far: Connection,
  idle: number,
  ends: Ends,
  first: FirstLook,
  pace: Pace | undefined,
): Promise<PumpEnd> {
  const word = await lookAtFirst(near, far, idle, first, pace);
  if (word === "lost") return lose(near, far);
  if (word === "go") {
    // what came goes on at once, though a read that is under way keeps the place behind it
    const { start, end } = near;
    if (near.reading && end > start) {
      await pace?.wait(end - start);
      if (await far.write(near.buffer.subarray(start, end))) near.start = end;
      else return lose(near, far);
    }
    return pump(near, far, idle, ends, pace);
  }
  if (word === "stop") {
    ends.refused = true;
    // what is on its way to the near side may still arrive there
    near.deadline = near.clock.in(first.decisionTime);
    far.close();
    return "closed";
  }
  const end = near.closed ? "closed" : "from";
  near.close();
  far.close();
  return end;
}

async function lookAtFirst(
  near: Connection,
  far: Connection,
  idle: number,
  first: FirstLook,
  pace: Pace | undefined,
): Promise<"go" | "stop" | "failed" | "lost"> {
  // one promise for each wait, and none that all of them race: it would keep something of each until it settles
  let wake: (what: typeof OVER | typeof HEARD) => void = () => {};
  const limit = new TimeLimit(near.clock, first.firstByteTime, () => wake(OVER));
  let asks = false;
  let begun = false;
  first.heard.then(() => {
    asks = true;
    wake(HEARD);
  });
  try {
    for (;;) {
      if (near.end > near.start || asks) {
        if (!begun && near.end > near.start) {
          limit.set(first.decisionTime);
          begun = true;
        }
        asks = false;
        const word = first.look(near.buffer, near.start, near.end);
        if (typeof word === "number") {
          begun = false;
          limit.set(Infinity);
          await pace?.wait(word);
          if (!await far.write(near.buffer.subarray(near.start, near.start + word))) return "lost";
          touch(near, far, idle);
          near.start += word;
          continue;
        }
        if (word !== "more") return word;
      }
      if (near.end === near.start) {
        if (!near.reading) near.empty();
      } else if (!near.reading && near.room === 0) {
        const { length } = near.buffer;
        if (length >= LARGE) return first.cutShort("size");
        giveBack(near.swap(borrow(sizeFor(length + 1))));
        first.hold(near.buffer.length);
      }
      const count = await new Promise<number | typeof OVER | typeof HEARD>((resolve) => {
        wake = resolve;
        near.read().then(resolve);
      });
      if (count === HEARD) continue;
      if (count === FAILED) return "failed";
      if (count === ENDED) return first.cutShort("end");
      if (count === OVER) return first.cutShort("time");
      touch(near, far, idle);
    }
  } finally {
    limit.lift();
    first.hold(0);
  }
}

const OVER = "over";
const HEARD = "heard";

/** A time that is over at some point, whatever moves meanwhile. */
class TimeLimit implements Deadlined {
  place = UNLISTED;
  deadline: number;

  /** @param expire called when it is over */
  constructor(readonly clock: Clock, milliseconds: number, readonly expire: () => void) {
    this.deadline = clock.in(milliseconds);
    clock.watch(this);
  }

  set(milliseconds: number): void {
    this.deadline = this.clock.in(milliseconds);
  }

  lift(): void {
    this.clock.unwatch(this);
  }
}
