/** How the fields of a stored response are updated by those of a later one (RFC 9111 §3.2). */

import { matchesWeakly, strongTagOf } from "./conditional.ts";
import { fieldOf } from "./field_lines.ts";
import type { FieldLine, StoredResponse } from "./stored_response.ts";

/** Bounds of a head that is updated: one that grows beyond is not kept. */
const MAX_FIELDS = 256;
const MAX_SIZE = 65_536;

/** Fields of one connection (RFC 9111 §3.1), in case that they are still there. */
const OF_ONE_HOP: readonly string[] = [
  "connection",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
];

/**
 * Fields that a stored response keeps as they were. §3.2 excepts `Content-Length` and lets those be excepted that
 * say how the stored bytes are to be read; sums over these bytes are of the same kind. `Content-Type` is none.
 */
const OF_THE_BODY: readonly string[] = [
  "content-digest",
  "content-encoding",
  "content-length",
  "content-md5",
  "content-range",
  "digest",
  "repr-digest",
];

const KEPT: ReadonlySet<string> = new Set([...OF_ONE_HOP, ...OF_THE_BODY]);

/**
 * The fields of a stored response after those of a later one replaced them by name; the new ones come last.
 *
 * - `Age` and `Date` are those of the later response, whether it has an `Age` or not: they say when the origin last
 *   spoke. Who calls adds a `Date` where there is none.
 * - `ETag` changes only to one that names the same representation and promises no more; else `Last-Modified` stays
 *   too.
 * - `Vary` stays: the stored response is known to be right for the fields that it names. `null` when the later
 *   response names others, since nothing is known of them.
 * - `null` too for more than 256 fields or 64 KiB.
 */
export function replaceFields(stored: StoredResponse, later: readonly FieldLine[]): FieldLine[] | null {
  if (!variesTheSame(stored, fieldOf(later, "vary"))) return null;
  const kept = new Set(KEPT);
  kept.add("vary");
  for (const name of fieldOf(later, "connection").split(",", MAX_FIELDS)) {
    if (!NEVER_OF_ONE_HOP.has(name.trim().toLowerCase())) kept.add(name.trim().toLowerCase());
  }
  if (!replacesTag(fieldOf(stored.fields, "etag"), fieldOf(later, "etag"))) {
    kept.add("etag").add("last-modified");
  }

  const added: FieldLine[] = [];
  const replaced = new Set(["age"]);
  for (const line of later) {
    const name = line[0].toLowerCase();
    if (kept.has(name)) continue;
    replaced.add(name);
    added.push(line);
  }
  const fields = stored.fields.filter(([name]) => !replaced.has(name.toLowerCase()));
  fields.push(...added);
  return isWithinBounds(fields) ? fields : null;
}

/** Fields that a `Connection` has no business naming, of those that matter here. */
const NEVER_OF_ONE_HOP: ReadonlySet<string> = new Set([
  "age",
  "cache-control",
  "content-type",
  "date",
  "etag",
  "expires",
  "last-modified",
  "pragma",
  "set-cookie",
  "vary",
]);

/**
 * Whether all that a later `Vary` names was noted when the response was stored. A `Vary` that names less makes no
 * difference: the more careful one stays.
 */
function variesTheSame(stored: StoredResponse, vary: string): boolean {
  for (const member of vary.split(",", MAX_SIZE)) {
    const name = member.trim().toLowerCase();
    if (name !== "" && !stored.vary.some(([known]) => known === name)) return false;
  }
  return true;
}

/** Whether a later `ETag` may stand in the place of the stored one: a weak tag does not become a strong one. */
function replacesTag(stored: string, later: string): boolean {
  if (stored === "" || later === "") return true;
  return matchesWeakly(stored, later) && (strongTagOf(stored) !== null || strongTagOf(later) === null);
}

function isWithinBounds(fields: readonly FieldLine[]): boolean {
  if (fields.length > MAX_FIELDS) return false;
  let size = 0;
  // with `: ` and the end of the line
  for (const [name, value] of fields) size += name.length + value.length + 4;
  return size <= MAX_SIZE;
}
