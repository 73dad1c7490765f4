/** Looks into the database, beside the one that writes it and without ever waiting for it. */

import { DatabaseSync, type StatementSync } from "node:sqlite";
import { objectSum, pieceSum } from "./checksum.ts";
import {
  APPLICATION_ID,
  DATABASE_FILE,
  FORMAT_VERSION,
  MOST_PIECES,
  numberOf,
  PIECE_SIZE,
  READING,
  SHORT_BODY,
} from "./schema.ts";
import { messageOf } from "./sqlite_fault.ts";

/** An object as it stands in the database, found right. */
export interface StoredObject {
  readonly id: number;
  readonly key: string;
  readonly variant: string;
  readonly meta: string;
  readonly length: number;
  readonly seed: number;
  readonly written: number;
}

/** How an object has been used. */
export interface Usage {
  /** Bytes that it takes in the database. */
  readonly bytes: number;
  readonly hits: number;
  /** When it was used last, ms since the epoch. */
  readonly used: number;
}

/** One that was found by its key: with its body, unless that is long. */
export interface FoundObject extends Omit<StoredObject, "written"> {
  readonly short: Uint8Array | null;
  /** What its reader was opened with. */
  readonly epoch: number;
  /** Tells it from all others that the same store has found, for as long as the process lives. */
  readonly number: number;
}

interface Row extends Omit<StoredObject, "written"> {
  readonly sum: number;
}

/** What the platform's types do not know of yet. */
interface ReturningArrays {
  setReturnArrays(on: boolean): void;
}

/** As {@link BY_KEY} selects them. */
type FoundRow = [
  id: number,
  variant: string,
  meta: string,
  length: number,
  seed: number,
  sum: number,
  pieceSum: number | null,
  bytes: Uint8Array | null,
];

const COLUMNS = "o.id, o.variant, o.meta, o.length, o.seed, o.sum";
const MOST_ROWS = 64;
const NONE: readonly FoundObject[] = [];
/** A short body comes along: to ask for it afterwards takes as long again. */
const BY_KEY = `SELECT ${COLUMNS}, p.sum, p.bytes FROM objects o ` +
  `LEFT JOIN pieces p ON p.id = o.id * ${MOST_PIECES} AND o.length <= ${SHORT_BODY} ` +
  `WHERE o.key = ? LIMIT ${MOST_ROWS}`;
/** Rows of a listing that are read at once, so that nothing is held for long. */
const ROWS_AT_ONCE = 256;

export class DiskReader {
  readonly #database: DatabaseSync;
  readonly #byKey: StatementSync;

  private constructor(database: DatabaseSync, private readonly epoch: number) {
    this.#database = database;
    this.#byKey = database.prepare(BY_KEY);
    // a third of the time goes into objects with names
    (this.#byKey as unknown as ReturningArrays).setReturnArrays(true);
  }

  /**
   * @param epoch tells what this reader finds from what others do
   * @throws {Error} when there is none, or what is there cannot be read
   */
  static open(folder: string, epoch = 0): DiskReader {
    let database: DatabaseSync | null = null;
    try {
      database = new DatabaseSync(`${folder}/${DATABASE_FILE}`, { readOnly: true });
      database.exec(READING);
      const id = database.prepare("PRAGMA application_id").get()?.application_id;
      if (id !== APPLICATION_ID) throw new Error(`the ${DATABASE_FILE} in ${folder} is not weir's`);
      const version = database.prepare("PRAGMA user_version").get()?.user_version;
      if (version !== FORMAT_VERSION) {
        throw new Error(
          `what is in ${folder} was written by ${
            Number(version) > FORMAT_VERSION ? "a newer" : "an older"
          } version of weir`,
        );
      }
      return new DiskReader(database, epoch);
    } catch (error) {
      database?.close();
      if (!messageOf(error).startsWith("unable to open database file")) throw error;
      throw new Error(
        `${DATABASE_FILE} cannot be opened: to look into it takes the right to write ${folder} too`,
      );
    }
  }

  /**
   * All that is stored for a key, the latest last; those that are not what was written are told to `damaged`.
   *
   * @throws {Error} when the database cannot be read
   */
  objects(key: string, damaged: (id: number) => void): readonly FoundObject[] {
    const rows = this.#byKey.all(key) as unknown as FoundRow[];
    if (rows.length === 0) return NONE;
    const objects: FoundObject[] = [];
    for (const row of rows) {
      const found = foundObject(row, key, this.epoch);
      if (found === null) damaged(row[0]);
      else objects.push(found);
    }
    // identifiers grow, whatever the clock does; the database sorts a single row for as long as it takes to find it
    return objects.length < 2 ? objects : objects.sort((a, b) => a.id - b.id);
  }

  /** Everything there is, in no order that means anything. What is damaged is left out. */
  *all(): Generator<StoredObject & Usage> {
    const rows = this.#database.prepare(
      `SELECT ${COLUMNS}, o.key, o.written, e.bytes, e.hits, e.used FROM objects o JOIN entries e ON e.id = o.id ` +
        `WHERE o.id > ? ORDER BY o.id LIMIT ${ROWS_AT_ONCE}`,
    );
    for (let last = -1;;) {
      const some = rows.all(last) as unknown as (Row & StoredObject & Usage)[];
      for (const row of some) if (isRight(row)) yield row;
      if (some.length < ROWS_AT_ONCE) return;
      last = some[some.length - 1].id;
    }
  }

  totals(): { objects: number; bytes: number } {
    const row = this.#database.prepare(
      "SELECT count(*) AS objects, coalesce(sum(bytes), 0) AS bytes FROM entries WHERE whole = 1",
    ).get();
    return row as unknown as { objects: number; bytes: number };
  }

  close(): void {
    this.#database.close();
  }
}

/**
 * A piece of a body.
 *
 * @param statement selects `sum` and `bytes` by the number of the piece
 * @throws {Error} when the database cannot be read
 */
export function readPiece(
  statement: StatementSync,
  object: { id: number; seed: number; length: number },
  index: number,
): Uint8Array | "missing" | "damaged" {
  const row = statement.get(object.id * MOST_PIECES + index);
  if (row === undefined) return "missing";
  const { sum, bytes } = row;
  const expected = Math.min(PIECE_SIZE, object.length - index * PIECE_SIZE);
  return isPiece(bytes, expected) && pieceSum(bytes, object.seed, index) === sum ? bytes : "damaged";
}

function isPiece(bytes: unknown, length: number): bytes is Uint8Array {
  return bytes instanceof Uint8Array && bytes.length === length;
}

/** `null` for what is not what was written, or was written for another key. */
function foundObject(row: FoundRow, key: string, epoch: number): FoundObject | null {
  const [id, variant, meta, length, seed, sum, sumOfPiece, bytes] = row;
  const short = length > SHORT_BODY ? null : length === 0 ? new Uint8Array() : bytes;
  const object = { id, key, variant, meta, length, seed, sum, short, epoch, number: numberOf(id, epoch) };
  if (!isRight(object)) return null;
  if (length === 0 || length > SHORT_BODY) return object;
  return isPiece(short, length) && pieceSum(short, seed, 0) === sumOfPiece ? object : null;
}

function isRight(row: Row): boolean {
  return typeof row.key === "string" && typeof row.variant === "string" && typeof row.meta === "string" &&
    objectSum(row) === row.sum;
}
