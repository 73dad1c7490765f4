/** Which keys there are for certain not: what is not there need not be looked for on the disk. */

/** Counters for one object: of the keys that are not there one in nine is looked for in vain. */
const COUNTERS_PER_OBJECT = 8;
const LEAST_COUNTERS = 2 ** 19;
const MOST_COUNTERS = 2 ** 24;
/** A counter that is full never falls again. */
const FULL = 255;

/**
 * Counters of a byte, at the places of the keys' hashes. The worker counts, the others look: both see the same
 * memory.
 */
export class KeyFilter {
  readonly #counters: Uint8Array;
  readonly #mask: number;

  constructor(readonly shared: SharedArrayBuffer) {
    this.#counters = new Uint8Array(shared);
    this.#mask = this.#counters.length - 1;
  }

  /** An empty one for as many objects, and as many again. */
  static for(objects: number): KeyFilter {
    let counters = LEAST_COUNTERS;
    while (counters < 2 * objects * COUNTERS_PER_OBJECT && counters < MOST_COUNTERS) counters *= 2;
    return new KeyFilter(new SharedArrayBuffer(counters));
  }

  /** False when nothing is stored for a key. */
  mayHave(key: string): boolean {
    return this.#counters[hashOf(key) & this.#mask] !== 0;
  }

  add(hash: number): void {
    const place = hash & this.#mask;
    if (this.#counters[place] < FULL) this.#counters[place]++;
  }

  delete(hash: number): void {
    const place = hash & this.#mask;
    if (this.#counters[place] < FULL && this.#counters[place] > 0) this.#counters[place]--;
  }

  clear(): void {
    this.#counters.fill(0);
  }
}

/** A number of 32 bits for a key (FNV-1a, whose bits are mixed once more in the end). */
export function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
