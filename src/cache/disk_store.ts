/**
 * Objects by their keys, on the disk, bounded in bytes: a text (`meta`) and a body each, several variants a key.
 * What they mean is no matter of the store.
 *
 * A worker of its own writes the database (SQLite), so that nobody waits for the disk; small things are read here.
 * Whatever goes wrong with the files ends in an object that is not there: nothing throws but {@link DiskStore.open}
 * and the reading of a body that has been lost.
 */

import { DiskBody } from "./disk/body.ts";
import { KeyFilter } from "./disk/key_filter.ts";
import type { FolderLock } from "./disk/lock.ts";
import type { DiskStats } from "./disk/messages.ts";
import { WorkerLink } from "./disk/link.ts";
import { PendingChanges } from "./disk/pending.ts";
import type { DiskReader, FoundObject } from "./disk/reader.ts";
import { idOf } from "./disk/schema.ts";
import { anewText, faultOf, messageOf } from "./disk/sqlite_fault.ts";
import { Uses } from "./disk/uses.ts";
import { DiskWriter } from "./disk/writer.ts";

/** Characters of a key, of a variant's identifier and of a meta; what is longer is not kept. */
export const LONGEST_KEY = 8192;
export const LONGEST_VARIANT = 1024;
export const LONGEST_META = 256 * 1024;

/** The part of the limit that a single object may take. */
const LARGEST_PART = 1 / 8;
/** Bytes and changes that wait for the worker; what would come beyond is not kept. */
const LONGEST_QUEUE = 32 * 1024 * 1024;
const MOST_CHANGES = 20_000;
/** What a change takes beside its texts and bytes. */
const BYTES_OF_A_CHANGE = 200;

export type DiskNotice = (level: "info" | "warning", message: string) => void;

/** An object as it was found. It stays what it is: one that is written in its place is another one. */
export type DiskObject = FoundObject;

const NONE: readonly DiskObject[] = [];

export class DiskStore {
  readonly #folder: string;
  readonly #notice: DiskNotice;
  /** Where the folder can be used. */
  readonly #link: WorkerLink | null;
  readonly #lock: FolderLock | null;
  readonly #openReader: ((epoch: number) => DiskReader) | null;
  #limit: number;
  #state: "opening" | "on" | "off" = "opening";
  /** There while the store is on. */
  #reader: DiskReader | null = null;
  #filter: KeyFilter | null = null;
  /** Counts the fresh starts: what was found before one is not there any more. */
  #epoch = 0;
  readonly #pending = new PendingChanges();
  #lastWriter = 0;
  readonly #uses = new Uses(() => this.#writeUses());
  #damageTold = false;
  #settledWanted: (() => void)[] = [];
  readonly #opened = Promise.withResolvers<void>();
  #closing: Promise<void> | null = null;

  private constructor(
    folder: string,
    limit: number,
    notice: DiskNotice,
    files: { lock: FolderLock; openReader: (epoch: number) => DiskReader } | null,
  ) {
    this.#folder = folder;
    this.#limit = limit;
    this.#notice = notice;
    this.#lock = files?.lock ?? null;
    this.#openReader = files?.openReader ?? null;
    this.#link = files === null ? null : this.#startWorker();
    this.#link?.tell({ kind: "open", folder, limit });
  }

  /**
   * Opens the store of a folder, which is made when it is not there. What is damaged is thrown away. Where the folder
   * cannot be used that is told, and the store is there but keeps nothing ({@link isOn}).
   *
   * @param limit bytes that all its files may take
   * @throws {FolderInUse} when another process has the folder; its message says which
   * @throws {UnsafeFolder} when other users can write it or what is in it; its message says what to do
   * @throws {Deno.errors.NotCapable} without the permissions to read and write the folder
   */
  static async open(folder: string, limit: number, notice: DiskNotice): Promise<DiskStore> {
    const { FolderInUse, FolderLock } = await import("./disk/lock.ts");
    const { requirePrivateFolder, UnsafeFolder } = await import("./disk/private_folder.ts");
    const { DiskReader } = await import("./disk/reader.ts");
    let lock: FolderLock;
    try {
      Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
      requirePrivateFolder(folder);
      lock = FolderLock.take(folder);
    } catch (error) {
      if (error instanceof FolderInUse || error instanceof UnsafeFolder) throw error;
      if (error instanceof Deno.errors.NotCapable) throw error;
      const store = new DiskStore(folder, limit, notice, null);
      store.#turnOff(messageOf(error));
      return store;
    }
    const store = new DiskStore(folder, limit, notice, {
      lock,
      openReader: (epoch) => DiskReader.open(folder, epoch),
    });
    await store.#opened.promise;
    return store;
  }

  /** False when it keeps nothing, for the folder cannot be used; that has been told. */
  get isOn(): boolean {
    return this.#state !== "off";
  }

  get limit(): number {
    return this.#limit;
  }

  set limit(limit: number) {
    this.#limit = limit;
    this.#link?.tell({ kind: "limit", limit });
  }

  /** Bytes of the longest body that is kept. */
  get longest(): number {
    return this.#limit * LARGEST_PART;
  }

  /** All variants that are stored for a key, the latest last; none while they are being changed. */
  lookup(key: string): readonly DiskObject[] {
    const reader = this.#reader;
    if (reader === null || !this.#filter!.mayHave(key) || this.#pending.hides(key)) return NONE;
    try {
      return reader.objects(key, (id) => this.#lost(id));
    } catch (error) {
      this.#readFailed(error);
      return NONE;
    }
  }

  /**
   * The body of an object or a part of it. It has to be closed, or read to its end; until then
   * the body is there, whatever becomes of the object. Nothing is read before it is asked for the first piece.
   *
   * @param first the first byte
   * @param end the byte behind the last one
   */
  read(object: DiskObject, first = 0, end: number = object.length): DiskBody {
    const { epoch, id, short } = object;
    if (short !== null) return new DiskBody({ piece: () => short, close() {} }, first, end);
    if (this.#reader !== null && epoch === this.#epoch) this.#link?.tell({ kind: "pin", id });
    const close = () => {
      if (this.#reader !== null && epoch === this.#epoch) this.#link?.tell({ kind: "unpin", id });
    };
    return new DiskBody({ piece: (index) => this.#readThere(object, index), close }, first, end);
  }

  /**
   * Writes an object, in the place of the one with this key and variant.
   *
   * @returns false when it is not kept, for it is too large or the disk does not keep up; then what it was to replace
   * is removed, since it is outdated
   */
  write(key: string, variant: string, meta: string, pieces: Iterable<Uint8Array>): boolean {
    const writer = this.writer(key, variant);
    for (const piece of pieces) if (!writer.append(piece)) return false;
    return writer.finish(meta);
  }

  /** For a body that is still coming. */
  writer(key: string, variant: string): DiskWriter {
    const epoch = this.#epoch;
    return new DiskWriter(
      {
        longest: this.longest,
        piece: (number, bytes) => this.#piece(epoch, number, bytes),
        finish: (number, meta, length) => this.#finish(epoch, number, { key, variant, meta, length }),
        abort: (number, outdated, any) => {
          // while the disk is stuck nothing is taken, and of what was not there is nothing to be told: nobody counts it
          if (any) this.#link?.tell({ kind: "abort", writer: number });
          if (outdated) this.remove(key, variant);
        },
      },
      ++this.#lastWriter,
    );
  }

  /** Gives an object another meta; nothing when it is not there. */
  writeMeta(key: string, variant: string, meta: string): void {
    if (this.#reader === null) return;
    const bytes = BYTES_OF_A_CHANGE + key.length + meta.length;
    if (!fits(key, variant, meta) || !this.#takes(bytes)) {
      this.remove(key, variant);
      return;
    }
    this.#link?.tell({ kind: "meta", ticket: this.#pending.add(key, bytes), key, variant, meta });
  }

  /** An object was of use, wherever its bytes came from: it is counted, and goes later than others. */
  used(key: string, variant: string): void {
    if (this.#reader === null) return;
    if (!this.#filter!.mayHave(key) && !this.#pending.hides(key)) return;
    this.#uses.add(key, variant);
  }

  /** The same for one that was found here, by its {@link DiskObject.number}; nothing when it has gone. */
  usedFound(number: number): void {
    const id = this.#reader === null ? null : idOf(number, this.#epoch);
    if (id !== null) this.#uses.addId(id);
  }

  /** Removes what is stored for a key, or one variant of it. It is not found from now on. */
  remove(key: string, variant: string | null = null): void {
    if (this.#reader === null || key.length > LONGEST_KEY) return;
    if (this.#pending.count >= MOST_CHANGES) {
      // the disk is stuck: what cannot be told apart any more goes
      if (!this.#pending.endsWithAll) this.clear();
      return;
    }
    if (!this.#filter!.mayHave(key) && !this.#pending.hides(key)) return;
    const ticket = this.#pending.add(key, BYTES_OF_A_CHANGE + key.length);
    this.#link?.tell({ kind: "remove", ticket, key, variant });
  }

  /** Removes everything. */
  clear(): void {
    if (this.#reader === null) return;
    this.#link?.tell({ kind: "clear", ticket: this.#pending.add(null, BYTES_OF_A_CHANGE) });
  }

  /** Resolves when all changes so far are written, and are found. */
  async settled(): Promise<void> {
    if (this.#pending.count === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#settledWanted.push(resolve);
    await promise;
  }

  /** `null` when the store is off. */
  async stats(): Promise<DiskStats | null> {
    if (this.#reader === null) return null;
    this.#writeUses();
    return await this.#link!.stats();
  }

  /** Writes what waits to be written, and lets go of the folder. Resolves in ten seconds at the latest. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#state === "on") {
      this.#writeUses();
      this.#closeReader();
      await this.#link?.close();
    }
    this.#end();
  }

  #startWorker(): WorkerLink {
    return new WorkerLink({
      ready: (filter) => this.#ready(filter),
      failed: (message) => this.#turnOff(message),
      notice: (level, message) => this.#notice(level, `the disk cache in ${this.#folder} ${message}`),
      damaged: (message) => this.#restart(message),
      settled: (ticket) => {
        this.#pending.settle(ticket);
        this.#answerSettled();
      },
      lost: () => this.#tellDamage(),
    });
  }

  #ready(filter: SharedArrayBuffer): void {
    try {
      this.#reader = this.#openReader!(this.#epoch);
    } catch (error) {
      this.#turnOff(messageOf(error));
      return;
    }
    this.#filter = new KeyFilter(filter);
    this.#state = "on";
    this.#opened.resolve();
  }

  /** Throws all away and begins anew, without the files. @param message why, after the store's name */
  #restart(message: string): void {
    // it is about to already
    if (this.#reader === null) return;
    this.#notice("warning", `the disk cache in ${this.#folder} ${message}`);
    this.#epoch++;
    this.#closeReader();
    this.#forget();
    this.#link?.tell({ kind: "restart" });
  }

  #turnOff(message: string): void {
    if (this.#state === "off") return;
    if (this.#closing === null) {
      this.#notice(
        "warning",
        `the disk cache in ${this.#folder} cannot be used, and nothing is kept there: ${message}`,
      );
    }
    this.#end();
  }

  #end(): void {
    this.#state = "off";
    this.#closeReader();
    this.#forget();
    this.#link?.end();
    this.#lock?.release();
    this.#opened.resolve();
  }

  #closeReader(): void {
    const reader = this.#reader;
    this.#reader = null;
    try {
      reader?.close();
    } catch {
      // it is not used again
    }
  }

  /** Nothing that was asked or told before will be answered. */
  #forget(): void {
    this.#pending.settleAll();
    this.#answerSettled();
    this.#link?.forget();
    this.#uses.take();
  }

  #answerSettled(): void {
    if (this.#pending.count > 0) return;
    const wanted = this.#settledWanted;
    this.#settledWanted = [];
    for (const resolve of wanted) resolve();
  }

  /** Whether so much more may wait. */
  #takes(bytes: number): boolean {
    const { count, bytes: waiting } = this.#pending;
    return this.#reader !== null && count < MOST_CHANGES && waiting + bytes <= LONGEST_QUEUE;
  }

  #piece(epoch: number, writer: number, bytes: Uint8Array<ArrayBuffer>): boolean {
    if (epoch !== this.#epoch || !this.#takes(bytes.length)) return false;
    const ticket = this.#pending.add(undefined, BYTES_OF_A_CHANGE + bytes.length);
    this.#link?.tell({ kind: "piece", ticket, writer, bytes }, [bytes.buffer]);
    return true;
  }

  #finish(
    epoch: number,
    writer: number,
    object: { key: string; variant: string; meta: string; length: number },
  ): boolean {
    const { key, variant, meta } = object;
    const bytes = BYTES_OF_A_CHANGE + key.length + variant.length + meta.length;
    if (epoch !== this.#epoch || !fits(key, variant, meta) || !this.#takes(bytes)) return false;
    this.#link?.tell({ kind: "finish", ticket: this.#pending.add(key, bytes), writer, ...object });
    return true;
  }

  #readThere(object: DiskObject, index: number): Promise<Uint8Array | null> | null {
    return this.#reader === null || object.epoch !== this.#epoch ? null : this.#link!.read(object, index);
  }

  #readFailed(error: unknown): void {
    // another process holds it for a moment: it counts as not there
    if (faultOf(error) === "busy") return;
    // the worker sees to it: what it was told before is of no use any more
    this.#restart(anewText(error));
  }

  #lost(id: number): void {
    this.#link?.tell({ kind: "lost", id });
    this.#tellDamage();
  }

  #tellDamage(): void {
    if (this.#damageTold) return;
    this.#damageTold = true;
    this.#notice(
      "warning",
      `the disk cache in ${this.#folder}: an object was not what had been written, and has been removed; ` +
        "others that may follow are not told",
    );
  }

  #writeUses(): void {
    const uses = this.#uses.take();
    if (uses === null) return;
    // where the disk does not keep up they are not worth waiting for
    const ofNames = uses.names.reduce((sum, { length }) => sum + length, 0);
    const bytes = (uses.names.length + uses.ids.length) * BYTES_OF_A_CHANGE + ofNames;
    if (!this.#takes(bytes)) return;
    this.#link?.tell({ kind: "uses", ticket: this.#pending.add(undefined, bytes), ...uses });
  }
}

/** Whether the texts of an object are short enough to be kept. */
function fits(key: string, variant: string, meta: string): boolean {
  return key.length <= LONGEST_KEY && variant.length <= LONGEST_VARIANT && meta.length <= LONGEST_META;
}
