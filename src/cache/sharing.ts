/**
 * What one client gets of a response that was fetched for another one and is not stored yet: nothing but what it could
 * have from the store, fresh and without asking.
 */

import type { Finding } from "./find.ts";
import { credentialsOf } from "./credential_fields.ts";
import { ageOf, directivesOf, lifetimeOf } from "./freshness.ts";
import { isForSharing } from "./storability.ts";
import type { CacheRequest, StoredResponse } from "./stored_response.ts";

/**
 * Whether a response that may be stored may be handed to others who wait for it, as it comes: it is fresh, and if the
 * request proved whose it is, it says that it is for sharing.
 *
 * @param now ms since the epoch on the cache's clock
 */
export function mayHandOn(stored: StoredResponse, leader: CacheRequest, now: number): boolean {
  const says = directivesOf(stored);
  if (says.noCache === true || lifetimeOf(stored).seconds <= ageOf(stored, now)) return false;
  return credentialsOf(leader) === "none" || isForSharing(says);
}

/**
 * Whether a request that has waited is answered with what was handed on: as a plain hit; or in the place of a
 * validation that the request itself wants of what is fresh, if all of it came after the request did.
 *
 * @param finding what `find` says of it alone
 * @param early whether the request was there before the response
 */
export function mayTake(finding: Finding, follower: CacheRequest, early: boolean): finding is Taken {
  if (finding.kind !== "hit" && !(finding.kind === "validate" && finding.reason === "request" && early)) {
    return false;
  }
  if (finding.ttl <= 0) return false;
  return credentialsOf(follower) === "none" || isForSharing(directivesOf(finding.stored));
}

export type Taken = Extract<Finding, { kind: "hit" | "validate" }>;
