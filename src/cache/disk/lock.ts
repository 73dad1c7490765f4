/**
 * Who may write a folder: one process at a time. The lock is one of SQLite on an empty file beside the database,
 * which all systems let go of when its process ends, however it ends.
 */

import { DatabaseSync } from "node:sqlite";
import { makePrivate } from "./make_private.ts";
import { faultOf, messageOf } from "./sqlite_fault.ts";

export const LOCK_FILE = "weir-cache.lock";
export const HOLDER_FILE = "weir-cache.pid";
/** Those who only ask who has it hold it for a moment, ms. */
const PATIENCE = 200;

/** Another process writes the folder. */
export class FolderInUse extends Error {
  override readonly name = "FolderInUse";

  /** @param pid `null` where it cannot be found out */
  constructor(readonly folder: string, readonly pid: number | null) {
    super(
      `${folder} is in use by another weir${pid === null ? "" : ` (process ${pid})`}: ` +
        "give each its own folder, or stop that one",
    );
  }
}

export class FolderLock {
  #database: DatabaseSync | null;
  readonly #holderFile: string;

  private constructor(database: DatabaseSync, holderFile: string) {
    this.#database = database;
    this.#holderFile = holderFile;
  }

  /**
   * @throws {FolderInUse} when another has it
   * @throws {Error} when the folder cannot be written
   */
  static take(folder: string): FolderLock {
    const holderFile = `${folder}/${HOLDER_FILE}`;
    let database: DatabaseSync | null = null;
    try {
      makePrivate(`${folder}/${LOCK_FILE}`);
      database = new DatabaseSync(`${folder}/${LOCK_FILE}`);
      database.exec(`PRAGMA busy_timeout = ${PATIENCE}; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE`);
    } catch (error) {
      database?.close();
      if (faultOf(error) !== "busy") throw new Error(`${LOCK_FILE}: ${messageOf(error)}`);
      throw new FolderInUse(folder, readHolder(holderFile));
    }
    writeHolder(holderFile);
    return new FolderLock(database, holderFile);
  }

  /** Lets others have it; again: nothing. */
  release(): void {
    if (this.#database === null) return;
    try {
      Deno.removeSync(this.#holderFile);
    } catch {
      // the folder has gone
    }
    this.#database.close();
    this.#database = null;
  }
}

/**
 * The number of the process that writes a folder; `null` when nobody does, or it cannot be found out. Whoever wants
 * the lock meanwhile gets it.
 */
export function holderOf(folder: string): number | null {
  try {
    const database = new DatabaseSync(`${folder}/${LOCK_FILE}`, { readOnly: true });
    try {
      database.exec("PRAGMA busy_timeout = 0");
      database.prepare("SELECT count(*) FROM sqlite_schema").get();
      return null;
    } catch (error) {
      return faultOf(error) === "busy" ? readHolder(`${folder}/${HOLDER_FILE}`) : null;
    } finally {
      database.close();
    }
  } catch {
    return null;
  }
}

/** A new file in the place of one that is left over: it follows no link, and no other user may write it. */
function writeHolder(file: string): void {
  try {
    Deno.removeSync(file);
  } catch {
    // there is none, as it should be
  }
  try {
    Deno.writeTextFileSync(file, `${Deno.pid}\n`, { createNew: true, mode: 0o600 });
  } catch {
    // on a full disk the file names no process
  }
}

function readHolder(file: string): number | null {
  try {
    const found = /^([0-9]{1,10})\n$/.exec(Deno.readTextFileSync(file));
    return found === null ? null : Number(found[1]);
  } catch {
    return null;
  }
}
