/** How long a peer that sends is waited for. */

import { TICK } from "./clock.ts";

/**
 * The time that a peer has for what it sends. Waiting for it uses the time up, and what comes brings it back: all of
 * it, or so much a byte that a peer runs out of it who sends less than a least rate for long.
 */
export class Allowance {
  /** ms; a tick less than none for a coarse clock, which may have ticked just after a wait began. */
  #left: number;
  #since = 0;

  /**
   * @param most ms; a silence takes no longer
   * @param leastRate bytes a second; 0: any byte brings all of the time back
   */
  constructor(readonly most: number, readonly leastRate: number) {
    this.#left = most;
  }

  /** A wait begins; returns how long it may take, ms. */
  begin(now: number): number {
    this.#since = now;
    return Math.max(0, this.#left);
  }

  /**
   * The wait has brought so many bytes of what is waited for. Those that only say what will come are none: they may
   * take no longer than a silence.
   */
  end(now: number, bytes: number): void {
    const left = this.#left - (now - this.#since);
    if (bytes === 0) this.#left = left;
    else if (this.leastRate === 0) this.#left = this.most;
    else this.#left = Math.min(this.most, left + bytes * 1000 / this.leastRate);
  }

  /** Whether the time is used up, though bytes come. */
  get isSpent(): boolean {
    return this.#left <= -TICK;
  }

  /** Whether what came has not brought back all of the time. */
  get isReduced(): boolean {
    return this.#left < this.most;
  }
}
