/** Random numbers that come the same again from the same seed (mulberry32, by Tommy Ettinger). */

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** One of the numbers of 32 bits. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** A whole number from 0 up to, and without, `limit`. */
  below(limit: number): number {
    return this.next() % limit;
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)];
  }

  /** Between 0 and `most` of what `make` brings, small numbers more often than large ones. */
  several<T>(most: number, make: () => T): T[] {
    return Array.from({ length: this.below(this.below(most) + 2) }, make);
  }
}

/** The seed of one case of a run, so that each case can be had again by itself. */
export function seedOf(run: number, number: number): number {
  return Math.imul(run ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(number + 1, 0xc2b2ae35);
}
