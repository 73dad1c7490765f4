/**
 * One coarse clock for all deadlines of a process. A timer for each read costs more than the read; storing a
 * number and looking at all of them a few times a second costs next to nothing.
 */

import { type Listed, Roster } from "./roster.ts";

/** Something that must have happened by a time. */
export interface Deadlined extends Listed {
  /** On the clock's time, ms; Infinity for none. */
  deadline: number;
  /** The deadline has passed; called once, the deadline is Infinity by then. */
  expire(): void;
}

/** ms between two looks at the deadlines. */
export const TICK = 250;

/** Where a clock has its time from. */
export interface Time {
  /** Monotonic ms. */
  now(): number;
  /** Calls back each so many ms, until what it returns is called. */
  every(milliseconds: number, callback: () => void): () => void;
}

const SYSTEM_TIME: Time = {
  now: () => performance.now(),
  every(milliseconds, callback) {
    const timer = setInterval(callback, milliseconds);
    return () => clearInterval(timer);
  },
};

export class Clock {
  /** ms on this clock. It goes forward by one tick at most, also when the process stood still for longer. */
  now: number;

  readonly #watched = new Roster<Deadlined>();
  readonly #time: Time;
  #stopTicking: (() => void) | null = null;

  constructor(time: Time = SYSTEM_TIME) {
    this.#time = time;
    this.now = time.now();
  }

  /**
   * A deadline `milliseconds` from now: never early, and two ticks late at most. Time in which the process itself
   * stood still is counted against nobody, and comes on top.
   */
  in(milliseconds: number): number {
    return this.now + milliseconds + TICK;
  }

  watch(item: Deadlined): void {
    this.#watched.add(item);
    if (this.#stopTicking === null) {
      this.now = this.#time.now();
      this.#stopTicking = this.#time.every(TICK, () => this.#tick());
    }
  }

  unwatch(item: Deadlined): void {
    this.#watched.delete(item);
    if (this.#watched.size === 0) this.#stop();
  }

  /** How many are watched. */
  get size(): number {
    return this.#watched.size;
  }

  #tick(): void {
    const now = this.now = Math.min(this.#time.now(), this.now + TICK);
    for (const item of this.#watched) {
      if (item.deadline > now) continue;
      item.deadline = Infinity;
      item.expire();
    }
  }

  #stop(): void {
    this.#stopTicking?.();
    this.#stopTicking = null;
  }
}
