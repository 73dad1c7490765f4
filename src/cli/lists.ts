/** The lists of hosts that rules name as `@file`. */

import { ConfigError } from "../config/errors.ts";
import type { CommandLine } from "../config/flags.ts";
import type { HostList } from "../policy/host_list.ts";

/** Bytes of one list; what has no end would be read without end. */
const MAX_LIST_SIZE = 2 ** 30;

interface ReadList {
  readonly list: HostList;
  /** What could not be understood in it, each with its line. */
  readonly warnings: readonly string[];
  /** What tells whether the file has changed; `null` when nothing does. */
  readonly state: string | null;
}

/** Lists by their files, kept for as long as the files are the same. */
export class ListFiles {
  #known = new Map<string, ReadList>();
  /** How many were read by the last {@link load}. */
  read = 0;

  /**
   * Reads those files that were not read before, or that have changed since. Lists of other files are forgotten.
   *
   * @returns the lists by file
   * @throws {ConfigError} with every file that cannot be read; then everything stays as it was
   */
  async load(files: readonly string[], line: CommandLine): Promise<Map<string, HostList>> {
    const known = new Map<string, ReadList>();
    const problems: string[] = [];
    let read = 0;
    for (const file of files) {
      // looked at before it is read: what changes in between is read again next time
      const state = await stateOf(file);
      const before = this.#known.get(file);
      if (before !== undefined && before.state !== null && before.state === state) {
        known.set(file, before);
        continue;
      }
      try {
        known.set(file, { ...await readList(file, line), state });
        read++;
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        problems.push(...error.problems);
      }
    }
    if (problems.length > 0) throw new ConfigError(problems);
    this.#known = known;
    this.read = read;
    return new Map([...known].map(([file, { list }]) => [file, list]));
  }

  /** What could not be understood in the lists of the last {@link load}. */
  get warnings(): string[] {
    return [...this.#known.values()].flatMap(({ warnings }) => warnings);
  }
}

async function readList(file: string, line: CommandLine): Promise<Omit<ReadList, "state">> {
  const { openFile } = await import("./read_file.ts");
  const { HostListReader } = await import("../policy/host_list_reader.ts");
  const stream = await openFile(file, line);
  const reader = new HostListReader();
  let size = 0;
  try {
    for await (const chunk of stream) {
      size += chunk.length;
      if (size > MAX_LIST_SIZE) {
        throw new ConfigError([`${file} is larger than ${MAX_LIST_SIZE / 2 ** 20} MiB`]);
      }
      reader.read(chunk);
    }
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError([`${file} cannot be read: ${error instanceof Error ? error.message : error}`]);
  }
  const { list, problems, more } = reader.end();
  const warnings = problems.map((problem) => `${file}:${problem.line}: ${problem.message}`);
  if (more > 0) warnings.push(`${file}: and ${more} more lines that are left out`);
  return { list, warnings };
}

/** What differs when a file is another; `null` when that cannot be told. */
async function stateOf(file: string): Promise<string | null> {
  try {
    const { isFile, mtime, size, ino, dev } = await Deno.stat(file);
    return isFile && mtime !== null ? `${mtime.getTime()} ${size} ${dev} ${ino}` : null;
  } catch {
    // opening it says why
    return null;
  }
}
