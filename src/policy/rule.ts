/** One rule, made ready to be asked. */

import { embeddedIpv4s, type IpAddress } from "../http/ip_address.ts";
import { leastScopeIn, plainAddress, PRIVACY, type Scope } from "./address_scope.ts";
import { AMBIGUOUS, RULE_MATCHES } from "./denial.ts";
import type { HostList } from "./host_list.ts";
import type { HostPattern } from "./host_pattern.ts";
import { isSingleAddress, type Network, Networks } from "./network.ts";
import { pathReadings, pathsAllow, pathsDeny } from "./path_pattern.ts";
import { AMBIGUOUS_PATH } from "./path_readings.ts";
import type { PolicySpec, RuleSpec, TlsCheck } from "./spec.ts";
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
  /** Whether it looks at what a tunnel hides: paths, or other methods than CONNECT. */
  readonly readsRequest: boolean;
  /** What is said when it decides, and when it would have. */
  readonly verdict: Verdict;
  /** The same when it allows a tunnel, by how that is looked at. */
  readonly tunnelVerdicts: TunnelVerdicts;
  /** The same when methods or paths had a part in it. */
  readonly readingVerdict: Verdict;
  /** The same to a path that servers may take for different ones. */
  readonly ambiguousVerdict: Verdict;

  readonly #networks: Networks;
  readonly #lists: readonly HostList[];
  readonly #named: Networks;

  constructor(spec: RuleSpec, policy: PolicySpec, lists: ReadonlyMap<string, HostList>) {
    this.spec = spec;
    this.allows = spec.action === "allow";
    this.decides = spec.mode === "enforce";
    this.clients = spec.clients === null ? null : new Networks(spec.clients);
    this.methods = spec.methods;
    this.readsRequest = readsRequest(spec);
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
    this.tunnelVerdicts = tunnelVerdictsOf(this.verdict);
    this.readingVerdict = { ...this.verdict, readsRequest: true };
    this.ambiguousVerdict = this.allows || spec.paths === null
      ? this.verdict
      : { ...this.verdict, reason: AMBIGUOUS };
  }

  /** Whether the method is one of those it is for: methods are case-sensitive (RFC 9110 §9.1), but not to all servers. */
  includesMethod(method: string): boolean {
    if (this.methods === null || this.methods.includes(method)) return true;
    return !this.allows && hasSmallLetters(method) && this.methods.includes(method.toUpperCase());
  }

  /** Whether the user is one of those it is for; nobody is none of them. */
  includesUser(user: string | null): boolean {
    if (this.users === null) return true;
    return user !== null && (this.anybody || this.users.has(user));
  }

  /** Whether its paths hold for a path with these readings: to deny one is enough, to allow it takes all. */
  includesPath(readings: readonly string[]): boolean {
    const { paths } = this.spec;
    if (paths === null) return true;
    return this.allows ? pathsAllow(paths, readings) : pathsDeny(paths, readings);
  }

  readingsOf(path: string): readonly string[] {
    return pathReadings(path, this.spec.encodedSlashes);
  }

  /** What is said when it decides about a request with this path. */
  verdictOn(path: string | null): Verdict {
    if (this.ambiguousVerdict === this.verdict || path === null) return this.verdict;
    return this.readingsOf(path) === AMBIGUOUS_PATH ? this.ambiguousVerdict : this.verdict;
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

/** Whether a method has some: most have none, and need not be written anew. */
function hasSmallLetters(method: string): boolean {
  for (let i = 0; i < method.length; i++) if (method.charCodeAt(i) >= 0x61) return true;
  return false;
}

export type TunnelVerdicts = Readonly<Record<TlsCheck, Verdict>>;

/** The verdicts that say how a tunnel is looked at, made once. */
export function tunnelVerdictsOf(verdict: Verdict): TunnelVerdicts {
  return { any: verdict, match: { ...verdict, tls: "match" }, require: { ...verdict, tls: "require" } };
}

/** Whether a rule looks at what a tunnel hides. Paths in a rule for CONNECT alone are never there. */
export function readsRequest({ methods, paths }: RuleSpec): boolean {
  return methods === null ? paths !== null : methods.some((method) => method !== "CONNECT");
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
    // what a tunnel makes of it is said when there is one
    tls: "any",
    rates: allows && spec.rates !== null ? { rule: spec.name, limits: spec.rates } : null,
    ...spec.methods !== null && allows && { namesMethod: true },
  };
}
