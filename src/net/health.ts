/**
 * Whether something that connections go to, a target or a parent, is in service. A function of what happened to it
 * and of the time, which is a parameter.
 *
 * A failure takes it out for a pause: 1 s for the first, twice as long for each that follows, up to 1 min. The row
 * of failures is forgotten once it has been in service for as long as the longest pause, so that a target that comes
 * and goes is out for longer each time.
 */

/** ms */
export const SHORTEST_PAUSE = 1_000;
export const LONGEST_PAUSE = 60_000;
/** A pause is up to this part shorter or longer, so that many relays do not come back at once. */
export const JITTER = 0.2;

export class Health {
  /** Changes whenever the target goes out or comes back. What began in one term says nothing bad about another. */
  term = 0;
  /** Since when it is out, ms; `null` while it is in service. */
  outSince: number | null = null;
  #outUntil = -Infinity;
  #inSince = -Infinity;
  #failures = 0;

  /** Whether it is in service. */
  get isIn(): boolean {
    return this.outSince === null;
  }

  /** When its pause is over; in the past while it is in service. */
  get outUntil(): number {
    return this.#outUntil;
  }

  /** Whether it is out and its pause is over, so that one attempt may be made. */
  isDue(now: number): boolean {
    return this.outSince !== null && now >= this.#outUntil;
  }

  /**
   * An attempt has failed that began in `term`. Many that fail at once are one failure, and one within the pause is
   * what was to be expected.
   *
   * @param random 0 up to 1
   * @returns whether it goes out by that, having been in service
   */
  failed(term: number, now: number, random: number): boolean {
    if (term !== this.term || now < this.#outUntil) return false;
    const wasIn = this.isIn;
    if (wasIn && now - this.#inSince > LONGEST_PAUSE) this.#failures = 0;
    const pause = Math.min(LONGEST_PAUSE, SHORTEST_PAUSE * 2 ** Math.min(this.#failures, 16));
    this.#failures++;
    this.#outUntil = now + pause * (1 + JITTER * (2 * random - 1));
    this.outSince ??= now;
    this.term++;
    return wasIn;
  }

  /**
   * An attempt has succeeded.
   *
   * @returns whether it is back in service by that, having been out
   */
  answered(now: number): boolean {
    if (this.isIn) return false;
    this.outSince = null;
    this.#outUntil = -Infinity;
    this.#inSince = now;
    this.term++;
    return true;
  }
}
