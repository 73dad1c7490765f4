/**
 * A decision in slow motion: every station and every rule in order, each with what it says. `Policy.decide` comes to
 * the same verdict on another way; that both agree is tested with policies and requests made at random.
 */

import type { IpAddress } from "../http/ip_address.ts";
import {
  type ClientScope,
  clientScopeOf,
  leastScopeIn,
  meaningsOf,
  plainAddress,
  plainScope,
  PRIVACY,
  scopeOf,
} from "./address_scope.ts";
import {
  connectPort,
  type Denial,
  mailPort,
  morePrivate,
  NO_PASSWORD,
  NO_RULE_MATCHES,
  noPrivateNetworks,
  notAClient,
  notAmongPrivateNetworks,
  RULE_MATCHES,
  unnamedAddress,
  unspecifiedAddress,
  WOULD_BE_ASKED,
} from "./denial.ts";
import type { Facts } from "./facts.ts";
import type { HostList } from "./host_list.ts";
import { isSingleAddress, networkContains } from "./network.ts";
import { portsInclude } from "./port_range.ts";
import { type Trial, tryRule } from "./rule_trial.ts";
import type { PolicySpec, RuleSpec } from "./spec.ts";
import type { Verdict } from "./verdict.ts";

/** One station that was passed, or one rule that was tried. */
export interface Step {
  readonly station: "clients" | "users" | "rule" | "default" | "ports" | "address";
  /** The rule's name, or the station. */
  readonly name: string;
  /** The rule, with the place where it was written. */
  readonly rule: RuleSpec | null;
  /**
   * - `passes`: the station has nothing against the request
   * - `fails`: a condition of the rule does not hold
   * - `waits`: it depends on the address, which is not known
   * - `reports`: the rule matches, and is only recorded
   * - `decides`: it has the last word, or with an allow the last but for the ports and the address
   */
  readonly result: "passes" | "fails" | "waits" | "reports" | "decides";
  /** Why, in words: `ports: 8443 is not among 443`. */
  readonly text: string;
}

export interface Evaluation {
  readonly steps: readonly Step[];
  readonly verdict: Verdict;
  /** The rules that were tried. */
  readonly trials: readonly Trial[];
  /** The rule that allowed or denied before the later stations had their say; `null` when none did. */
  readonly decisive: RuleSpec | null;
}

export function evaluate(
  spec: PolicySpec,
  lists: ReadonlyMap<string, HostList>,
  facts: Facts,
  address: IpAddress | null,
  elsewhere = false,
): Evaluation {
  return new Evaluator(spec, lists, facts, address ?? facts.authority.ip, elsewhere).run();
}

class Evaluator {
  readonly #steps: Step[] = [];
  readonly #trials: Trial[] = [];
  readonly #client: ClientScope;

  constructor(
    readonly spec: PolicySpec,
    readonly lists: ReadonlyMap<string, HostList>,
    readonly facts: Facts,
    readonly ip: IpAddress | null,
    readonly elsewhere: boolean,
  ) {
    this.#client = clientScopeOf(facts.clientIp);
  }

  run(): Evaluation {
    const { decisive, verdict } = this.#judge();
    return { steps: this.#steps, trials: this.#trials, decisive, verdict: this.#asReported(verdict) };
  }

  #judge(): { decisive: RuleSpec | null; verdict: Verdict } {
    const { spec, facts } = this;
    if (spec.clients !== null && !spec.clients.some((network) => networkContains(network, facts.clientIp))) {
      const denial = notAClient(facts);
      this.#say("clients", "decides", denial.reason);
      return { decisive: null, verdict: denied(denial) };
    }
    this.#say(
      "clients",
      "passes",
      spec.clients === null ? "everybody may use the proxy" : `${facts.client} is one`,
    );
    if (spec.authentication === "always" && facts.user === null) {
      this.#say("users", "decides", NO_PASSWORD);
      return { decisive: null, verdict: AUTHENTICATE };
    }
    this.#say(
      "users",
      "passes",
      facts.user === null ? "nobody has to say who they are here" : `it is ${facts.user}`,
    );

    const waiting: Trial[] = [];
    const reported: RuleSpec[] = [];
    let decisive: Trial | null = null;
    for (const rule of spec.rules) {
      const trial = tryRule(rule, {
        facts,
        ip: this.ip,
        lists: this.lists,
        authentication: spec.authentication,
      });
      this.#trials.push(trial);
      this.#sayTrial(trial);
      if (trial.state === "fails") continue;
      if (trial.state === "waits") waiting.push(trial);
      else if (rule.mode === "report") reported.push(rule);
      else {
        decisive = trial;
        break;
      }
    }
    if (decisive === null) this.#say("default", "decides", `${NO_RULE_MATCHES}: ${spec.defaultAction}`);

    const rule = decisive?.rule ?? null;
    let verdict = this.#outcome(rule, decisive?.lacksUser ?? false, true);
    if (verdict.decision !== "allow" && !this.elsewhere) verdict = this.#wait(verdict, waiting);
    const would = reported.find(({ action }) => action === "deny");
    if (verdict.decision === "allow" && would !== undefined) {
      verdict = {
        ...verdict,
        decision: "deny",
        rule: would.name,
        reason: RULE_MATCHES,
        note: would.note,
        enforced: false,
      };
    }
    return { decisive: rule, verdict };
  }

  /** What becomes of a request that no rule allows by its name alone, when some rules wait for the address. */
  #wait(verdict: Verdict, waiting: readonly Trial[]): Verdict {
    const outcomes = waiting.filter(({ rule }) => rule.mode === "enforce").map(({ rule, lacksUser }) => ({
      rule,
      verdict: this.#outcome(rule, lacksUser, false),
    }));
    for (const outcome of outcomes) {
      if (outcome.verdict.decision === "allow" && this.#canReach(outcome.rule)) return UNRESOLVED;
    }
    return outcomes.some((outcome) => outcome.verdict.decision === "authenticate") ? AUTHENTICATE : verdict;
  }

  /** What is said when this rule, or with `null` the default, decides. */
  #outcome(rule: RuleSpec | null, lacksUser: boolean, aloud: boolean): Verdict {
    const { spec } = this;
    if (lacksUser) return AUTHENTICATE;
    const action = rule === null ? spec.defaultAction : rule.action;
    const name = rule === null ? "default" : rule.name;
    const reason = rule === null ? NO_RULE_MATCHES : RULE_MATCHES;
    if (action === "deny") return { ...denied({ rule: name, reason }), note: rule?.note ?? "" };

    const port = this.#port(rule);
    if (aloud) {
      this.#say("ports", port === null ? "passes" : "decides", port?.reason ?? "the port may be reached");
    }
    if (port !== null) return denied(port);
    const address = this.ip === null ? null : this.#address(rule, this.ip);
    if (aloud && this.ip !== null) {
      const scope = scopeOf(this.ip);
      this.#say("address", address === null ? "passes" : "decides", address?.reason ?? `it is ${scope}`);
    }
    if (address !== null) return denied(address);
    const rates = rule === null || rule.rates === null ? null : { rule: rule.name, limits: rule.rates };
    return {
      decision: "allow",
      rule: name,
      reason,
      note: "",
      enforced: true,
      tls: rule?.tls ?? spec.tls,
      rates,
      ...(rule?.methods ?? null) !== null && { namesMethod: true },
    };
  }

  #port(rule: RuleSpec | null): Denial | null {
    const { method, authority: { port } } = this.facts;
    const named = rule !== null && rule.ports !== null && portsInclude(rule.ports, port);
    if (named) return null;
    if (port === 25) return mailPort();
    if (method !== "CONNECT") return null;
    const { connectPorts } = this.spec;
    if (connectPorts !== null) return portsInclude(connectPorts, port) ? null : connectPort(port);
    return this.#client === "loopback" || port === 443 ? null : connectPort(port);
  }

  #address(rule: RuleSpec | null, ip: IpAddress): Denial | null {
    const { facts, spec: { privateNetworks } } = this;
    const scope = scopeOf(ip);
    if (scope === "unspecified") return unspecifiedAddress(ip);
    if (scope === "metadata" || scope === "reserved") {
      const named = rule !== null && rule.ports !== null &&
        (rule.hosts ?? []).some((host) =>
          host.kind === "network" && isSingleAddress(host.network) &&
          (networkContains(host.network, ip) || networkContains(host.network, plainAddress(ip)))
        );
      return named ? null : unnamedAddress(ip, scope, facts.authority.port);
    }
    if (scope === "public" || privateNetworks === "allow") return null;
    if (privateNetworks === "deny") return noPrivateNetworks(ip, scope);
    if (privateNetworks === "own") {
      const within = this.#client === "loopback" || this.#client === "private" && scope === "private";
      return within ? null : morePrivate(ip, scope, facts, this.#client);
    }
    for (const meaning of meaningsOf(ip)) {
      if (plainScope(meaning) === "public") continue;
      const listed = privateNetworks.some((network) => networkContains(network, meaning));
      if (!listed) return notAmongPrivateNetworks(ip, scope);
    }
    return null;
  }

  /** Whether the guard can let through any address that an allow rule's hosts hold for. */
  #canReach(rule: RuleSpec): boolean {
    const { spec: { privateNetworks }, lists } = this;
    return rule.hosts!.some((host) => {
      if (host.kind === "list") return lists.get(host.file)?.hasAddresses ?? false;
      if (host.kind !== "network") return false;
      if (rule.ports !== null && isSingleAddress(host.network)) return true;
      const scope = leastScopeIn(host.network);
      if (PRIVACY[scope] > PRIVACY.loopback) return false;
      if (scope === "public") return true;
      return privateNetworks === "own" ? PRIVACY[scope] <= PRIVACY[this.#client] : privateNetworks !== "deny";
    });
  }

  /** As a policy says it that is only reported. */
  #asReported(verdict: Verdict): Verdict {
    if (this.spec.mode === "enforce") return verdict;
    if (verdict.decision === "authenticate") {
      return { ...denied({ rule: "users", reason: WOULD_BE_ASKED }), enforced: false };
    }
    return verdict.decision === "deny" ? { ...verdict, enforced: false } : verdict;
  }

  #say(station: Step["station"], result: Step["result"], text: string): void {
    this.#steps.push({ station, name: station, rule: null, result, text });
  }

  #sayTrial({ rule, conditions, state, lacksUser }: Trial): void {
    const add = (result: Step["result"], text: string) =>
      this.#steps.push({ station: "rule", name: rule.name, rule, result, text });
    const why = conditions.find((condition) => condition.state === state);
    if (state === "fails" || state === "waits") return void add(state, `${why!.key}: ${why!.text}`);
    if (lacksUser) return void add("decides", `users: ${why!.text}`);
    const all = conditions.map(({ key, text }) => `${key}: ${text}`).join("; ") || "it has no conditions";
    add(rule.mode === "report" ? "reports" : "decides", `${rule.action}: ${all}`);
  }
}

function denied({ rule, reason, note = "" }: Denial): Verdict {
  return { decision: "deny", rule, reason, note, enforced: true, tls: "any", rates: null };
}

const AUTHENTICATE: Verdict = { ...denied({ rule: "users", reason: NO_PASSWORD }), decision: "authenticate" };
const UNRESOLVED: Verdict = {
  ...denied({ rule: "", reason: "it depends on the address" }),
  decision: "unresolved",
};
