/** Judges the exchanges of a log anew, and keeps what would be decided otherwise. */

import type { Authority } from "../http/authority.ts";
import type { Decider, Verdict } from "../policy/verdict.ts";
import { moment } from "./evidence.ts";
import { factsOf } from "./logged_facts.ts";
import { isChallenge, type LoggedExchange } from "./logged_exchange.ts";
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

/** Words in a log that stand for what no policy decides alone. */
const OWN_LISTENERS = "own listeners";

export class Replay {
  exchanges = 0;
  same = 0;
  differing = 0;
  /** Those of `same` that another rule decides now. */
  byAnotherRule = 0;
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
  /** Why exchanges could not be judged. */
  readonly unjudged = new Tally<{ count: number }>(MOST_REASONS, () => ({ count: 0 }));
  #policy: Decider;

  constructor(policy: Decider) {
    this.#policy = policy;
  }

  add(exchange: LoggedExchange): void {
    this.exchanges++;
    const before = outcomeBefore(exchange);
    const { authority } = exchange;
    if (authority === null) return this.#passOver("the log does not say what was asked for");
    if (before === null) return this.#passOver("they were not decided by a policy then");
    if (exchange.clientIp === null) return this.#passOver("the log does not say by whose address");
    if (exchange.pathCut && this.#policy.looksAtPaths) return this.#passOver("the log has cut their path");
    const verdict = this.#policy.decide(factsOf(exchange, authority), exchange.originIp ?? authority.ip);
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
  if (verdict.decision !== "allow" || verdict.tls === "any" || exchange.method !== "CONNECT") return "allow";
  if (serverName !== "") return serverName === authority.host ? "allow" : "deny";
  // a log of another program, or a tunnel that was refused before it opened, tells nothing of its contents
  if (exchange.rule === "tls") return "unknown";
  return verdict.tls === "match" || !exchange.reached ? "allow" : "unknown";
}
