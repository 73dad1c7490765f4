/** How often each of many keys came up lately, about, in a few bytes a key. */

const ROWS = 4;
/** No more is counted: who came up so often is popular, and a few halvings forget it. */
const MOST = 15;
const LEAST_WIDTH = 64;
/** How many times its width a sketch counts before all counts are halved. */
const SAMPLE = 8;

/**
 * A count-min sketch: each key has a counter in each row, which it shares with others, and the least of them is the
 * best guess, never too small. Now and then all are halved, so that what was popular once gives way (TinyLFU,
 * Einziger and others, ACM TOS 2017).
 */
export class FrequencySketch {
  #width = LEAST_WIDTH;
  #counters = new Uint8Array(ROWS * LEAST_WIDTH);
  /** How many more are counted before the next halving. */
  #left = SAMPLE * LEAST_WIDTH;

  /** Grows until there are as many counters a row as there are keys to tell apart. Nothing is forgotten by that. */
  fit(keys: number): void {
    while (this.#width < keys) this.#double();
  }

  /** @param hash 32 bits, mixed well */
  add(hash: number): void {
    const counters = this.#counters;
    const least = this.count(hash);
    // only the least are raised: the others count somebody else too
    if (least < MOST) {
      for (let row = 0; row < ROWS; row++) {
        const place = this.#place(hash, row);
        if (counters[place] === least) counters[place]++;
      }
    }
    if (--this.#left <= 0) this.#halve();
  }

  /** How often it came up lately, at the most; from 0 to 15. */
  count(hash: number): number {
    let least = MOST;
    for (let row = 0; row < ROWS; row++) {
      const count = this.#counters[this.#place(hash, row)];
      if (count < least) least = count;
    }
    return least;
  }

  #place(hash: number, row: number): number {
    let mixed = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b + 0x3c6ef372 * row);
    mixed ^= mixed >>> 13;
    return row * this.#width + (mixed & (this.#width - 1));
  }

  /** Four counters at once: none reaches into its neighbour, for the bit that would is masked. */
  #halve(): void {
    const words = new Uint32Array(this.#counters.buffer);
    for (let i = 0; i < words.length; i++) words[i] = (words[i] >>> 1) & 0x7f7f7f7f;
    this.#left = SAMPLE / 2 * this.#width;
  }

  /** A place has one more bit then: both places that a key may have now count what the one did. */
  #double(): void {
    const [width, old] = [this.#width, this.#counters];
    this.#counters = new Uint8Array(2 * old.length);
    for (let row = 0; row < ROWS; row++) {
      const counts = old.subarray(row * width, (row + 1) * width);
      this.#counters.set(counts, 2 * row * width);
      this.#counters.set(counts, (2 * row + 1) * width);
    }
    this.#width = 2 * width;
    this.#left += SAMPLE * width;
  }
}
