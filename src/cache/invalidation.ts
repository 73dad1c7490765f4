/** What a request that changes something makes of what is stored (RFC 9111 §4.4). */

import type { Fields } from "./stored_response.ts";

/** Methods that change nothing (RFC 9110 §9.2.1 and the registry of methods). Any other one may. */
const SAFE: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "OPTIONS",
  "TRACE",
  "PROPFIND",
  "QUERY",
  "REPORT",
  "SEARCH",
]);

/** Longer references are not followed: nothing as long is stored. */
const MAX_REFERENCE = 8192;

/**
 * The keys under which nothing is to be found any more after this response: that of the request's target, and of
 * the URLs in `Location` and `Content-Location` if they are of the same origin; for others a response has no say.
 * None after a method that is safe, and after an error. A reference that may be read in two ways, as it is written
 * and as `URL` writes it, gives both.
 *
 * @param method any text: what is not known is not safe
 * @param key of the target: `http://host:port/path?query`
 * @param fields those of the response
 */
export function invalidates(method: string, status: number, key: string, fields: Fields): string[] {
  if (SAFE.has(method) || !(status >= 200 && status <= 399)) return [];
  const keys = new Set([key]);
  for (const name of ["location", "content-location"]) {
    const reference = fields.field(name);
    if (reference === "" || reference.length > MAX_REFERENCE) continue;
    for (const other of keysOf(reference, key)) keys.add(other);
  }
  return [...keys];
}

/** The keys that a reference means; none when it leads to another origin, or nowhere. */
function keysOf(reference: string, key: string): string[] {
  const base = urlOf(key, undefined);
  const url = base === null ? null : urlOf(reference, key);
  // what is of the same origin has the target's canonical authority: it is taken from there
  if (base === null || url === null || url.origin !== base.origin || url.origin === "null") return [];
  const slash = key.indexOf("/", key.indexOf("://") + 3);
  const authority = slash < 0 ? key : key.slice(0, slash);
  const keys = [authority + url.pathname + url.search];
  const written = pathIn(reference);
  if (written !== null) keys.push(authority + written);
  return keys;
}

function urlOf(text: string, base: string | undefined): URL | null {
  try {
    return new URL(text, base);
  } catch {
    return null;
  }
}

/** Path and query of an absolute reference, byte for byte as a client would ask for them; `null` in a relative one. */
function pathIn(reference: string): string | null {
  const fragment = reference.indexOf("#");
  const text = fragment < 0 ? reference : reference.slice(0, fragment);
  const after = /^(?:https?:)?\/\/[^/?]*/i.exec(text)?.[0];
  if (after === undefined) return text.startsWith("/") ? text : null;
  const path = text.slice(after.length);
  return path.startsWith("/") ? path : `/${path}`;
}
