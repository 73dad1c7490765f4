/**
 * What is valid in a policy and yet hardly meant: rules that never decide, rules that let in more than they seem
 * to, and rules that the stations behind them overrule. It needs neither a request nor the network.
 */

import { listedNetworks } from "./address_guard.ts";
import { leastScopeIn } from "./address_scope.ts";
import { type Finding, findingAt, findingOfPolicy, named } from "./finding.ts";
import type { HostList } from "./host_list.ts";
import { lintAddresses } from "./lint_addresses.ts";
import { lintRule } from "./lint_rule.ts";
import { lintTunnels } from "./lint_tunnels.ts";
import { partsOf } from "./rule_parts.ts";
import { RuleReach } from "./rule_reach.ts";
import type { PolicySpec, RuleSpec } from "./spec.ts";

/** How many rules before it a rule is compared with: what is beyond would take longer than it is worth. */
const MOST_COMPARED = 1000;
/** Rules that are named when several take what another one would. */
const MOST_NAMED = 3;

/**
 * Looks for what is hardly meant.
 *
 * @param lists by the names of their files, as the rules write them
 * @returns in the order of the rules; what is about `[policy]` comes first
 */
export function lint(spec: PolicySpec, lists: ReadonlyMap<string, HostList>): Finding[] {
  const findings = [...lintSettings(spec)];
  const before: RuleReach[] = [];
  for (const rule of spec.rules) {
    findings.push(
      ...lintRule(rule, spec, lists),
      ...lintAddresses(rule, spec),
    );
    const order = [...lintOrder(rule, before, lists)];
    // of a rule that decides nothing the rest need not be told
    findings.push(...order.length > 0 ? order : lintTunnels(rule, spec, lists));
    // a rule that is only tried out leaves everything to those behind it
    if (rule.mode === "enforce") before.push(new RuleReach(rule, lists));
    if (before.length > MOST_COMPARED) before.shift();
  }
  return findings;
}

function* lintSettings(spec: PolicySpec): Generator<Finding> {
  const denies = spec.defaultAction === "deny" || spec.rules.some(({ action }) => action === "deny");
  if (spec.mode === "report" && denies) {
    yield findingOfPolicy(
      "warning",
      'nothing is refused: mode is "report", and denials are only logged; write mode = "enforce" when they may count',
    );
  }
  if (spec.connectPorts?.some(({ first, last }) => first === 25 && last === 25)) {
    yield findingOfPolicy(
      "warning",
      "connect-ports: 25 has no effect here: only a rule that names it in ports opens the port of mail",
    );
  }
  for (const network of listedNetworks(spec.privateNetworks)) {
    const scope = leastScopeIn(network);
    if (scope === "unspecified") {
      yield findingOfPolicy(
        "warning",
        `private-networks: ${network.text} has no effect here: it is the address of no host, and always refused`,
      );
    }
    if (scope !== "metadata" && scope !== "reserved") continue;
    yield findingOfPolicy(
      "warning",
      `private-networks: ${network.text} has no effect here: of ${scope} addresses a rule opens single ones, ` +
        "by hosts and ports",
    );
  }
}

/** Whether rules before this one leave it anything. */
function* lintOrder(
  rule: RuleSpec,
  before: readonly RuleReach[],
  lists: ReadonlyMap<string, HostList>,
): Generator<Finding> {
  if (rule.mode === "report") return;
  const first = before.find((reach) => reach.covers(rule));
  if (first !== undefined) {
    const same = new RuleReach(rule, lists).covers(first.rule);
    yield shadowed(rule, first.rule, same);
    return;
  }
  const several = coveredTogether(rule, before);
  if (several !== null) {
    yield shadowedTogether(rule, several);
    return;
  }
  if (rule.action === "allow") return;
  const nearly = before.find((reach) => reach.rule.action === "allow" && reach.covers(rule, true));
  if (nearly === undefined) return;
  yield findingAt(
    rule,
    null,
    severityOf(rule, nearly.rule, false),
    `${named(rule)} denies hardly anything: ${named(nearly.rule)} ${
      placeOf(nearly.rule, rule)
    } allows nearly ` +
      `all of it before; move ${named(rule)} above it`,
  );
}

/** The rules that take all parts of a rule, each at least one; `null` when a part is left. */
function coveredTogether(rule: RuleSpec, before: readonly RuleReach[]): RuleSpec[] | null {
  const parts = before.length < 2 ? null : partsOf(rule);
  if (parts === null) return null;
  const takers = new Set<RuleSpec>();
  for (const part of parts) {
    const taker = before.find((reach) => reach.covers(part));
    if (taker === undefined) return null;
    takers.add(taker.rule);
  }
  return [...takers];
}

function shadowedTogether(rule: RuleSpec, takers: readonly RuleSpec[]): Finding {
  const others = takers.map((taker) => `${named(taker)} ${placeOf(taker, rule)}`);
  const told = others.length > MOST_NAMED
    ? `${others.slice(0, MOST_NAMED).join(", ")} and ${others.length - MOST_NAMED} more`
    : `${others.slice(0, -1).join(", ")} and ${others.at(-1)}`;
  const overruling = takers.find(({ action }) => action !== rule.action);
  const advice = overruling === undefined
    ? `remove ${named(rule)}, or move it up if its tls, rates or note are meant`
    : `move ${named(rule)} above ${named(overruling)}, which ${
      overruling.action === "allow" ? "allows" : "denies"
    }`;
  return findingAt(
    rule,
    null,
    overruling === undefined ? "warning" : severityOf(rule, overruling, false),
    `${named(rule)} never decides: ${told} take all of it together before; ${advice}`,
  );
}

function shadowed(rule: RuleSpec, first: RuleSpec, same: boolean): Finding {
  const one = named(rule);
  const other = `${named(first)} ${placeOf(first, rule)}`;
  if (rule.action === first.action) {
    return findingAt(
      rule,
      null,
      "warning",
      same
        ? `${one} never decides: ${other} says the same before it; remove one of them`
        : `${one} never decides: ${other} takes all that it would take; remove ${one}, or move it up if its ` +
          "tls, rates or note are meant",
    );
  }
  const [denies, allows] = rule.action === "deny" ? ["denies", "allows"] : ["allows", "denies"];
  return findingAt(
    rule,
    null,
    severityOf(rule, first, same),
    same
      ? `${one} ${denies} exactly what ${other} ${allows} before it, and never decides; remove one of them`
      : `${one} ${denies} nothing: ${other} ${allows} all of it before; move ${one} above it`,
  );
}

/**
 * A denial that is not one is worse than a refusal that somebody will notice. But flags come before the file in order
 * to overrule it.
 */
function severityOf(rule: RuleSpec, first: RuleSpec, same: boolean): Finding["severity"] {
  const together = rule.source.file === first.source.file;
  return together && (same || rule.action === "deny") ? "error" : "warning";
}

/** Where the first of two rules stands, for a message that stands at the second. */
function placeOf(first: RuleSpec, second: RuleSpec): string {
  const { file, line } = first.source;
  if (line === 0) return `(${file})`;
  return file === second.source.file ? `(line ${line})` : `(${file}:${line})`;
}
