/** One rule tried on one request, condition by condition and in words. */

import { embeddedIpv4s, formatIp, type IpAddress } from "../http/ip_address.ts";
import { plainAddress } from "./address_scope.ts";
import type { Facts } from "./facts.ts";
import type { HostList } from "./host_list.ts";
import { type HostPattern, nameMatches } from "./host_pattern.ts";
import { networkContains } from "./network.ts";
import { pathReadings, pathsAllow, pathsDeny } from "./path_pattern.ts";
import { pathOddity } from "./path_readings.ts";
import { formatPorts, portsInclude } from "./port_range.ts";
import { readsRequest } from "./rule.ts";
import type { Authentication, RuleSpec } from "./spec.ts";

/** What a request is judged by. */
export interface Request {
  readonly facts: Facts;
  /** Where it would go; `null` when that is not known yet. */
  readonly ip: IpAddress | null;
  readonly lists: ReadonlyMap<string, HostList>;
  readonly authentication: Authentication;
}

/**
 * Whether a condition holds. `waits`: it depends on the address, which is not known; `unseen`: it depends on what a
 * tunnel hides, and the rule denies; `lacks`: it depends on the user, who has not been named and can be asked for.
 */
export type State = "holds" | "fails" | "waits" | "unseen" | "lacks";

export interface Condition {
  /** The rule's key. */
  readonly key: "clients" | "users" | "hosts" | "ports" | "methods" | "paths";
  readonly state: State;
  /** Why: `8443 is not among 443`. */
  readonly text: string;
}

export interface Trial {
  readonly rule: RuleSpec;
  /** Those that the rule has. */
  readonly conditions: readonly Condition[];
  /**
   * `fails` when one of them does; else `waits`, `unseen` or `lacks` when one does, in this order. One that waits may
   * also lack.
   */
  readonly state: State;
  /** Whether one of them is unseen. */
  readonly hidden: boolean;
  readonly lacksUser: boolean;
}

export function tryRule(rule: RuleSpec, request: Request): Trial {
  const conditions: Condition[] = [];
  const { facts } = request;
  // what a rule cannot see in a tunnel it takes for what it denies
  const hides = facts.method === "CONNECT" && rule.action === "deny" && rule.mode === "enforce";
  const add = (key: Condition["key"], state: State | boolean, text: string) => {
    conditions.push({ key, state: state === true ? "holds" : state === false ? "fails" : state, text });
  };
  const among = (what: string, holds: boolean, entries: readonly string[]) =>
    `${what} is ${holds ? "" : "not "}among ${enumerated(entries)}`;

  if (rule.clients !== null) {
    const holds = rule.clients.some((network) => networkContains(network, facts.clientIp));
    add("clients", holds, among(facts.client, holds, texts(rule.clients)));
  }
  if (rule.users !== null) {
    if (facts.user === null) {
      const ask = request.authentication !== "none" && rule.mode === "enforce";
      add("users", ask ? "lacks" : "fails", "the client has not said who it is");
    } else {
      const holds = rule.users.includes("*") || rule.users.includes(facts.user);
      add("users", holds, among(facts.user, holds, rule.users));
    }
  }
  if (rule.hosts !== null) add("hosts", ...tryHosts(rule, rule.hosts, request));
  if (rule.ports !== null) {
    const { port } = facts.authority;
    const holds = portsInclude(rule.ports, port);
    add("ports", holds, among(String(port), holds, rule.ports.map((range) => formatPorts([range]))));
  }
  if (rule.methods !== null) {
    const holds = rule.methods.includes(facts.method) ||
      rule.action === "deny" && rule.methods.includes(facts.method.toUpperCase());
    if (!holds && hides) {
      add("methods", "unseen", `${HIDDEN}, and ${enumerated(rule.methods)} may be in it`);
    } else add("methods", holds, among(facts.method, holds, rule.methods));
  }
  if (rule.paths !== null) {
    if (facts.path === null && hides && readsRequest(rule)) {
      add("paths", "unseen", `${HIDDEN}, and ${enumerated(texts(rule.paths))} may be in it`);
    } else add("paths", ...tryPaths(rule, facts.path));
  }

  const has = (state: State) => conditions.some((condition) => condition.state === state);
  const state = (["fails", "waits", "unseen", "lacks"] as const).find(has) ?? "holds";
  return { rule, conditions, state, hidden: has("unseen"), lacksUser: has("lacks") };
}

const HIDDEN = "the tunnel has to be TLS: what is in it cannot be seen";

function tryHosts(rule: RuleSpec, hosts: readonly HostPattern[], request: Request): [State, string] {
  const { authority } = request.facts;
  const { ip, lists } = request;
  const what = ip === null || authority.ip !== null ? authority.host : `${authority.host} at ${formatIp(ip)}`;
  const named = hosts.find((host) => {
    if (authority.ip !== null) return host.kind === "any";
    return host.kind === "list"
      ? lists.get(host.file)?.includesName(authority.host)
      : nameMatches(host, authority.host);
  });
  if (named !== undefined) return ["holds", `${authority.host} is matched by ${named.text}`];

  const everywhere = ([4, 6] as const).every((family) =>
    hosts.some((host) => host.kind === "network" && host.network.family === family && host.network.bits === 0)
  );
  if (everywhere) return ["holds", "every address is among its networks"];
  if (ip !== null) {
    for (const seen of seenBy(rule, ip)) {
      const holder = hosts.find((host) => holdsAddress(host, seen, lists));
      if (holder !== undefined) return ["holds", `${formatIp(seen)} is matched by ${holder.text}`];
    }
  } else if (
    hosts.some((host) =>
      host.kind === "network" || host.kind === "list" && lists.get(host.file)?.hasAddresses
    )
  ) {
    return ["waits", `${authority.host} is matched by its address or not at all`];
  }
  return ["fails", `${what} is not among ${enumerated(texts(hosts))}`];
}

/** The addresses that a rule looks at: see `Rule.includesAddress`. */
function seenBy(rule: RuleSpec, ip: IpAddress): IpAddress[] {
  return rule.action === "deny" ? [ip, ...embeddedIpv4s(ip)] : [ip, plainAddress(ip)];
}

function holdsAddress(host: HostPattern, ip: IpAddress, lists: ReadonlyMap<string, HostList>): boolean {
  if (host.kind === "network") return networkContains(host.network, ip);
  return host.kind === "list" && (lists.get(host.file)?.includesAddress(ip) ?? false);
}

function tryPaths(rule: RuleSpec, path: string | null): [State, string] {
  if (path === null) return ["fails", "the path cannot be seen"];
  const patterns = rule.paths!;
  const readings = pathReadings(path, rule.encodedSlashes);
  const entries = enumerated(texts(patterns));
  const oddity = pathOddity(path, rule.encodedSlashes);
  // An allow rule has to hold for all that a path may mean, a deny rule for any of it.
  if (rule.action === "deny") {
    if (!pathsDeny(patterns, readings)) return ["fails", `${path} is not matched by ${entries}`];
    if (oddity !== "") {
      return ["holds", `${path} may mean any path to servers, ${entries} too: it has ${oddity}`];
    }
    const each = readings.every((reading) => pathsDeny(patterns, [reading]));
    return [
      "holds",
      each
        ? `${path} is matched by ${entries}`
        : `${path} may be read as a path that is matched by ${entries}`,
    ];
  }
  if (pathsAllow(patterns, readings)) return ["holds", `${path} is matched by ${entries}`];
  if (oddity !== "") {
    return ["fails", `servers may take ${path} for different paths, which no paths allow: it has ${oddity}`];
  }
  const unmatched = readings.filter((reading) => !pathsAllow(patterns, [reading]));
  if (unmatched.length === readings.length) return ["fails", `${path} is not matched by ${entries}`];
  return ["fails", `${path} may be read as ${unmatched[0]}, which is not matched by ${entries}`];
}

function texts(entries: readonly { readonly text: string }[]): string[] {
  return entries.map(({ text }) => text);
}

/** How many entries of a rule's key are said. */
const SAID = 5;

/** `a, b, c and 7 more` */
function enumerated(entries: readonly string[]): string {
  const said = [...new Set(entries)];
  const more = said.length - SAID;
  return more <= 0 ? said.join(", ") || "nothing" : `${said.slice(0, SAID).join(", ")} and ${more} more`;
}
