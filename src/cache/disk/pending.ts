/** The changes that the worker has not done yet. */

interface Change {
  readonly ticket: number;
  /** The key that it hides; `null` for all, `undefined` for none. */
  readonly key: string | null | undefined;
  readonly bytes: number;
}

export class PendingChanges {
  #ticket = 0;
  /** In the order of their tickets; those before `#first` are done. */
  #changes: Change[] = [];
  #first = 0;
  #bytes = 0;
  readonly #keys = new Map<string, number>();
  #ofAll = 0;

  get count(): number {
    return this.#changes.length - this.#first;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether the last one that was added hides all keys. */
  get endsWithAll(): boolean {
    return this.count > 0 && this.#changes[this.#changes.length - 1].key === null;
  }

  /** Whether what is found of a key may be about to change. */
  hides(key: string): boolean {
    return this.#ofAll > 0 || this.#keys.has(key);
  }

  /** @returns its ticket */
  add(key: string | null | undefined, bytes: number): number {
    const ticket = ++this.#ticket;
    this.#changes.push({ ticket, key, bytes });
    this.#bytes += bytes;
    if (key === null) this.#ofAll++;
    else if (key !== undefined) this.#keys.set(key, (this.#keys.get(key) ?? 0) + 1);
    return ticket;
  }

  /** The change of a ticket is done with, and all before it. */
  settle(ticket: number): void {
    while (this.#first < this.#changes.length && this.#changes[this.#first].ticket <= ticket) {
      const { key, bytes } = this.#changes[this.#first++];
      this.#bytes -= bytes;
      if (key === null) this.#ofAll--;
      else if (key !== undefined) {
        const left = this.#keys.get(key)! - 1;
        if (left === 0) this.#keys.delete(key);
        else this.#keys.set(key, left);
      }
    }
    if (this.#first * 2 > this.#changes.length) {
      this.#changes = this.#changes.slice(this.#first);
      this.#first = 0;
    }
  }

  /** All of them are done with. */
  settleAll(): void {
    this.settle(Infinity);
  }
}
