/** How long a stored response is fresh and how old it is (RFC 9111 §4.2). Everything is whole seconds. */

import { parseDate } from "../http/date.ts";
import {
  MAX_SECONDS,
  readResponseDirectives,
  readSeconds,
  type ResponseDirectives,
} from "./cache_control.ts";
import { fieldOf } from "./field_lines.ts";
import { receivedAt, type StoredResponse } from "./stored_response.ts";

/** How long a response is fresh, from the time at which its origin made it. */
export interface Lifetime {
  /** From 0 to {@link MAX_SECONDS}. */
  readonly seconds: number;
  /** Whether it was estimated, because the response says nothing of it (§4.2.2). */
  readonly heuristic: boolean;
}

/** Statuses that may be kept without a word of freshness (RFC 9110 §15.1). */
const HEURISTICALLY_CACHEABLE: ReadonlySet<number> = new Set([
  200,
  203,
  204,
  206,
  300,
  301,
  308,
  404,
  405,
  410,
  414,
  501,
]);

/** An estimate is never longer than a day: beyond it §5.5 of RFC 7234 even asked for a warning. */
const MAX_HEURISTIC = 86_400;

/** Whether a status may be kept and used without a word of freshness (RFC 9110 §15.1). */
export function isHeuristicallyCacheable(status: number): boolean {
  return HEURISTICALLY_CACHEABLE.has(status);
}

/** What the head of a stored response says once and for all. */
export interface Standing {
  readonly directives: ResponseDirectives;
  readonly lifetime: Lifetime;
  /** When its origin made it as it says, ms since the epoch; when it came where it says nothing. */
  readonly madeAt: number;
  /** How old it was when it came, ms (§4.2.3); `null` when nobody can tell. */
  readonly initialAge: number | null;
  /** Its `Content-Encoding` in lower case. */
  readonly coding: string;
}

/**
 * A stored response with room for its standing: for one that comes and goes a weak map costs more than reading it. No
 * copy may take the standing along, since a copy is made to have other fields: it has to be an accessor.
 */
export interface Standable extends StoredResponse {
  /** `null` until it is read. */
  standing: Standing | null;
}

/** Of others that are asked for again and again; a stored response never changes. */
const standings = new WeakMap<StoredResponse, Standing>();

function standingOf(stored: StoredResponse): Standing {
  if (isStandable(stored)) return stored.standing ??= readStanding(stored);
  let standing = standings.get(stored);
  if (standing === undefined) {
    standing = readStanding(stored);
    standings.set(stored, standing);
  }
  return standing;
}

function isStandable(stored: StoredResponse): stored is Standable {
  return "standing" in stored;
}

/** Reads it from the head, for who has its fields at hand; the rest is remembered here. */
export function readStanding(stored: StoredResponse): Standing {
  const { status, fields, requestTime, responseTime, noEstimate } = stored;
  const field = (name: string) => fieldOf(fields, name);
  const received = receivedAt(stored);
  const made = parseDate(field("date"), received);
  const age = readAge(field("age"));
  const apparent = made === null ? 0 : Math.max(0, received - made);
  const corrected = (age ?? 0) * 1000 + Math.max(0, responseTime - requestTime);
  return {
    directives: readResponseDirectives(field("cache-control")),
    lifetime: lifetime(status, field, received, noEstimate),
    madeAt: made ?? received,
    initialAge: age === null ? null : Math.max(apparent, corrected),
    coding: field("content-encoding").toLowerCase(),
  };
}

/** What the `Cache-Control` of a stored response says. */
export function directivesOf(stored: StoredResponse): ResponseDirectives {
  return standingOf(stored).directives;
}

/** The freshness lifetime of a stored response (§4.2.1). */
export function lifetimeOf(stored: StoredResponse): Lifetime {
  return standingOf(stored).lifetime;
}

/** The `Content-Encoding` of a stored response, in lower case. */
export function contentCodingOf(stored: StoredResponse): string {
  return standingOf(stored).coding;
}

/** When the origin made a stored response: its `Date`, or when it came (§4.2.3). Ms since the epoch. */
export function madeAt(stored: StoredResponse): number {
  return standingOf(stored).madeAt;
}

/**
 * The freshness lifetime (§4.2.1) of a response with this status and these fields, by name in lower case, that
 * came at `received`, ms since the epoch by the system's clock.
 *
 * @param noEstimate whether an estimated one is 0
 */
export function lifetime(
  status: number,
  field: (name: string) => string,
  received: number,
  noEstimate = false,
): Lifetime {
  const { sMaxAge, maxAge, public: isPublic } = readResponseDirectives(field("cache-control"));
  const explicit = sMaxAge ?? maxAge;
  if (explicit !== null) return { seconds: explicit, heuristic: false };
  const made = () => parseDate(field("date"), received) ?? received;
  const expires = field("expires");
  if (expires !== "") {
    // several values are no date, as `0` is none: they are in the past (§5.3)
    const until = parseDate(expires, received);
    return { seconds: until === null ? 0 : between(made(), until), heuristic: false };
  }
  if (noEstimate) return NO_ESTIMATE;
  return { seconds: estimate(status, isPublic, field, made, received), heuristic: true };
}

const NO_ESTIMATE: Lifetime = { seconds: 0, heuristic: true };

/** A tenth of the time for which it had not changed when it was sent (§4.2.2). */
function estimate(
  status: number,
  isPublic: boolean,
  field: (name: string) => string,
  made: () => number,
  now: number,
): number {
  if (!isHeuristicallyCacheable(status) && !isPublic) return 0;
  // nothing defines Pragma in a response, but who writes it means it: what is only estimated is not worth a doubt
  if (field("pragma").toLowerCase().includes("no-cache")) return 0;
  const changed = parseDate(field("last-modified"), now);
  return changed === null ? 0 : Math.min(Math.floor(between(changed, made()) / 10), MAX_HEURISTIC);
}

/** Whole seconds from one time to a later one, both in ms; 0 when it is no later one. */
function between(from: number, to: number): number {
  const seconds = Math.floor((to - from) / 1000);
  return seconds > 0 ? Math.min(seconds, MAX_SECONDS) : 0;
}

/**
 * How old a stored response is `now`, ms since the epoch on the cache's clock (§4.2.3): 0 to {@link MAX_SECONDS}, and
 * that when its `Age` cannot be read. One from the future, of another run whose clock was ahead, is as old as it was
 * when it came.
 */
export function ageOf(stored: StoredResponse, now: number): number {
  const { initialAge } = standingOf(stored);
  const { responseTime } = stored;
  if (initialAge === null || Number.isNaN(now)) return MAX_SECONDS;
  const whole = Math.floor((initialAge + Math.max(0, now - responseTime)) / 1000);
  return whole < MAX_SECONDS ? whole : MAX_SECONDS;
}

/**
 * Reads `Age` (§5.1); 0 without one, `null` for what is none. Of a list that was written as one value the first
 * member counts (§5.1). Values that were joined by `, `, on the way or here, were several fields: nobody knows
 * which is right, and so it is none.
 */
export function readAge(text: string): number | null {
  if (text === "") return 0;
  if (text.includes(", ")) return null;
  const comma = text.indexOf(",");
  return readSeconds(comma < 0 ? text : text.slice(0, comma));
}
