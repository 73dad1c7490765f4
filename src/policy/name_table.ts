/**
 * Millions of names in little memory: their bytes one behind the other, and an open-addressing table of where each
 * one stands. A name and all domains that it lies in are looked up in one pass over it.
 */

/** The name itself is meant. */
export const ITSELF = 1;
/** All names below it are meant. */
export const BELOW = 2;

const DOT = 0x2e;
const LONGEST_NAME = 253;

/** Entries stand in pages, so that growing copies nothing: a byte of length, a byte of flags, the name. */
const PAGE_BITS = 20;
const PAGE_SIZE = 1 << PAGE_BITS;
const ENTRY_HEAD = 2;

const FIRST_SLOTS = 64;
/** As many slots in a hundred may be taken. */
const FULL = 70;

export interface NameTableLimits {
  readonly maxNames: number;
  /** For the names themselves, in bytes, a whole number of MiB; at most 4 GiB. The table takes 7 to 15 more a name. */
  readonly maxBytes: number;
}

/** 256 numbers that whoever wrote the names cannot know. */
function randomKeys(): Int32Array<ArrayBuffer> {
  return crypto.getRandomValues(new Int32Array(256));
}

export class NameTable {
  readonly #limits: NameTableLimits;
  readonly #keys: Int32Array;
  readonly #pages: Uint8Array[] = [];
  /** Bytes taken in the last page. */
  #used = PAGE_SIZE;
  #size = 0;
  /** By slot: eight bits of the hash that are not in the number of the slot, never 0; 0 is a free slot. */
  #tags = new Uint8Array(FIRST_SLOTS);
  /** By slot: the page of the entry, and in its last bits the place in the page. */
  #places = new Uint32Array(FIRST_SLOTS);
  /** A host that is looked up, as bytes. */
  readonly #host = new Uint8Array(LONGEST_NAME);

  /**
   * @param keys for the hash; with others than random ones, names can be made that all fall together and make the
   * table slow, though never wrong
   */
  constructor(limits: NameTableLimits, keys: Int32Array = randomKeys()) {
    this.#limits = limits;
    this.#keys = keys;
  }

  /** Different names. */
  get size(): number {
    return this.#size;
  }

  /**
   * Adds the name `bytes[start..end)`, canonical and 1 to 253 bytes long; flags of the same name are united.
   *
   * @returns false when the table is full, and nothing was added
   */
  add(bytes: Uint8Array, start: number, end: number, flags: number): boolean {
    const hash = this.#hash(bytes, start, end);
    const slot = this.#slotOf(bytes, start, end, hash);
    if (this.#tags[slot] !== 0) {
      const place = this.#places[slot];
      this.#pages[place >>> PAGE_BITS][(place & PAGE_SIZE - 1) + 1] |= flags;
      return true;
    }
    const length = end - start;
    if (this.#size === this.#limits.maxNames) return false;
    if (this.#used + ENTRY_HEAD + length > PAGE_SIZE) {
      if ((this.#pages.length + 1) * PAGE_SIZE > this.#limits.maxBytes) return false;
      this.#pages.push(new Uint8Array(PAGE_SIZE));
      this.#used = 0;
    }
    const page = this.#pages[this.#pages.length - 1];
    const at = this.#used;
    page[at] = length;
    page[at + 1] = flags;
    for (let i = 0; i < length; i++) page[at + ENTRY_HEAD + i] = bytes[start + i];
    this.#used = at + ENTRY_HEAD + length;

    this.#tags[slot] = tagOf(hash);
    this.#places[slot] = (this.#pages.length - 1) * PAGE_SIZE + at;
    this.#size++;
    if (this.#size * 100 > this.#tags.length * FULL) this.#grow();
    return true;
  }

  /** Gives back what was taken in advance. Adding afterwards begins a new page. */
  trim(): void {
    const last = this.#pages.length - 1;
    if (last < 0 || this.#used === PAGE_SIZE) return;
    this.#pages[last] = this.#pages[last].slice(0, this.#used);
    this.#used = PAGE_SIZE;
  }

  /** Whether the name itself or a domain that it lies in was added to mean it. `name` is canonical. */
  includes(name: string): boolean {
    const { length } = name;
    if (length > LONGEST_NAME || this.#size === 0) return false;
    const host = this.#host;
    const keys = this.#keys;
    let sum = 0;
    for (let i = length - 1, place = 0; i >= 0; i--, place++) {
      const code = name.charCodeAt(i);
      // cut down to a byte it might become a letter
      if (code > 0x7f) return false;
      if (code === DOT && this.#meant(i + 1, length, mixed(sum), BELOW)) return true;
      host[i] = code;
      sum = (sum + Math.imul(keys[place], code)) | 0;
    }
    return this.#meant(0, length, mixed(sum), ITSELF);
  }

  #meant(start: number, end: number, hash: number, flag: number): boolean {
    const slot = this.#slotOf(this.#host, start, end, hash);
    if (this.#tags[slot] === 0) return false;
    const place = this.#places[slot];
    return (this.#pages[place >>> PAGE_BITS][(place & PAGE_SIZE - 1) + 1] & flag) !== 0;
  }

  /** The slot in which the name stands, or the free one in which it would. */
  #slotOf(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const tags = this.#tags;
    const mask = tags.length - 1;
    const tag = tagOf(hash);
    let slot = hash & mask;
    for (;; slot = slot + 1 & mask) {
      const found = tags[slot];
      if (found === 0 || (found === tag && this.#stands(this.#places[slot], bytes, start, end))) return slot;
    }
  }

  /** Whether the entry has the same bytes: hashes that agree let nothing in. */
  #stands(place: number, bytes: Uint8Array, start: number, end: number): boolean {
    const page = this.#pages[place >>> PAGE_BITS];
    let at = place & PAGE_SIZE - 1;
    if (page[at] !== end - start) return false;
    at += ENTRY_HEAD;
    for (let i = start; i < end; i++, at++) if (page[at] !== bytes[i]) return false;
    return true;
  }

  /**
   * Multilinear hashing (Carter and Wegman): each byte times a random number of its place. Whatever names are
   * chosen without knowing the numbers, two of them fall together once in 2^26 times at most; and counted from the
   * end, the hash of a domain is a step on the way to that of a name in it.
   */
  #hash(bytes: Uint8Array, start: number, end: number): number {
    const keys = this.#keys;
    let sum = 0;
    for (let i = end - 1, place = 0; i >= start; i--, place++) {
      sum = (sum + Math.imul(keys[place], bytes[i])) | 0;
    }
    return mixed(sum);
  }

  #grow(): void {
    const count = this.#tags.length * 2;
    const mask = count - 1;
    const tags = new Uint8Array(count);
    const places = new Uint32Array(count);
    for (let number = 0; number < this.#pages.length; number++) {
      const page = this.#pages[number];
      const end = number === this.#pages.length - 1 ? this.#used : page.length;
      // an entry of length 0 is what is left of a page
      for (let at = 0; at < end && page[at] !== 0;) {
        const start = at + ENTRY_HEAD;
        const next = start + page[at];
        const hash = this.#hash(page, start, next);
        let slot = hash & mask;
        while (tags[slot] !== 0) slot = slot + 1 & mask;
        tags[slot] = tagOf(hash);
        places[slot] = number * PAGE_SIZE + at;
        at = next;
      }
    }
    this.#tags = tags;
    this.#places = places;
  }
}

/** Spreads the sum over all 32 bits, none lost (the last step of MurmurHash3, by Austin Appleby). */
function mixed(sum: number): number {
  let hash = sum ^ sum >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ hash >>> 16;
}

function tagOf(hash: number): number {
  return hash >>> 24 || 1;
}
