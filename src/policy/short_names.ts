/** Names that the system may complete by its search list (`wiki` to `wiki.corp.example`), though rules judge the short one. */

import type { HostList } from "./host_list.ts";
import type { HostPattern } from "./host_pattern.ts";
import type { PolicySpec } from "./spec.ts";

export class ShortNames {
  readonly #judgesNames: boolean;
  /** Hosts of the rules that allow. */
  readonly #allowed: readonly HostPattern[];

  /** @param lists those that the rules name, by their `file` */
  constructor({ mode, rules }: PolicySpec, readonly lists: ReadonlyMap<string, HostList>) {
    const deciding = mode === "enforce" ? rules.filter((rule) => rule.mode === "enforce") : [];
    this.#judgesNames = deciding.some(({ hosts }) => hosts?.some(isName) ?? false);
    this.#allowed = deciding.flatMap(({ action, hosts }) =>
      action === "allow" ? hosts?.filter(isName) ?? [] : []
    );
  }

  /**
   * Whether the system may complete the name: any where no rule is about names, and a single label that a rule allows
   * by this very name. Of every other one only the addresses of the complete name count, since another name, or another
   * rule, would be judged otherwise.
   *
   * @param host canonical
   */
  mayComplete(host: string): boolean {
    if (!this.#judgesNames) return true;
    return !host.includes(".") && this.#allowed.some((pattern) => this.#means(pattern, host));
  }

  #means(pattern: HostPattern, host: string): boolean {
    if (pattern.kind === "list") return this.lists.get(pattern.file)?.includesName(host) ?? false;
    return (pattern.kind === "name" || pattern.kind === "domain") && pattern.name === host;
  }
}

/** A list may hold names, and nobody knows before it is read. */
function isName({ kind }: HostPattern): boolean {
  return kind !== "any" && kind !== "network";
}
