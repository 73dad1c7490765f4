/** What becomes of a request before the origin is asked: the one decision of the cache (RFC 9111 §4). */

import { parseDate } from "../http/date.ts";
import { type RequestDirectives, requestDirectivesOf, type ResponseDirectives } from "./cache_control.ts";
import { allowsRange } from "./conditional.ts";
import { entityTagOf } from "./entity_tag.ts";
import { fieldOf } from "./field_lines.ts";
import { ageOf, directivesOf, lifetimeOf, madeAt } from "./freshness.ts";
import { readRange, spanOf } from "./range.ts";
import { canBeValidated, mayServeStale } from "./storability.ts";
import type { CacheRequest, FieldLine, StoredResponse } from "./stored_response.ts";
import { matches } from "./vary.ts";

/** A stored response that was selected, and how it stands. Seconds. */
interface Selected {
  readonly stored: StoredResponse;
  readonly age: number;
  /** What is left of its lifetime; 0 or less when it is stale. */
  readonly ttl: number;
}

/**
 * - `bypass`: the store is not looked into. `forward` is the word of RFC 9211 §2.2, `reason` one for the log.
 * - `miss`: nothing answers it. `partial` when there is a part, of which the request wants more or other bytes.
 *   `fields` ask the origin whether one of the variants that were stored for other requests is the one that this
 *   request gets too (§4.3.1); empty where there is nothing to ask.
 * - `hit`: to be answered with it as it is. A `ttl` of 0 or less says that it is stale and the request does not
 *   mind (`max-stale`).
 * - `stale`: to be answered with it now, and validated behind the client's back (RFC 5861 §3).
 * - `validate`: the origin is asked first, with `fields` in the place of the client's `If-None-Match` and
 *   `If-Modified-Since`; without any, as if nothing were stored. `stale` says that it may not be used without,
 *   `request` that it might be, were it not for the request. `staleIfDisconnected`: it may be used when the origin
 *   cannot be reached or gives no answer (§4.2.4); `staleIfError`: also when it answers with 500, 502, 503 or 504
 *   (RFC 5861 §4).
 * - `unsatisfiable`: the request wants nothing from the origin, and nothing here will do: 504 (§5.2.1.7).
 */
export type Finding =
  | { readonly kind: "bypass"; readonly forward: "method" | "request" | "bypass"; readonly reason: string }
  | {
    readonly kind: "miss";
    readonly reason: "uri-miss" | "vary-miss" | "partial";
    readonly fields: readonly FieldLine[];
  }
  | { readonly kind: "hit" } & Selected
  | { readonly kind: "stale"; readonly while: "revalidate"; readonly fields: readonly FieldLine[] } & Selected
  | {
    readonly kind: "validate";
    readonly reason: "stale" | "request";
    readonly staleIfError: boolean;
    readonly staleIfDisconnected: boolean;
    readonly fields: readonly FieldLine[];
  } & Selected
  | { readonly kind: "unsatisfiable" };

/** Entity tags that are sent to the origin at once. */
const MAX_TAGS = 16;

/** What a request asks for only part of, or only if: then nothing is made of it but what it says itself. */
const OWN_CONDITIONS: readonly string[] = ["if-none-match", "if-modified-since", "range", "if-range"];

/** How long a response that says nothing of it is used in place of an origin that is gone, seconds (§4.2.4). */
const MAX_DISCONNECTED = 86_400;

/**
 * Decides about a request.
 *
 * @param variants what is stored for its URL, for whatever requests
 * @param now ms since the epoch
 */
export function find(variants: readonly StoredResponse[], request: CacheRequest, now: number): Finding {
  const asked = requestDirectivesOf(request.fields);
  const bypass = bypassOf(request, asked);
  const finding = bypass ?? look(variants, request, asked, now);
  const answered = finding.kind === "hit" || finding.kind === "stale";
  return asked.onlyIfCached && !answered ? { kind: "unsatisfiable" } : finding;
}

/** Requests for which the store is not looked into; `null` for all others. */
function bypassOf(request: CacheRequest, asked: RequestDirectives): Finding | null {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return { kind: "bypass", forward: "method", reason: "method" };
  }
  if (request.hasBody) return { kind: "bypass", forward: "bypass", reason: "request body" };
  // §5.2.1.5 is about storing alone; who says it wants no part of a cache, and gets none
  if (asked.noStore) return { kind: "bypass", forward: "request", reason: "request no-store" };
  // these are for the origin to evaluate (§4.3.2)
  for (const name of ["if-match", "if-unmodified-since"]) {
    if (request.fields.field(name) !== "") return { kind: "bypass", forward: "request", reason: name };
  }
  return null;
}

function look(
  variants: readonly StoredResponse[],
  request: CacheRequest,
  asked: RequestDirectives,
  now: number,
): Finding {
  const stored = selectedOf(variants, request);
  if (stored === null) {
    if (variants.length === 0) return NOTHING_STORED;
    const isPartial = variants.some((stored) => matches(stored, request));
    return isPartial
      ? { kind: "miss", reason: "partial", fields: [] }
      : { kind: "miss", reason: "vary-miss", fields: missFields(variants, request) };
  }
  const says = directivesOf(stored);
  const lifetime = lifetimeOf(stored).seconds;
  const age = ageOf(stored, now);
  const ttl = lifetime - age;
  const fresh = ttl > 0;
  const wanted = isWanted(asked, says, age, ttl);
  if (fresh && wanted && says.noCache !== true) return { kind: "hit", stored, age, ttl };

  const selected: Selected = { stored, age, ttl };
  const mayBeStale = mayServeStale(says);
  if (!fresh && wanted && mayBeStale) {
    // seconds are rounded down: an equal number may be more
    if (asked.maxStale !== null && -ttl < asked.maxStale) return { kind: "hit", ...selected };
    if (says.staleWhileRevalidate !== null && -ttl < says.staleWhileRevalidate) {
      return { kind: "stale", while: "revalidate", fields: validators(variants, stored), ...selected };
    }
  }
  const staleIfError = mayBeStale && isWantedAfterError(asked, says, ttl, wanted);
  return {
    kind: "validate",
    reason: fresh && says.noCache !== true ? "request" : "stale",
    staleIfError,
    staleIfDisconnected: staleIfError ||
      mayBeStale && wanted && statesNoLimit(asked, says) && -ttl < MAX_DISCONNECTED,
    fields: validators(variants, stored),
    ...selected,
  };
}

/** Whether nothing in the request speaks against the use of a stored response of this age (§5.2.1). */
function isWanted(asked: RequestDirectives, says: ResponseDirectives, age: number, ttl: number): boolean {
  if (asked.noCache) return false;
  if (asked.minFresh !== null && ttl <= asked.minFresh) return false;
  // a reload is no reason to ask for what never changes while it is fresh (RFC 8246 §2)
  if (asked.maxAge === 0 && says.immutable && ttl > 0) return true;
  return asked.maxAge === null || age < asked.maxAge;
}

/** Whether an error of the origin is to be hidden behind a stale response (RFC 5861 §4). */
function isWantedAfterError(
  asked: RequestDirectives,
  says: ResponseDirectives,
  ttl: number,
  wanted: boolean,
): boolean {
  if (asked.noCache) return false;
  if (asked.staleIfError !== null) return -ttl < Math.min(asked.staleIfError, says.staleIfError ?? Infinity);
  return wanted && says.staleIfError !== null && -ttl < says.staleIfError;
}

function statesNoLimit(asked: RequestDirectives, says: ResponseDirectives): boolean {
  return asked.staleIfError === null && says.staleIfError === null && asked.maxStale === null;
}

const NOTHING_STORED: Finding = { kind: "miss", reason: "uri-miss", fields: [] };

/** The one of which the request may be answered, if one of them is there as a whole or in the part that is wanted. */
function selectedOf(variants: readonly StoredResponse[], request: CacheRequest): StoredResponse | null {
  if (variants.length === 1) {
    const stored = variants[0];
    return matches(stored, request) && holds(stored, request) ? stored : null;
  }
  return mostRecent(variants.filter((stored) => matches(stored, request) && holds(stored, request)));
}

/** The one whose origin made it last (§4); of those made at once, the one that came last. */
function mostRecent(responses: readonly StoredResponse[]): StoredResponse | null {
  if (responses.length < 2) return responses[0] ?? null;
  let latest: StoredResponse | null = null;
  let latestMade = 0;
  for (const stored of responses) {
    const made = madeAt(stored);
    const later = latest === null || made > latestMade ||
      made === latestMade && stored.responseTime >= latest.responseTime;
    if (later) [latest, latestMade] = [stored, made];
  }
  return latest;
}

/** Whether a stored response is whole, or a part that holds all that a request wants (§3.4). */
function holds(stored: StoredResponse, request: CacheRequest): boolean {
  if (stored.range === null) return true;
  const { method, fields } = request;
  if (method !== "GET" || !allowsRange(stored, fields.field("if-range"))) return false;
  const wanted = readRange(fields.field("range"));
  const span = wanted === null ? null : spanOf(wanted, stored.range.whole);
  return span !== null && stored.range.first <= span.first && span.end <= stored.range.last + 1;
}

/** What is sent to find out whether stored responses still hold (§4.3.1). */
function validators(variants: readonly StoredResponse[], selected: StoredResponse): FieldLine[] {
  if (!canBeValidated(selected.status)) return [];
  const tags = tagsOf([selected]);
  const fields: FieldLine[] = [];
  // a part is of no use when another one of them turns out to be what the request gets
  const alone = tags.length === 0 || selected.range !== null;
  const all = alone ? tags : tagsOf([selected, ...variants.filter(isWhole)]);
  if (all.length > 0) fields.push(["If-None-Match", all.join(", ")]);
  const modified = fieldOf(selected.fields, "last-modified");
  const readable = parseDate(modified, selected.responseTime) !== null;
  if (all.length <= 1 && readable) fields.push(["If-Modified-Since", modified]);
  return fields;
}

/** What is sent to find out whether the response to other requests is the one to this (§4.3.1). */
function missFields(variants: readonly StoredResponse[], request: CacheRequest): FieldLine[] {
  const { fields } = request;
  const own = OWN_CONDITIONS.some((name) => fields.field(name) !== "");
  const tags = own ? [] : tagsOf(variants.filter(isWhole));
  return tags.length === 0 ? [] : [["If-None-Match", tags.join(", ")]];
}

function isWhole({ range }: StoredResponse): boolean {
  return range === null;
}

/** The different entity tags of responses. */
function tagsOf(responses: readonly StoredResponse[]): string[] {
  const tags = new Set<string>();
  for (const stored of responses) {
    if (tags.size === MAX_TAGS) break;
    const tag = canBeValidated(stored.status) ? entityTagOf(fieldOf(stored.fields, "etag")) : null;
    if (tag !== null) tags.add(tag);
  }
  return [...tags];
}
