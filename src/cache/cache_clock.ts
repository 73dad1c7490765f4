/** The time by which stored responses age. */

/** The system's clock drifts against the steady one, and is corrected; more than this is a step, ms. */
const STEP = 1000;

/**
 * Milliseconds since the epoch that never go back. The system's clock is followed, forward too (a machine that slept
 * has a steady clock that did not go on); when it is set back this clock goes on as if it had not been, and is ahead
 * of it from then on.
 *
 * A time of this clock and a `Date` can only be compared with {@link behind} in between: origins go by the time of day.
 */
export class CacheClock {
  /** Names this run of the clock: what another one was ahead by says nothing here. */
  readonly run = crypto.randomUUID();
  #behind = 0;
  #last: number;
  #lastSteady: number;

  /**
   * @param wall the system's clock, ms since the epoch
   * @param steady ms on a clock that is never set
   */
  constructor(readonly wall: () => number, readonly steady: () => number) {
    this.#last = wall();
    this.#lastSteady = steady();
  }

  now(): number {
    const steady = this.steady();
    let now = this.wall() + this.#behind;
    const expected = this.#last + steady - this.#lastSteady;
    if (expected - now > STEP) {
      this.#behind += expected - now;
      now = expected;
    }
    this.#last = now;
    this.#lastSteady = steady;
    return now;
  }

  /** How far the system's clock was behind this one when the time was asked for last, ms; 0 until it is set back. */
  get behind(): number {
    return this.#behind;
  }
}
