/** Sums by key in bounded memory, since the keys come from logs, and logs hold whatever clients liked to ask for. */

/** A text that is no part of a longer one: as a part it would keep the whole alive, such as 64 KiB of a log. */
export function ownCopy(text: string): string {
  // joined and cut again it is a part of nothing but itself
  return (" " + text).slice(1);
}

export class Tally<Entry> {
  #most: number;
  #make: (key: string) => Entry;
  #entries = new Map<string, Entry>();
  #rest: Entry | null = null;

  /** @param most so many keys have an entry of their own; those that come later share {@link rest} */
  constructor(most: number, make: (key: string) => Entry) {
    this.#most = most;
    this.#make = make;
  }

  /** The entry of a key, or the shared one. */
  of(key: string): Entry {
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    if (this.#entries.size >= this.#most) return this.#rest ??= this.#make("");
    const own = ownCopy(key);
    const entry = this.#make(own);
    this.#entries.set(own, entry);
    return entry;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Shared by all keys for which there was no room; `null` when there was room for all. */
  get rest(): Entry | null {
    return this.#rest;
  }

  /** The greatest first; equals by their key. */
  sorted(measure: (entry: Entry) => number): [key: string, entry: Entry][] {
    return [...this.#entries].sort(([a, one], [b, other]) =>
      measure(other) - measure(one) || (a < b ? -1 : a > b ? 1 : 0)
    );
  }
}
