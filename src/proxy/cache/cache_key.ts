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

/** What a key begins with: whose it is, the same for all that they have. */
export function ownerOf(key: string): string {
  return key.slice(0, key.indexOf(" ") + 1);
}

/** The key of a URL for a user, or for all with `""`. */
export function keyFor(whose: string, url: string): string {
  if (whose === "") return ` ${url}`;
  return `${whose.replaceAll("%", "%25").replaceAll(" ", "%20")} ${url}`;
}
