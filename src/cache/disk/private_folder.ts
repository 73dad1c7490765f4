/**
 * Who may write the folder of a cache: one user alone. Another user who can put files there decides what clients are
 * answered, and by a link which of this user's files is written.
 */

import { isFault, isOwn, judgeFolder, writableByOthers } from "../../files/folder_trust.ts";
import { HOLDER_FILE, LOCK_FILE } from "./lock.ts";
import { DATABASE_FILES } from "./schema.ts";

/** The folder, or a file in it, is not to be believed; the message says why, and what to do. */
export class UnsafeFolder extends Error {
  override readonly name = "UnsafeFolder";
}

/**
 * For a folder that is going to be written.
 *
 * @throws {UnsafeFolder} where another user can write it or what is in it, and for a link in the place of a file
 * @throws {Error} when it cannot be looked at or written
 */
export function requirePrivateFolder(folder: string): void {
  // a volume of a container is often open to all: in a folder that is swapped as a whole nothing but a cache is written
  const judged = judgeFolder(folder, false);
  if (isFault(judged) || judged.shared) {
    const why = isFault(judged) ? judged.why : "can be changed by every user of this machine";
    // in one that is another user's alone, none could be made
    const advice = isFault(judged) && !judged.open
      ? judged.advice
      : `name one inside it, such as ${folder}/weir, which is made for this user alone`;
    throw new UnsafeFolder(`the cache's folder ${folder} ${why}: ${advice}`);
  }
  for (const { path, info } of filesIn(folder)) {
    if (!isOwn(info, judged.uid)) {
      throw new UnsafeFolder(
        `${path} belongs to another user (${info.uid}): remove it, or give it to this user`,
      );
    }
    if (writableByOthers(info)) {
      throw new UnsafeFolder(`${path} can be written by other users: remove it, or chmod 600 it`);
    }
  }
}

/**
 * For a folder that is read alone, which may be another user's.
 *
 * @throws {UnsafeFolder} for a link, a pipe or a device in the place of a file
 */
export function requirePlainFiles(folder: string): void {
  for (const _ of filesIn(folder));
}

function* filesIn(folder: string): Generator<{ path: string; info: Deno.FileInfo }> {
  for (const name of [...DATABASE_FILES, LOCK_FILE, HOLDER_FILE]) {
    const path = `${folder}/${name}`;
    let info: Deno.FileInfo;
    try {
      info = Deno.lstatSync(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      throw error;
    }
    // a folder is no file of a database either, but leads nowhere: SQLite says so
    if (info.isFile || info.isDirectory) yield { path, info };
    else throw new UnsafeFolder(`${path} is ${info.isSymlink ? "a link" : "no file"}: remove it`);
  }
}
