/** Makes rules and test cases of what their fields hold. */

import { formatIp, parseIp } from "../http/ip_address.ts";
import type { RuleSource, RuleSpec } from "../policy/spec.ts";
import type { TestCase } from "../policy/test_case.ts";
import type { RuleFieldValues, TestFieldValues } from "./rule_fields.ts";

/** What a rule's name may not be: verdicts that no rule has made are called so. */
export const RESERVED_NAMES: ReadonlySet<string> = new Set([
  "default",
  "clients",
  "users",
  "private networks",
  "metadata addresses",
  "reserved addresses",
  "connect ports",
  "plain ports",
  "port 25",
  "tls",
  "rates",
]);

/** Says what is wrong with the name of a rule, or `null`. */
export function wrongName(name: string): string | null {
  if (RESERVED_NAMES.has(name)) return `"${name}" is what decisions without a rule are called: take another`;
  if (/^rule [0-9]+$/.test(name)) return `"${name}" is what rules without a name are called: take another`;
  return null;
}

/** Fills in what was not said. The name stays `""` until the place of the rule among all is known. */
export function ruleOf(
  values: RuleFieldValues & { action: RuleSpec["action"] },
  source: RuleSource,
): RuleSpec {
  return {
    name: values.name ?? "",
    action: values.action,
    mode: values.mode ?? "enforce",
    note: values.note ?? "",
    clients: values.clients ?? null,
    users: values.users ?? null,
    hosts: values.hosts ?? null,
    ports: values.ports ?? null,
    methods: values.methods ?? null,
    paths: values.paths ?? null,
    encodedSlashes: values["encoded-slashes"] ?? false,
    tls: values.tls ?? null,
    rates: values.rates ?? null,
    source,
  };
}

const THIS_MACHINE = parseIp("127.0.0.1")!;

/** How programs ask for a target when nothing is said: for `https://` they open a tunnel, as for `host:port`. */
export function usualMethod(url: string): string {
  return /^http:\/\//i.test(url) ? "GET" : "CONNECT";
}

export function testCaseOf(
  values: TestFieldValues & { url: string; expect: TestCase["expect"] },
  file: string,
  line: number,
): TestCase {
  const clientIp = values.client ?? THIS_MACHINE;
  return {
    url: values.url,
    client: formatIp(clientIp),
    clientIp,
    user: values.user ?? null,
    method: values.method ?? usualMethod(values.url),
    addresses: values.addresses ?? [],
    expect: values.expect,
    rule: values.rule ?? null,
    via: values.via ?? null,
    file,
    line,
  };
}
