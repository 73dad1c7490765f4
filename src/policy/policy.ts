/** The one decision: may this client do this? */

import type { IpAddress } from "../http/ip_address.ts";
import { DEFAULT_PORTS } from "../http/target.ts";
import { AddressGuard } from "./address_guard.ts";
import { type ClientScope, clientScopeOf } from "./address_scope.ts";
import {
  AMBIGUOUS,
  connectPort,
  type Denial,
  hidingTunnel,
  mailPort,
  NO_PASSWORD,
  NO_RULE_MATCHES,
  notAClient,
  plainPort,
  WOULD_BE_ASKED,
} from "./denial.ts";
import type { Facts } from "./facts.ts";
import { HostIndex, type HostRules } from "./host_index.ts";
import type { HostList } from "./host_list.ts";
import { Memo } from "./memo.ts";
import { Networks } from "./network.ts";
import { pathReadings } from "./path_pattern.ts";
import { AMBIGUOUS_PATH } from "./path_readings.ts";
import { portsInclude, SAFE_PORTS } from "./port_range.ts";
import { Rule, type TunnelVerdicts, tunnelVerdictsOf } from "./rule.ts";
import { addRule, emptyRuleSet, includesRule, type RuleSet } from "./rule_set.ts";
import { ShortNames } from "./short_names.ts";
import type { PolicySpec } from "./spec.ts";
import { tlsCheckTo } from "./tunnel_check.ts";
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
  /** The rules that look at methods or paths, but for those on trial; `null` when there are none. */
  readonly #reading: RuleSet | null;
  readonly #index: HostIndex;
  readonly #clients: Networks | null;
  readonly #guard: AddressGuard;
  readonly #shortNames: ShortNames;
  readonly #default: Verdict;
  readonly #defaultToTunnels: TunnelVerdicts;
  /** The default where methods or paths had a part in it, and to a path that servers may take for different ones. */
  readonly #defaultReading: Verdict;
  readonly #defaultToAmbiguous: Verdict;
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
    const reading = emptyRuleSet(this.#rules.length);
    this.#rules.forEach(({ readsRequest, decides }, index) => {
      if (readsRequest && decides) addRule(reading, index);
    });
    this.#reading = reading.some((word) => word !== 0) ? reading : null;
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
      tls: "any",
      rates: null,
    };
    this.#defaultToTunnels = tunnelVerdictsOf(this.#default);
    this.#defaultReading = { ...this.#default, readsRequest: true };
    this.#defaultToAmbiguous = { ...this.#default, reason: `${NO_RULE_MATCHES}: ${AMBIGUOUS}` };
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
    const tunnel = facts.method === "CONNECT";
    let readings: readonly string[] | null = null;
    let reported: Rule | null = null;
    let decisive: Rule | null = null;
    let decisiveIndex = this.#rules.length;
    let lacksUser = false;
    // The first rule that denies something which this tunnel would hide.
    let unseen: Rule | null = null;
    // What rules that wait for the address could make of it.
    let mayAllow = false;
    let mayAuthenticate = false;

    search:
    for (let word = 0; word < possible.length; word++) {
      let bits = possible[word] & client.rules[word];
      while (bits !== 0) {
        const bit = bits & -bits;
        bits ^= bit;
        const index = (word << 5) + 31 - Math.clz32(bit);
        const rule = this.#rules[index];
        // A rule that is only reported changes nothing when it allows, and the first that denies is enough.
        if (!rule.decides && (rule.allows || reported !== null)) continue;
        let hidden = false;
        if (rule.methods !== null && !rule.includesMethod(facts.method)) {
          if (!tunnel || rule.allows || !rule.decides) continue;
          hidden = true;
        }
        const known = rule.includesUser(user);
        if (!known && (user !== null || authentication === "none" || !rule.decides)) continue;
        if (rule.spec.paths !== null) {
          if (facts.path !== null) {
            if (!rule.spec.encodedSlashes) readings ??= pathReadings(facts.path);
            if (!rule.includesPath(rule.spec.encodedSlashes ? rule.readingsOf(facts.path) : readings!)) {
              continue;
            }
          } else {
            if (!tunnel || rule.allows || !rule.decides || !rule.readsRequest) continue;
            hidden = true;
          }
        }
        if ((certain[word] & bit) === 0) {
          if (ip === null) {
            if (elsewhere) continue;
            if (hidden) continue;
            if (!known) mayAuthenticate = true;
            else if (rule.allows && !mayAllow) mayAllow = this.#mayPass(rule, facts, client, unseen);
            continue;
          }
          if (!rule.includesAddress(ip)) continue;
        }
        if (!rule.decides) {
          reported = rule;
          continue;
        }
        if (hidden) {
          unseen ??= rule;
          continue;
        }
        decisive = rule;
        decisiveIndex = index;
        lacksUser = !known;
        break search;
      }
    }

    if (lacksUser) return mayAllow ? UNRESOLVED : this.#authenticate;
    let verdict = decisive === null ? this.#default : decisive.verdictOn(facts.path);
    if (verdict.decision === "allow") {
      if (tunnel && decisive !== null) unseen = unseenUnder(decisive, unseen);
      const denial = this.#denial(decisive, facts, client, ip, unseen);
      if (denial === null) {
        verdict = tunnel
          ? this.#tunnelVerdict(decisive, unseen, facts)
          : this.#readsRequest(hosts, client, decisive, decisiveIndex)
          ? decisive === null ? this.#defaultReading : decisive.readingVerdict
          : verdict;
        return reported === null ? verdict : reportedDenial(reported, verdict);
      }
      verdict = this.#deny(denial);
    } else if (decisive === null && this.looksAtPaths && this.#isAmbiguous(facts, hosts, client)) {
      verdict = this.#defaultToAmbiguous;
    }
    if (mayAllow) return UNRESOLVED;
    return mayAuthenticate ? this.#authenticate : verdict;
  }

  /** How a tunnel is looked at that `rule`, or the default, allows. */
  #tunnelVerdict(rule: Rule | null, unseen: Rule | null, { authority }: Facts): Verdict {
    const verdicts = rule === null ? this.#defaultToTunnels : rule.tunnelVerdicts;
    if (unseen !== null) return { ...verdicts.require, unseenBy: unseen.spec.name };
    return verdicts[tlsCheckTo(authority.port, rule?.spec.tls ?? this.spec.tls)];
  }

  /**
   * Whether rules that look at methods or paths had a part in an allow: one that is for the host and the client, and was
   * tried. Behind a rule that takes every request there is none.
   */
  #readsRequest(hosts: HostRules, client: Client, decisive: Rule | null, decisiveIndex: number): boolean {
    const reading = this.#reading;
    if (reading === null) return false;
    const end = decisive === null || decisive.readsRequest ? this.#rules.length : decisiveIndex;
    const { possible } = hosts;
    for (let word = 0; word << 5 < end; word++) {
      const bits = reading[word] & possible[word] & client.rules[word];
      // of the last word only the rules before the end
      if ((end - (word << 5) < 32 ? bits & (1 << (end & 31)) - 1 : bits) !== 0) return true;
    }
    return false;
  }

  /** Whether the path kept one of the rules from allowing the request, because servers may take it for different ones. */
  #isAmbiguous({ path }: Facts, { possible }: HostRules, client: Client): boolean {
    // a rule for which encoded slashes are slashes finds fewer paths ambiguous
    if (path === null || pathReadings(path) !== AMBIGUOUS_PATH) return false;
    return this.#rules.some((rule, index) =>
      rule.allows && rule.decides && rule.spec.paths !== null &&
      includesRule(possible, index) && includesRule(client.rules, index) &&
      rule.readingsOf(path) === AMBIGUOUS_PATH
    );
  }

  /** What the later stations have against a request that `rule`, or the default, allows. */
  #denial(
    rule: Rule | null,
    facts: Facts,
    client: Client,
    ip: IpAddress | null,
    unseen: Rule | null,
  ): Denial | null {
    const denial = this.#portDenial(rule, facts, client, unseen);
    if (denial !== null || ip === null) return denial;
    return this.#guard.denial(ip, facts, client.scope, rule !== null && rule.namesAddress(ip));
  }

  #portDenial(rule: Rule | null, facts: Facts, client: Client, unseen: Rule | null): Denial | null {
    const { port } = facts.authority;
    if (port === DEFAULT_PORTS.http && unseen !== null) return hidingTunnel(unseen.spec.name, port);
    // The rule has matched: when it names ports, this one is among them.
    if (rule !== null && rule.spec.ports !== null) return null;
    if (port === 25) return mailPort();
    if (facts.method !== "CONNECT") {
      return client.scope === "loopback" || portsInclude(SAFE_PORTS, port) ? null : plainPort(port);
    }
    const { connectPorts } = this.spec;
    const open = connectPorts === null
      ? port === 443 || client.scope === "loopback"
      : portsInclude(connectPorts, port);
    return open ? null : connectPort(port);
  }

  /** Whether a rule that waits for the address can allow the request when it matches. */
  #mayPass(rule: Rule, facts: Facts, client: Client, unseen: Rule | null): boolean {
    if (facts.method === "CONNECT") unseen = unseenUnder(rule, unseen);
    if (this.#portDenial(rule, facts, client, unseen) !== null) return false;
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

/**
 * The rule that looks at what a tunnel hides which `rule` allows: one that denies before it, or itself where it names
 * methods besides CONNECT. None where it says that anything may pass.
 */
function unseenUnder(rule: Rule, unseen: Rule | null): Rule | null {
  if (rule.spec.tls === "any") return null;
  return unseen ?? (rule.readsRequest ? rule : null);
}

/** What a rule would have denied goes on as what allows it says. */
function reportedDenial(rule: Rule, allowed: Verdict): Verdict {
  const { tls, rates, namesMethod, readsRequest, unseenBy } = allowed;
  return {
    ...rule.verdict,
    tls,
    rates,
    ...namesMethod && { namesMethod },
    ...readsRequest && { readsRequest },
    ...unseenBy !== undefined && { unseenBy },
  };
}
