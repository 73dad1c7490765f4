/** Whether one rule leaves anything to another: which requests it takes, compared without any request. */

import type { HostList } from "./host_list.ts";
import type { HostPattern } from "./host_pattern.ts";
import { type Network, networkContains } from "./network.ts";
import type { PathPattern } from "./path_pattern.ts";
import type { PortRange } from "./port_range.ts";
import type { RuleSpec } from "./spec.ts";

/** The requests that a rule takes, made ready to be compared with many others. */
export class RuleReach {
  readonly rule: RuleSpec;
  readonly #lists: ReadonlyMap<string, HostList>;
  readonly #ports: readonly PortRange[] | null;
  /** Of {@link RuleSpec.hosts}, by their kinds; `null` when every host is taken. */
  readonly #hosts: Hosts | null;

  constructor(rule: RuleSpec, lists: ReadonlyMap<string, HostList>) {
    this.rule = rule;
    this.#lists = lists;
    this.#ports = rule.ports === null ? null : joined(rule.ports);
    this.#hosts = rule.hosts === null || takesAll(rule.hosts) ? null : hostsOf(rule.hosts);
  }

  /**
   * Whether every request that `other` takes is taken by this rule as well. It never says so wrongly; not everything
   * that is so is found.
   *
   * Methods are compared as they are written: that a rule which denies takes `post` too is left out.
   *
   * @param nearly leave out what few requests are: paths that have several readings, addresses that hold others, and
   * names with addresses of another family than the rule's
   */
  covers(other: RuleSpec, nearly = false): boolean {
    const { rule } = this;
    // A rule that allows looks at fewer meanings of a path or an address than one that denies: before a denial it may
    // leave some.
    const equal = nearly || rule.action === "deny" || other.action === "allow";
    return (rule.clients === null || coversClients(rule.clients, other.clients)) &&
      coversUsers(rule.users, other.users) &&
      this.#coversPorts(other.ports) &&
      coversWords(rule.methods, other.methods) &&
      coversPaths(rule.paths, other.paths, equal) &&
      (this.#hosts === null || (nearly && this.#hosts.networks.some(({ bits }) => bits === 0)) ||
        this.#coversHosts(this.#hosts, other.hosts, equal));
  }

  #coversPorts(others: readonly PortRange[] | null): boolean {
    const ports = this.#ports;
    if (ports === null) return true;
    return (others ?? ALL_PORTS).every(({ first, last }) =>
      ports.some((range) => range.first <= first && last <= range.last)
    );
  }

  #coversHosts(hosts: Hosts, others: readonly HostPattern[] | null, equal: boolean): boolean {
    if (others === null) return false;
    return others.every((host) => {
      switch (host.kind) {
        case "any":
          return false;
        case "list":
          return hosts.files.has(host.file) && (equal || this.#lists.get(host.file)?.hasAddresses !== true);
        case "network":
          return equal && hosts.networks.some((each) => holds(each, host.network));
        default:
          return coversName(hosts, host) || this.#listsHold(hosts, host);
      }
    });
  }

  #listsHold({ files }: Hosts, host: HostPattern): boolean {
    if (host.kind !== "name") return false;
    for (const file of files) if (this.#lists.get(file)?.includesName(host.name)) return true;
    return false;
  }
}

interface Hosts {
  readonly names: ReadonlySet<string>;
  readonly subdomains: ReadonlySet<string>;
  readonly domains: ReadonlySet<string>;
  readonly files: ReadonlySet<string>;
  readonly networks: readonly Network[];
}

const EVERYWHERE: readonly Network[] = [
  { text: "all", family: 4, bytes: new Uint8Array(4), bits: 0 },
  { text: "all", family: 6, bytes: new Uint8Array(16), bits: 0 },
];

const ALL_PORTS: readonly PortRange[] = [{ first: 1, last: 65535 }];

/** Whether no host is left out, as {@link Rule.anyHost} has it. */
function takesAll(patterns: readonly HostPattern[]): boolean {
  return patterns.some(({ kind }) => kind === "any") ||
    ([4, 6] as const).every((family) =>
      patterns.some((host) =>
        host.kind === "network" && host.network.family === family && host.network.bits === 0
      )
    );
}

function hostsOf(patterns: readonly HostPattern[]): Hosts {
  const names = { name: new Set<string>(), subdomains: new Set<string>(), domain: new Set<string>() };
  const files = new Set<string>();
  const networks: Network[] = [];
  for (const pattern of patterns) {
    if (pattern.kind === "list") files.add(pattern.file);
    else if (pattern.kind === "network") networks.push(pattern.network);
    else if (pattern.kind !== "any") names[pattern.kind].add(pattern.name);
  }
  return { names: names.name, subdomains: names.subdomains, domains: names.domain, files, networks };
}

function coversName(hosts: Hosts, host: HostPattern & { kind: "name" | "subdomains" | "domain" }): boolean {
  const { kind, name } = host;
  if (hosts.domains.has(name)) return true;
  if (kind === "name" && hosts.names.has(name)) return true;
  if (kind === "subdomains" && hosts.subdomains.has(name)) return true;
  if (kind === "domain" && hosts.subdomains.has(name) && hosts.names.has(name)) return true;
  for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1)) {
    const above = name.slice(dot + 1);
    if (hosts.domains.has(above) || hosts.subdomains.has(above)) return true;
  }
  return false;
}

/** Whether all addresses of `inner` are in `outer`. */
function holds(outer: Network, inner: Network): boolean {
  return outer.bits <= inner.bits && outer.family === inner.family && networkContains(outer, inner);
}

/** Whether two networks have addresses in common: one of them holds the other then. */
export function overlap(one: Network, other: Network): boolean {
  return holds(one, other) || holds(other, one);
}

/** A rule with users takes those who have not said who they are as well: it asks them. */
function coversUsers(users: readonly string[] | null, others: readonly string[] | null): boolean {
  if (users === null) return true;
  return others !== null && (users.includes("*") || coversWords(users, others));
}

function coversClients(clients: readonly Network[], others: readonly Network[] | null): boolean {
  return (others ?? EVERYWHERE).every((other) => clients.some((client) => holds(client, other)));
}

function coversPaths(
  paths: readonly PathPattern[] | null,
  others: readonly PathPattern[] | null,
  equal: boolean,
): boolean {
  if (paths === null) return true;
  return equal && others !== null && others.every((other) => paths.some((path) => coversPath(path, other)));
}

function coversWords(words: readonly string[] | null, others: readonly string[] | null): boolean {
  return words === null || (others !== null && others.every((word) => words.includes(word)));
}

/** The same text, every path, or a beginning of all that the other matches. */
function coversPath(path: PathPattern, other: PathPattern): boolean {
  if (path.text === other.text || path.text === "*") return true;
  if (other.text === "*") return false;
  if (path.text === "/*") return true;
  if (!PLAIN_BEGINNING.test(path.text) || !PLAIN.test(other.text)) return false;
  return other.text.startsWith(path.text.slice(0, -1));
}

/** Text of which every reading is itself, so that beginnings can be compared: `/api/*`. */
const PLAIN = /^(?:\/[A-Za-z0-9_*-][A-Za-z0-9._*-]*)*\/?$/;
const PLAIN_BEGINNING = /^(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*\/?\*$/;

/** Ranges that touch made one. */
function joined(ranges: readonly PortRange[]): PortRange[] {
  const result: PortRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.first - b.first)) {
    const before = result.at(-1);
    if (before === undefined || range.first > before.last + 1) result.push(range);
    else result[result.length - 1] = { first: before.first, last: Math.max(before.last, range.last) };
  }
  return result;
}
