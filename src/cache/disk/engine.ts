/**
 * All that is written to the database. Changes are gathered into transactions; what is damaged or full throws, and
 * the one who calls decides what becomes of it.
 */

import type { DatabaseSync } from "node:sqlite";
import { objectSum, pieceSum } from "./checksum.ts";
import { hashOf, KeyFilter } from "./key_filter.ts";
import type { DiskStats } from "./messages.ts";
import { logPagesFor, sizeOfFiles } from "./database.ts";
import { MOST_IDENTIFIERS, MOST_PIECES, PAGE_SIZE } from "./schema.ts";
import { readPiece } from "./reader.ts";
import { OBJECTS_AT_ONCE, PIECES_AT_ONCE, prepareStatements, type Statements } from "./statements.ts";

/** Variants of a key; the oldest makes room. */
const MOST_VARIANTS = 16;
/** What an object takes beside its texts and its body, bytes: rows, indices, and what pages have left over. */
const BYTES_OF_AN_OBJECT = 400;
/** Free pages that are not worth giving back. */
const FEW_PAGES = 256;
/** The part of the limit that is freed at once, and how much that may be. */
const FREED_PART = 1 / 50;
const MOST_FREED = 32 * 1024 * 1024;

/** A body that is being written. */
interface Writing {
  readonly id: number;
  readonly seed: number;
  pieces: number;
  length: number;
}

/** There is no room that could be made. */
export class NoRoom extends Error {}

export class DiskEngine {
  readonly filter: KeyFilter;
  readonly #database: DatabaseSync;
  readonly #folder: string;
  #limit = 0;
  #inTransaction = false;
  /** Bytes that may be written before the pages are counted again. */
  #room = 0;
  readonly #writings = new Map<number, Writing>();
  readonly #pins = new Map<number, number>();
  /** Hashes of the objects that came and went in this transaction. */
  #added: number[] = [];
  #removed: number[] = [];
  #sweeping = true;
  #shrunk = false;
  #evicted = 0;
  #damaged = 0;
  readonly #sql: Statements;

  /**
   * @param database as `openDatabase` gives it; the engine's own from now on
   * @param limit bytes that the files may take
   */
  constructor(database: DatabaseSync, folder: string, limit: number) {
    const prepare = (sql: string) => database.prepare(sql);
    this.#database = database;
    this.#folder = folder;
    this.#sql = prepareStatements(database);
    const count = Number(prepare("SELECT count(*) AS count FROM entries").get()?.count);
    this.filter = KeyFilter.for(count);
    for (const { hash } of prepare("SELECT hash FROM entries WHERE whole = 1").iterate()) {
      this.filter.add(Number(hash));
    }
    this.limit = limit;
    // the clock has gone back: these would be taken for the ones that were used last for as long
    prepare("UPDATE entries SET used = ? WHERE whole = 1 AND used > ?").run(Date.now(), Date.now());
  }

  get limit(): number {
    return this.#limit;
  }

  set limit(limit: number) {
    this.#limit = limit;
    this.#room = 0;
  }

  /** Pages that hold something, in bytes. */
  get usedBytes(): number {
    const free = Number(this.#sql.freeCount.get()?.freelist_count);
    return (Number(this.#sql.pageCount.get()?.page_count) - free) * PAGE_SIZE;
  }

  /** What may be used: the log takes its part of the limit, for a moment twice. */
  get #target(): number {
    return Math.max(0, this.#limit - 3 * logPagesFor(this.#limit) * PAGE_SIZE);
  }

  /** @throws {NoRoom} and forgets what there was of it, or {Error} */
  addPiece(writer: number, bytes: Uint8Array): void {
    this.#need();
    this.#makeRoom(bytes.length + PAGE_SIZE, writer);
    let writing = this.#writings.get(writer);
    if (writing === undefined) {
      writing = this.#newWriting();
      this.#writings.set(writer, writing);
    }
    const { id, seed, pieces } = writing;
    this.#sql.insertPiece.run(id * MOST_PIECES + pieces, pieceSum(bytes, seed, pieces), bytes);
    writing.pieces++;
    writing.length += bytes.length;
  }

  /** What there is of a body is not wanted any more. */
  abort(writer: number): void {
    if (this.#writings.delete(writer)) this.#sweeping = true;
  }

  /**
   * Makes a body seen, in the place of the object with this key and variant.
   *
   * @param length bytes that were given for it; when other ones have come, nothing is seen
   * @param now ms since the epoch
   * @throws {NoRoom} or {Error}
   */
  finish(
    writer: number,
    object: { key: string; variant: string; meta: string; length: number },
    now: number,
  ): void {
    const { key, variant, meta, length } = object;
    this.#need();
    const textBytes = 2 * key.length + variant.length + meta.length + BYTES_OF_AN_OBJECT;
    this.remove(key, variant);
    this.#makeRoom(textBytes, writer);
    const writing = this.#writings.get(writer) ?? this.#newWriting();
    this.#writings.delete(writer);
    if (writing.length !== length) {
      this.#sweeping = true;
      return;
    }
    const { id, seed } = writing;
    const others = this.#sql.objectsOfKey.all(key);
    for (const other of others.slice(0, Math.max(0, others.length - MOST_VARIANTS + 1))) {
      this.removeObject(Number(other.id));
    }
    const sum = objectSum({ key, variant, length, seed, meta });
    this.#sql.insertObject.run(id, key, variant, length, seed, sum, now, meta);
    const hash = hashOf(key);
    this.#sql.finishEntry.run(hash, length + textBytes, now, id);
    this.#added.push(hash);
  }

  /** Gives an object another meta, if it is there. */
  changeMeta(key: string, variant: string, meta: string): void {
    this.#need();
    this.#makeRoom(meta.length, null);
    for (const row of this.#sql.objectsOfKey.all(key)) {
      if (row.variant !== variant) continue;
      const [length, seed] = [Number(row.length), Number(row.seed)];
      this.#sql.changeMeta.run(meta, objectSum({ key, variant, length, seed, meta }), row.id);
    }
  }

  /** @param variant `null` for all of them */
  remove(key: string, variant: string | null): void {
    this.#need();
    for (const row of this.#sql.objectsOfKey.all(key)) {
      if (variant === null || row.variant === variant) this.removeObject(Number(row.id));
    }
  }

  /** From now on it is not found; what it takes is freed bit by bit. */
  removeObject(id: number): void {
    this.#need();
    this.#sql.deleteObject.run(id);
    const entry = this.#sql.entry.get(id);
    if (entry === undefined) return;
    this.#sql.abandonEntry.run(id);
    this.#removed.push(Number(entry.hash));
    this.#sweeping = true;
  }

  /** An object was found damaged. */
  lose(id: number): void {
    this.#damaged++;
    this.removeObject(id);
  }

  clear(): void {
    this.#need();
    this.#database.exec("DELETE FROM objects; UPDATE entries SET whole = 0 WHERE whole = 1");
    this.#commitNow();
    this.filter.clear();
    this.#sweeping = true;
  }

  /** Nothing when it is not there. @param now ms since the epoch */
  use(key: string, variant: string, hits: number, now: number): void {
    this.#need();
    this.#sql.use.run(now, hits, key, variant);
  }

  /** The same for several at once, which it takes a third of the time for. */
  useAll(ids: readonly number[], hits: number, now: number): void {
    this.#need();
    this.#sql.useAll.run(now, hits, JSON.stringify(ids));
  }

  pin(id: number): void {
    this.#pins.set(id, (this.#pins.get(id) ?? 0) + 1);
  }

  unpin(id: number): void {
    const left = (this.#pins.get(id) ?? 1) - 1;
    if (left > 0) this.#pins.set(id, left);
    else {
      this.#pins.delete(id);
      this.#sweeping = true;
    }
  }

  readPiece(object: { id: number; seed: number; length: number }, index: number) {
    return readPiece(this.#sql.piece, object, index);
  }

  /** Whether something waits to be written. */
  get uncommitted(): boolean {
    return this.#inTransaction;
  }

  /** All changes so far are written, and seen. */
  commit(): void {
    if (this.#inTransaction) this.#commitNow();
  }

  /** No change since the last {@link commit} has happened; bodies that were under way have not either. */
  rollback(): void {
    if (this.#inTransaction) {
      this.#inTransaction = false;
      try {
        this.#sql.rollback.run();
      } catch {
        // some faults have ended it already
      }
    }
    this.#added = [];
    this.#removed = [];
    this.#writings.clear();
    this.#room = 0;
    this.#sweeping = true;
  }

  /**
   * Something of what is to be done when there is nothing else to do: frees what was removed, gives back what is
   * free.
   *
   * @returns false when nothing is left to do
   */
  tidy(): boolean {
    if (this.#sweeping) {
      this.#need();
      if (this.#sweep() === 0) this.#sweeping = false;
      this.commit();
      return true;
    }
    this.commit();
    const pages = Number(this.#sql.pageCount.get()?.page_count);
    const free = Number(this.#sql.freeCount.get()?.freelist_count);
    const tooLarge = free > 0 && pages * PAGE_SIZE > this.#target;
    if (tooLarge || free > FEW_PAGES && free * 2 > pages) {
      // a row for each page: they are freed as the rows are fetched
      this.#sql.vacuum.all();
      this.#shrunk = true;
      return true;
    }
    if (this.#shrunk) {
      // until then the file keeps its size
      this.#shrunk = false;
      this.checkpoint();
    }
    return false;
  }

  /** Removes what is used least until the objects take no more than this, and than the limit. */
  shrinkTo(bytes: number): void {
    this.#need();
    this.#shrink(Math.min(bytes, this.#target));
    this.commit();
  }

  /** Puts the log into the database, and empties its file. */
  checkpoint(): void {
    this.commit();
    this.#database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  get stats(): DiskStats {
    const row = this.#database.prepare(
      "SELECT count(*) AS objects, coalesce(sum(bytes), 0) AS bytes FROM entries WHERE whole = 1",
    ).get()!;
    return {
      objects: Number(row.objects),
      bytes: Number(row.bytes),
      fileBytes: sizeOfFiles(this.#folder),
      evicted: this.#evicted,
      damaged: this.#damaged,
    };
  }

  close(): void {
    this.#database.close();
  }

  #need(): void {
    if (this.#inTransaction) return;
    this.#sql.begin.run();
    this.#inTransaction = true;
  }

  #commitNow(): void {
    this.#sql.commit.run();
    this.#inTransaction = false;
    for (const hash of this.#added) this.filter.add(hash);
    for (const hash of this.#removed) this.filter.delete(hash);
    this.#added = [];
    this.#removed = [];
  }

  #newWriting(): Writing {
    const id = Number(this.#sql.insertEntry.run().lastInsertRowid);
    if (id >= MOST_IDENTIFIERS) throw new Error("database disk image is malformed: no identifiers are left");
    return { id, seed: crypto.getRandomValues(new Uint32Array(1))[0], pieces: 0, length: 0 };
  }

  /** Sees to it that so much may be written. */
  #makeRoom(bytes: number, writer: number | null): void {
    this.#room -= bytes;
    if (this.#room >= 0) return;
    const target = this.#target;
    let free = target - this.usedBytes;
    if (free < bytes) {
      this.#shrink(target - Math.max(bytes, Math.min(target * FREED_PART, MOST_FREED)));
      free = target - this.usedBytes;
      if (free < bytes) {
        if (writer !== null) this.abort(writer);
        throw new NoRoom();
      }
    }
    // pages are not filled to the last byte
    this.#room = Math.floor(Math.min(free / 2, MOST_FREED)) - bytes;
  }

  #shrink(bytes: number): void {
    for (let left = this.usedBytes - bytes; left > 0; left = this.usedBytes - bytes) {
      if (this.#sweep() === 0 && this.#evict(left) === 0) return;
    }
  }

  /** Removes what was used least, so many bytes of it if there are. @returns how many objects */
  #evict(bytes: number): number {
    let count = 0;
    for (const row of this.#sql.leastUsed.all()) {
      if (bytes <= 0) break;
      bytes -= Number(row.bytes);
      this.removeObject(Number(row.id));
      count++;
    }
    this.#evicted += count;
    return count;
  }

  /** Frees some of what was removed. @returns how much there was to do */
  #sweep(): number {
    let done = 0;
    for (let last = -1; done < PIECES_AT_ONCE;) {
      const rows = this.#sql.toRemove.all(last);
      for (const row of rows) {
        const id = last = Number(row.id);
        if (done >= PIECES_AT_ONCE) break;
        if (this.#pins.has(id) || this.#isWritten(id)) continue;
        const [first, end] = [id * MOST_PIECES, (id + 1) * MOST_PIECES];
        const pieces = this.#sql.somePieces.get(first, end);
        const count = Number(pieces?.count);
        if (count > 0) this.#sql.deletePieces.run(first, Number(pieces?.last));
        if (count < PIECES_AT_ONCE) this.#sql.deleteEntry.run(id);
        done += count + 1;
      }
      if (rows.length < OBJECTS_AT_ONCE) break;
    }
    return done;
  }

  #isWritten(id: number): boolean {
    for (const writing of this.#writings.values()) if (writing.id === id) return true;
    return false;
  }
}
