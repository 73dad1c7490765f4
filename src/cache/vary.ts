/** Which requests a stored response may answer, by its `Vary` (RFC 9111 §4.1). */

import { isToken } from "../http/characters.ts";
import { acceptsCoding } from "./accept_encoding.ts";
import { fieldOf } from "./field_lines.ts";
import { contentCodingOf } from "./freshness.ts";
import { choiceOf, trimmed } from "./preferences.ts";
import type { CacheRequest, CacheResponse, FieldLine, StoredResponse } from "./stored_response.ts";

/** Names that a `Vary` may have, and characters of all the values that it selects together. */
const MAX_NAMES = 32;
const MAX_VALUES = 4096;

/** Fields that prove who asks: a response that depends on one that was sent is of use to nobody else. */
const CREDENTIALS: ReadonlySet<string> = new Set(["authorization", "cookie", "proxy-authorization"]);

/**
 * What the request says in the fields that the response's `Vary` names, as {@link StoredResponse.vary} keeps it:
 * names in lower case, values as they came. `null` when no other request can be known to be answered by it:
 * for `*`, for what is no list of names, for one of credentials that were sent, and beyond the bounds.
 *
 * An encoded response varies by `Accept-Encoding`, whether it says so or not, if the request had one.
 */
export function varyOf(request: CacheRequest, response: CacheResponse): FieldLine[] | null {
  const lines: FieldLine[] = [];
  const vary = response.fields.field("vary");
  if (vary === "") return withCodings(lines, request, response, 0);
  const names = new Set<string>();
  let size = 0;
  for (const written of vary.split(",", MAX_VALUES)) {
    const name = trimmed(written).toLowerCase();
    if (name === "" || names.has(name)) continue;
    if (name === "*" || !isToken(name) || names.size === MAX_NAMES) return null;
    names.add(name);
    const value = request.fields.field(name);
    size += name.length + value.length;
    if (size > MAX_VALUES || value !== "" && CREDENTIALS.has(name)) return null;
    lines.push([name, value]);
  }
  return names.has(CODINGS) ? lines : withCodings(lines, request, response, size);
}

const CODINGS = "accept-encoding";

function withCodings(
  lines: FieldLine[],
  request: CacheRequest,
  { fields }: CacheResponse,
  size: number,
): FieldLine[] | null {
  if (fields.field("content-encoding") === "") return lines;
  const value = request.fields.field(CODINGS);
  if (size + CODINGS.length + value.length > MAX_VALUES) return null;
  if (value !== "") lines.push([CODINGS, value]);
  return lines;
}

/**
 * Whether a request says the same as the stored one in all the fields that the stored response varies by, and takes its
 * content coding (RFC 9110 §12.5.3), or says of codings what the request did that the origin has answered with it.
 */
export function matches(stored: StoredResponse, request: CacheRequest): boolean {
  let coded = false;
  for (const [name, value] of stored.vary) {
    const asked = request.fields.field(name);
    coded ||= name === CODINGS;
    if (asked !== value && !sameMeaning(stored, name, value, asked)) return false;
  }
  if (coded) return true;
  const coding = contentCodingOf(stored);
  return coding === "" && request.takesUncoded === true ||
    acceptsCoding(request.fields.field(CODINGS), coding);
}

function sameMeaning(stored: StoredResponse, name: string, value: string, asked: string): boolean {
  // a field that is absent is matched by its absence alone
  if (asked === "" || value === "" || asked.length > MAX_VALUES) return false;
  if (normalise(name, asked) === normalise(name, value)) return true;
  // where the origin does not say that it varies by it, all are alike that take what it has sent
  if (name === CODINGS && !fieldOf(stored.fields, "vary").toLowerCase().includes(CODINGS)) {
    return acceptsCoding(asked, contentCodingOf(stored));
  }
  return name === "accept-language" && isFirstChoice(fieldOf(stored.fields, "content-language"), asked);
}

/** Lists of which the order means nothing (RFC 9110 §12.5), and that are written in any case. */
const PREFERENCES: ReadonlySet<string> = new Set(["accept-charset", "accept-encoding", "accept-language"]);

/**
 * The value of a request's field in one of the ways to write it that mean the same (§4.1): without white space
 * around commas, and lists of preferences in one order, in lower case and with the shortest weights.
 */
export function normalise(name: string, value: string): string {
  // of other characters nobody knows what they mean, and lower case would make some of them equal
  if (!ASCII.test(value)) return value;
  const list = members(value);
  if (list === null) return value;
  return (PREFERENCES.has(name) ? list.map(preference).sort() : list).join(",");
}

const ASCII = /^[\t\x20-\x7e]*$/;

/** `gzip ; Q=1.0` as `gzip`, `br;q=0.50` as `br;q=0.5`. */
function preference(member: string): string {
  const [choice, weight] = choiceOf(member.toLowerCase());
  return weight === null ? member : weight === 1000 ? choice : `${choice};q=${weight}`;
}

/**
 * The members of a list without the white space around them, split at commas outside of quoted strings. What is no
 * list is one too, with its commas: empty members are kept. `null` when a quoted string has no end.
 */
function members(value: string): string[] | null {
  const found: string[] = [];
  let quoted = false;
  let from = 0;
  for (let i = 0; i < value.length; i++) {
    const character = value[i];
    if (character === '"') quoted = !quoted;
    else if (character === "\\" && quoted) i++;
    else if (character === "," && !quoted) {
      found.push(trimmed(value.slice(from, i)));
      from = i + 1;
    }
  }
  found.push(trimmed(value.slice(from)));
  return quoted ? null : found;
}

/**
 * Whether a response in one language is what this request wants most of all: its language alone has the highest
 * weight. The origin has chosen it for somebody else, so it has it to give.
 */
function isFirstChoice(contentLanguage: string, acceptLanguage: string): boolean {
  const language = contentLanguage.toLowerCase();
  if (!isToken(language)) return false;
  let best = 0;
  let first = "";
  for (const member of members(acceptLanguage.toLowerCase()) ?? []) {
    const [choice, weight] = choiceOf(member);
    if (weight === null) return false;
    if (weight < best || weight === 0) continue;
    first = weight === best ? "" : choice;
    best = weight;
  }
  return first === language;
}
