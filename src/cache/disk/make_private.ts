/**
 * Makes an empty file that this user alone may read and write, where there is none. SQLite takes it for a new database,
 * and gives the files beside it the same mode.
 *
 * @throws {Error} when it cannot be made
 */
export function makePrivate(path: string): void {
  try {
    Deno.openSync(path, { write: true, createNew: true, mode: 0o600 }).close();
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}
