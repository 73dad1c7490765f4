/**
 * What a response is stored under: the canonical URL, whatever the request's fields claim, behind a blank, and before
 * that whose it is.
 *
 * Where users are known each has what they fetched to themselves, so that neither `only-if-cached` nor the time that an
 * answer takes tells one what another has looked at.
 */

import type { Exchange } from "../exchange.ts";
import type { Request } from "../request.ts";
import type { Session } from "../session.ts";

/** The key of what is asked for; known once it is known who asks. */
export function keyOf(session: Session, exchange: Exchange, request: Request): string {
  const { settings } = session.services;
  const whose = settings.users === null || settings.cacheShared ? "" : session.facts.user ?? "";
  return whose === "" && request.known !== null ? request.known.key : keyFor(whose, exchange.target);
}

/** The URL of a key. */
export function urlOf(key: string): string {
  return key.slice(key.indexOf(" ") + 1);
}

/** The address by which a canonical URL names its host; `""` when that is a name. */
export function addressIn(url: string): string {
  const host = /^[a-z]+:\/\/(?:\[([^\]]*)\]|([0-9.]+))(?=[:/?]|$)/.exec(url);
  return host?.[1] ?? host?.[2] ?? "";
}

/** What a key begins with: whose it is, the same for all that they have. */
export function ownerOf(key: string): string {
  return key.slice(0, key.indexOf(" ") + 1);
}

/** The key of a URL for a user, or for all with `""`. */
export function keyFor(whose: string, url: string): string {
  if (whose === "") return ` ${url}`;
  return `${whose.replaceAll("%", "%25").replaceAll(" ", "%20")} ${url}`;
}

/** Whose a key is, and of which URL: what {@link keyFor} was given. */
export function partsOf(key: string): { user: string; url: string } {
  const space = key.indexOf(" ");
  return {
    user: key.slice(0, space).replaceAll("%20", " ").replaceAll("%25", "%"),
    url: key.slice(space + 1),
  };
}

/** Characters of a key that are worth remembering as they are. */
const LONGEST_MARK = 256;

/**
 * What a key or a URL is remembered by where nothing of it is stored: itself, or of a long one so much that hardly any
 * other has the same. For what does no harm when it is taken for true of another one too.
 */
export function markOf(text: string): string {
  const { length } = text;
  if (length <= LONGEST_MARK) return text;
  let one = 0x811c9dc5;
  let other = length;
  for (let at = 0; at < length; at++) {
    const code = text.charCodeAt(at);
    one = Math.imul(one ^ code, 0x01000193);
    other = Math.imul(other + code, 0x85ebca6b) ^ other >>> 13;
  }
  // no key and no URL begins so
  return `\n${length} ${one} ${other}`;
}
