/** Judges the exchanges of a log anew, and keeps what would be decided otherwise. */

import type { Authority } from "../http/authority.ts";
import { DEFAULT_PORTS } from "../http/target.ts";
import { isElsewhere, type NamedWay, NO_ROUTES, type Routes, wayNames } from "../policy/routes.ts";
import type { Decider, Verdict } from "../policy/verdict.ts";
import { moment } from "./evidence.ts";
import { factsOf } from "./logged_facts.ts";
import { isChallenge, type LoggedExchange, wentThrough } from "./logged_exchange.ts";
import { ownCopy, Tally } from "./tally.ts";

const MOST_CHANGES = 10_000;
const MOST_REASONS = 10;
/** Characters of an example's path. */
const LONGEST_PATH = 200;

type Outcome = "allow" | "deny" | "authenticate";

/** The same change of the same host and port, by the same rules. */
export interface Change {
  count: number;
  target: string;
  before: Outcome;
  /** `""` when the log does not say. */
  ruleBefore: string;
  after: Outcome;
  ruleAfter: string;
  /** Why, in the words of the first. */
  reason: string;
  /** The first: when, who, how. */
  example: string;
}

/** The same other way to the same host and port. */
export interface Detour {
  count: number;
  target: string;
  before: string;
  /** The ways there are now, in their order. */
  after: readonly string[];
}

/** Words in a log that stand for what no policy decides alone. */
const OWN_LISTENERS = "own listeners";

export class Replay {
  exchanges = 0;
  same = 0;
  differing = 0;
  /** Those of `same` that another rule decides now. */
  byAnotherRule = 0;
  /** Those of `same` that would take a way which they did not take. */
  rerouted = 0;
  readonly changes = new Tally<Change>(MOST_CHANGES, () => ({
    count: 0,
    target: "",
    before: "allow",
    ruleBefore: "",
    after: "allow",
    ruleAfter: "",
    reason: "",
    example: "",
  }));
  readonly detours = new Tally<Detour>(MOST_CHANGES, () => ({ count: 0, target: "", before: "", after: [] }));
  /** Why exchanges could not be judged. */
  readonly unjudged = new Tally<{ count: number }>(MOST_REASONS, () => ({ count: 0 }));
  #policy: Decider;
  #routes: Routes<NamedWay>;

  constructor(policy: Decider, routes: Routes<NamedWay> = NO_ROUTES) {
    this.#policy = policy;
    this.#routes = routes;
  }

  add(exchange: LoggedExchange): void {
    this.exchanges++;
    const before = outcomeBefore(exchange);
    const { authority } = exchange;
    if (authority === null) return this.#passOver("the log does not say what was asked for");
    if (before === null) return this.#passOver("they were not decided by a policy then");
    if (exchange.clientIp === null) return this.#passOver("the log does not say by whose address");
    if (exchange.pathCut && this.#policy.looksAtPaths) return this.#passOver("the log has cut their path");
    const elsewhere = isElsewhere(this.#routes, authority);
    const address = elsewhere ? null : exchange.originIp ?? authority.ip;
    const verdict = this.#policy.decide(factsOf(exchange, authority), address, elsewhere);
    if (verdict.decision === "unresolved") {
      return this.#passOver("it depends on an address that the log does not have");
    }
    const tls = tlsOutcome(exchange, authority, verdict);
    if (tls === "unknown") return this.#passOver("it depends on what came through the tunnel");
    const after = tls === "deny" ? tls : verdict.decision;
    const rule = tls === "deny" ? "tls" : verdict.rule;
    if (after !== before) return this.#differ(exchange, authority, before, after, rule, verdict.reason);
    this.same++;
    if (exchange.rule !== "" && exchange.rule !== rule) this.byAnotherRule++;
    if (wentThrough(exchange)) this.#compareWays(exchange, authority);
  }

  /** A way that is still among those that are tried may have been the second choice then, and be the first now. */
  #compareWays({ via }: LoggedExchange, authority: Authority): void {
    const ways = wayNames(this.#routes, authority);
    if (via === "" || ways.includes(via)) return;
    this.rerouted++;
    const detour = this.detours.of(JSON.stringify([authority.text, via]));
    if (detour.count++ > 0) return;
    detour.target = authority.text;
    detour.before = ownCopy(via);
    detour.after = ways;
  }

  #passOver(reason: string): void {
    this.unjudged.of(reason).count++;
  }

  #differ(
    exchange: LoggedExchange,
    authority: Authority,
    before: Outcome,
    after: Outcome,
    rule: string,
    reason: string,
  ): void {
    this.differing++;
    const change = this.changes.of(JSON.stringify([authority.text, before, exchange.rule, after, rule]));
    if (change.count++ > 0) return;
    change.target = authority.text;
    change.before = before;
    change.ruleBefore = exchange.rule;
    change.after = after;
    change.ruleAfter = rule;
    change.reason = rule === "tls" ? `the tunnel asked for ${exchange.serverName}` : reason;
    const user = exchange.user === null ? "" : `${exchange.user}@`;
    const path = exchange.path === null ? "" : ` ${exchange.path.slice(0, LONGEST_PATH)}`;
    change.example = ownCopy(`${moment(exchange.time)} ${user}${exchange.client} ${exchange.method}${path}`);
  }
}

/** What was decided then; `null` when nothing was that can be compared. */
function outcomeBefore(exchange: LoggedExchange): Outcome | null {
  if (isChallenge(exchange)) return "authenticate";
  if (exchange.rule === OWN_LISTENERS) return null;
  return exchange.verdict === "none" ? null : exchange.verdict;
}

/** What the look into the tunnel makes of a request that is allowed. */
function tlsOutcome(
  exchange: LoggedExchange,
  authority: Authority,
  verdict: Verdict,
): "allow" | "deny" | "unknown" {
  const { serverName } = exchange;
  if (verdict.decision !== "allow") return "allow";
  if (exchange.method !== "CONNECT") {
    // what came after an upgrade
    return exchange.rule === "tls" && verdict.readsRequest ? "unknown" : "allow";
  }
  if (verdict.tls === "any") return "allow";
  if (serverName !== "") return serverName === authority.host ? "allow" : "deny";
  // a log of another program, or a tunnel that was refused before it opened, tells nothing of its contents
  if (exchange.rule === "tls") return "unknown";
  if (verdict.tls === "match" || !exchange.reached) return "allow";
  // what was not looked at then and goes to the port of HTTPS is taken for that
  return authority.port === DEFAULT_PORTS.https ? "allow" : "unknown";
}
