/** The database's form, and how its files are called. */

/** Bumped when the form changes; what was written by an older version is thrown away. */
export const FORMAT_VERSION = 1;
/** Says that a database is weir's: `weir` in ASCII. */
export const APPLICATION_ID = 0x77656972;

export const DATABASE_FILE = "weir-cache.sqlite";
/** The database and what SQLite puts beside it. */
export const DATABASE_FILES: readonly string[] = ["", "-wal", "-shm", "-journal"].map((end) =>
  DATABASE_FILE + end
);

/** Bytes of a page: larger ones cost small objects, smaller ones large bodies. */
export const PAGE_SIZE = 8192;

/** Bytes of each piece of a body but the last one. */
export const PIECE_SIZE = 128 * 1024;
/** Bodies up to this length are read where they are asked for; asking the worker takes longer than reading them. */
export const SHORT_BODY = 64 * 1024;
/** The pieces of an object follow each other: its identifier times this is where they begin. */
export const MOST_PIECES = 2 ** 20;
/** Identifiers are not used again; this many leave the numbers of their pieces exact. */
export const MOST_IDENTIFIERS = 2 ** 33;

/** What tells an object from those with its identifier that were there before a fresh start, however many. */
export function numberOf(id: number, epoch: number): number {
  return epoch * MOST_IDENTIFIERS + id;
}

/** The identifier in such a number; `null` when it is from before a fresh start. */
export function idOf(number: number, epoch: number): number | null {
  const id = number - numberOf(0, epoch);
  return id >= 0 ? id : null;
}

/** For a database that is to be written, before its tables. */
export const WRITING = `
  PRAGMA busy_timeout = 1000;
  PRAGMA page_size = ${PAGE_SIZE};
  PRAGMA auto_vacuum = INCREMENTAL;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA cache_size = -4096;
  PRAGMA trusted_schema = OFF;
  PRAGMA cell_size_check = ON;
`;

/** For a connection that only reads. It never waits: what is busy counts as not there. */
export const READING = `
  PRAGMA busy_timeout = 0;
  PRAGMA cache_size = -4096;
  PRAGMA trusted_schema = OFF;
  PRAGMA cell_size_check = ON;
  PRAGMA query_only = ON;
`;

/**
 * - `entries`: what is on the disk, small rows that change often. `whole` is 0 while a body is being written and
 *   when one is to be removed. `used` is in ms since the epoch.
 * - `objects`: what may be seen, each in the moment in which all of it is there.
 * - `pieces`: bodies.
 */
export const TABLES = `
  CREATE TABLE entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    hash INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    used INTEGER NOT NULL,
    hits INTEGER NOT NULL,
    whole INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX entries_by_use ON entries (used) WHERE whole = 1;
  CREATE INDEX entries_to_remove ON entries (id) WHERE whole = 0;
  CREATE TABLE objects (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    variant TEXT NOT NULL,
    length INTEGER NOT NULL,
    seed INTEGER NOT NULL,
    sum INTEGER NOT NULL,
    written INTEGER NOT NULL,
    meta TEXT NOT NULL,
    UNIQUE (key, variant)
  ) STRICT;
  CREATE TABLE pieces (
    id INTEGER PRIMARY KEY,
    sum INTEGER NOT NULL,
    bytes BLOB NOT NULL
  ) STRICT;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${FORMAT_VERSION};
`;
