/** Rules, policies and requests as tests write them: in a few words, with everything else left out. */

import { parseAuthority } from "../../src/http/authority.ts";
import { parseIp } from "../../src/http/ip_address.ts";
import type { Facts } from "../../src/policy/facts.ts";
import { parseHostPattern } from "../../src/policy/host_pattern.ts";
import { parseNetworks } from "../../src/policy/network.ts";
import { parsePathPattern } from "../../src/policy/path_pattern.ts";
import { parsePorts } from "../../src/policy/port_range.ts";
import type { PolicySpec, RuleSpec } from "../../src/policy/spec.ts";

export interface RuleWords extends
  Partial<
    Pick<
      RuleSpec,
      "action" | "mode" | "name" | "note" | "users" | "methods" | "encodedSlashes" | "tls" | "rates"
    >
  > {
  clients?: string[];
  hosts?: string[];
  ports?: string[];
  paths?: string[];
}

/** A rule on a line of its own, which allows unless it says otherwise. */
export function rule(words: RuleWords, line = 1): RuleSpec {
  return {
    name: words.name ?? `rule ${line}`,
    action: words.action ?? "allow",
    mode: words.mode ?? "enforce",
    note: words.note ?? "",
    clients: words.clients?.flatMap(parseNetworks) ?? null,
    users: words.users ?? null,
    hosts: words.hosts?.map(parseHostPattern) ?? null,
    ports: words.ports?.map(parsePorts) ?? null,
    methods: words.methods ?? null,
    paths: words.paths?.map(parsePathPattern) ?? null,
    encodedSlashes: words.encodedSlashes ?? false,
    tls: words.tls ?? null,
    rates: words.rates ?? null,
    source: { file: "weir.toml", line, lines: {} },
  };
}

/** A policy of these rules, in which the others are as they are by default. */
export function policyOfRules(rules: readonly RuleSpec[], others: Partial<PolicySpec> = {}): PolicySpec {
  return {
    mode: "enforce",
    defaultAction: "deny",
    tls: "match",
    privateNetworks: "own",
    clients: null,
    connectPorts: null,
    authentication: "none",
    rules,
    ...others,
  };
}

/** A request of a client for `host:port`. */
export function facts(target: string, others: Partial<Omit<Facts, "clientIp" | "authority">> = {}): Facts {
  const { client = "127.0.0.1", user = null, method = "GET", path = "/" } = others;
  return {
    client,
    clientIp: parseIp(client)!,
    user,
    method,
    authority: parseAuthority(target, 80),
    path: method === "CONNECT" ? null : path,
  };
}
