/** A deadline for what takes a signal. */

import type { Clock, Deadlined } from "./clock.ts";
import { UNLISTED } from "./roster.ts";

export class SignalDeadline implements Deadlined {
  place = UNLISTED;
  readonly #controller = new AbortController();
  readonly signal = this.#controller.signal;

  /** @param deadline on the clock's time */
  constructor(readonly clock: Clock, public deadline: number) {
    clock.watch(this);
  }

  /** So many ms from now, on a clock that may stand still until it has something to watch. */
  static in(clock: Clock, milliseconds: number): SignalDeadline {
    const deadline = new SignalDeadline(clock, Infinity);
    deadline.deadline = clock.in(milliseconds);
    return deadline;
  }

  expire(): void {
    this.#controller.abort(new DOMException("The time to connect is over", "TimeoutError"));
  }

  giveUp(): void {
    this.#controller.abort();
  }

  /** It is not needed any more. */
  lift(): void {
    this.clock.unwatch(this);
  }

  /** Whether the time is over, which giving up is not. */
  get passed(): boolean {
    return this.signal.aborted && this.signal.reason?.name === "TimeoutError";
  }
}
