/** Rules that allow addresses which the guard behind them refuses. */

import { AddressGuard, listedNetworks, listsOwn } from "./address_guard.ts";
import { type ClientScope, leastScopeIn, PRIVACY, type Scope } from "./address_scope.ts";
import { type Finding, findingAt, named } from "./finding.ts";
import type { HostPattern } from "./host_pattern.ts";
import { isSingleAddress, type Network, parseNetworks } from "./network.ts";
import { overlap } from "./rule_reach.ts";
import type { PolicySpec, RuleSpec } from "./spec.ts";

const LOOPBACK = parseNetworks("loopback");
const NEARBY = [...parseNetworks("private"), ...parseNetworks("link-local")];

export function* lintAddresses(rule: RuleSpec, spec: PolicySpec): Generator<Finding> {
  if (rule.action !== "allow") return;
  const guard = new AddressGuard(spec.privateNetworks);
  const client = mostPrivateClient(rule.clients ?? spec.clients);
  for (const host of rule.hosts ?? []) {
    const goal = goalOf(host);
    if (goal === null || goal.scope === "public") continue;
    const why = refusal(rule, spec, guard, client, host.text, goal);
    if (why !== null) yield findingAt(rule, "hosts", "warning", `${named(rule)}: hosts: ${host.text} ${why}`);
  }
}

interface Goal {
  /** The least private of all that the host may be. */
  readonly scope: Scope;
  readonly networks: readonly Network[];
}

/** Where a host of a rule leads, as far as that can be told without looking it up. */
function goalOf(host: HostPattern): Goal | null {
  switch (host.kind) {
    case "network":
      return { scope: leastScopeIn(host.network), networks: [host.network] };
    case "name":
    case "subdomains":
    case "domain":
      // RFC 6761 §6.3: these are loopback whatever a name server says
      return host.name === "localhost" || host.name.endsWith(".localhost")
        ? { scope: "loopback", networks: LOOPBACK }
        : null;
    default:
      return null;
  }
}

/** Why all of it is refused, in words that follow the host; `null` when some of it may be reached. */
function refusal(
  rule: RuleSpec,
  spec: PolicySpec,
  guard: AddressGuard,
  client: ClientScope,
  text: string,
  { scope, networks }: Goal,
): string | null {
  if (scope === "unspecified") {
    return "is the address of no host, and refused whatever a rule says: write 127.0.0.1 or ::1 for the machine itself";
  }
  if (scope === "metadata" || scope === "reserved") {
    if (!isSingleAddress(networks[0])) {
      return `holds ${scope} addresses, which are reached only by a rule that names each by itself, and the port: ` +
        'write single addresses, as in hosts = ["169.254.169.254"], ports = [80]';
    }
    return rule.ports !== null
      ? null
      : `is a ${scope} address, which is reached only by a rule that names the port too: add ports = [80], say`;
  }
  const { privateNetworks } = spec;
  const written = networks === LOOPBACK ? "loopback" : text;
  if (typeof privateNetworks !== "string") {
    const listed = listedNetworks(privateNetworks);
    if (networks.some((network) => listed.some((each) => overlap(each, network)))) return null;
    if (listsOwn(privateNetworks) && PRIVACY[scope] <= PRIVACY[client]) return null;
    return `is not among private-networks, and refused whatever a rule says: add "${written}" there`;
  }
  if (guard.mayPass(scope, client)) return null;
  if (privateNetworks === "deny") {
    return `is ${scope}, and refused whatever a rule says by private-networks = "deny": ` +
      `write private-networks = ["${written}"]`;
  }
  return `is ${scope}, more private than each client of the rule, and refused whatever a rule says: ` +
    `write private-networks = ["own", "${written}"] if these clients may go there`;
}

/** The most private that a client from these networks may be. */
function mostPrivateClient(clients: readonly Network[] | null): ClientScope {
  if (clients === null || meets(clients, LOOPBACK)) return "loopback";
  return meets(clients, NEARBY) ? "private" : "public";
}

function meets(some: readonly Network[], others: readonly Network[]): boolean {
  return some.some((one) => others.some((other) => overlap(one, other)));
}
