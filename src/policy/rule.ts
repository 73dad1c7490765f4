/** One rule, made ready to be asked. */

import { embeddedIpv4s, type IpAddress } from "../http/ip_address.ts";
import { leastScopeIn, plainAddress, PRIVACY, type Scope } from "./address_scope.ts";
import { RULE_MATCHES } from "./denial.ts";
import type { HostList } from "./host_list.ts";
import type { HostPattern } from "./host_pattern.ts";
import { isSingleAddress, type Network, Networks } from "./network.ts";
import { pathMatches } from "./path_pattern.ts";
import type { PolicySpec, RuleSpec } from "./spec.ts";
import type { Verdict } from "./verdict.ts";

export class Rule {
  readonly spec: RuleSpec;
  readonly allows: boolean;
  /** False when what it says is only recorded. */
  readonly decides: boolean;
  readonly clients: Networks | null;
  readonly methods: readonly string[] | null;
  /** `null`: whoever it is; with `anybody` a name is all that is asked for. */
  readonly users: ReadonlySet<string> | null;
  readonly anybody: boolean;
  /** Whether its hosts hold for every address, and for every name therefore. */
  readonly anyHost: boolean;
  /** Whether some of its hosts are known only with the address. */
  readonly byAddress: boolean;
  /** The least private scope of all addresses that its hosts may hold for. */
  readonly leastScope: Scope;
  /** What is said when it decides, and when it would have. */
  readonly verdict: Verdict;

  readonly #networks: Networks;
  readonly #lists: readonly HostList[];
  readonly #named: Networks;

  constructor(spec: RuleSpec, policy: PolicySpec, lists: ReadonlyMap<string, HostList>) {
    this.spec = spec;
    this.allows = spec.action === "allow";
    this.decides = spec.mode === "enforce";
    this.clients = spec.clients === null ? null : new Networks(spec.clients);
    this.methods = spec.methods;
    this.users = spec.users === null ? null : new Set(spec.users);
    this.anybody = spec.users !== null && spec.users.includes("*");

    const networks = networksOf(spec.hosts ?? []);
    this.#networks = new Networks(networks);
    this.#lists = listsOf(spec.hosts ?? [], lists).filter((list) => list.hasAddresses);
    this.#named = new Networks(spec.ports === null ? [] : networks.filter(isSingleAddress));
    this.anyHost = spec.hosts === null || spec.hosts.some(({ kind }) => kind === "any") ||
      ([4, 6] as const).every((family) => networks.some((each) => each.family === family && each.bits === 0));
    this.byAddress = !this.anyHost && (networks.length > 0 || this.#lists.length > 0);
    this.leastScope = this.anyHost || this.#lists.length > 0 ? "public" : leastOf(networks);
    this.verdict = verdictOf(spec, policy);
  }

  /** Whether the user is one of those it is for; nobody is none of them. */
  includesUser(user: string | null): boolean {
    if (this.users === null) return true;
    return user !== null && (this.anybody || this.users.has(user));
  }

  /**
   * Whether its paths hold for a path with these readings: to deny one is enough, to allow it takes all. A path that
   * cannot be seen has none.
   */
  includesPath(readings: readonly string[]): boolean {
    const paths = this.spec.paths;
    if (paths === null) return true;
    const matches = (reading: string) => paths.some((pattern) => pathMatches(pattern, reading));
    return this.allows ? readings.length > 0 && readings.every(matches) : readings.some(matches);
  }

  /**
   * Whether its networks or lists hold the address. A denial sees every IPv4 address inside an IPv6 one; to allow, an
   * IPv4 address inside counts only where it is all that the address can mean, for others are anybody's to make.
   */
  includesAddress(ip: IpAddress): boolean {
    if (this.#includes(ip)) return true;
    if (ip.family === 4) return false;
    if (this.allows) {
      const plain = plainAddress(ip);
      return plain !== ip && this.#includes(plain);
    }
    return embeddedIpv4s(ip).some((inside) => this.#includes(inside));
  }

  #includes(ip: IpAddress): boolean {
    if (this.#networks.includes(ip)) return true;
    for (const list of this.#lists) if (list.includesAddress(ip)) return true;
    return false;
  }

  /** Whether it names this single address as a host, and ports with it. */
  namesAddress(ip: IpAddress): boolean {
    return this.#named.includes(ip) || ip.family === 6 && this.#named.includes(plainAddress(ip));
  }

  /** Whether it names any single address, and ports with it. */
  get namesAddresses(): boolean {
    return this.#named.size > 0;
  }
}

export function networksOf(hosts: readonly HostPattern[]): Network[] {
  return hosts.flatMap((host) => host.kind === "network" ? [host.network] : []);
}

/** The lists that are there; one that is missing holds nothing. */
export function listsOf(hosts: readonly HostPattern[], lists: ReadonlyMap<string, HostList>): HostList[] {
  return hosts.flatMap((host) => (host.kind === "list" && lists.get(host.file)) || []);
}

function leastOf(networks: readonly Network[]): Scope {
  const scopes = networks.map(leastScopeIn);
  return scopes.reduce((least, scope) => PRIVACY[scope] < PRIVACY[least] ? scope : least, "metadata");
}

/** The verdict of the policy when this rule decides; for an allow the later stations have their say before. */
function verdictOf(spec: RuleSpec, policy: PolicySpec): Verdict {
  const allows = spec.action === "allow";
  return {
    decision: spec.action,
    rule: spec.name,
    reason: RULE_MATCHES,
    note: allows ? "" : spec.note,
    enforced: allows || policy.mode === "enforce" && spec.mode === "enforce",
    tls: allows ? spec.tls ?? policy.tls : "any",
    rates: allows && spec.rates !== null ? { rule: spec.name, limits: spec.rates } : null,
    ...spec.methods !== null && allows && { namesMethod: true },
  };
}
