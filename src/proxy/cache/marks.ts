/** Keys of which something is remembered for a while, longer each time that it turns out again. */

import { markOf } from "./cache_key.ts";

interface Mark {
  until: number;
  /** For how long it was remembered last, ms. */
  lasted: number;
}

export class Marks {
  /** By {@link markOf}, the one that was set first first. */
  readonly #marks = new Map<string, Mark>();

  /**
   * @param first for how long it is remembered the first time, ms
   * @param longest and at most, after it has been twice as long each time
   * @param most how many are remembered
   */
  constructor(readonly first: number, readonly longest: number, readonly most: number) {}

  has(key: string, now: number): boolean {
    const mark = this.#marks.get(markOf(key));
    return mark !== undefined && now < mark.until;
  }

  /** It has turned out, once more if it did before and has not been refuted. */
  set(key: string, now: number): void {
    const name = markOf(key);
    const before = this.#marks.get(name);
    // what it is told by several at once it knows already
    if (before !== undefined && now < before.until) return;
    const lasted = before === undefined ? this.first : Math.min(before.lasted * 2, this.longest);
    this.#marks.delete(name);
    this.#marks.set(name, { until: now + lasted, lasted });
    if (this.#marks.size > this.most) this.#marks.delete(this.#marks.keys().next().value!);
  }

  /** It is not so. */
  delete(key: string): void {
    if (this.#marks.size > 0) this.#marks.delete(markOf(key));
  }
}
