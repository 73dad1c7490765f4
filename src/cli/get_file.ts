/** The file that a body goes into: a new one, and there only when the body is whole. */

import { ConfigError, UsageError } from "../config/errors.ts";
import type { CommandLine } from "../config/flags.ts";
import { printable } from "../config/printable.ts";
import { isFault, judgeFolder } from "../files/folder_trust.ts";
import { folderAround } from "./named_files.ts";
import { told } from "./replace_file.ts";
import { lacking } from "./permissions.ts";

export class OutputFile {
  #file: Deno.FsFile | null;
  #kept = false;

  /** @param removable whether its path still leads to it later */
  private constructor(readonly path: string, file: Deno.FsFile, readonly removable: boolean) {
    this.#file = file;
  }

  /**
   * @throws {UsageError} when there is such a file
   * @throws {ConfigError} when it cannot be made
   */
  static async create(path: string, line: CommandLine): Promise<OutputFile> {
    const name = printable(path);
    if (path === "-") throw new UsageError(["--output: leave it out, and write > FILE or | PROGRAM"]);
    const { state } = await Deno.permissions.query({ name: "write", path });
    if (state !== "granted") {
      throw new ConfigError([lacking(`${name} cannot be written: that`, ["write"], line)]);
    }
    try {
      const removable = await mayBeRemoved(path);
      return new OutputFile(path, await Deno.open(path, { write: true, createNew: true }), removable);
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) {
        throw new UsageError([`--output: ${name} is there already, and nothing is overwritten`]);
      }
      throw new ConfigError([`${name} cannot be written: ${told(error)}`]);
    }
  }

  /** @throws {Error} when the disk is full, say */
  write(bytes: Uint8Array): void {
    while (bytes.length > 0) bytes = bytes.subarray(this.#file!.writeSync(bytes));
  }

  /** It is whole and stays. */
  keep(): void {
    this.#kept = true;
  }

  /** Closes it, and removes it unless it is to be kept; where another user could swap names it is emptied. */
  drop(): void {
    const file = this.#file;
    this.#file = null;
    if (file === null) return;
    try {
      if (!this.#kept && !this.removable) file.truncateSync(0);
    } finally {
      file.close();
    }
    if (this.#kept || !this.removable) return;
    try {
      Deno.removeSync(this.path);
    } catch {
      // somebody else has done it
    }
  }
}

/**
 * Whether only this user and root decide what a path leads to. Taken for granted without the permission to read the
 * folder, for which this command does not ask.
 */
async function mayBeRemoved(path: string): Promise<boolean> {
  const folder = folderAround(path);
  for (const name of ["read", "write"] as const) {
    if ((await Deno.permissions.query({ name, path: folder })).state !== "granted") return true;
  }
  return !isFault(judgeFolder(folder));
}
