/**
 * What fills at an even rate and is taken from in lumps. Time is ms on a clock of the caller's, always the same one;
 * a clock that jumps back gives nothing and takes nothing, the bucket fills on from there.
 */
export class TokenBucket {
  /** What may be taken as of {@link at}; below 0 what was taken in advance. */
  tokens: number;
  at: number;

  constructor(tokens: number, now: number) {
    this.tokens = tokens;
    this.at = now;
  }

  /**
   * Brings the bucket to `now` and returns what is in it.
   *
   * @param rate tokens a second
   * @param capacity what it holds at most; it may be another one than before
   */
  fill(rate: number, capacity: number, now: number): number {
    const passed = Math.max(0, now - this.at);
    this.at = now;
    return this.tokens = Math.min(capacity, this.tokens + passed * rate / 1000);
  }

  /**
   * Takes so many tokens, in advance if need be, and returns how many ms whoever takes them has to wait: until all
   * that was taken before is paid for. So takers come one after the other in the order in which they ask, and the
   * first after a pause need not wait for tokens that come one by one.
   */
  reserve(count: number, rate: number, capacity: number, now: number): number {
    const before = this.fill(rate, capacity, now);
    this.tokens = before - count;
    return before >= 0 ? 0 : -before * 1000 / rate;
  }
}
