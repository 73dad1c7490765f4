/** Takes a rule apart into rules that take the same together, so that each may be compared with others by itself. */

import type { HostPattern } from "./host_pattern.ts";
import type { RuleSpec } from "./spec.ts";

/** More parts than these are not worth the time. */
const MOST_PARTS = 64;

/**
 * The parts of a rule: one for each combination of its hosts, ports, clients, methods and users. A domain is two hosts
 * where there is room for it: its name, and all below it. Not of its paths, and not of its networks: what has several
 * readings or meanings may be taken by two of them together and by neither alone.
 *
 * @returns at least two; `null` for a rule that has but one part, or too many
 */
export function partsOf(rule: RuleSpec): RuleSpec[] | null {
  const others = [
    choicesOf("ports", rule.ports),
    choicesOf("clients", rule.clients),
    choicesOf("methods", rule.methods),
    choicesOf("users", rule.users),
  ];
  const countWith = (hosts: Choices) =>
    others.reduce((product, { length }) => product * length, hosts.length);
  const halves = hostChoices(rule.hosts?.flatMap(halvesOf) ?? null);
  const hosts = countWith(halves) <= MOST_PARTS ? halves : hostChoices(rule.hosts);
  const count = countWith(hosts);
  if (count < 2 || count > MOST_PARTS) return null;
  return [hosts, ...others].reduce<RuleSpec[]>(
    (parts, each) => parts.flatMap((part) => each.map((choice) => ({ ...part, ...choice }))),
    [rule],
  );
}

/** What one condition may be, in the place of what the rule says. */
type Choices = readonly Partial<RuleSpec>[];

/** Each item alone; nothing that changes the rule where the condition was not given. */
function choicesOf<Key extends "ports" | "clients" | "methods" | "users">(
  key: Key,
  items: RuleSpec[Key],
): Choices {
  return items === null || items.length === 0 ? [{}] : items.map((item) => ({ [key]: [item] }));
}

function hostChoices(hosts: readonly HostPattern[] | null): Choices {
  if (hosts === null || hosts.length === 0) return [{}];
  const names = hosts.filter((host) => !holdsAddresses(host));
  const addresses = hosts.filter(holdsAddresses);
  return [
    ...names.map((host) => ({ hosts: [host] })),
    ...addresses.length === 0 ? [] : [{ hosts: addresses }],
  ];
}

function halvesOf(host: HostPattern): HostPattern[] {
  if (host.kind !== "domain") return [host];
  const { name } = host;
  return [{ kind: "name", text: name, name }, { kind: "subdomains", text: `*.${name}`, name }];
}

function holdsAddresses({ kind }: HostPattern): boolean {
  return kind === "network" || kind === "list";
}
