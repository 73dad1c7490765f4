/** Of the same trouble one notice is enough for a while: what comes with each connection would fill a log. */

/** Notices of the same trouble, ms apart. */
const NOTICE_INTERVAL = 5_000;

export class NoticeLimit {
  /** When there was last one, by what it was about. */
  readonly #last = new Map<string, number>();

  /** @param now monotonic ms */
  constructor(readonly now: () => number = () => performance.now()) {}

  /**
   * Whether there is to be one now; then there is none again for a while.
   *
   * @param trouble what it is about, in a word
   */
  allows(trouble: string): boolean {
    const now = this.now();
    if (now - (this.#last.get(trouble) ?? -Infinity) < NOTICE_INTERVAL) return false;
    this.#last.set(trouble, now);
    return true;
  }
}
