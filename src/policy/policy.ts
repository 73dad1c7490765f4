/** The one decision: may this client do this? */

import type { IpAddress } from "../http/ip_address.ts";
import { AddressGuard } from "./address_guard.ts";
import { type ClientScope, clientScopeOf } from "./address_scope.ts";
import {
  connectPort,
  type Denial,
  mailPort,
  NO_PASSWORD,
  NO_RULE_MATCHES,
  notAClient,
  WOULD_BE_ASKED,
} from "./denial.ts";
import type { Facts } from "./facts.ts";
import { HostIndex, type HostRules } from "./host_index.ts";
import type { HostList } from "./host_list.ts";
import { Memo } from "./memo.ts";
import { Networks } from "./network.ts";
import { pathReadings } from "./path_pattern.ts";
import { portsInclude } from "./port_range.ts";
import { Rule } from "./rule.ts";
import { addRule, emptyRuleSet, includesRule, type RuleSet } from "./rule_set.ts";
import { ShortNames } from "./short_names.ts";
import type { PolicySpec } from "./spec.ts";
import type { Decider, PasswordNeed, Verdict } from "./verdict.ts";

/** What is known of a client by its address alone. */
interface Client {
  readonly scope: ClientScope;
  readonly admitted: boolean;
  /** The rules that are for it. */
  readonly rules: RuleSet;
}

const UNRESOLVED: Verdict = {
  decision: "unresolved",
  rule: "",
  reason: "it depends on the address",
  note: "",
  enforced: true,
  tls: "any",
  rates: null,
};

/**
 * Decides by a policy, in this order: whom the policy is for, who has to say who they are, the rules (the first that
 * matches) or the default, the ports, the address. The rules that come into question for a host and for a client are
 * remembered, so that a decision looks at few; to allow makes no garbage.
 */
export class Policy implements Decider {
  readonly spec: PolicySpec;
  readonly looksAtPaths: boolean;
  readonly reportsOnly: boolean;

  readonly #rules: readonly Rule[];
  /** The rules without clients; and those with some, by their places. */
  readonly #forEverybody: RuleSet;
  readonly #forSome: readonly number[];
  readonly #index: HostIndex;
  readonly #clients: Networks | null;
  readonly #guard: AddressGuard;
  readonly #shortNames: ShortNames;
  readonly #default: Verdict;
  readonly #authenticate: Verdict;
  readonly #knownHosts = new Memo<HostRules>();
  readonly #knownClients = new Memo<Client>();

  /** @param lists the lists that the hosts of rules name, by their `file`; one that is missing holds nothing */
  constructor(spec: PolicySpec, lists: ReadonlyMap<string, HostList>) {
    this.spec = spec;
    this.looksAtPaths = spec.rules.some(({ paths }) => paths !== null);
    this.reportsOnly = spec.mode === "report";
    this.#rules = spec.rules.map((rule) => new Rule(rule, spec, lists));
    this.#forEverybody = emptyRuleSet(this.#rules.length);
    this.#forSome = this.#rules.flatMap(({ clients }, index) => {
      if (clients !== null) return [index];
      addRule(this.#forEverybody, index);
      return [];
    });
    this.#index = new HostIndex(this.#rules, lists);
    this.#clients = spec.clients === null ? null : new Networks(spec.clients);
    this.#guard = new AddressGuard(spec.privateNetworks);
    this.#shortNames = new ShortNames(spec, lists);
    const allows = spec.defaultAction === "allow";
    const enforces = spec.mode === "enforce";
    this.#default = {
      decision: spec.defaultAction,
      rule: "default",
      reason: NO_RULE_MATCHES,
      note: "",
      enforced: allows || enforces,
      tls: allows ? spec.tls : "any",
      rates: null,
    };
    this.#authenticate = {
      decision: enforces ? "authenticate" : "deny",
      rule: "users",
      reason: enforces ? NO_PASSWORD : WOULD_BE_ASKED,
      note: "",
      enforced: enforces,
      tls: "any",
      rates: null,
    };
  }

  mayComplete(host: string): boolean {
    return this.#shortNames.mayComplete(host);
  }

  receive(facts: Facts): Verdict | null {
    return this.#receive(this.#knownClients.get(facts.client) ?? this.#rememberClient(facts), facts);
  }

  passwordNeed(facts: Facts): PasswordNeed {
    const { authentication } = this.spec;
    // a policy that only reports asks nobody
    if (authentication === "none" || this.reportsOnly) return "never";
    if (authentication === "always") return "always";
    const client = this.#knownClients.get(facts.client) ?? this.#rememberClient(facts);
    const asks = ({ decides, users }: Rule, index: number) =>
      decides && users !== null && includesRule(client.rules, index);
    return this.#rules.some(asks) ? "by-rule" : "never";
  }

  #receive(client: Client, facts: Facts): Verdict | null {
    if (!client.admitted) return this.#deny(notAClient(facts));
    if (facts.user === null && this.spec.authentication === "always") return this.#authenticate;
    return null;
  }

  /**
   * A host that is an address is judged as that address whether `address` says so or not. Without an address the
   * answer is that of the rules that need none, unless they deny and one that needs it might not: `unresolved`, or
   * `authenticate` where that one lacks only the user, so that a client that has yet to say who it is has no name
   * looked up for nothing.
   */
  decide(facts: Facts, address: IpAddress | null, elsewhere = false): Verdict {
    const client = this.#knownClients.get(facts.client) ?? this.#rememberClient(facts);
    const received = this.#receive(client, facts);
    if (received !== null) return received;
    const { user, authority } = facts;
    const { authentication } = this.spec;

    const ip = address ?? authority.ip;
    const hosts = this.#knownHosts.get(authority.text) ?? this.#rememberHost(facts);
    const { possible, certain } = hosts;
    let readings: readonly string[] | null = null;
    let reported: Rule | null = null;
    let decisive: Rule | null = null;
    let lacksUser = false;
    // What rules that wait for the address could make of it.
    let mayAllow = false;
    let mayAuthenticate = false;

    search:
    for (let word = 0; word < possible.length; word++) {
      let bits = possible[word] & client.rules[word];
      while (bits !== 0) {
        const bit = bits & -bits;
        bits ^= bit;
        const rule = this.#rules[(word << 5) + 31 - Math.clz32(bit)];
        // A rule that is only reported changes nothing when it allows, and the first that denies is enough.
        if (!rule.decides && (rule.allows || reported !== null)) continue;
        if (rule.methods !== null && !rule.methods.includes(facts.method)) continue;
        const known = rule.includesUser(user);
        if (!known && (user !== null || authentication === "none" || !rule.decides)) continue;
        if (rule.spec.paths !== null) {
          if (facts.path === null) continue;
          readings ??= pathReadings(facts.path);
          if (!rule.includesPath(readings)) continue;
        }
        if ((certain[word] & bit) === 0) {
          if (ip === null) {
            if (elsewhere) continue;
            if (!known) mayAuthenticate = true;
            else if (rule.allows && !mayAllow) mayAllow = this.#mayPass(rule, facts, client);
            continue;
          }
          if (!rule.includesAddress(ip)) continue;
        }
        if (!rule.decides) {
          reported = rule;
          continue;
        }
        decisive = rule;
        lacksUser = !known;
        break search;
      }
    }

    if (lacksUser) return mayAllow ? UNRESOLVED : this.#authenticate;
    let verdict = decisive === null ? this.#default : decisive.verdict;
    if (verdict.decision === "allow") {
      const denial = this.#denial(decisive, facts, client, ip);
      if (denial === null) return reported === null ? verdict : reportedDenial(reported, verdict);
      verdict = this.#deny(denial);
    }
    if (mayAllow) return UNRESOLVED;
    return mayAuthenticate ? this.#authenticate : verdict;
  }

  /** What the later stations have against a request that `rule`, or the default, allows. */
  #denial(rule: Rule | null, facts: Facts, client: Client, ip: IpAddress | null): Denial | null {
    const denial = this.#portDenial(rule, facts, client);
    if (denial !== null || ip === null) return denial;
    return this.#guard.denial(ip, facts, client.scope, rule !== null && rule.namesAddress(ip));
  }

  #portDenial(rule: Rule | null, facts: Facts, client: Client): Denial | null {
    // The rule has matched: when it names ports, this one is among them.
    if (rule !== null && rule.spec.ports !== null) return null;
    const { port } = facts.authority;
    if (port === 25) return mailPort();
    if (facts.method !== "CONNECT") return null;
    const { connectPorts } = this.spec;
    const open = connectPorts === null
      ? port === 443 || client.scope === "loopback"
      : portsInclude(connectPorts, port);
    return open ? null : connectPort(port);
  }

  /** Whether a rule that waits for the address can allow the request when it matches. */
  #mayPass(rule: Rule, facts: Facts, client: Client): boolean {
    if (this.#portDenial(rule, facts, client) !== null) return false;
    return rule.namesAddresses || this.#guard.mayPass(rule.leastScope, client.scope);
  }

  #deny({ rule, reason, note = "" }: Denial): Verdict {
    const enforced = this.spec.mode === "enforce";
    return { decision: "deny", rule, reason, note, enforced, tls: "any", rates: null };
  }

  #rememberHost(facts: Facts): HostRules {
    return this.#knownHosts.set(facts.authority.text, this.#index.find(facts.authority));
  }

  #rememberClient(facts: Facts): Client {
    const rules = this.#forEverybody.slice();
    for (const index of this.#forSome) {
      if (this.#rules[index].clients!.includes(facts.clientIp)) addRule(rules, index);
    }
    return this.#knownClients.set(facts.client, {
      scope: clientScopeOf(facts.clientIp),
      admitted: this.#clients === null || this.#clients.includes(facts.clientIp),
      rules,
    });
  }
}

/** What a rule would have denied goes on as what allows it says. */
function reportedDenial(rule: Rule, allowed: Verdict): Verdict {
  const { tls, rates, namesMethod } = allowed;
  return { ...rule.verdict, tls, rates, ...namesMethod && { namesMethod } };
}
