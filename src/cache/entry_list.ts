/** Entries in the order in which they were added, each of which is in one list at a time. */

/** What a list is made of; {@link EntryList} alone sets the last three. */
export interface Entry<Value> {
  readonly key: string;
  value: Value;
  /** All that it costs, overhead included. It changes only while the entry is in no list. */
  bytes: number;
  /** Of the key: 32 bits. */
  readonly hash: number;
  list: EntryList<Value> | null;
  newer: Entry<Value> | null;
  older: Entry<Value> | null;
}

/** A list through the entries themselves: what is added, moved or removed needs no memory. */
export class EntryList<Value> {
  newest: Entry<Value> | null = null;
  oldest: Entry<Value> | null = null;
  /** What its entries cost together. */
  bytes = 0;

  /** Adds an entry as the newest, and takes it out of the list in which it is. */
  add(entry: Entry<Value>): void {
    entry.list?.remove(entry);
    entry.list = this;
    entry.older = this.newest;
    if (this.newest === null) this.oldest = entry;
    else this.newest.newer = entry;
    this.newest = entry;
    this.bytes += entry.bytes;
  }

  /** Takes an entry out, which must be in this list. */
  remove(entry: Entry<Value>): void {
    if (entry.newer === null) this.newest = entry.older;
    else entry.newer.older = entry.older;
    if (entry.older === null) this.oldest = entry.newer;
    else entry.older.newer = entry.newer;
    entry.list = entry.newer = entry.older = null;
    this.bytes -= entry.bytes;
  }
}
