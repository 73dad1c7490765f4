/** Which rules are for a host and a port: found by the labels of the name, however many hosts the rules name. */

import type { Authority } from "../http/authority.ts";
import type { HostList } from "./host_list.ts";
import { portsInclude } from "./port_range.ts";
import { listsOf, type Rule } from "./rule.ts";
import { addRule, emptyRuleSet, removeRule, type RuleSet } from "./rule_set.ts";

/** Rules whose hosts and ports hold for an authority, and those that may: it depends on the address. */
export interface HostRules {
  readonly certain: RuleSet;
  readonly possible: RuleSet;
}

export class HostIndex {
  readonly #rules: readonly Rule[];
  readonly #everywhere: RuleSet;
  readonly #byAddress: RuleSet;
  readonly #exact = new Map<string, number[]>();
  readonly #below = new Map<string, number[]>();
  readonly #withPorts: readonly number[];
  readonly #lists = new Map<HostList, number[]>();

  constructor(rules: readonly Rule[], lists: ReadonlyMap<string, HostList>) {
    this.#rules = rules;
    this.#everywhere = emptyRuleSet(rules.length);
    this.#byAddress = emptyRuleSet(rules.length);
    this.#withPorts = rules.flatMap(({ spec }, index) => spec.ports === null ? [] : [index]);
    rules.forEach((rule, index) => {
      if (rule.anyHost) return addRule(this.#everywhere, index);
      if (rule.byAddress) addRule(this.#byAddress, index);
      const hosts = rule.spec.hosts!;
      for (const host of hosts) {
        if (host.kind === "name" || host.kind === "domain") append(this.#exact, host.name, index);
        if (host.kind === "subdomains" || host.kind === "domain") append(this.#below, host.name, index);
      }
      for (const list of listsOf(hosts, lists)) append(this.#lists, list, index);
    });
  }

  find(authority: Authority): HostRules {
    const certain = this.#everywhere.slice();
    if (authority.ip === null) this.#addNamed(certain, authority.host);
    const possible = certain.slice();
    for (let word = 0; word < possible.length; word++) possible[word] |= this.#byAddress[word];
    for (const index of this.#withPorts) {
      if (!portsInclude(this.#rules[index].spec.ports!, authority.port)) removeRule(possible, index);
    }
    return { certain, possible };
  }

  #addNamed(set: RuleSet, host: string): void {
    addAll(set, this.#exact.get(host));
    if (this.#below.size > 0) {
      for (let dot = host.indexOf("."); dot >= 0; dot = host.indexOf(".", dot + 1)) {
        addAll(set, this.#below.get(host.slice(dot + 1)));
      }
    }
    for (const [list, rules] of this.#lists) if (list.includesName(host)) addAll(set, rules);
  }
}

function append<Key>(map: Map<Key, number[]>, key: Key, index: number): void {
  const rules = map.get(key);
  if (rules === undefined) map.set(key, [index]);
  else rules.push(index);
}

function addAll(set: RuleSet, rules: readonly number[] | undefined): void {
  if (rules !== undefined) { for (const index of rules) addRule(set, index); }
}
