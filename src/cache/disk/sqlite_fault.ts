/** What an error of SQLite means for the store. */

/**
 * - `damaged`: the files are not what they were when they were written
 * - `full`: there is no room, on the disk, under the database's own limit or under one of the size of files
 * - `busy`: another has it for a moment
 * - `other`: no permission, a disk that fails, and all else
 */
export type SqliteFault = "damaged" | "full" | "busy" | "other";

/** Primary result codes; the words are for the calls of which the platform gives no code. */
const FAULTS: readonly (readonly [code: number, words: string, fault: SqliteFault])[] = [
  [5, "database is locked", "busy"],
  [6, "database table is locked", "busy"],
  [11, "database disk image is malformed", "damaged"],
  [13, "database or disk is full", "full"],
  [24, "auxiliary database format error", "damaged"],
  [26, "file is not a database", "damaged"],
];

/**
 * SQLITE_IOERR_WRITE: what it makes of EFBIG, a file that has reached the size that `ulimit -f` allows. A disk that
 * fails gives the same, and goes on failing when room is made.
 */
const WRITE_REFUSED = 778;

export function faultOf(error: unknown): SqliteFault {
  const code = (error as { errcode?: unknown }).errcode;
  const message = messageOf(error);
  if (code === WRITE_REFUSED) return "full";
  for (const [known, words, fault] of FAULTS) {
    if (typeof code === "number" ? code % 256 === known : message.startsWith(words)) return fault;
  }
  // tables or columns that are missing: somebody else has written there
  return typeof code === "number" && code % 256 === 1 || /^no such (?:table|column)/.test(message)
    ? "damaged"
    : "other";
}

/** Why a store begins anew, in words that go on after its name. */
export function anewText(error: unknown): string {
  const fault = faultOf(error);
  if (fault === "full") return "begins anew, for the disk takes no more";
  return `${fault === "damaged" ? "is damaged" : "fails"} (${messageOf(error)}), and begins anew`;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
