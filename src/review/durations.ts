/** How long things took, by quantiles, in memory that does not grow. */

/** Each step is this much longer than the one before, which is how far a quantile may be off. */
const FACTOR = 1.05;
/** ms; shorter ones are one. */
const SHORTEST = 0.1;
const STEPS = 600;

export class Durations {
  #steps = new Uint32Array(STEPS);
  count = 0;
  longest = 0;

  /** @param duration ms */
  add(duration: number): void {
    const step = duration <= SHORTEST ? 0 : Math.ceil(Math.log(duration / SHORTEST) / Math.log(FACTOR));
    this.#steps[Math.min(step, STEPS - 1)]++;
    this.count++;
    if (duration > this.longest) this.longest = duration;
  }

  /** ms that this share of all took at most, to a twentieth; -1 when there are none. @param share 0 to 1 */
  quantile(share: number): number {
    if (this.count === 0) return -1;
    const wanted = Math.ceil(share * this.count);
    let sum = 0;
    for (let step = 0; step < STEPS; step++) {
      sum += this.#steps[step];
      if (sum >= wanted) return Math.min(SHORTEST * FACTOR ** step, this.longest);
    }
    return this.longest;
  }
}
