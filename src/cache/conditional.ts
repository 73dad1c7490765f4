/**
 * What a request's conditions say of a stored response (RFC 9110 §13, RFC 9111 §4.3.2). `If-Match` and
 * `If-Unmodified-Since` are not for a cache: they protect what only the origin knows, its present state.
 */

import { parseDate } from "../http/date.ts";
import { entityTagOf } from "./entity_tag.ts";
import { fieldOf } from "./field_lines.ts";
import { type Fields, receivedAt, type StoredResponse } from "./stored_response.ts";

/** The entity tag of an `ETag` if it is a strong one (RFC 9110 §8.8.1); `null` for a weak one and for what is none. */
export function strongTagOf(etag: string): string | null {
  const tag = entityTagOf(etag);
  return tag === null || tag.startsWith("W/") ? null : tag;
}

/**
 * Whether two tags are the same in the weak comparison (RFC 9110 §8.8.3.2). A text that is no entity tag, as some
 * origins send them, is the same as itself alone.
 */
export function matchesWeakly(one: string, other: string): boolean {
  return one !== "" && opaque(one) === opaque(other);
}

/** The tag without its mark of weakness. */
function opaque(tag: string): string {
  return tag.startsWith("W/") && entityTagOf(tag) !== null ? tag.slice(2) : tag;
}

/** The members of a list of entity tags; what is none is one too. Commas within quotes separate nothing. */
export function tagsIn(text: string): string[] {
  const tags: string[] = [];
  let quoted = false;
  let from = 0;
  for (let at = 0; at <= text.length; at++) {
    const character = text[at];
    if (character === '"') quoted = !quoted;
    if (at < text.length && (quoted || character !== ",")) continue;
    const tag = text.slice(from, at).trim();
    if (tag !== "") tags.push(tag);
    from = at + 1;
  }
  return tags;
}

/**
 * Whether a client that asks under these conditions has what is stored already, so that 304 tells it all (RFC 9110
 * §13.2.2 step 3 and 4): `If-None-Match`, and only without it `If-Modified-Since`. Of stored responses other than
 * 200 and 206 it never does (RFC 9111 §4.3.2). The method is GET or HEAD.
 */
export function isNotModified(stored: StoredResponse, request: Fields): boolean {
  if (stored.status !== 200 && stored.status !== 206) return false;
  const tags = request.field("if-none-match");
  if (tags !== "") {
    if (tags === "*") return true;
    const tag = fieldOf(stored.fields, "etag");
    return tag !== "" && tagsIn(tags).some((other) => matchesWeakly(tag, other));
  }
  const since = request.field("if-modified-since");
  if (since === "") return false;
  // no date, or more of them than one, is ignored (§13.1.3)
  const limit = parseDate(since, stored.responseTime);
  return limit !== null && modifiedAt(stored) <= limit;
}

/**
 * When a stored response was modified, ms since the epoch: as `Last-Modified` says; without one, when it was made
 * at the latest; without that too, when it came (RFC 9111 §4.3.2). A `Last-Modified` that is no date says that it
 * may have been modified at any time.
 */
function modifiedAt(stored: StoredResponse): number {
  const { fields } = stored;
  const received = receivedAt(stored);
  const modified = fieldOf(fields, "last-modified");
  if (modified !== "") return parseDate(modified, received) ?? Infinity;
  return parseDate(fieldOf(fields, "date"), received) ?? received;
}

/**
 * Whether the `Last-Modified` of a stored response is a strong validator for a cache (RFC 9110 §8.8.2.2): it was
 * sent at least a second after the last change, so that no change in the same second is hidden by it.
 */
export function hasStrongDate({ fields, responseTime }: StoredResponse): boolean {
  const modified = parseDate(fieldOf(fields, "last-modified"), responseTime);
  const made = parseDate(fieldOf(fields, "date"), responseTime);
  return modified !== null && made !== null && made - modified >= 1000;
}

/**
 * Whether a request's `If-Range` lets its `Range` be answered from a stored response (RFC 9110 §13.1.5): the same
 * strong entity tag, or the very date of its `Last-Modified` where that is strong. Without `If-Range` it does.
 */
export function allowsRange(stored: StoredResponse, ifRange: string): boolean {
  if (ifRange === "") return true;
  const tag = strongTagOf(ifRange);
  if (tag !== null) return tag === strongTagOf(fieldOf(stored.fields, "etag"));
  return ifRange === fieldOf(stored.fields, "last-modified") && hasStrongDate(stored);
}
