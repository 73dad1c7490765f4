/** Which numbers of exchanges a log lacks. A weir counts what it logs from 1, and logs each when it is over. */

/** Numbers between two that were seen. */
interface Gap {
  first: number;
  last: number;
}

/** Gaps that may still be filled; beyond, the oldest counts as missing. */
const MOST_GAPS = 10_000;
/** Lines within which it is noticed late that another weir has begun to count. */
const MOST_ADVANCES = 1_000;

/**
 * Counts for one log, whose lines come in the order of their ends. What is missing before the first line or after the
 * last cannot be known: logs are rotated. A log that begins with number 1 is taken for the weir's first.
 */
export class MissingNumbers {
  /** Of weirs that have ended, and what no line can fill any more. */
  #settled = 0;
  /** The least number that has to be there, and the greatest that was; 0 before there was one. */
  #least = 0;
  #greatest = 0;
  /** Lines of what began before are of exchanges whose neighbours may be in an earlier log. */
  #since = -Infinity;
  /** Of the latest beginning, ms since the epoch. */
  #latest = -Infinity;
  #gaps: Gap[] = [];
  /** The greatest number before each of the last ones that were greater, and when the one that was greater began. */
  #advances: { readonly before: number; readonly time: number }[] = [];

  /** How many are missing. */
  get count(): number {
    return this.#gaps.reduce((sum, { first, last }) => sum + last - first + 1, this.#settled);
  }

  /**
   * Takes the next line.
   *
   * @param number 0: the log does not say
   * @param time when it began, ms since the epoch
   * @param duration ms
   */
  add(number: number, time: number, duration: number): void {
    if (number === 0) return;
    if (this.#since === -Infinity) this.#since = number === 1 ? time : time + Math.max(0, duration);
    if (this.#greatest === 0) this.#begin(number, time);
    else if (number > this.#greatest) this.#advance(number, time);
    // one weir's later numbers begin later: the next one has begun to count
    else if (time > this.#latest) this.#restart(number);
    else if (number >= this.#least && !this.#fill(number)) this.#restartAt(number, time);
    this.#latest = Math.max(this.#latest, time);
  }

  #begin(number: number, time: number): void {
    if (time < this.#since) return;
    this.#least = this.#greatest = number;
  }

  #advance(number: number, time: number): void {
    const before = this.#greatest;
    if (number > before + 1) this.#gaps.push({ first: before + 1, last: number - 1 });
    if (this.#gaps.length > MOST_GAPS) {
      const { first, last } = this.#gaps.shift()!;
      this.#settled += last - first + 1;
      this.#least = last + 1;
    }
    this.#advances.push({ before, time });
    if (this.#advances.length >= 2 * MOST_ADVANCES) this.#advances.splice(0, MOST_ADVANCES);
    this.#greatest = number;
  }

  /** Whether a number was missing until now. */
  #fill(number: number): boolean {
    let at = 0;
    for (let end = this.#gaps.length; at < end;) {
      const middle = (at + end) >> 1;
      if (this.#gaps[middle].last < number) at = middle + 1;
      else end = middle;
    }
    if (at === this.#gaps.length || this.#gaps[at].first > number) return false;
    const { first, last } = this.#gaps[at];
    const rest = [{ first, last: number - 1 }, { first: number + 1, last }].filter((gap) =>
      gap.first <= gap.last
    );
    this.#gaps.splice(at, 1, ...rest);
    return true;
  }

  #restart(number: number): void {
    this.#settled = this.count;
    this.#gaps = [];
    this.#advances = [];
    this.#least = this.#greatest = number;
  }

  /** A number came twice: what began since this one did is of the same weir, and not of the one before. */
  #restartAt(number: number, time: number): void {
    const at = this.#advances.findIndex((advance) => advance.time >= time);
    const kept = at < 0 ? this.#greatest : this.#advances[at].before;
    const ahead = this.#gaps.filter(({ first }) => first > kept);
    const greatest = this.#greatest;
    const advances = at < 0 ? [] : this.#advances.slice(at + 1);
    this.#gaps = this.#gaps.filter(({ first }) => first <= kept);
    this.#restart(number);
    if (kept >= greatest) return;
    if (kept > number) this.#gaps.push({ first: number + 1, last: kept });
    this.#gaps.push(...ahead);
    this.#advances = advances;
    this.#greatest = greatest;
  }
}
