/**
 * A decision in slow motion: every station and every rule in order, each with what it says. `Policy.decide` comes to
 * the same verdict on another way; that both agree is tested with policies and requests made at random.
 */

import type { IpAddress } from "../http/ip_address.ts";
import { listedNetworks, listsOwn } from "./address_guard.ts";
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
  AMBIGUOUS,
  connectPort,
  type Denial,
  hidingTunnel,
  mailPort,
  morePrivate,
  morePrivateAndUnlisted,
  NO_PASSWORD,
  NO_RULE_MATCHES,
  noPrivateNetworks,
  notAClient,
  notAmongPrivateNetworks,
  plainPort,
  RULE_MATCHES,
  unnamedAddress,
  unspecifiedAddress,
  WOULD_BE_ASKED,
} from "./denial.ts";
import type { Facts } from "./facts.ts";
import type { HostList } from "./host_list.ts";
import { isSingleAddress, networkContains } from "./network.ts";
import { pathReadings } from "./path_pattern.ts";
import { AMBIGUOUS_PATH } from "./path_readings.ts";
import { portsInclude, SAFE_PORTS } from "./port_range.ts";
import { readsRequest } from "./rule.ts";
import { type Trial, tryRule } from "./rule_trial.ts";
import type { PolicySpec, RuleSpec } from "./spec.ts";
import { tlsCheckTo } from "./tunnel_check.ts";
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
   * - `assumes`: the rule would deny something that the tunnel hides, and makes it TLS
   * - `reports`: the rule matches, and is only recorded
   * - `decides`: it has the last word, or with an allow the last but for the ports and the address
   */
  readonly result: "passes" | "fails" | "waits" | "assumes" | "reports" | "decides";
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
  /** The first rule before it that would deny something which a tunnel hides; `null` when none would. */
  readonly unseen: RuleSpec | null;
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

/** A rule that waits for the address, and the first before it that would deny something which a tunnel hides. */
interface Waiting {
  readonly trial: Trial;
  readonly unseen: RuleSpec | null;
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
    const { decisive, unseen, verdict } = this.#judge();
    return { steps: this.#steps, trials: this.#trials, decisive, unseen, verdict: this.#asReported(verdict) };
  }

  #judge(): Pick<Evaluation, "decisive" | "unseen" | "verdict"> {
    const { spec, facts } = this;
    if (spec.clients !== null && !spec.clients.some((network) => networkContains(network, facts.clientIp))) {
      const denial = notAClient(facts);
      this.#say("clients", "decides", denial.reason);
      return { decisive: null, unseen: null, verdict: denied(denial) };
    }
    this.#say(
      "clients",
      "passes",
      spec.clients === null ? "everybody may use the proxy" : `${facts.client} is one`,
    );
    if (spec.authentication === "always" && facts.user === null) {
      this.#say("users", "decides", NO_PASSWORD);
      return { decisive: null, unseen: null, verdict: AUTHENTICATE };
    }
    this.#say(
      "users",
      "passes",
      facts.user === null ? "nobody has to say who they are here" : `it is ${facts.user}`,
    );

    const waiting: Waiting[] = [];
    let unseen: RuleSpec | null = null;
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
      if (trial.state === "waits") waiting.push({ trial, unseen });
      else if (trial.state === "unseen") unseen ??= rule;
      else if (rule.mode === "report") reported.push(rule);
      else {
        decisive = trial;
        break;
      }
    }
    const rule = decisive?.rule ?? null;
    if (rule === null) this.#say("default", "decides", `${this.#reasonOf(null)}: ${spec.defaultAction}`);
    let verdict = this.#outcome(rule, decisive?.lacksUser ?? false, unseen, true);
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
    return { decisive: rule, unseen, verdict };
  }

  /** What becomes of a request that no rule allows by its name alone, when some rules wait for the address. */
  #wait(verdict: Verdict, waiting: readonly Waiting[]): Verdict {
    const outcomes = waiting.filter(({ trial }) => trial.rule.mode === "enforce" && !trial.hidden)
      .map(({ trial: { rule, lacksUser }, unseen }) => ({
        rule,
        verdict: this.#outcome(rule, lacksUser, unseen, false),
      }));
    for (const outcome of outcomes) {
      if (outcome.verdict.decision === "allow" && this.#canReach(outcome.rule)) return UNRESOLVED;
    }
    return outcomes.some((outcome) => outcome.verdict.decision === "authenticate") ? AUTHENTICATE : verdict;
  }

  /**
   * What is said when this rule, or with `null` the default, decides.
   *
   * @param unseen the first rule before it that would deny something which a tunnel hides
   */
  #outcome(rule: RuleSpec | null, lacksUser: boolean, unseen: RuleSpec | null, aloud: boolean): Verdict {
    const { spec, facts } = this;
    if (lacksUser) return AUTHENTICATE;
    const action = rule === null ? spec.defaultAction : rule.action;
    const name = rule === null ? "default" : rule.name;
    const reason = this.#reasonOf(rule);
    if (action === "deny") return { ...denied({ rule: name, reason }), note: rule?.note ?? "" };

    const tunnel = facts.method === "CONNECT";
    const hiding = tunnel ? this.#unseenUnder(rule, unseen) : null;
    const port = this.#port(rule, hiding);
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
      tls: !tunnel
        ? "any"
        : hiding !== null
        ? "require"
        : tlsCheckTo(facts.authority.port, rule?.tls ?? spec.tls),
      rates,
      ...(rule?.methods ?? null) !== null && { namesMethod: true },
      ...!tunnel && this.#readsRequest(rule) && { readsRequest: true },
      ...hiding !== null && { unseenBy: hiding.name },
    };
  }

  #unseenUnder(rule: RuleSpec | null, unseen: RuleSpec | null): RuleSpec | null {
    if (rule?.tls === "any") return null;
    return unseen ?? (rule?.methods?.some((method) => method !== "CONNECT") ? rule : null);
  }

  /** Whether rules that look at methods or paths had a part in an allow by this rule. */
  #readsRequest(rule: RuleSpec | null): boolean {
    const { rules } = this.spec;
    const tried = rule === null || readsRequest(rule) ? rules : rules.slice(0, rules.indexOf(rule));
    return tried.some((each) => each.mode === "enforce" && readsRequest(each) && this.#mayConcern(each));
  }

  /** Why this rule, or with `null` the default, says what it says. */
  #reasonOf(rule: RuleSpec | null): string {
    if (rule !== null) return rule.action === "deny" && this.#ambiguousTo(rule) ? AMBIGUOUS : RULE_MATCHES;
    const { defaultAction, rules } = this.spec;
    const kept = defaultAction === "deny" && rules.some((each) => this.#keptByPath(each));
    return kept ? `${NO_RULE_MATCHES}: ${AMBIGUOUS}` : NO_RULE_MATCHES;
  }

  /** Whether a rule might allow the request, were it not for a path that servers may take for different ones. */
  #keptByPath(rule: RuleSpec): boolean {
    return rule.action === "allow" && rule.mode === "enforce" && this.#ambiguousTo(rule) &&
      this.#mayConcern(rule);
  }

  #ambiguousTo({ paths, encodedSlashes }: RuleSpec): boolean {
    const { path } = this.facts;
    return path !== null && paths !== null && pathReadings(path, encodedSlashes) === AMBIGUOUS_PATH;
  }

  /** Whether the rule is for the client and the port, and may be for the host. */
  #mayConcern(rule: RuleSpec): boolean {
    const { facts, lists } = this;
    const { conditions } = tryRule({ ...rule, users: null, methods: null, paths: null }, {
      facts,
      ip: null,
      lists,
      authentication: this.spec.authentication,
    });
    return conditions.every(({ state }) => state !== "fails");
  }

  #port(rule: RuleSpec | null, hiding: RuleSpec | null): Denial | null {
    const { method, authority: { port } } = this.facts;
    if (hiding !== null && port === 80) return hidingTunnel(hiding.name, port);
    const named = rule !== null && rule.ports !== null && portsInclude(rule.ports, port);
    if (named) return null;
    if (port === 25) return mailPort();
    if (method !== "CONNECT") {
      return this.#client === "loopback" || portsInclude(SAFE_PORTS, port) ? null : plainPort(port);
    }
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
    const networks = listedNetworks(privateNetworks);
    for (const meaning of meaningsOf(ip)) {
      if (plainScope(meaning) === "public") continue;
      if (networks.some((network) => networkContains(network, meaning))) continue;
      if (!listsOwn(privateNetworks)) return notAmongPrivateNetworks(ip, scope);
      const within = this.#client === "loopback" || this.#client === "private" && scope === "private";
      return within ? null : morePrivateAndUnlisted(ip, scope, facts, this.#client);
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
    if (state === "unseen") return void add("assumes", `${why!.key}: ${why!.text}`);
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
