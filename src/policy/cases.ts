/** Runs a policy's own tests. Nothing is looked up: a case says where its name leads, or goes without. */

import { HttpError } from "../http/error.ts";
import { formatIp, type IpAddress, parseIp } from "../http/ip_address.ts";
import { type Asked, readAsked } from "./asked.ts";
import { evaluate } from "./evaluation.ts";
import type { Facts } from "./facts.ts";
import type { HostList } from "./host_list.ts";
import { Policy } from "./policy.ts";
import { isElsewhere, type NamedWay, NO_ROUTES, type Routes, wayNames } from "./routes.ts";
import type { PolicySpec } from "./spec.ts";
import type { Expectation, TestCase } from "./test_case.ts";
import type { Verdict } from "./verdict.ts";

export interface Outcome {
  readonly test: TestCase;
  readonly passed: boolean;
  /** What came of it; `null` when it is no request that anybody could make, or the answer depends on the address. */
  readonly got: Expectation | null;
  /** What decided, as {@link Verdict.rule} has it; `""` when nothing did. */
  readonly rule: string;
  /** The ways that lead there, by their names; empty when it is no request. */
  readonly via: readonly string[];
  /** Why, and where there is no answer what to write into the case. */
  readonly reason: string;
}

/** RFC 6761 §6.3: known without a look-up. */
const LOOPBACK: readonly IpAddress[] = [parseIp("127.0.0.1")!, parseIp("::1")!];

export class CaseRunner {
  readonly #spec: PolicySpec;
  readonly #lists: ReadonlyMap<string, HostList>;
  readonly #policy: Policy;
  readonly #routes: Routes<NamedWay>;
  /** Rules that are only tried out, by name. */
  readonly #tried: ReadonlySet<string>;

  /**
   * Cases are judged by the policy as it is enforced, whatever its mode is, and by the rules that decide: what is only
   * tried out changes no answer.
   *
   * @param routes all of them; where they lead through a parent, names are judged without their addresses
   */
  constructor(
    spec: PolicySpec,
    lists: ReadonlyMap<string, HostList>,
    routes: Routes<NamedWay> = NO_ROUTES,
  ) {
    const rules = spec.rules.filter(({ mode }) => mode === "enforce");
    this.#tried = new Set(spec.rules.flatMap(({ mode, name }) => mode === "report" ? [name] : []));
    this.#spec = { ...spec, mode: "enforce", rules };
    this.#lists = lists;
    this.#policy = new Policy(this.#spec, lists);
    this.#routes = routes;
  }

  /**
   * With addresses the request is allowed when it is for any of them, as the proxy leaves out those that are not.
   * Without, what is decided by the name alone counts; a name that is allowed so may still lead to an address that is
   * not.
   */
  run(test: TestCase): Outcome {
    let asked: Asked;
    try {
      asked = readAsked(test.url, test.method);
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      return { test, passed: false, got: null, rule: "", via: [], reason: error.message };
    }
    const { client, clientIp, user } = test;
    const facts: Facts = {
      client,
      clientIp,
      user,
      method: asked.method,
      authority: asked.authority,
      path: asked.path,
    };
    const { verdict: { decision, rule, reason }, address } = this.#decide(facts, test);
    const via = wayNames(this.#routes, facts.authority);
    if (decision === "unresolved") {
      const advice = 'it depends on the address: write addresses = ["…"] into the case';
      return { test, passed: false, got: null, rule, via, reason: advice };
    }
    const decided = decision === test.expect && (test.rule === null || test.rule === rule);
    const sent = test.via === null || sameWays(test.via, via);
    const reasons = decided && sent ? [reason] : [
      ...decided ? [] : [this.#explained(test, facts, address)],
      ...sent ? [] : [this.#wayExplained(facts)],
    ];
    return { test, passed: decided && sent, got: decision, rule, via, reason: reasons.join("; ") };
  }

  #decide(facts: Facts, { addresses }: TestCase): { verdict: Verdict; address: IpAddress | null } {
    const first = { verdict: this.#policy.decide(facts, null), address: null };
    if (isElsewhere(this.#routes, facts.authority)) {
      return { verdict: this.#policy.decide(facts, null, true), address: null };
    }
    const { decision } = first.verdict;
    if (decision === "deny" || decision === "authenticate") return first;
    let refused: { verdict: Verdict; address: IpAddress } | null = null;
    for (const address of addressesOf(facts, addresses)) {
      const next = { verdict: this.#policy.decide(facts, address), address };
      if (next.verdict.decision === "allow") return next;
      refused ??= next;
    }
    return refused ?? first;
  }

  /** What had the last word, with its place, and why a rule that was expected cannot have had it. */
  #explained({ rule, addresses }: TestCase, facts: Facts, address: IpAddress | null): string {
    const elsewhere = isElsewhere(this.#routes, facts.authority);
    const step = evaluate(this.#spec, this.#lists, facts, address, elsewhere).steps.findLast(({ result }) =>
      result === "decides"
    );
    const place = step?.rule?.source.line ? `${step.rule.source.file}:${step.rule.source.line}: ` : "";
    const unused = elsewhere && addresses.length > 0
      ? "; its parent looks the name up: addresses change nothing"
      : "";
    const reason = `${place}${step?.text ?? ""}${unused}`;
    if (rule === null || !this.#tried.has(rule)) return reason;
    return `${reason}; the rule "${rule}" decides nothing, its mode is "report"`;
  }

  /** Which route has the last word. */
  #wayExplained({ authority }: Facts): string {
    const route = this.#routes.route(authority);
    if (route === null) return `no route names ${authority.host}`;
    const place = route.place === undefined ? "" : `${route.place}: `;
    return `${place}the route for ${route.hosts.map(({ text }) => text).join(", ")} decides the way`;
  }
}

function sameWays(ways: readonly string[], others: readonly string[]): boolean {
  return ways.length === others.length && ways.every((way, index) => way === others[index]);
}

function addressesOf({ authority }: Facts, given: readonly IpAddress[]): readonly IpAddress[] {
  if (authority.ip !== null) return [authority.ip];
  if (given.length > 0) return given;
  return authority.host === "localhost" || authority.host.endsWith(".localhost") ? LOOPBACK : [];
}

/** What is expected, or came, in words: `deny by "no trackers"`, `allow by "npm", via corp, direct`. */
export function outcomeInWords(
  decision: Expectation | null,
  rule: string | null,
  via: readonly string[] | null = null,
): string {
  const what = decision ?? "no answer";
  const ruled = rule === null || rule === "" ? what : `${what} by "${rule}"`;
  return via === null || via.length === 0 ? ruled : `${ruled}, via ${via.join(", ")}`;
}

/** Who asks in a case, for a line of its own: `10.0.0.5, user ann, GET, at 192.0.2.1`. */
export function askerInWords({ client, user, method, addresses }: TestCase): string {
  const parts = [client];
  if (user !== null) parts.push(`user ${user}`);
  parts.push(method);
  if (addresses.length > 0) parts.push(`at ${addresses.map(formatIp).join(", ")}`);
  return parts.join(", ");
}
