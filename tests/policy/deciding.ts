/** Policies and what they decide, in a few words. */

import { parseIp } from "../../src/http/ip_address.ts";
import { HostListReader } from "../../src/policy/host_list_reader.ts";
import { Policy } from "../../src/policy/policy.ts";
import type { PolicySpec, RuleSpec } from "../../src/policy/spec.ts";
import type { Verdict } from "../../src/policy/verdict.ts";
import { facts, policyOfRules } from "./policy_samples.ts";

/** A policy of these rules, denying by default, with lists by their files' names. */
export function policy(
  rules: RuleSpec[],
  others: Partial<PolicySpec> = {},
  lists: Record<string, string> = {},
): Policy {
  const read = Object.entries(lists).map(([file, text]) => {
    const reader = new HostListReader();
    reader.read(new TextEncoder().encode(text));
    return [file, reader.end().list] as const;
  });
  return new Policy(policyOfRules(rules, others), new Map(read));
}

export const ALLOWED: Partial<PolicySpec> = { defaultAction: "allow" };
export const PUBLIC_CLIENT = "8.8.4.4";
export const PRIVATE_CLIENT = "10.0.0.9";

/** `allow`, or `deny by rule 2`; with `(reported)` when it is not enforced. */
export function said({ decision, rule, enforced }: Verdict): string {
  return `${decision}${decision === "deny" ? ` by ${rule}` : ""}${enforced ? "" : " (reported)"}`;
}

/** What is decided in short, with the address that is dialled if there is one. */
export function decide(
  policy: Policy,
  target: string,
  others: Parameters<typeof facts>[1] = {},
  address = "",
): string {
  return said(policy.decide(facts(target, others), address === "" ? null : parseIp(address)!));
}
