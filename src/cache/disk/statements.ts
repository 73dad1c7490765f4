/** What is asked of the database by the one that writes it. */

import type { DatabaseSync } from "node:sqlite";

/** Objects that are looked at when room is made, pieces that are removed and pages that are given back at once. */
export const OBJECTS_AT_ONCE = 32;
export const PIECES_AT_ONCE = 64;
const PAGES_AT_ONCE = 256;

export type Statements = ReturnType<typeof prepareStatements>;

export function prepareStatements(database: DatabaseSync) {
  const prepare = (sql: string) => database.prepare(sql);
  return {
    begin: prepare("BEGIN IMMEDIATE"),
    commit: prepare("COMMIT"),
    rollback: prepare("ROLLBACK"),
    insertEntry: prepare(
      "INSERT INTO entries (hash, bytes, used, hits, whole) VALUES (0, 0, 0, 0, 0)",
    ),
    finishEntry: prepare("UPDATE entries SET hash = ?, bytes = ?, used = ?, whole = 1 WHERE id = ?"),
    entry: prepare("SELECT hash, bytes FROM entries WHERE id = ?"),
    abandonEntry: prepare("UPDATE entries SET whole = 0 WHERE id = ?"),
    deleteEntry: prepare("DELETE FROM entries WHERE id = ?"),
    insertPiece: prepare("INSERT INTO pieces (id, sum, bytes) VALUES (?, ?, ?)"),
    piece: prepare("SELECT sum, bytes FROM pieces WHERE id = ?"),
    somePieces: prepare(
      "SELECT count(*) AS count, max(id) AS last FROM " +
        `(SELECT id FROM pieces WHERE id >= ? AND id < ? ORDER BY id LIMIT ${PIECES_AT_ONCE})`,
    ),
    deletePieces: prepare("DELETE FROM pieces WHERE id >= ? AND id <= ?"),
    insertObject: prepare(
      "INSERT INTO objects (id, key, variant, length, seed, sum, written, meta) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    ),
    objectsOfKey: prepare(
      "SELECT id, variant, length, seed FROM objects WHERE key = ? ORDER BY id",
    ),
    changeMeta: prepare("UPDATE objects SET meta = ?, sum = ? WHERE id = ?"),
    deleteObject: prepare("DELETE FROM objects WHERE id = ?"),
    leastUsed: prepare(
      `SELECT id, bytes FROM entries WHERE whole = 1 ORDER BY used LIMIT ${OBJECTS_AT_ONCE}`,
    ),
    toRemove: prepare(
      `SELECT id FROM entries WHERE whole = 0 AND id > ? ORDER BY id LIMIT ${OBJECTS_AT_ONCE}`,
    ),
    use: prepare(
      "UPDATE entries SET used = ?, hits = hits + ? " +
        "WHERE id = (SELECT id FROM objects WHERE key = ? AND variant = ?)",
    ),
    useAll: prepare(
      "UPDATE entries NOT INDEXED SET used = ?, hits = hits + ? " +
        "WHERE id IN (SELECT value FROM json_each(?)) AND whole = 1",
    ),
    vacuum: prepare(`PRAGMA incremental_vacuum(${PAGES_AT_ONCE})`),
    pageCount: prepare("PRAGMA page_count"),
    freeCount: prepare("PRAGMA freelist_count"),
  };
}
