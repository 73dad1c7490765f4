/** How a stored response is updated when its origin says that it still holds (RFC 9111 §3.2, §4.3.4, §4.3.5). */

import { formatDate, parseDate } from "../http/date.ts";
import { hasStrongDate, matchesWeakly, strongTagOf, tagsIn } from "./conditional.ts";
import { fieldOf } from "./field_lines.ts";
import { wholeLength } from "./range.ts";
import { replaceFields } from "./stored_fields.ts";
import type { FieldLine, StoredResponse } from "./stored_response.ts";

/**
 * Which stored response a 304 speaks of (§4.3.4): its place in `variants`, -1 when there is none or it cannot be
 * told. Of several that it may be, the first.
 *
 * Two things go beyond the letter of §4.3.4, because they are what origins do, and only where a single tag was
 * sent, which was that of a single stored response: a 304 without any validator is about that one; and so is
 * one whose tag is another, since nothing else can have been found to be unmodified. (The stored tag then stays,
 * see {@link replaceFields}: the bytes are those to which it was given.)
 *
 * @param variants those of which validators were sent, the one that was selected for the request first
 * @param asked the `If-None-Match` that was sent, with what the client asked, or `""`
 * @param fields those of the 304
 */
export function selectedBy(
  variants: readonly StoredResponse[],
  asked: string,
  fields: readonly FieldLine[],
): number {
  const tags = tagsIn(asked);
  const candidates: number[] = [];
  variants.forEach(({ fields }, index) => {
    if (tags.length === 0 || tags.includes(fieldOf(fields, "etag"))) candidates.push(index);
  });
  const single = candidates.length === 1 && tags.length <= 1;
  const tag = fieldOf(fields, "etag");
  const modified = fieldOf(fields, "last-modified");
  if (tag === "" && modified === "") return single ? candidates[0] : -1;

  const found = candidates.filter((index) => names(variants[index], tag, modified));
  // a date that several share tells them apart no more than none
  if (found.length > 0 && (tag !== "" || found.length === 1)) return found[0];
  return single && tags.length === 1 ? candidates[0] : -1;
}

/** Whether the validators of a 304, of which there is one at least, are those of a stored response. */
function names(stored: StoredResponse, tag: string, modified: string): boolean {
  const { fields, responseTime } = stored;
  const storedTag = fieldOf(fields, "etag");
  if (tag !== "" && storedTag !== "") {
    return strongTagOf(tag) !== null ? tag === storedTag : matchesWeakly(tag, storedTag);
  }
  const date = parseDate(modified, responseTime);
  if (date === null || date !== parseDate(fieldOf(fields, "last-modified"), responseTime)) return false;
  // a strong tag of which nothing is known is no match for a date that is not strong
  return strongTagOf(tag) === null || hasStrongDate(stored);
}

/**
 * A stored response as it is after a 304 (§4.3.4, §3.2). `null` when the 304 is about another response, when it
 * brings a `Vary` of which nothing is known here, or makes the head too large: then only the whole response will
 * do. Whether the result may still be stored is for who stores it: a 304 may say `private` or set a cookie.
 *
 * @param fields those of the 304, without those of one hop
 * @param requestTime when the request was sent, ms since the epoch; `responseTime` when the 304 came
 * @param asked the `If-None-Match` that was sent, or `""`
 * @param behind see {@link StoredResponse.behind}
 */
export function freshen(
  stored: StoredResponse,
  fields: readonly FieldLine[],
  requestTime: number,
  responseTime: number,
  asked = "",
  behind = 0,
): StoredResponse | null {
  if (selectedBy([stored], asked, fields) !== 0) return null;
  return updated(stored, fields, requestTime, responseTime, behind);
}

/**
 * A stored response to GET as it is after a response to HEAD (§4.3.5): updated if that has status 200 and is of
 * the same representation. `null` when it is not, or may not be: the stored response counts as stale from then on.
 *
 * §4.3.5 asks that every validator which came is the stored one, and `Content-Length` too. Beyond that, something
 * has to speak for the same representation: a validator, or the length where neither has one.
 *
 * @param fields those of the response to HEAD, without those of one hop
 */
export function updateByHead(
  stored: StoredResponse,
  status: number,
  fields: readonly FieldLine[],
  requestTime: number,
  responseTime: number,
  behind = 0,
): StoredResponse | null {
  if (status !== 200 || stored.status !== (stored.range === null ? 200 : 206)) return null;
  const length = fieldOf(fields, "content-length");
  if (length !== "" && length !== String(wholeLength(stored))) return null;
  if (fieldOf(fields, "content-encoding") !== fieldOf(stored.fields, "content-encoding")) return null;
  let same = 0;
  let known = 0;
  for (const name of ["etag", "last-modified"]) {
    const before = fieldOf(stored.fields, name);
    const now = fieldOf(fields, name);
    if (before !== "") known++;
    if (now === "") continue;
    if (now !== before) return null;
    same++;
  }
  if (known > 0 ? same === 0 : length === "") return null;
  return updated(stored, fields, requestTime, responseTime, behind);
}

function updated(
  stored: StoredResponse,
  fields: readonly FieldLine[],
  requestTime: number,
  responseTime: number,
  behind: number,
): StoredResponse | null {
  // the stored date would make it as old as before (RFC 9110 §6.6.1)
  const dated = fieldOf(fields, "date") !== ""
    ? fields
    : [...fields, ["Date", formatDate(responseTime - behind)] satisfies FieldLine];
  const replaced = replaceFields(stored, dated);
  return replaced === null ? null : {
    ...stored,
    fields: replaced,
    requestTime,
    responseTime,
    ...behind !== 0 || stored.behind ? { behind } : {},
  };
}
