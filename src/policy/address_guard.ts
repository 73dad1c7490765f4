/** The last station of a decision: no client reaches an address that is not its to reach, whatever the rules say. */

import type { IpAddress } from "../http/ip_address.ts";
import { type ClientScope, meaningsOf, plainScope, PRIVACY, type Scope, scopeOf } from "./address_scope.ts";
import {
  type Denial,
  morePrivate,
  morePrivateAndUnlisted,
  noPrivateNetworks,
  notAmongPrivateNetworks,
  unnamedAddress,
  unspecifiedAddress,
} from "./denial.ts";
import type { Facts } from "./facts.ts";
import { type Network, Networks } from "./network.ts";
import type { PrivateNetworks } from "./spec.ts";

/** Whether a list has the word `own` in it. */
export function listsOwn(setting: PrivateNetworks): boolean {
  return typeof setting !== "string" && setting.includes("own");
}

/** The networks of a list; none where the setting is a word. */
export function listedNetworks(setting: PrivateNetworks): Network[] {
  return typeof setting === "string" ? [] : setting.filter((each) => each !== "own");
}

export class AddressGuard {
  readonly #setting: "own" | "deny" | "allow" | Networks;
  /** Whether what is no more private than the client is among the networks of a list. */
  readonly #listsOwn: boolean;

  constructor(privateNetworks: PrivateNetworks) {
    this.#listsOwn = listsOwn(privateNetworks);
    this.#setting = typeof privateNetworks === "string"
      ? privateNetworks
      : new Networks(listedNetworks(privateNetworks));
  }

  /**
   * Why the address may not be reached; `null` when it may be.
   *
   * @param named whether the rule that allows the request names this single address, and the port
   */
  denial(ip: IpAddress, facts: Facts, client: ClientScope, named: boolean): Denial | null {
    const scope = scopeOf(ip);
    if (scope === "public") return null;
    if (scope === "unspecified") return unspecifiedAddress(ip);
    if (scope === "metadata" || scope === "reserved") {
      return named ? null : unnamedAddress(ip, scope, facts.authority.port);
    }
    switch (this.#setting) {
      case "allow":
        return null;
      case "deny":
        return noPrivateNetworks(ip, scope);
      case "own":
        return PRIVACY[scope] <= PRIVACY[client] ? null : morePrivate(ip, scope, facts, client);
    }
    if (this.#lists(ip)) return null;
    if (!this.#listsOwn) return notAmongPrivateNetworks(ip, scope);
    return PRIVACY[scope] <= PRIVACY[client] ? null : morePrivateAndUnlisted(ip, scope, facts, client);
  }

  /** Whether the client may reach some address of that scope without its being named by a rule. */
  mayPass(scope: Scope, client: ClientScope): boolean {
    if (PRIVACY[scope] > PRIVACY.loopback) return false;
    if (scope === "public" || this.#setting === "allow") return true;
    if (this.#setting === "deny") return false;
    return this.#setting === "own" ? PRIVACY[scope] <= PRIVACY[client] : true;
  }

  /** Whether all that the address may mean is public or among the networks of the setting. */
  #lists(ip: IpAddress): boolean {
    const networks = this.#setting as Networks;
    return meaningsOf(ip).every((meaning) => networks.includes(meaning) || plainScope(meaning) === "public");
  }
}
