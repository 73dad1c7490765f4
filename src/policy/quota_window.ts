/**
 * What was used within a span of time that begins with the first use after the last one was over. Such spans are
 * not aligned with the clock on the wall: nobody's begins at the full hour with everybody else's, and it is known to
 * the second when somebody may go on. In any stretch of that length at most two spans' quotas can be used.
 */
export class QuotaWindow {
  used = 0;
  begins: number;

  constructor(now: number) {
    this.begins = now;
  }

  /** Brings the window to `now`, ms, and returns how much of it is left, ms. */
  left(length: number, now: number): number {
    // a clock that jumped back does not make a span longer than it is
    if (now < this.begins) this.begins = now;
    if (now - this.begins >= length) {
      this.begins = now;
      this.used = 0;
    }
    return this.begins + length - now;
  }

  add(count: number, length: number, now: number): void {
    this.left(length, now);
    if (this.used === 0) this.begins = now;
    this.used += count;
  }
}
