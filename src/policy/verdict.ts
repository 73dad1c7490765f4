/** What was decided, and by what. */

import type { IpAddress } from "../http/ip_address.ts";
import type { Facts } from "./facts.ts";
import type { RateLimits } from "./rates.ts";
import type { TlsCheck } from "./spec.ts";

/**
 * - `allow`, `deny`
 * - `authenticate`: the answer depends on who asks, and the client has not said
 * - `unresolved`: the answer depends on the address, which is not known yet; only without one
 */
export type Decision = "allow" | "deny" | "authenticate" | "unresolved";

export interface Verdict {
  readonly decision: Decision;
  /**
   * What decided: a rule's name, or `default`, `clients`, `users`, `private networks`, `metadata addresses`,
   * `reserved addresses`, `connect ports`, `plain ports`, `port 25`, `tls`. `""` when `unresolved`.
   */
  readonly rule: string;
  /** Why, in a few words for the operator: `127.0.0.1 is more private than the client`. */
  readonly reason: string;
  /** What the rule's author wants a refused client to be told, or `""`. */
  readonly note: string;
  /** False when it is only reported: the request goes on whatever the decision is. */
  readonly enforced: boolean;
  /** How to look at the tunnel, if it is one. */
  readonly tls: TlsCheck;
  /** The rates of the rule that decided, and their key; `null` when it has none. */
  readonly rates: RuleRates | null;
  /** Whether the rule that decided names the methods that it is for. */
  readonly namesMethod?: boolean;
  /**
   * Whether methods or paths had a part in it: then nothing may go to the origin that means another method or path to
   * it, and that no rule has seen.
   */
  readonly readsRequest?: boolean;
  /** The rule that looks at methods or paths which the tunnel hides, so that the tunnel has to be TLS. */
  readonly unseenBy?: string;
}

export interface RuleRates {
  /** The rule's name: all that it lets through counts together. */
  readonly rule: string;
  readonly limits: RateLimits;
}

/** When a client is asked for a password: for whatever it wants, where a rule names users, or not at all. */
export type PasswordNeed = "always" | "by-rule" | "never";

/** What decides. One function for every way in and every address. */
export interface Decider {
  /** Whether {@link Facts.path} is looked at; where not it may be left `null`. */
  readonly looksAtPaths: boolean;
  /** Whether the whole policy is only reported: nothing is refused, whatever is decided. */
  readonly reportsOnly: boolean;
  /** Whether the system may complete a canonical name by its search list, see {@link ShortNames.mayComplete}. */
  mayComplete(host: string): boolean;
  /**
   * What can be said of a client before it has said where it wants to go: that it is refused wherever that is, or has
   * to say first who it is; `null` when it depends. Of the facts only those of the client are looked at.
   */
  receive(facts: Facts): Verdict | null;
  /** When the client has to say who it is. Of the facts only those of the client are looked at. */
  passwordNeed(facts: Facts): PasswordNeed;
  /**
   * Judges a request that goes to `address`; with `null`, as far as can be said before the name is resolved. A
   * verdict without address that denies, and is enforced, is final, so that what is refused by its name is never
   * looked up; every other has to be asked again with each address, and only an address that it allows may be dialled.
   *
   * @param elsewhere no address will ever be known, since another proxy looks the name up: the verdict is final, and
   * what waits for an address does not match
   */
  decide(facts: Facts, address: IpAddress | null, elsewhere?: boolean): Verdict;
}
