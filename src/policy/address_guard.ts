/** The last station of a decision: no client reaches an address that is not its to reach, whatever the rules say. */

import type { IpAddress } from "../http/ip_address.ts";
import { type ClientScope, meaningsOf, plainScope, PRIVACY, type Scope, scopeOf } from "./address_scope.ts";
import {
  type Denial,
  morePrivate,
  noPrivateNetworks,
  notAmongPrivateNetworks,
  unnamedAddress,
  unspecifiedAddress,
} from "./denial.ts";
import type { Facts } from "./facts.ts";
import { Networks } from "./network.ts";
import type { PrivateNetworks } from "./spec.ts";

export class AddressGuard {
  readonly #setting: "own" | "deny" | "allow" | Networks;

  constructor(privateNetworks: PrivateNetworks) {
    this.#setting = typeof privateNetworks === "string" ? privateNetworks : new Networks(privateNetworks);
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
    return this.#lists(ip) ? null : notAmongPrivateNetworks(ip, scope);
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
