/** Whether a response may be kept for others who ask for the same (RFC 9111 §3). */

import { parseDate } from "../http/date.ts";
import { readRequestDirectives, readResponseDirectives, type ResponseDirectives } from "./cache_control.ts";
import { strongTagOf } from "./conditional.ts";
import { credentialsOf } from "./credential_fields.ts";
import { entityTagOf } from "./entity_tag.ts";
import { isHeuristicallyCacheable, lifetime } from "./freshness.ts";
import { readContentRange } from "./range.ts";
import { fieldOf } from "./field_lines.ts";
import type { CacheRequest, CacheResponse, FieldLine, Fields, StoredResponse } from "./stored_response.ts";
import { varyOf } from "./vary.ts";

/** Whether to store, and in a few words for the log why not. */
export type Storability = { readonly store: true } | { readonly store: false; readonly reason: string };

const STORE: Storability = { store: true };

/** Statuses of which weir knows what they mean to a cache (§5.2.2.3): final ones of RFC 9110 §15. */
const UNDERSTOOD: ReadonlySet<number> = new Set([
  ...[200, 201, 202, 203, 204, 205, 206],
  ...[300, 301, 302, 303, 305, 307, 308],
  ...[400, 402, 403, 404, 405, 406, 409, 410, 414, 422],
  ...[500, 501, 502, 503, 504, 505],
]);

/**
 * Statuses that say something of one request, of who made it or when, and nothing of what was asked for: nobody
 * else is to hear them, whatever the response allows. RFC 6585 forbids it for 428, 429, 431 and 511.
 */
const OF_ONE_REQUEST: ReadonlySet<number> = new Set([
  ...[304, 401, 407, 408, 411, 412, 413, 415, 416, 417, 421, 425, 426, 428, 429, 431, 511],
]);

/** Whether a status says something of one request alone, and nothing of what was asked for. */
export function isOfOneRequest(status: number): boolean {
  return OF_ONE_REQUEST.has(status);
}

/** Statuses for which a 304 can stand (RFC 9110 §13.2.1): only they are of any use once they are stale. */
export function canBeValidated(status: number): boolean {
  return status === 200 || status === 203 || status === 206;
}

/**
 * Whether this response to this request may be stored. What is not looked at here is whether the body came whole,
 * whether it fits, and what the policy says of it.
 *
 * @param now ms since the epoch, when the response came
 * @param url of the request, `http://host:port/path?query`, if a response to POST may be stored under it that says
 * by itself that it is what a GET of the same URL would bring (RFC 9110 §9.3.3); `null` to store none
 * @param noGuess why nothing may be stored that does not say for how long, `""` when it may: the origin is one of this
 * machine or network, or the URL is a key
 */
export function mayStore(
  request: CacheRequest,
  response: CacheResponse,
  now: number,
  url: string | null = null,
  noGuess = "",
): Storability {
  const { status, fields } = response;
  if (request.method === "POST") {
    if (url === null || !isRepresentationOf(url, response, now)) return no("method");
  } else {
    if (request.method !== "GET") return no("method");
    // a body may decide what comes back (RFC 9110 §9.3.1), and is in no key
    if (request.hasBody) return no("request body");
  }
  if (!(status >= 200 && status <= 599) || OF_ONE_REQUEST.has(status)) return no(`status ${status}`);
  if (readRequestDirectives(request.fields.field("cache-control")).noStore) return no("request no-store");

  const directives = readResponseDirectives(fields.field("cache-control"));
  const understood = UNDERSTOOD.has(status);
  if (directives.mustUnderstand && !understood) return no("must-understand");
  // who understands the status heeds must-understand in place of the no-store beside it (§5.2.2.3)
  if (directives.noStore && !directives.mustUnderstand) return no("no-store");
  if (directives.private === true) return no("private");
  const refused = forbiddenToShare(request, fields, directives);
  if (refused !== null) return no(refused);
  if (varyOf(request, response) === null) return no(varyReason(fields));
  if (status === 206 && partOf(request, response) === null) return no("range");

  const timed = directives.maxAge !== null || directives.sMaxAge !== null || fields.field("expires") !== "";
  if (!timed && !directives.public && !isHeuristicallyCacheable(status)) {
    return no(`status ${status} without freshness`);
  }
  if (noGuess !== "" && !timed && directives.noCache !== true) return no(noGuess);
  const personal = isPersonal(request);
  const fresh = lifetime(status, (name) => fields.field(name), now, personal).seconds > 0;
  if (personal && !isForSharing(directives) && !isAskedFor(fields, directives, fresh)) {
    return no("credentials");
  }
  return usefulness(status, fields, directives, now, fresh);
}

/** Whether no lifetime is estimated for what a request brings: it proves whose it is. */
export function isPersonal(request: CacheRequest): boolean {
  return credentialsOf(request) !== "none";
}

/** Whether a response says itself that it is for more clients than one: `public`, or `s-maxage` above 0. */
export function isForSharing({ public: isPublic, sMaxAge }: ResponseDirectives): boolean {
  return isPublic || (sMaxAge ?? 0) > 0;
}

/**
 * Whether a response to somebody's credentials is fresh by its own word, or is given to nobody before the origin has
 * said for these credentials that it is the one: by its tag, since a date is the same for many pages.
 */
function isAskedFor(fields: Fields, directives: ResponseDirectives, fresh: boolean): boolean {
  if (directives.noCache !== true && fresh) return true;
  return !mayServeStale(directives) && entityTagOf(fields.field("etag")) !== null;
}

/**
 * Whether a response to POST is stored for those who GET the same URL (RFC 9110 §9.3.3): it has that URL as its
 * `Content-Location`, and says itself how long it is fresh.
 */
function isRepresentationOf(target: string, { status, fields }: CacheResponse, now: number): boolean {
  const location = fields.field("content-location");
  if (status !== 200 || location === "" || !URL.canParse(location, target)) return false;
  if (new URL(location, target).href !== new URL(target).href) return false;
  const { seconds, heuristic } = lifetime(status, (name) => fields.field(name), now);
  return seconds > 0 && !heuristic;
}

function no(reason: string): Storability {
  return { store: false, reason };
}

/** Why a response that is somebody's own may not be given to others; `null` when it may. */
function forbiddenToShare(
  request: CacheRequest,
  fields: Fields,
  directives: ResponseDirectives,
): string | null {
  const shared = isForSharing(directives);
  // §3.5
  if (request.fields.field("authorization") !== "" && !shared && !directives.mustRevalidate) {
    return "authorization";
  }
  // nothing forbids to keep a page that sets a cookie, but few mean it for others: they have to say so of their own
  // accord, and a lifetime in Cache-Control is the least; the cookie itself is not kept
  const { sMaxAge, maxAge, noCache } = directives;
  const lasting = shared || sMaxAge === null && (maxAge ?? 0) > 0 && noCache !== true;
  if (fields.field("set-cookie") !== "" && !lasting && !namedFields(directives).has("set-cookie")) {
    return "set-cookie";
  }
  return null;
}

function varyReason(fields: Fields): string {
  return fields.field("vary").includes("*") ? "vary *" : "vary";
}

/** Whether a stored response could ever be used: as it is, or once its origin says that it still holds. */
function usefulness(
  status: number,
  fields: Fields,
  directives: ResponseDirectives,
  now: number,
  fresh: boolean,
): Storability {
  if (canBeValidated(status) && hasValidator(fields, now)) return STORE;
  if (directives.noCache === true) return no("no-cache without a validator");
  if (fresh || mayServeStale(directives) && statesStaleness(directives)) return STORE;
  return no("no validator and no freshness");
}

function statesStaleness({ staleWhileRevalidate, staleIfError }: ResponseDirectives): boolean {
  return (staleWhileRevalidate ?? 0) > 0 || (staleIfError ?? 0) > 0;
}

/**
 * Whether a response leaves it to caches to use it when it is stale (§4.2.4): `no-cache`, `must-revalidate`,
 * `proxy-revalidate` and `s-maxage`, which has the meaning of the latter (§5.2.2.10), forbid it.
 */
export function mayServeStale(directives: ResponseDirectives): boolean {
  return directives.noCache !== true && !directives.mustRevalidate && !directives.proxyRevalidate &&
    directives.sMaxAge === null;
}

/** Whether the origin can be asked if the response still holds (RFC 9110 §8.8). */
function hasValidator(fields: Fields, now: number): boolean {
  return entityTagOf(fields.field("etag")) !== null || parseDate(fields.field("last-modified"), now) !== null;
}

/**
 * The names in lower case of the fields that are not to be stored with the response, and reach the client alone for
 * which it came: those that its `private` and `no-cache` name (§5.2.2.4, §5.2.2.7), and `Set-Cookie` unless it says
 * that it is for sharing: what it sets is more often one client's session than not (§7.3).
 */
export function omittedFields(directives: ResponseDirectives): ReadonlySet<string> {
  const named = namedFields(directives);
  if (isForSharing(directives)) return named;
  return named === NONE ? COOKIES : new Set([...named, ...COOKIES]);
}

/** Those that the response names. */
function namedFields({ private: own, noCache }: ResponseDirectives): ReadonlySet<string> {
  if (!Array.isArray(own) && !Array.isArray(noCache)) return NONE;
  return new Set([...Array.isArray(own) ? own : [], ...Array.isArray(noCache) ? noCache : []]);
}

const NONE: ReadonlySet<string> = new Set();
const COOKIES: ReadonlySet<string> = new Set(["set-cookie"]);

/** The lines of a response without {@link omittedFields}. */
export function storedLines(lines: readonly FieldLine[]): readonly FieldLine[] {
  return linesWithout(omittedOf(lines), lines);
}

/**
 * The lines of a stored response that was updated, for the client whose request did that: of {@link omittedFields} it
 * gets those that came with the update, and none that were stored when the response did not say yet that they are not
 * for others.
 *
 * @param came the lines of the update
 */
export function updatedLines(lines: readonly FieldLine[], came: readonly FieldLine[]): readonly FieldLine[] {
  const omitted = new Set(omittedOf(lines));
  for (const [name] of came) omitted.delete(name.toLowerCase());
  return linesWithout(omitted, lines);
}

function omittedOf(lines: readonly FieldLine[]): ReadonlySet<string> {
  return omittedFields(readResponseDirectives(fieldOf(lines, "cache-control")));
}

function linesWithout(omitted: ReadonlySet<string>, lines: readonly FieldLine[]): readonly FieldLine[] {
  const stays = ([name]: FieldLine) => !omitted.has(name.toLowerCase());
  return omitted.size === 0 || lines.every(stays) ? lines : lines.filter(stays);
}

/**
 * Which part of the representation a 206 holds, if it may be kept (§3.3, §3.4): a single range that was asked for,
 * of a representation of known length with a strong entity tag, and a body of that length if it says so. `null`
 * otherwise, and for other statuses.
 */
export function partOf(request: CacheRequest, response: CacheResponse): StoredResponse["range"] {
  const { status, fields } = response;
  if (status !== 206 || request.fields.field("range") === "") return null;
  if (strongTagOf(fields.field("etag")) === null) return null;
  const range = readContentRange(fields.field("content-range"));
  const length = fields.field("content-length");
  if (range === null || length !== "" && length !== String(range.last - range.first + 1)) return null;
  return range;
}
