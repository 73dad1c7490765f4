/** Rules as a file has them. */

import { tomlString } from "../policy/toml_string.ts";

/** What a rule that allows one host holds. */
export interface OneHost {
  readonly host: string;
  readonly port: number;
  /** Whether it has to look away from what the tunnel holds. */
  readonly tls: boolean;
}

/** Rules that allow these hosts and nothing else: one for each port, with a line at the end of each. */
export function allowRules(hosts: readonly OneHost[]): string {
  const groups = new Map<string, Set<string>>();
  for (const { host, port, tls } of hosts) {
    const key = `ports = [${port}]\n${tls ? 'tls = "any"\n' : ""}`;
    groups.set(key, (groups.get(key) ?? new Set()).add(host));
  }
  const rules = [...groups].map(([key, names]) =>
    `[[rule]]\naction = "allow"\nhosts = [${[...names].map(tomlString).join(", ")}]\n${key}`
  );
  return rules.join("\n");
}
