/** The file that a body goes into: a new one, and there only when the body is whole. */

import { ConfigError, UsageError } from "../config/errors.ts";
import type { CommandLine } from "../config/flags.ts";
import { printable } from "../config/printable.ts";
import { told } from "./replace_file.ts";
import { lacking } from "./permissions.ts";

export class OutputFile {
  #file: Deno.FsFile | null;
  #kept = false;

  private constructor(readonly path: string, file: Deno.FsFile) {
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
      return new OutputFile(path, await Deno.open(path, { write: true, createNew: true }));
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

  /** Closes it, and removes it unless it is to be kept. */
  drop(): void {
    this.#file?.close();
    this.#file = null;
    if (this.#kept) return;
    try {
      Deno.removeSync(this.path);
    } catch {
      // somebody else has done it
    }
  }
}
