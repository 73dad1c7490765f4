/** What becomes of rules that look at methods or paths where a tunnel hides them. */

import { type Finding, findingAt, named } from "./finding.ts";
import type { HostList } from "./host_list.ts";
import { readsRequest } from "./rule.ts";
import { RuleReach } from "./rule_reach.ts";
import type { PolicySpec, RuleSpec } from "./spec.ts";

export function* lintTunnels(
  rule: RuleSpec,
  spec: PolicySpec,
  lists: ReadonlyMap<string, HostList>,
): Generator<Finding> {
  if (rule.mode === "report") return;
  if (rule.action === "deny") {
    if (readsRequest(rule) && !deniesTunnels(rule)) yield hidden(rule);
    return;
  }
  if (rule.paths !== null || rule.methods?.includes("CONNECT") === false) return;
  if (rule.tls === "any") yield* waived(rule, spec, lists);
  else if (rule.methods !== null && readsRequest(rule)) yield hidden(rule);
}

/** Whether a rule denies every tunnel to its hosts, so that none hides anything from it. */
function deniesTunnels({ methods, paths }: RuleSpec): boolean {
  return paths === null && methods !== null && methods.includes("CONNECT");
}

function hidden(rule: RuleSpec): Finding {
  const key = rule.paths === null ? "methods" : "paths";
  return findingAt(
    rule,
    key,
    "warning",
    `${
      named(rule)
    }: ${key} cannot be seen in tunnels: those to its hosts have to be TLS, in which nothing is seen, and ` +
      'none goes to port 80; a rule that allows a host with tls = "any" waives that',
  );
}

/** Rules before it that deny what its tunnels hide. */
function* waived(
  rule: RuleSpec,
  spec: PolicySpec,
  lists: ReadonlyMap<string, HostList>,
): Generator<Finding> {
  const tunnels = { ...rule, methods: null };
  const blind = spec.rules.slice(0, spec.rules.indexOf(rule)).find((each) =>
    each.action === "deny" && each.mode === "enforce" && readsRequest(each) && !deniesTunnels(each) &&
    new RuleReach({ ...each, methods: null, paths: null }, lists).covers(tunnels, true)
  );
  if (blind === undefined) return;
  yield findingAt(
    rule,
    "tls",
    "warning",
    `${named(rule)}: tls = "any" lets tunnels carry what ${named(blind)} denies, which it cannot see there`,
  );
}
