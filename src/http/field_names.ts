/**
 * The fields that weir itself understands, each with a small number, so that a head is looked through by number
 * and not by text. Every other field has the number 0 and passes as it is.
 */

import { TOKEN_LOWER } from "./characters.ts";

/** Numbers of the known fields, fewer than 64. Those below 32 have a bit in {@link HeadReader.seen}. */
export const Field = {
  Other: 0,
  Connection: 1,
  ProxyConnection: 2,
  KeepAlive: 3,
  TE: 4,
  TransferEncoding: 5,
  Upgrade: 6,
  ProxyAuthorization: 7,
  ProxyAuthenticate: 8,
  ProxyAuthenticationInfo: 9,
  Host: 10,
  ContentLength: 11,
  Via: 12,
  Date: 13,
  Expect: 14,
  MaxForwards: 15,
  Trailer: 16,
  ContentType: 17,
  XForwardedFor: 18,
  Forwarded: 19,
  Http2Settings: 20,
  CacheControl: 21,
  Authorization: 22,
  Cookie: 23,
  SetCookie: 24,
  UserAgent: 25,
  Referer: 26,
  Accept: 27,
  Age: 28,
  Expires: 29,
  ETag: 30,
  LastModified: 31,
  Vary: 32,
  Location: 33,
  ContentEncoding: 34,
  ContentRange: 35,
  Range: 36,
  Pragma: 37,
  ContentLocation: 38,
  ProxyStatus: 39,
  CacheStatus: 40,
  WwwAuthenticate: 41,
  IfMatch: 42,
  IfNoneMatch: 43,
  IfModifiedSince: 44,
  IfUnmodifiedSince: 45,
  IfRange: 46,
} as const;

/** The names in lower case, at their numbers. */
export const FIELD_NAMES: readonly string[] = [
  "",
  "connection",
  "proxy-connection",
  "keep-alive",
  "te",
  "transfer-encoding",
  "upgrade",
  "proxy-authorization",
  "proxy-authenticate",
  "proxy-authentication-info",
  "host",
  "content-length",
  "via",
  "date",
  "expect",
  "max-forwards",
  "trailer",
  "content-type",
  "x-forwarded-for",
  "forwarded",
  "http2-settings",
  "cache-control",
  "authorization",
  "cookie",
  "set-cookie",
  "user-agent",
  "referer",
  "accept",
  "age",
  "expires",
  "etag",
  "last-modified",
  "vary",
  "location",
  "content-encoding",
  "content-range",
  "range",
  "pragma",
  "content-location",
  "proxy-status",
  "cache-status",
  "www-authenticate",
  "if-match",
  "if-none-match",
  "if-modified-since",
  "if-unmodified-since",
  "if-range",
];

const numbers: ReadonlyMap<string, number> = new Map(FIELD_NAMES.map((name, number) => [name, number]));
const SLOTS = 256;
const table = new Uint8Array(SLOTS);
const nameBytes: Uint8Array[] = FIELD_NAMES.map((name) => new TextEncoder().encode(name));

/** One step of the hash of a name; `lower` is a byte in lower case. Start from 0. */
export function hashStep(hash: number, lower: number): number {
  return (Math.imul(hash, 31) + lower) | 0;
}

function slotOf(hash: number): number {
  return (hash ^ (hash >>> 8)) & (SLOTS - 1);
}

for (let number = 1; number < nameBytes.length; number++) {
  let slot = slotOf(nameBytes[number].reduce(hashStep, 0));
  while (table[slot] !== 0) slot = (slot + 1) & (SLOTS - 1);
  table[slot] = number;
}

/** The number of the field whose name is `bytes[start..end)` and has this hash; 0 for an unknown one. */
export function fieldNumber(bytes: Uint8Array, start: number, end: number, hash: number): number {
  for (let slot = slotOf(hash);; slot = (slot + 1) & (SLOTS - 1)) {
    const number = table[slot];
    if (number === 0) return 0;
    const name = nameBytes[number];
    if (name.length !== end - start) continue;
    let i = 0;
    while (i < name.length && TOKEN_LOWER[bytes[start + i]] === name[i]) i++;
    if (i === name.length) return number;
  }
}

/** The number of a field by its name in any case; 0 for an unknown one. */
export function fieldNumberOf(name: string): number {
  return numbers.get(name) ?? numbers.get(name.toLowerCase()) ?? 0;
}
