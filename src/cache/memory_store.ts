/** Values by their keys, bounded in bytes: those that are asked for stay, the others go. */

/** What an entry costs beside its key and what its value holds: the node and its place in the map, in bytes. */
const BYTES_OF_AN_ENTRY = 160;
/** A character of a key costs two at the worst. */
const BYTES_OF_A_CHARACTER = 2;
/** The part of the limit that a single entry may take: one large object is not worth many small ones. */
const LARGEST_PART = 1 / 8;

/** An entry as {@link MemoryStore.entries} lists it. */
export interface MemoryEntry<Value> {
  readonly key: string;
  readonly value: Value;
  /** All that it costs in the store, overhead included. */
  readonly bytes: number;
}

interface Node<Value> {
  readonly key: string;
  value: Value;
  bytes: number;
  /** Whether it was used since the hand passed it last. */
  used: boolean;
  newer: Node<Value> | null;
  older: Node<Value> | null;
}

/**
 * A map that forgets. Which entry goes is decided by SIEVE (Zhang and others, NSDI 2024): a hand goes from the
 * oldest entry to the newest, passes by those that were used since it came by last, and takes the first that was
 * not. A use only sets a mark, so that `get` moves and allocates nothing.
 *
 * Every operation takes constant time on the average (the hand pays for the marks that were set).
 */
export class MemoryStore<Value> {
  readonly #nodes = new Map<string, Node<Value>>();
  readonly #evicted: ((key: string, value: Value) => void) | null;
  #limit = 0;
  #bytes = 0;
  #newest: Node<Value> | null = null;
  #oldest: Node<Value> | null = null;
  #hand: Node<Value> | null = null;

  /**
   * @param limit bytes, overhead included, that all entries may take together; with 0 nothing is kept
   * @param evicted is told of every entry that had to make room, once, after it has gone; not of those that were
   * deleted, cleared, replaced, or refused. It may use the store.
   * @throws {RangeError} if the limit is no number from 0 on
   */
  constructor(limit: number, evicted?: (key: string, value: Value) => void) {
    this.#evicted = evicted ?? null;
    this.limit = limit;
  }

  /** What the entries take, overhead included; never above the limit. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many entries there are. */
  get count(): number {
    return this.#nodes.size;
  }

  get limit(): number {
    return this.#limit;
  }

  /** A smaller limit evicts at once. An entry above an eighth of the new one may stay if there is room. */
  set limit(limit: number) {
    if (!(limit >= 0 && limit <= Number.MAX_SAFE_INTEGER)) {
      throw new RangeError(`a store of ${limit} bytes: give a number of bytes from 0 on`);
    }
    this.#limit = limit;
    this.#tell(this.#takeUntil(0, null));
  }

  /** The value of a key, which counts as a use. */
  get(key: string): Value | undefined {
    const node = this.#nodes.get(key);
    if (node === undefined) return undefined;
    node.used = true;
    return node.value;
  }

  /** The value of a key, which counts as no use. */
  peek(key: string): Value | undefined {
    return this.#nodes.get(key)?.value;
  }

  /**
   * Keeps a value, in place of the one that the key had, and evicts others for it. Replacing counts as no use.
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
    const known = this.#nodes.get(key);
    if (known === undefined) {
      const gone = this.#takeUntil(bytes, null);
      this.#add({ key, value, bytes, used: false, newer: null, older: null });
      this.#tell(gone);
    } else {
      const gone = this.#takeUntil(bytes - known.bytes, known);
      this.#bytes += bytes - known.bytes;
      known.bytes = bytes;
      known.value = value;
      this.#tell(gone);
    }
    return true;
  }

  /** Forgets a key. @returns whether it had a value */
  delete(key: string): boolean {
    const node = this.#nodes.get(key);
    if (node === undefined) return false;
    this.#remove(node);
    return true;
  }

  /** Forgets everything. */
  clear(): void {
    this.#nodes.clear();
    this.#bytes = 0;
    this.#newest = this.#oldest = this.#hand = null;
  }

  /**
   * The entries there are now, newest first, for listings: to be seen so is no use. The store may be changed
   * meanwhile: what has gone before its turn is left out, what was added is not seen.
   */
  *entries(): IterableIterator<MemoryEntry<Value>> {
    const nodes: Node<Value>[] = [];
    for (let node = this.#newest; node !== null; node = node.older) nodes.push(node);
    for (const node of nodes) {
      if (this.#nodes.get(node.key) !== node) continue;
      yield { key: node.key, value: node.value, bytes: node.bytes };
    }
  }

  /** Takes entries away, all but `kept`, until so many bytes more fit. @returns them, chained by `older` */
  #takeUntil(bytes: number, kept: Node<Value> | null): Node<Value> | null {
    let gone: Node<Value> | null = null;
    while (this.#bytes + bytes > this.#limit) {
      const node = this.#next(kept);
      if (node === null) break;
      this.#remove(node);
      node.older = gone;
      gone = node;
    }
    return gone;
  }

  /** Tells of those that have gone when the store is in order again, so that the one who hears may use it. */
  #tell(gone: Node<Value> | null): void {
    if (this.#evicted === null) return;
    for (let node = gone; node !== null; node = node.older) this.#evicted(node.key, node.value);
  }

  /** Moves the hand to the entry that is to go. */
  #next(kept: Node<Value> | null): Node<Value> | null {
    let node = this.#hand ?? this.#oldest;
    while (node !== null && (node.used || node === kept)) {
      if (node === kept && this.#nodes.size === 1) return null;
      node.used = false;
      node = node.newer ?? this.#oldest;
    }
    this.#hand = node;
    return node;
  }

  #add(node: Node<Value>): void {
    this.#nodes.set(node.key, node);
    this.#bytes += node.bytes;
    node.older = this.#newest;
    if (this.#newest === null) this.#oldest = node;
    else this.#newest.newer = node;
    this.#newest = node;
  }

  #remove(node: Node<Value>): void {
    this.#nodes.delete(node.key);
    this.#bytes -= node.bytes;
    if (this.#hand === node) this.#hand = node.newer;
    if (node.newer === null) this.#newest = node.older;
    else node.newer.older = node.older;
    if (node.older === null) this.#oldest = node.newer;
    else node.older.newer = node.newer;
    node.newer = node.older = null;
  }
}
