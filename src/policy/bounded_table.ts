/** A table that anybody can make entries in, and that is bounded all the same. */

/** Entries that are looked at, at most, to find the one that goes. */
const LOOKED_AT = 8;

/**
 * When it is full, a new entry takes the place of the lightest of a few that are picked at random, or of the first
 * of them that weighs nothing. So what weighs much stays, whatever comes and goes beside it, and making room costs
 * the same however large the table is.
 */
export class BoundedTable<Value> {
  readonly #entries = new Map<string, Value>();
  /** The same keys in no order, to pick from. */
  readonly #keys: string[] = [];

  /**
   * @param capacity entries, beyond which only those are kept that must not go
   * @param weigh what would be lost with an entry: 0 is nothing, Infinity must not go
   */
  constructor(readonly capacity: number, readonly weigh: (value: Value, now: number) => number) {}

  get size(): number {
    return this.#keys.length;
  }

  get(key: string): Value | undefined {
    return this.#entries.get(key);
  }

  /** Adds an entry that is not there yet, and forgets others for it. */
  add(key: string, value: Value, now: number): void {
    if (this.size >= this.capacity) this.#dropOne(now);
    // entries that had to stay may have made it larger than it is meant to be
    if (this.size >= this.capacity) this.#dropOne(now);
    this.#entries.set(key, value);
    this.#keys.push(key);
  }

  #dropOne(now: number): void {
    const keys = this.#keys;
    let lightest = -1;
    let least = Infinity;
    for (let i = 0; i < LOOKED_AT && least > 0; i++) {
      const place = Math.floor(Math.random() * keys.length);
      const weight = this.weigh(this.#entries.get(keys[place])!, now);
      if (weight >= least) continue;
      lightest = place;
      least = weight;
    }
    if (lightest < 0) return;
    this.#entries.delete(keys[lightest]);
    const last = keys.pop()!;
    if (lightest < keys.length) keys[lightest] = last;
  }
}
