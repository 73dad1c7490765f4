/** The users of `--users FILE`: read at start, and again whenever the file has changed. */

import { ConfigError } from "../config/errors.ts";
import type { CommandLine } from "../config/flags.ts";
import type { Hash } from "../passwords/hash.ts";
import { MAX_FILE_SIZE, readPasswordFile } from "../passwords/password_file.ts";
import { hashPassword, verifyPassword } from "../passwords/verify.ts";
import type { NoticeLevel } from "../proxy/observer.ts";
import type { Users } from "../proxy/identity/users.ts";
import { readTextFile, requireRead } from "./read_file.ts";
import { fileState, watchFile } from "./watch_file.ts";

/**
 * Reads a file of users.
 *
 * @throws {ConfigError} with everything that is wrong
 */
export async function loadUsers(path: string, line: CommandLine): Promise<FileUsers> {
  await requireRead([path], line);
  // before it is read, so that no change after that is missed; a file that is not there is not read either
  const state = await fileState(path).catch(() => "");
  const users = new FileUsers(path, state);
  const problems = users.reload(await readTextFile(path, MAX_FILE_SIZE, line));
  if (problems.length > 0) throw new ConfigError(problems);
  return users;
}

export class FileUsers implements Users {
  version = 0;
  #users: ReadonlyMap<string, Hash> = new Map();
  /** The same hashes, to choose from for a user who is not known. */
  #hashes: readonly Hash[] = [];
  /** Made when it is needed: the hash of nobody's password. */
  #nobody: Promise<Hash> | null = null;
  /** Chooses for each unknown name the same hash always, and not one that can be told from outside. */
  readonly #seed = crypto.getRandomValues(new Uint32Array(1))[0];

  /** Of the file whose text was read last. */
  #state: string;

  /** @param state of the file whose text is loaded first, by {@link fileState} */
  constructor(readonly path: string, state: string) {
    this.#state = state;
  }

  get size(): number {
    return this.#users.size;
  }

  recordOf(user: string): string | undefined {
    return this.#users.get(user)?.text;
  }

  /** Which users there are must not be told by how long an answer takes: an unknown one costs as much as another. */
  async verify(user: string, password: string): Promise<boolean> {
    const hash = this.#users.get(user);
    if (hash !== undefined) return await verifyPassword(hash, password);
    await verifyPassword(this.#decoy(user) ?? await this.#hashOfNobody(), password);
    return false;
  }

  /**
   * Takes the text of the file as it is now. When something in it is wrong, all stays as it was.
   *
   * @returns what is wrong, each in one line
   */
  reload(text: string): readonly string[] {
    const { users, problems } = readPasswordFile(text);
    if (problems.length > 0) {
      return problems.map(({ line, message }) => `${this.path}, line ${line}: ${message}`);
    }
    this.#users = users;
    this.#hashes = [...users.values()];
    this.version++;
    return [];
  }

  /**
   * Reads the file again whenever it changes, and says so. Neither keeps the process alive.
   *
   * @returns a function that ends the watch
   */
  watch(notice: (level: NoticeLevel, message: string) => void): () => Promise<void> {
    return watchFile(this.path, this.#state, MAX_FILE_SIZE, {
      changed: (text, state) => {
        this.#state = state;
        const problems = this.reload(text);
        for (const problem of problems) notice("error", problem);
        if (problems.length > 0) notice("error", `${this.path}: the users stay as they were`);
        else {notice(
            "info",
            `${this.path}: ${this.size === 1 ? "1 user is" : `${this.size} users are`} in force`,
          );}
      },
      lost: (reason) => notice("error", `${this.path} ${reason}; the users stay as they were`),
    });
  }

  /** One of the file's own hashes: a file may hold different ones. */
  #decoy(user: string): Hash | undefined {
    let sum = this.#seed;
    for (let i = 0; i < user.length; i++) sum = Math.imul(sum ^ user.charCodeAt(i), 0x01000193) >>> 0;
    return this.#hashes[(sum ^ (sum >>> 15)) % this.#hashes.length];
  }

  #hashOfNobody(): Promise<Hash> {
    return this.#nobody ??= hashPassword(crypto.randomUUID(), "scrypt");
  }
}
