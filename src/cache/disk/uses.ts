/** Which objects were used: gathered, since each one that is written costs as much as to read it. */

/** They are written when there are so many, or with the first one after so long, ms. */
const MOST_USES = 4096;
const LONGEST_WAIT = 5000;

export interface GatheredUses {
  /** Objects that were read, and how often. */
  readonly read: (readonly [id: number, hits: number])[];
  /** Keys whose objects were used without being read. */
  readonly keys: string[];
}

export class Uses {
  readonly #read = new Map<number, number>();
  readonly #keys = new Set<string>();
  #since = 0;

  /** @param now ms since the epoch */
  add(used: number | string, now: number): void {
    if (this.#count === 0) this.#since = now;
    if (typeof used === "string") this.#keys.add(used);
    else this.#read.set(used, (this.#read.get(used) ?? 0) + 1);
  }

  /** Whether it is time to write them. */
  areDue(now: number): boolean {
    return this.#count >= MOST_USES || this.#count > 0 && Math.abs(now - this.#since) >= LONGEST_WAIT;
  }

  /** All of them, which are gathered no more; `null` when there are none. */
  take(): GatheredUses | null {
    if (this.#count === 0) return null;
    const uses = { read: [...this.#read], keys: [...this.#keys] };
    this.#read.clear();
    this.#keys.clear();
    return uses;
  }

  get #count(): number {
    return this.#read.size + this.#keys.size;
  }
}
