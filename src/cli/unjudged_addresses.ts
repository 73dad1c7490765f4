/** What a policy says of addresses, where parents look names up: it holds for addresses that are asked for alone. */

import { quote } from "../config/printable.ts";
import type { HostList } from "../policy/host_list.ts";
import type { PolicySpec, RuleSpec } from "../policy/spec.ts";

const MOST_NAMED = 3;

/** Warnings for a policy in force while names go to parents. */
export function addressesInWords(spec: PolicySpec, lists: ReadonlyMap<string, HostList>): string[] {
  const rules = spec.rules.filter((rule) => namesAddresses(rule, lists)).map(({ name }) => quote(name));
  const settings = spec.privateNetworks === "own" ? [] : ["--private-networks"];
  const all = [...settings, ...rules];
  if (all.length === 0) return [];
  const shown = all.slice(0, MOST_NAMED).join(", ") +
    (all.length > MOST_NAMED ? ` and ${all.length - MOST_NAMED} more` : "");
  return [
    `names that go through a parent are looked up there: what ${shown} ` +
    `${all.length === 1 ? "says" : "say"} of addresses holds for addresses that are asked for, not for names`,
  ];
}

function namesAddresses({ hosts }: RuleSpec, lists: ReadonlyMap<string, HostList>): boolean {
  return hosts?.some((host) =>
    host.kind === "network" || host.kind === "list" && lists.get(host.file)?.hasAddresses === true
  ) ?? false;
}
