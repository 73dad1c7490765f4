/**
 * One coarse clock for all deadlines of a process. A timer for each read costs more than the read; storing a
 * number and looking at all of them a few times a second costs next to nothing.
 */

/** Something that must have happened by a time. */
export interface Deadlined {
  /** On the clock's time, ms; Infinity for none. */
  deadline: number;
  /** The deadline has passed; called once, the deadline is Infinity by then. */
  expire(): void;
}

/** ms between two looks at the deadlines. */
export const TICK = 250;

export class Clock {
  /** Monotonic ms, at most a tick behind while anything is watched. */
  now: number = performance.now();

  readonly #watched = new Set<Deadlined>();
  #timer: ReturnType<typeof setInterval> | undefined;

  /** A deadline `milliseconds` from now, never early, at most two ticks late. */
  in(milliseconds: number): number {
    return this.now + milliseconds + TICK;
  }

  watch(item: Deadlined): void {
    this.#watched.add(item);
    if (this.#timer === undefined) {
      this.now = performance.now();
      this.#timer = setInterval(() => this.#tick(), TICK);
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
    const now = this.now = performance.now();
    for (const item of this.#watched) {
      if (item.deadline > now) continue;
      item.deadline = Infinity;
      item.expire();
    }
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
