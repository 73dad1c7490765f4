/** Rules made of what was seen, and how those that differ in one thing alone become one. */

import type { Facts } from "../policy/facts.ts";
import type { IpAddress } from "../http/ip_address.ts";
import { Evidence } from "./evidence.ts";

/** Allows every combination of its parts, each of which was seen. `null`: whatever it is. */
export interface LearnedRule {
  readonly hosts: readonly string[];
  readonly ports: readonly number[];
  readonly methods: readonly string[] | null;
  readonly clients: readonly string[] | null;
  readonly users: readonly string[] | null;
  readonly evidence: Evidence;
  /** One exchange that it allows. */
  readonly sample: Sample;
}

export interface Sample {
  readonly facts: Facts;
  readonly address: IpAddress | null;
  readonly secure: boolean;
}

type Part = "hosts" | "ports" | "methods" | "clients" | "users";

/** With more rules than this, hosts that differ in nothing but their name share one. */
const MOST_RULES = 500;

/**
 * As few rules as it takes without allowing anything that no rule allowed: two that are equal but for one part
 * become one with both. Sorted by domain, so that names of one stand together and a new one is a line of the diff.
 */
export function compact(rules: readonly LearnedRule[]): LearnedRule[] {
  let all = [...rules];
  for (const part of ["ports", "methods", "clients", "users"] as const) all = joined(all, part);
  if (all.length > MOST_RULES) all = joined(all, "hosts");
  return all.sort((a, b) => compare(orderOf(a), orderOf(b)));
}

function joined(rules: readonly LearnedRule[], part: Part): LearnedRule[] {
  const groups = new Map<string, LearnedRule[]>();
  for (const rule of rules) {
    const { evidence: _, sample: __, ...parts } = rule;
    // a condition that is absent holds for everything and is no list to add to
    const key = JSON.stringify({ ...parts, [part]: rule[part] === null });
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [rule]);
    else group.push(rule);
  }
  return [...groups.values()].map((group) => group.length === 1 ? group[0] : union(group, part));
}

function union(group: readonly LearnedRule[], part: Part): LearnedRule {
  const evidence = new Evidence();
  for (const rule of group) evidence.addAll(rule.evidence);
  const first = group[0];
  if (first[part] === null) return { ...first, evidence };
  const values: (string | number)[] = [...new Set(group.flatMap((rule) => [...rule[part]!]))];
  if (part === "ports") values.sort((a, b) => Number(a) - Number(b));
  else if (part === "hosts") values.sort((a, b) => compare(orderOfHost(`${a}`), orderOfHost(`${b}`)));
  else values.sort();
  return { ...first, [part]: values, evidence };
}

function orderOf({ hosts, ports, methods, clients, users }: LearnedRule): string {
  return `${orderOfHost(hosts[0])} ${JSON.stringify([ports, methods, clients, users])}`;
}

/** Names by their labels from the last to the first; addresses behind them. */
function orderOfHost(host: string): string {
  const isAddress = host.includes(":") || /^[0-9.]+$/.test(host);
  return isAddress ? `~${host}` : host.split(".").reverse().join(" ");
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
