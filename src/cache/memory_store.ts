/** Values by their keys, bounded in bytes: those that are asked for often stay, the others go. */

import { type Entry, EntryList } from "./entry_list.ts";
import { FrequencySketch } from "./frequency_sketch.ts";

/** What an entry costs beside its key and what its value holds: its node, its places in map and sketch, in bytes. */
const BYTES_OF_AN_ENTRY = 160;
/** A character of a key costs two at the worst. */
const BYTES_OF_A_CHARACTER = 2;
/** The part of the limit that a single entry may take: one large object is not worth many small ones. */
const LARGEST_PART = 1 / 8;
/** The part for what came last, whatever it is worth. The largest entry has room there. */
const WINDOW_PART = LARGEST_PART;
/** The part of what is beyond the window that those may take who were asked for again there. */
const GUARDED_PART = 0.8;
/** Entries that are looked at, at most, to see whether a large one is worth more. If so many are not, no more are. */
const MOST_JUDGED = 64;

/**
 * What a `Uint8Array` with a buffer of its own costs beside its bytes (two objects, the engine's record of the
 * buffer, and what the allocator adds), for those who say what a value holds.
 */
export const BYTES_OF_A_BUFFER = 440;

/** An entry as {@link MemoryStore.entries} lists it. */
export interface MemoryEntry<Value> {
  readonly key: string;
  readonly value: Value;
  /** All that it costs in the store, overhead included. */
  readonly bytes: number;
}

/**
 * A map that forgets. Which entry goes is decided by W-TinyLFU (Einziger and others, ACM TOS 2017), with sizes taken
 * into account (arXiv 2105.08770): a new entry stays in a window for a while, the least recently used of which then
 * goes on to the main part, if it was asked for more often than all those together that would have to go for it.
 * Thus many small entries are worth more than a large one, and a scan drives nothing out. The main part is two
 * lists by last use: those on probation, of which the oldest are the next to go, and those that were asked for
 * there, which are guarded.
 *
 * Of the ways that `tests/bench/eviction_bench.ts` compares it answers the most requests, as a mean of its traces:
 * 53 % (LRU 39, SIEVE 44, S3-FIFO 50). Where popularity alone decides, S3-FIFO is ahead by a point at the most. But
 * this alone keeps a part of a loop three times its size, and of installs on a build machine it answers about 40, 77
 * and 93 % where S3-FIFO answers 25, 58 and 84. The price: of objects of very different sizes it answers up to 6 %
 * fewer of the bytes, and where only the newest is asked for, 33 % of the requests where LRU answers 43. That
 * would be 26 with a window of 1 %, as is usual, which gains a point elsewhere.
 *
 * Every operation takes constant time on the average; `get` allocates nothing.
 */
export class MemoryStore<Value> {
  readonly #entries = new Map<string, Entry<Value>>();
  readonly #evicted: ((key: string, value: Value) => void) | null;
  /** So that nobody can choose keys that share their counters. */
  readonly #seed = Math.floor(Math.random() * 2 ** 32);
  #limit = 0;
  #sketch = new FrequencySketch();
  #window = new EntryList<Value>();
  #probation = new EntryList<Value>();
  #guarded = new EntryList<Value>();
  /** Those that have made room and of which nobody was told yet, chained by `older`. */
  #gone: Entry<Value> | null = null;

  /**
   * @param limit bytes, overhead included, that all entries may take together; with 0 nothing is kept
   * @param evicted is told of every entry that had to make room, once, when it has gone; not of those that were
   * deleted, cleared, replaced, or refused. It may use the store; it must not throw.
   * @throws {RangeError} if the limit is no number from 0 on
   */
  constructor(limit: number, evicted?: (key: string, value: Value) => void) {
    this.#evicted = evicted ?? null;
    this.limit = limit;
  }

  /** What the entries take, overhead included; never above the limit. */
  get bytes(): number {
    return this.#window.bytes + this.#probation.bytes + this.#guarded.bytes;
  }

  /** How many entries there are. */
  get count(): number {
    return this.#entries.size;
  }

  /** Bytes, overhead included, that all entries may take together. */
  get limit(): number {
    return this.#limit;
  }

  /** A smaller limit evicts at once. An entry above an eighth of the new one may stay if there is room. */
  set limit(limit: number) {
    if (!(limit >= 0 && limit <= Number.MAX_SAFE_INTEGER)) {
      throw new RangeError(`a store of ${limit} bytes: give a number of bytes from 0 on`);
    }
    this.#limit = limit;
    this.#settle();
  }

  /** The value of a key, which counts as a use. */
  get(key: string): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#sketch.add(entry.hash);
    if (entry.list === this.#window) {
      this.#window.add(entry);
    } else {
      this.#guarded.add(entry);
      const room = GUARDED_PART * (1 - WINDOW_PART) * this.#limit;
      while (this.#guarded.bytes > room) this.#probation.add(this.#guarded.oldest!);
    }
    return entry.value;
  }

  /** The value of a key, which counts as no use. */
  peek(key: string): Value | undefined {
    return this.#entries.get(key)?.value;
  }

  /**
   * Keeps a value, in place of the one that the key had, and evicts others for it. That is a use of a new key, but
   * none of one that had a value, since it was asked for before.
   *
   * @param size bytes that the value holds, without the key and what the store itself needs
   * @returns false if it is not kept, for it would take more than an eighth of the limit or its size is no whole
   * number from 0 on; the key then has no value any more, since the old one is outdated
   */
  set(key: string, value: Value, size: number): boolean {
    const bytes = size + key.length * BYTES_OF_A_CHARACTER + BYTES_OF_AN_ENTRY;
    if (!(Number.isSafeInteger(size) && size >= 0 && bytes <= this.#limit * LARGEST_PART)) {
      this.delete(key);
      return false;
    }
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = { key, value, bytes, hash: this.#hash(key), list: null, newer: null, older: null };
      this.#entries.set(key, entry);
      this.#sketch.fit(this.#entries.size);
      this.#sketch.add(entry.hash);
    } else {
      entry.list!.remove(entry);
      entry.value = value;
      entry.bytes = bytes;
    }
    // the last to leave the window, where it has room: so it never goes for its own sake
    this.#window.add(entry);
    this.#settle();
    return true;
  }

  /** Forgets a key. @returns whether it had a value */
  delete(key: string): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    entry.list!.remove(entry);
    this.#entries.delete(key);
    return true;
  }

  /** Forgets everything, also what was asked for how often. */
  clear(): void {
    this.#entries.clear();
    this.#sketch = new FrequencySketch();
    this.#window = new EntryList();
    this.#probation = new EntryList();
    this.#guarded = new EntryList();
  }

  /**
   * The entries there are now, for listings: what came last, then what is used often, then what goes next. To be
   * listed is no use. The store may be changed meanwhile: what has gone before its turn is left out, what was added
   * is not seen.
   */
  *entries(): IterableIterator<MemoryEntry<Value>> {
    const entries: Entry<Value>[] = [];
    for (const list of [this.#window, this.#guarded, this.#probation]) {
      for (let entry = list.newest; entry !== null; entry = entry.older) entries.push(entry);
    }
    for (const entry of entries) {
      if (this.#entries.get(entry.key) !== entry) continue;
      yield { key: entry.key, value: entry.value, bytes: entry.bytes };
    }
  }

  /** Brings window and store within their bounds, then tells of those that had to go. */
  #settle(): void {
    const room = WINDOW_PART * this.#limit;
    while (this.#window.bytes > room) this.#admit(this.#window.oldest!);
    while (this.bytes > this.#limit) {
      this.#evict(this.#probation.oldest ?? this.#guarded.oldest ?? this.#window.oldest!);
    }
    let gone = this.#gone;
    this.#gone = null;
    if (this.#evicted === null) return;
    for (; gone !== null; gone = gone.older) this.#evicted(gone.key, gone.value);
  }

  /** Lets the entry that leaves the window into the main part, if it is worth more than those in its way. */
  #admit(candidate: Entry<Value>): void {
    const [probation, guarded] = [this.#probation, this.#guarded];
    let lacking = probation.bytes + guarded.bytes + candidate.bytes - (1 - WINDOW_PART) * this.#limit;
    let worth = this.#sketch.count(candidate.hash);
    let judged = 0;
    let judgedBytes = 0;
    let victim = probation.oldest;
    while (lacking > judgedBytes && victim !== null && judged < MOST_JUDGED) {
      worth -= this.#sketch.count(victim.hash);
      judged++;
      if (worth <= 0) {
        // those that stood the test are not the first to be tested again
        for (; judged > 0; judged--) probation.add(probation.oldest!);
        this.#evict(candidate);
        return;
      }
      judgedBytes += victim.bytes;
      victim = victim.newer;
    }
    for (let entry = probation.oldest ?? guarded.oldest; lacking > 0 && entry !== null;) {
      lacking -= entry.bytes;
      this.#evict(entry);
      entry = probation.oldest ?? guarded.oldest;
    }
    probation.add(candidate);
  }

  /** Nobody is told before the store is in order again, so that the one who hears may use it. */
  #evict(entry: Entry<Value>): void {
    entry.list!.remove(entry);
    this.#entries.delete(entry.key);
    entry.older = this.#gone;
    this.#gone = entry;
  }

  /** FNV-1a, from a start that nobody knows, and mixed. */
  #hash(key: string): number {
    let hash = this.#seed;
    for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
    hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b);
    return hash ^ (hash >>> 16);
  }
}
