/** Replaces a file as a whole: whoever reads it sees the old text or the new one, and never a part. */

import { ConfigError } from "../config/errors.ts";
import type { CommandLine } from "../config/flags.ts";
import { printable } from "../config/printable.ts";
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
 * @throws {ConfigError} for a link, which may lead to a file that was not meant, and for what is no file
 */
export async function findFile(path: string, limit: number, line: CommandLine): Promise<FoundFile> {
  await requireReadAndWrite(path, line);
  let info: Deno.FileInfo;
  try {
    info = await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      await requireFolderOf(path);
      return { path, text: "", info: null, state: "" };
    }
    throw new ConfigError([`${path} cannot be read: ${told(error)}`]);
  }
  if (info.isSymlink) {
    const target = await Deno.readLink(path).catch(() => "");
    throw new ConfigError([`${path} is a link; name the file itself: ${printable(target)}`]);
  }
  if (!info.isFile) throw new ConfigError([`${path} is ${info.isDirectory ? "a folder" : "no file"}`]);
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
  let remark: string | null = null;
  let written = false;
  try {
    const file = await Deno.open(beside, { write: true, createNew: true, mode: MODE });
    written = true;
    try {
      if (info !== null) remark = await keep(path, beside, info);
      await writeAll(file, new TextEncoder().encode(text));
      await file.sync();
    } finally {
      file.close();
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

/** Gives the new file the old one's mode and owner. */
async function keep(path: string, beside: string, { mode, uid, gid }: Deno.FileInfo): Promise<string | null> {
  if (Deno.build.os === "windows" || mode === null) return null;
  let remark: string | null = null;
  const own = await Deno.lstat(beside);
  if (own.uid !== uid || own.gid !== gid) {
    try {
      await Deno.chown(beside, uid, gid);
    } catch {
      remark = `${path} belongs to you now: only root can keep another owner`;
    }
  }
  await Deno.chmod(beside, mode & 0o777);
  return remark;
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  while (bytes.length > 0) bytes = bytes.subarray(await file.write(bytes));
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

/** Says that there is no folder before anybody has gone to the trouble of what would be written there. */
async function requireFolderOf(path: string): Promise<void> {
  try {
    await Deno.stat(folderAround(path));
  } catch (error) {
    throw new ConfigError([`${path} cannot be written: ${told(error)}`]);
  }
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
