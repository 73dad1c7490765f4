/** Rules from the command line: `--allow` and `--deny`. */

import { type HostAndPorts, parseHostAndPorts } from "../policy/host_pattern.ts";
import type { RuleSource, RuleSpec } from "../policy/spec.ts";
import type { RuleOption } from "./option.ts";
import { readEach } from "./value.ts";
import { ruleOf } from "./rules.ts";

/** Where such rules say that they were written. */
const COMMAND_LINE = "command line";

const SOURCE: RuleSource = { file: COMMAND_LINE, lines: {}, line: 0 };

/**
 * Reads one value of `--allow` or `--deny`, one rule for each host in it: `example.com,*.example.org:443,8443`.
 *
 * @throws {WrongValue}
 */
export function rulesOfFlag({ flag, action }: RuleOption, text: string): RuleSpec[] {
  const items = itemsOf(text);
  return readEach<HostAndPorts>(items, parseHostAndPorts).map(({ host, ports }, item) =>
    ruleOf({ name: `--${flag} ${items[item]}`, action, hosts: [host], ports: ports ?? undefined }, SOURCE)
  );
}

/** At the commas, but for those between ports. */
function itemsOf(text: string): string[] {
  const items: string[] = [];
  for (const part of text.split(",").map((each) => each.trim())) {
    // a host has letters or dots: digits alone are the next port of the one before
    if (items.length > 0 && /^[0-9]+(?:-[0-9]+)?$/.test(part)) items[items.length - 1] += `,${part}`;
    else items.push(part);
  }
  return items;
}
