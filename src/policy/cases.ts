/** Runs a policy's own tests. Nothing is looked up: a case says where its name leads, or goes without. */

import { HttpError } from "../http/error.ts";
import { formatIp, type IpAddress, parseIp } from "../http/ip_address.ts";
import { type Asked, readAsked } from "./asked.ts";
import type { Facts } from "./facts.ts";
import type { HostList } from "./host_list.ts";
import { Policy } from "./policy.ts";
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
  /** Why, and where there is no answer what to write into the case. */
  readonly reason: string;
}

/** RFC 6761 §6.3: known without a look-up. */
const LOOPBACK: readonly IpAddress[] = [parseIp("127.0.0.1")!, parseIp("::1")!];

export class CaseRunner {
  readonly #policy: Policy;
  /** Rules that are only tried out, by name. */
  readonly #tried: ReadonlySet<string>;

  /**
   * Cases are judged by the policy as it is enforced, whatever its mode is, and by the rules that decide: what is only
   * tried out changes no answer.
   */
  constructor(spec: PolicySpec, lists: ReadonlyMap<string, HostList>) {
    const rules = spec.rules.filter(({ mode }) => mode === "enforce");
    this.#tried = new Set(spec.rules.flatMap(({ mode, name }) => mode === "report" ? [name] : []));
    this.#policy = new Policy({ ...spec, mode: "enforce", rules }, lists);
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
      return { test, passed: false, got: null, rule: "", reason: error.message };
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
    const { decision, rule, reason } = this.#decide(facts, test);
    if (decision === "unresolved") {
      const advice = 'it depends on the address: write addresses = ["…"] into the case';
      return { test, passed: false, got: null, rule, reason: advice };
    }
    const passed = decision === test.expect && (test.rule === null || test.rule === rule);
    return { test, passed, got: decision, rule, reason: passed ? reason : this.#explained(test, reason) };
  }

  #decide(facts: Facts, { addresses }: TestCase): Verdict {
    const first = this.#policy.decide(facts, null);
    if (first.decision === "deny" || first.decision === "authenticate") return first;
    let verdict = first;
    for (const address of addressesOf(facts, addresses)) {
      const next = this.#policy.decide(facts, address);
      if (next.decision === "allow") return next;
      if (verdict === first) verdict = next;
    }
    return verdict;
  }

  /** The reason, and why a rule that was expected cannot have decided. */
  #explained({ rule }: TestCase, reason: string): string {
    if (rule === null || !this.#tried.has(rule)) return reason;
    return `${reason}; the rule "${rule}" decides nothing, its mode is "report"`;
  }
}

function addressesOf({ authority }: Facts, given: readonly IpAddress[]): readonly IpAddress[] {
  if (authority.ip !== null) return [authority.ip];
  if (given.length > 0) return given;
  return authority.host === "localhost" || authority.host.endsWith(".localhost") ? LOOPBACK : [];
}

/** What is expected, or came, in words: `deny by "no trackers"`. */
export function outcomeInWords(decision: Expectation | null, rule: string | null): string {
  const what = decision ?? "no answer";
  return rule === null || rule === "" ? what : `${what} by "${rule}"`;
}

/** Who asks in a case, for a line of its own: `10.0.0.5, user ann, GET, at 192.0.2.1`. */
export function askerInWords({ client, user, method, addresses }: TestCase): string {
  const parts = [client];
  if (user !== null) parts.push(`user ${user}`);
  parts.push(method);
  if (addresses.length > 0) parts.push(`at ${addresses.map(formatIp).join(", ")}`);
  return parts.join(", ");
}
