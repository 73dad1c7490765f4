/** A table that anybody can make entries in, and that is bounded all the same. */

/** Entries that are looked at to find the one that goes. */
const LOOKED_AT = 8;

/**
 * When it is full, a new entry takes the place of the lightest of the next few, which a hand that goes round and
 * round points at. So what weighs most stays longest, whatever comes and goes beside it, and making room costs the
 * same however large the table is.
 */
export class BoundedTable<Value> {
  readonly #entries = new Map<string, Value>();
  #hand: Iterator<[string, Value]> | null = null;

  /**
   * @param capacity entries, beyond which only those are kept that must not go
   * @param weigh what would be lost with an entry: 0 is nothing, Infinity must not go
   */
  constructor(readonly capacity: number, readonly weigh: (value: Value, now: number) => number) {}

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): Value | undefined {
    return this.#entries.get(key);
  }

  /** Adds an entry that is not there yet, and forgets others for it. */
  add(key: string, value: Value, now: number): void {
    if (this.#entries.size >= this.capacity) {
      this.#dropOne(now);
      // entries that had to stay may have made it larger than it is meant to be
      if (this.#entries.size >= this.capacity) this.#dropOne(now);
    }
    this.#entries.set(key, value);
  }

  #dropOne(now: number): void {
    let lightest = "";
    let least = Infinity;
    for (let i = 0; i < LOOKED_AT; i++) {
      const entry = this.#next();
      if (entry === null) continue;
      const weight = this.weigh(entry[1], now);
      if (weight >= least) continue;
      [lightest] = entry;
      least = weight;
    }
    if (least < Infinity) this.#entries.delete(lightest);
  }

  /** The entry under the hand, which goes on; `null` once at the end. */
  #next(): [string, Value] | null {
    const entry = (this.#hand ??= this.#entries.entries()).next();
    if (!entry.done) return entry.value;
    this.#hand = null;
    return null;
  }
}
