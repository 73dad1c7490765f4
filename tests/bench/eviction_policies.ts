/** Ways to choose what a cache forgets, bounded in bytes, as small as they can be to compare them. */

/** A cache of objects whose sizes are known by their keys, small whole numbers. */
export interface Cache {
  /** Asks for a key, which is fetched and offered to the cache if it is not there. @returns whether it was there */
  ask(key: number): boolean;
}

export type CacheOf = new (capacity: number, sizes: Uint32Array) => Cache;

/** The lists that a key may be in, one at a time; 0 is none. */
class Places {
  readonly newer: Int32Array;
  readonly older: Int32Array;
  readonly list: Uint8Array;

  constructor(readonly sizes: Uint32Array) {
    this.newer = new Int32Array(sizes.length);
    this.older = new Int32Array(sizes.length);
    this.list = new Uint8Array(sizes.length);
  }
}

const NONE = -1;

class List {
  newest = NONE;
  oldest = NONE;
  bytes = 0;
  count = 0;

  constructor(readonly number: number, readonly places: Places) {}

  has(key: number): boolean {
    return this.places.list[key] === this.number;
  }

  add(key: number): void {
    const { newer, older, list, sizes } = this.places;
    newer[key] = NONE;
    older[key] = this.newest;
    if (this.newest === NONE) this.oldest = key;
    else newer[this.newest] = key;
    this.newest = key;
    list[key] = this.number;
    this.bytes += sizes[key];
    this.count++;
  }

  remove(key: number): void {
    const { newer, older, list, sizes } = this.places;
    if (newer[key] === NONE) this.newest = older[key];
    else older[newer[key]] = older[key];
    if (older[key] === NONE) this.oldest = newer[key];
    else newer[older[key]] = newer[key];
    list[key] = 0;
    this.bytes -= sizes[key];
    this.count--;
  }
}

/** The least recently used goes. */
export class Lru implements Cache {
  readonly #list: List;

  constructor(readonly capacity: number, readonly sizes: Uint32Array) {
    this.#list = new List(1, new Places(sizes));
  }

  ask(key: number): boolean {
    const list = this.#list;
    if (list.has(key)) {
      list.remove(key);
      list.add(key);
      return true;
    }
    while (list.bytes + this.sizes[key] > this.capacity) list.remove(list.oldest);
    list.add(key);
    return false;
  }
}

/** A hand goes from the oldest to the newest and takes the first that was not used since it came by (NSDI 2024). */
export class Sieve implements Cache {
  readonly #places: Places;
  readonly #list: List;
  readonly #used: Uint8Array;
  #hand = NONE;

  constructor(readonly capacity: number, readonly sizes: Uint32Array) {
    this.#places = new Places(sizes);
    this.#list = new List(1, this.#places);
    this.#used = new Uint8Array(sizes.length);
  }

  ask(key: number): boolean {
    const list = this.#list;
    if (list.has(key)) {
      this.#used[key] = 1;
      return true;
    }
    const { newer } = this.#places;
    while (list.bytes + this.sizes[key] > this.capacity) {
      let hand = this.#hand === NONE ? list.oldest : this.#hand;
      while (this.#used[hand] === 1) {
        this.#used[hand] = 0;
        hand = newer[hand] === NONE ? list.oldest : newer[hand];
      }
      this.#hand = newer[hand];
      list.remove(hand);
    }
    this.#used[key] = 0;
    list.add(key);
    return false;
  }
}

/**
 * A small queue for the new ones, of which those that are used go on to the main queue and the others leave a
 * ghost; who comes back while its ghost is there goes to the main queue at once (SOSP 2023).
 */
export class S3Fifo implements Cache {
  readonly #small: List;
  readonly #main: List;
  readonly #ghosts: List;
  readonly #uses: Uint8Array;
  protected part = 0.1;

  constructor(readonly capacity: number, readonly sizes: Uint32Array) {
    const places = new Places(sizes);
    this.#small = new List(1, places);
    this.#main = new List(2, places);
    this.#ghosts = new List(3, places);
    this.#uses = new Uint8Array(sizes.length);
  }

  ask(key: number): boolean {
    if (this.#small.has(key) || this.#main.has(key)) {
      if (this.#uses[key] < 3) this.#uses[key]++;
      return true;
    }
    while (this.#small.bytes + this.#main.bytes + this.sizes[key] > this.capacity) this.#takeOne();
    this.#uses[key] = 0;
    if (this.#ghosts.has(key)) {
      this.#ghosts.remove(key);
      this.#main.add(key);
    } else {
      this.#small.add(key);
    }
    return false;
  }

  #takeOne(): void {
    const [small, main, ghosts, uses] = [this.#small, this.#main, this.#ghosts, this.#uses];
    while (small.count > 0 && (small.bytes > this.capacity * this.part || main.count === 0)) {
      const key = small.oldest;
      small.remove(key);
      if (uses[key] > 1) {
        uses[key] = 0;
        main.add(key);
        continue;
      }
      ghosts.add(key);
      while (ghosts.bytes > this.capacity * (1 - this.part)) ghosts.remove(ghosts.oldest);
      return;
    }
    while (main.count > 0) {
      const key = main.oldest;
      main.remove(key);
      if (uses[key] === 0) return;
      uses[key]--;
      main.add(key);
    }
  }
}

/** Counts how often keys were asked for lately, in four rows of small counters that are halved now and then. */
class Sketch {
  readonly #rows: Uint8Array[];
  readonly #mask: number;
  #left: number;

  constructor(readonly entries: number) {
    const width = 2 ** Math.ceil(Math.log2(Math.max(entries, 64)));
    this.#mask = width - 1;
    this.#rows = [0, 1, 2, 3].map(() => new Uint8Array(width));
    this.#left = 10 * entries;
  }

  #place(key: number, row: number): number {
    let hash = Math.imul(key + 1, 0x9e3779b1 + row * 0x3c6ef372);
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
    return (hash ^ (hash >>> 13)) & this.#mask;
  }

  add(key: number): void {
    const least = this.count(key);
    if (least === 15) return;
    for (let row = 0; row < 4; row++) {
      const place = this.#place(key, row);
      if (this.#rows[row][place] === least) this.#rows[row][place]++;
    }
    if (--this.#left > 0) return;
    this.#left = 5 * this.entries;
    for (const row of this.#rows) for (let i = 0; i < row.length; i++) row[i] >>= 1;
  }

  count(key: number): number {
    let least = 15;
    for (let row = 0; row < 4; row++) least = Math.min(least, this.#rows[row][this.#place(key, row)]);
    return least;
  }
}

/**
 * A window of the most recently used, and a main part that one who leaves the window enters only if it was asked
 * for more often than those it would drive out (ACM TOS 2017; by size as in arXiv 2105.08770).
 */
export class WTinyLfu implements Cache {
  readonly #window: List;
  readonly #probation: List;
  readonly #guarded: List;
  readonly #sketch: Sketch;
  readonly #places: Places;
  protected part = 0.01;

  constructor(readonly capacity: number, readonly sizes: Uint32Array) {
    this.#places = new Places(sizes);
    this.#window = new List(1, this.#places);
    this.#probation = new List(2, this.#places);
    this.#guarded = new List(3, this.#places);
    const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
    this.#sketch = new Sketch(capacity / mean);
  }

  ask(key: number): boolean {
    this.#sketch.add(key);
    const list = this.#places.list[key];
    if (list !== 0) {
      if (list === 1) {
        this.#window.remove(key);
        this.#window.add(key);
      } else {
        (list === 2 ? this.#probation : this.#guarded).remove(key);
        this.#guarded.add(key);
        while (this.#guarded.bytes > 0.8 * (1 - this.part) * this.capacity) {
          const back = this.#guarded.oldest;
          this.#guarded.remove(back);
          this.#probation.add(back);
        }
      }
      return true;
    }
    this.#window.add(key);
    const window = Math.max(this.capacity * this.part, 1);
    while (this.#window.bytes > window) {
      const candidate = this.#window.oldest;
      this.#window.remove(candidate);
      this.#admit(candidate, this.capacity - window);
    }
    return false;
  }

  #admit(candidate: number, room: number): void {
    const [probation, guarded] = [this.#probation, this.#guarded];
    let lacking = probation.bytes + guarded.bytes + this.sizes[candidate] - room;
    let worth = this.#sketch.count(candidate);
    let victims = 0;
    let victim = probation.oldest;
    for (let left = lacking; left > 0 && victim !== NONE; victim = this.#places.newer[victim]) {
      worth -= this.#sketch.count(victim);
      if (worth <= 0) {
        // those that it would have driven out have stood the test: others are asked next time
        for (; victims >= 0; victims--) {
          const stays = probation.oldest;
          probation.remove(stays);
          probation.add(stays);
        }
        return;
      }
      victims++;
      left -= this.sizes[victim];
    }
    while (lacking > 0) {
      const from = probation.count > 0 ? probation : guarded;
      lacking -= this.sizes[from.oldest];
      from.remove(from.oldest);
    }
    probation.add(candidate);
  }
}

/** The same with a larger window. */
export class WTinyLfu10 extends WTinyLfu {
  protected override part = 0.1;
}
