/** Where a redirect leads (RFC 9110 §15.4), and with what one goes there. */

import type { GetRequest, GetTarget } from "./target.ts";
import { urlOf } from "./target.ts";

/** Fields that are for the origin alone to which they were given. */
const OF_ONE_ORIGIN: ReadonlySet<string> = new Set(["authorization", "cookie", "host"]);

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * The URL that a response sends to, absolute and without a fragment; `null` for one that sends nowhere.
 *
 * @param location the field's value, one character a byte
 */
export function redirectedTo(status: number, location: string, from: GetTarget): string | null {
  if (!REDIRECTS.has(status) || location === "") return null;
  // its bytes beyond ASCII stay what they are
  const text = location.replace(
    /[\x80-\xff]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  const url = URL.parse(text, urlOf(from));
  if (url === null) return null;
  url.hash = "";
  return url.href;
}

/**
 * The request that follows a redirect: a POST becomes a GET by 301 and 302 as everybody does it, and anything but
 * HEAD by 303 (§15.4.2 to §15.4.4); what proves who asks stays with the origin that it was meant for.
 */
export function redirected(request: GetRequest, status: number, target: GetTarget): GetRequest {
  const { method } = request;
  const becomesGet = status === 303 ? method !== "HEAD" : status < 303 && method === "POST";
  const sameOrigin = target.scheme === request.target.scheme &&
    target.authority.text === request.target.authority.text;
  const drops = (name: string) =>
    !sameOrigin && OF_ONE_ORIGIN.has(name) || becomesGet && name === "content-type";
  return {
    target,
    method: becomesGet ? "GET" : method,
    body: becomesGet ? null : request.body,
    fields: request.fields.filter(([name]) => !drops(name.toLowerCase())),
  };
}
