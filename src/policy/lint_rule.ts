/** What is hardly meant within one rule. */

import { isShared } from "./broad_names.ts";
import { type Finding, findingAt, named } from "./finding.ts";
import type { HostList } from "./host_list.ts";
import { pathOddity, percentEncoded } from "./path_readings.ts";
import { overlap } from "./rule_reach.ts";
import type { PolicySpec, RuleSpec } from "./spec.ts";

export function* lintRule(
  rule: RuleSpec,
  spec: PolicySpec,
  lists: ReadonlyMap<string, HostList>,
): Generator<Finding> {
  yield* neverMatches(rule, spec);
  yield* withoutEffect(rule);
  yield* lintPaths(rule);
  yield* lintHosts(rule, lists);
}

const CONDITIONS = ["clients", "users", "hosts", "ports", "methods", "paths"] as const;

/** Conditions that nothing fulfils. */
function* neverMatches(rule: RuleSpec, spec: PolicySpec): Generator<Finding> {
  const never = (key: string, why: string, severity: Finding["severity"] = "error") =>
    findingAt(rule, key, severity, `${named(rule)} never matches: ${why}`);
  for (const key of CONDITIONS) {
    if (rule[key]?.length === 0) yield never(key, `${key} is empty; leave it out if it does not matter`);
  }
  if (rule.paths !== null && rule.methods !== null && rule.methods.every((method) => method === "CONNECT")) {
    yield never("paths", "paths cannot be seen in a tunnel, and its methods are CONNECT alone; remove paths");
  }
  if (rule.users !== null && rule.users.length > 0 && spec.authentication === "none") {
    yield never("users", "nobody is asked who they are; name the file of users in [policy], or by --users");
  }
  if (rule.clients === null || spec.clients === null || rule.clients.length === 0) return;
  const { clients } = spec;
  const outside = rule.clients.filter((client) => !clients.some((each) => overlap(each, client)));
  if (outside.length === 0) return;
  const texts = [...new Set(outside.map(({ text }) => text))].join(", ");
  const all = clients.map(({ text }) => text);
  const known = `${[...new Set(all)].slice(0, 5).join(", ")}${all.length > 5 ? ", …" : ""}`;
  if (outside.length === rule.clients.length) {
    yield never(
      "clients",
      `clients of the policy are ${known}, and nobody else comes in; add ${texts} there`,
      "warning",
    );
    return;
  }
  // one word may stand for networks of which some are outside: then it says something still
  const said = new Set(rule.clients.filter((client) => !outside.includes(client)).map(({ text }) => text));
  for (const text of new Set(outside.map((each) => each.text))) {
    if (said.has(text)) continue;
    yield findingAt(
      rule,
      "clients",
      "warning",
      `${
        named(rule)
      }: clients: ${text} has no effect, since clients of the policy are ${known}; add it there`,
    );
  }
}

/** Keys that say something of what the rule never does. */
function* withoutEffect(rule: RuleSpec): Generator<Finding> {
  const warning = (key: string, message: string) =>
    findingAt(rule, key, "warning", `${named(rule)}: ${message}`);
  const { action, methods, mode, paths, rates, tls } = rule;
  if (action === "allow" && mode === "report") {
    yield warning(
      "mode",
      'mode = "report" tries denials out, and a rule that allows is passed over by it; remove mode, or the rule',
    );
  }
  if (action === "deny") {
    if (tls !== null) {
      yield warning("tls", "tls has no effect in a rule that denies: no tunnel is opened; remove it");
    }
    if (rates !== null) yield warning("rates", "rates have no effect in a rule that denies; remove them");
    return;
  }
  if (tls !== null && tls !== "any" && (paths !== null || methods?.includes("CONNECT") === false)) {
    const why = paths === null
      ? "its methods are without CONNECT"
      : "it has paths, which tunnels do not show";
    yield warning(
      "tls",
      `tls has no effect: it is for tunnels, and the rule never takes one, since ${why}; remove it`,
    );
  }
  if (rates === null) return;
  const { burst, ...others } = rates;
  if (Object.values(others).every((limit) => limit === 0)) {
    yield warning(
      "rates",
      burst > 0
        ? "rates limit nothing: burst says how many requests may come at once above requests = N a second; add it"
        : "rates limit nothing: each of them is 0, which means no limit; remove them or write one",
    );
  }
}

/** Paths in an allow rule that servers may take for different ones: no request matches them. */
function* lintPaths(rule: RuleSpec): Generator<Finding> {
  if (rule.action === "deny") return;
  for (const { text, takesAll } of rule.paths ?? []) {
    const sample = text.replace(/\*+/g, "x").replace(/[^\0-\x7f]+/g, percentEncoded);
    const oddity = takesAll ? "" : pathOddity(sample, rule.encodedSlashes);
    if (oddity === "") continue;
    const advice = pathOddity(sample, true) === ""
      ? "add encoded-slashes = true"
      : "write it without, or leave paths out";
    yield findingAt(
      rule,
      "paths",
      "warning",
      `${
        named(rule)
      }: paths: ${text} allows no path that is written so: it has ${oddity}, which servers read ` +
        `differently; ${advice}`,
    );
  }
}

function* lintHosts(rule: RuleSpec, lists: ReadonlyMap<string, HostList>): Generator<Finding> {
  for (const host of rule.hosts ?? []) {
    if (host.kind === "list") {
      if (lists.get(host.file)?.size !== 0) continue;
      const effect = rule.action === "deny" ? "denies nothing by it" : "allows nothing by it";
      yield findingAt(
        rule,
        "hosts",
        "warning",
        `${named(rule)} ${effect}: the list ${host.file} is empty; write a host a line into it`,
      );
    } else if (rule.action === "allow" && (host.kind === "subdomains" || host.kind === "domain")) {
      if (!isShared(host.name)) continue;
      yield findingAt(
        rule,
        "hosts",
        "warning",
        `${
          named(rule)
        }: hosts: ${host.text} allows names that anybody may take: everybody's below ${host.name}; ` +
          `write the names that are meant, as in *.your-name.${host.name}`,
      );
    }
  }
}
