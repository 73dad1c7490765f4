/** The policy that options and rules make together. */

import { type Network, parseNetworks } from "../policy/network.ts";
import { parsePorts } from "../policy/port_range.ts";
import type { PolicySpec, PrivateNetworks, RuleSpec } from "../policy/spec.ts";
import { ConfigError } from "./errors.ts";
import { DEFAULTS, type Values } from "./options.ts";
import { quote } from "./printable.ts";

/**
 * Fills in the defaults, and gives the rules that have no name their number.
 *
 * @param rules in order: the command line's, then the file's
 * @throws {ConfigError} when two rules have the same name
 */
export function policyOf(values: Values, rules: readonly RuleSpec[]): PolicySpec {
  const all = { ...DEFAULTS, ...values };
  const isAuto = all["default-action"] === "auto";
  // a rule that is only tried out does not turn the default around
  const allowsSome = rules.some(({ action, mode }) => action === "allow" && mode === "enforce");
  const auto = allowsSome ? "deny" : "allow";
  const defaultAction = isAuto ? auto : all["default-action"] as "allow" | "deny";
  return {
    mode: all.mode,
    defaultAction,
    tls: all["tls-check"] === "auto" && defaultAction === "allow" ? "any" : all["tls-check"],
    privateNetworks: privateNetworks(all["private-networks"]),
    clients: all.clients?.flatMap(parseNetworks) ?? null,
    connectPorts: all["connect-ports"]?.map(parsePorts) ?? null,
    authentication: all.users === undefined ? "none" : all.authentication,
    rules: named(rules),
  };
}

function privateNetworks(words: readonly string[]): PrivateNetworks {
  const [word] = words;
  if (words.length === 1 && (word === "own" || word === "deny" || word === "allow")) return word;
  return words.flatMap((each): ("own" | Network)[] => each === "own" ? [each] : parseNetworks(each));
}

function named(rules: readonly RuleSpec[]): RuleSpec[] {
  const result = rules.map((rule, i) => rule.name === "" ? { ...rule, name: `rule ${i + 1}` } : rule);
  const seen = new Map<string, RuleSpec>();
  for (const rule of result) {
    const first = seen.get(rule.name);
    if (first !== undefined) {
      throw new ConfigError([
        `${where(rule)}: ${quote(rule.name)} is the name of another rule, ${where(first)}`,
      ]);
    }
    seen.set(rule.name, rule);
  }
  return result;
}

function where({ source }: RuleSpec): string {
  return source.line === 0 ? source.file : `${source.file}:${source.line}`;
}
