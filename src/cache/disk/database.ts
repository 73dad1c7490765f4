/** Opens the database for writing, makes it where there is none, and throws away what is of no use. */

import { DatabaseSync } from "node:sqlite";
import {
  APPLICATION_ID,
  DATABASE_FILE,
  DATABASE_FILES,
  FORMAT_VERSION,
  PAGE_SIZE,
  TABLES,
  WRITING,
} from "./schema.ts";
import { makePrivate } from "./make_private.ts";
import { anewText, faultOf } from "./sqlite_fault.ts";

/** What is there is not to be touched. */
export class NotForThisVersion extends Error {}

/** Pages of the log that are put into the database at once, at the most: 8 MiB. */
const MOST_LOG_PAGES = 1024;
const LEAST_LOG_PAGES = 16;

/** Pages of the log before it is put into the database: small for small limits, since it takes room as well. */
export function logPagesFor(limit: number): number {
  return Math.max(LEAST_LOG_PAGES, Math.min(MOST_LOG_PAGES, Math.floor(limit / 16 / PAGE_SIZE)));
}

/**
 * @param notice hears of what was thrown away
 * @throws {NotForThisVersion} for a database of a newer version, or of another program
 * @throws {Error} when the folder cannot be written
 */
export function openDatabase(folder: string, limit: number, notice: (message: string) => void): DatabaseSync {
  try {
    return tryToOpen(folder, limit);
  } catch (error) {
    if (error instanceof NotForThisVersion) throw error;
    if (error instanceof Older) {
      notice("was written by an older version of weir, and begins anew");
    } else {
      if (faultOf(error) !== "damaged") throw error;
      notice(anewText(error));
    }
  }
  removeDatabase(folder);
  return tryToOpen(folder, limit);
}

class Older extends Error {}

function tryToOpen(folder: string, limit: number): DatabaseSync {
  // only the proxy's own user may read what clients fetch
  makePrivate(`${folder}/${DATABASE_FILE}`);
  const database = new DatabaseSync(`${folder}/${DATABASE_FILE}`);
  try {
    const tables = Number(database.prepare("SELECT count(*) AS count FROM sqlite_schema").get()?.count);
    const id = database.prepare("PRAGMA application_id").get()?.application_id;
    const version = Number(database.prepare("PRAGMA user_version").get()?.user_version);
    const empty = tables === 0 && id === 0 && version === 0;
    if (!empty) judge(id, version);
    database.exec(WRITING);
    const pages = logPagesFor(limit);
    database.exec(
      `PRAGMA wal_autocheckpoint = ${pages}; PRAGMA journal_size_limit = ${2 * pages * PAGE_SIZE}`,
    );
    if (empty) database.exec(`BEGIN; ${TABLES} COMMIT`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function judge(id: unknown, version: number): void {
  if (id !== APPLICATION_ID) {
    throw new NotForThisVersion(`the ${DATABASE_FILE} in it is not weir's, and is left alone`);
  }
  if (version > FORMAT_VERSION) {
    throw new NotForThisVersion(
      `it was written by a newer version of weir (form ${version}, this one knows ${FORMAT_VERSION}), and is ` +
        "left alone: give this version another folder, or remove it",
    );
  }
  if (version < FORMAT_VERSION) throw new Older();
}

/** Nobody may have it open. @throws {Error} when it cannot be removed */
export function removeDatabase(folder: string): void {
  for (const file of DATABASE_FILES) {
    try {
      Deno.removeSync(`${folder}/${file}`);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/** Bytes that the files take. */
export function sizeOfFiles(folder: string): number {
  let bytes = 0;
  for (const file of DATABASE_FILES) {
    try {
      bytes += Deno.statSync(`${folder}/${file}`).size;
    } catch {
      // not all of them are there at all times
    }
  }
  return bytes;
}
