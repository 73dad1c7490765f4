/** What the cache had to do with a response: in `Cache-Status` (RFC 9211) and in a word for the access log. */

import { isToken } from "../http/characters.ts";

/** Why a request went to the origin (RFC 9211 §2.2). */
export type Forward =
  | "bypass"
  | "method"
  | "uri-miss"
  | "vary-miss"
  | "miss"
  | "request"
  | "stale"
  | "partial";

export interface CacheFacts {
  /** Why the origin was asked for this answer; `null` when it was not, which is a hit. */
  readonly forward: Forward | null;
  /** Whether the store was not looked into at all. */
  readonly bypassed: boolean;
  /** The status that the origin gave; 0 when it gave none or was not asked. */
  readonly forwardStatus: number;
  /** Whether what was stored is sent although the origin was asked, which failed (RFC 9111 §4.2.4, RFC 5861 §4). */
  readonly fallback: boolean;
  /** Whether what the origin sent was stored, or updated what is stored. */
  readonly stored: boolean;
  /** Whether it was the exchange of another request, and no own one, that went to the origin. */
  readonly collapsed: boolean;
  /** Seconds for which the response is still fresh, 0 or less when it is stale; `null` where that says nothing. */
  readonly ttl: number | null;
  /** Why it was not looked for or not stored, in a few words (`private`, `no-store`); `""` for nothing to say. */
  readonly reason: string;
}

/** An answer without any part of the cache in it, of which facts are made. */
export const NO_FACTS: CacheFacts = {
  forward: null,
  bypassed: false,
  forwardStatus: 0,
  fallback: false,
  stored: false,
  collapsed: false,
  ttl: null,
  reason: "",
};

/** The greatest integer of a structured field (RFC 9651 §3.3.1). */
const MAX_INTEGER = 999_999_999_999_999;
const MAX_DETAIL = 64;

/** The name is the same for all responses of one instance. */
let lastName = "";
let lastMember = '""';

/**
 * This cache's member of `Cache-Status` (RFC 9211 §2): `weir-1f3a; hit; ttl=30`. `key` is left out, since it would
 * show what is asked for.
 *
 * @param name what names this instance in `Via` too
 */
export function cacheStatus(name: string, facts: CacheFacts): string {
  if (name !== lastName) [lastName, lastMember] = [name, tokenOrString(name)];
  let member = lastMember;
  if (facts.forward === null) {
    member += "; hit";
  } else {
    member += `; fwd=${facts.forward}`;
    if (facts.forwardStatus >= 100 && facts.forwardStatus <= 999) {
      member += `; fwd-status=${facts.forwardStatus}`;
    }
    if (facts.stored) member += "; stored";
    if (facts.collapsed) member += "; collapsed";
  }
  if (facts.ttl !== null && !Number.isNaN(facts.ttl)) member += `; ttl=${integer(facts.ttl)}`;
  const detail = facts.fallback ? facts.reason || "stale-if-error" : facts.reason;
  if (detail !== "") member += `; detail=${tokenOrString(detail.slice(0, MAX_DETAIL))}`;
  return member;
}

function integer(number: number): number {
  const whole = Math.max(-MAX_INTEGER, Math.min(Math.floor(number), MAX_INTEGER));
  // never -0, which would be written as 0 anyway
  return whole === 0 ? 0 : whole;
}

/** A text as a token if it can be one, else as a string (RFC 9651 §3.3.3, §3.3.4), without what that cannot hold. */
function tokenOrString(text: string): string {
  if (/^[A-Za-z*]/.test(text) && isToken(text.replace(/[:/]/g, "."))) return text;
  return `"${text.replace(/[^\x20-\x7e]/g, "?").replace(/["\\]/g, "\\$&")}"`;
}

/** Reasons in the access log are words, one or a few. */
const MAX_REASON = 40;

/**
 * What the access log says of it:
 *
 * - `hit`: from the store; `stale`: from the store too, but no longer fresh, for want of an answer or before it
 * - `revalidated`: from the store, after the origin had said that it holds
 * - `collapsed`: from the exchange of another request
 * - `miss stored`, `miss private`: from the origin, and stored, or why not
 * - `bypass no-store`: the store was not looked into, and why
 */
export function cacheWords(facts: CacheFacts): string {
  const { forward, ttl } = facts;
  if (facts.fallback) return "stale";
  if (forward === null) return ttl !== null && ttl <= 0 ? "stale" : "hit";
  // what is bypassed is so for the request's sake: that need not be said
  if (facts.bypassed) return withReason("bypass", facts.reason.replace(/^request /, ""));
  if ((forward === "stale" || forward === "request") && facts.forwardStatus === 304) return "revalidated";
  if (facts.collapsed) return "collapsed";
  return facts.stored ? "miss stored" : withReason("miss", facts.reason);
}

function withReason(word: string, reason: string): string {
  if (reason === "") return word;
  return `${word} ${reason.slice(0, MAX_REASON).replace(/[^\x21-\x7e]+/g, " ").trim()}`.trimEnd();
}
