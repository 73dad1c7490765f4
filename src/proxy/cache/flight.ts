/** One fetch for several clients. */

import type { Variant } from "./variant.ts";

/** A fetch that others wait for: until it is known whether its response is for them too. */
export class Flight {
  /** What came and may be shared; `null` until then, and when it may not. */
  variant: Variant | null = null;
  /** What has become of it is known. */
  landed = false;
  /** Who fetched could not go on for reasons of its own: another of those who wait is to do it. */
  abandoned = false;
  /** What came is a 304 to the conditions of its own request: one that has none is to fetch for the others. */
  unmodified = false;
  /** Why the origin was of no use, if there is something stale to send in its place. */
  trouble: Trouble = "";
  readonly #waiting = new Set<() => void>();

  /**
   * @param until when those who wait ask for themselves, on the cache's clock
   * @param open whether others may wait for it at all
   */
  constructor(readonly until: number, readonly open: boolean) {}

  /** Whether a request may join it. */
  takes(now: number): boolean {
    return this.open && (this.landed ? this.variant !== null : now < this.until);
  }

  /** How many wait for it. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Calls back once it has landed: at once if it has. Who has gone before that has to {@link leave}. */
  join(landed: () => void): void {
    if (this.landed) landed();
    else this.#waiting.add(landed);
  }

  /** Waits no longer, and leaves nothing behind: many may come and go while an origin takes its time. */
  leave(landed: () => void): void {
    this.#waiting.delete(landed);
  }

  land(variant: Variant | null): void {
    this.variant = variant;
    this.landed = true;
    for (const landed of this.#waiting) landed();
    this.#waiting.clear();
  }
}

/** That the origin said so (RFC 5861 §4), or that it said nothing (RFC 9111 §4.2.4). */
export type Trouble = "" | "error" | "disconnected";

/** How a fetch failed. */
export type Failure = { abandoned?: boolean; trouble?: Trouble };
