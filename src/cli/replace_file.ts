/** Replaces a file as a whole: whoever reads it sees the old text or the new one, and never a part. */

import type * as FileSystem from "node:fs";
import { ConfigError } from "../config/errors.ts";
import type { CommandLine } from "../config/flags.ts";
import { printable } from "../config/printable.ts";
import { type FolderFault, isFault, isOwn, judgeFolder, type TrustedFolder } from "../files/folder_trust.ts";
import { folderAround, folderOf } from "./named_files.ts";
import { lacking } from "./permissions.ts";
import { readTextFile } from "./read_file.ts";
import { fileState } from "./watch_file.ts";

/** Of a file that did not exist: nobody else's to read. */
const MODE = 0o600;

/** A file as it was found. */
export interface FoundFile {
  readonly path: string;
  /** `""` when there is none yet. */
  readonly text: string;
  /** `null` when there is none yet. */
  readonly info: Deno.FileInfo | null;
  readonly state: string;
}

/**
 * Reads a file that is to be replaced, if there is one.
 *
 * @param limit bytes
 * @throws {ConfigError} for a link, which may lead to a file that was not meant, for what is no file, and where
 * another user could put another file in its place meanwhile
 */
export async function findFile(path: string, limit: number, line: CommandLine): Promise<FoundFile> {
  await requireReadAndWrite(path, line);
  const { uid, shared } = requireTrust(path);
  let info: Deno.FileInfo;
  try {
    info = await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { path, text: "", info: null, state: "" };
    throw new ConfigError([`${path} cannot be read: ${told(error)}`]);
  }
  if (info.isSymlink) {
    const target = await Deno.readLink(path).catch(() => "");
    throw new ConfigError([`${path} is a link; name the file itself: ${printable(target)}`]);
  }
  if (!info.isFile) throw new ConfigError([`${path} is ${info.isDirectory ? "a folder" : "no file"}`]);
  if (shared && !isOwn(info, uid)) {
    throw new ConfigError([
      `${path} belongs to another user (${info.uid}), in a folder that all users may write: move it to one of its own`,
    ]);
  }
  const state = await fileState(path);
  return { path, text: await readTextFile(path, limit, line), info, state };
}

/**
 * Writes a new file beside the old one and moves it into its place, with the old one's mode and owner.
 *
 * @returns what could not be kept, in one line, or `null`
 * @throws {ConfigError} when it cannot be written, or the file has changed since it was found; then it is as it was
 */
export async function replaceFile({ path, info, state }: FoundFile, text: string): Promise<string | null> {
  const folder = folderAround(path);
  const name = path.slice(folderOf(path).length);
  const beside = `${folder}${SEPARATOR}.${name}.${crypto.randomUUID().slice(0, 8)}`;
  const fs = await import("node:fs");
  const { O_CREAT, O_EXCL, O_WRONLY } = fs.constants;
  let remark: string | null = null;
  let written = false;
  try {
    // everything by the descriptor: a path may name another file a moment later
    const file = fs.openSync(beside, O_CREAT | O_EXCL | O_WRONLY, MODE);
    written = true;
    try {
      const bytes = new TextEncoder().encode(text);
      for (let at = 0; at < bytes.length;) at += fs.writeSync(file, bytes, at);
      if (info !== null) remark = keep(fs, file, path, info);
      fs.fsyncSync(file);
    } finally {
      fs.closeSync(file);
    }
    if (await fileState(path).catch(() => "") !== state) {
      throw new ConfigError([`${path} has been changed by somebody else meanwhile; try again`]);
    }
    await Deno.rename(beside, path);
    written = false;
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError([`${path} cannot be written: ${told(error)}`]);
  } finally {
    if (written) await Deno.remove(beside).catch(() => {});
  }
  await syncFolder(folder);
  return remark;
}

/** Gives the new file the old one's owner and mode, once its text is there. */
function keep(fs: typeof FileSystem, file: number, path: string, info: Deno.FileInfo): string | null {
  const { mode, uid, gid } = info;
  if (Deno.build.os === "windows" || mode === null || uid === null || gid === null) return null;
  let remark: string | null = null;
  const own = fs.fstatSync(file);
  if (own.uid !== uid || own.gid !== gid) {
    try {
      fs.fchownSync(file, uid, gid);
    } catch {
      remark = `${path} belongs to you now: only root can keep another owner`;
    }
  }
  fs.fchmodSync(file, mode & 0o777);
  return remark;
}

/** The new name is on the disk then, too, where the system can say so. */
async function syncFolder(folder: string): Promise<void> {
  try {
    using file = await Deno.open(folder);
    await file.sync();
  } catch {
    // the file itself is there
  }
}

const SEPARATOR = Deno.build.os === "windows" ? "\\" : "/";

/**
 * Says that a file cannot be written before anybody has gone to the trouble of what would be written there.
 *
 * @throws {ConfigError}
 */
function requireTrust(path: string): TrustedFolder {
  let judged: TrustedFolder | FolderFault;
  try {
    judged = judgeFolder(folderAround(path));
  } catch (error) {
    throw new ConfigError([`${path} cannot be written: ${told(error)}`]);
  }
  if (!isFault(judged)) return judged;
  throw new ConfigError([
    `${path} is not written: the folder ${judged.path} ${judged.why}; ${judged.advice}`,
  ]);
}

/** Asks for nothing: says which permissions are missing, and how to give them. */
async function requireReadAndWrite(path: string, line: CommandLine): Promise<void> {
  const folder = folderAround(path);
  const names = ["read", "write"] as const;
  const states = await Promise.all(names.map((name) => Deno.permissions.query({ name, path: folder })));
  if (states.every(({ state }) => state === "granted")) return;
  const more = { read: [folder], write: [folder] };
  throw new ConfigError([lacking(`${path} cannot be written: that`, names, line, more)]);
}

/** Why a file cannot be written, in plain words. */
export function told(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such folder";
  if (error instanceof Deno.errors.PermissionDenied) return "this user may not";
  return error instanceof Error ? error.message : String(error);
}
