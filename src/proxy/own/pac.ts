/** The file that tells browsers what goes through weir: a function of JavaScript, as every engine since 1996 has it. */

import type { Authority } from "../../http/authority.ts";
import type { IpAddress } from "../../http/ip_address.ts";
import { DEFAULT_PORTS, type Scheme } from "../../http/target.ts";
import type { HostPattern } from "../../policy/host_pattern.ts";
import { type Network, Networks } from "../../policy/network.ts";
import type { RuleSpec } from "../../policy/spec.ts";

/** IPv4 addresses of this machine and its networks, as first address and number of addresses. */
const LOCAL: readonly Stretch[] = [
  stretch([10, 0, 0, 0], 8),
  stretch([100, 64, 0, 0], 10),
  stretch([127, 0, 0, 0], 8),
  stretch([169, 254, 0, 0], 16),
  stretch([172, 16, 0, 0], 12),
  stretch([192, 168, 0, 0], 16),
];
/** The same of IPv6, by the first byte: `::1`, fc00::/7 and fe80::/9. */
const LOCAL_IPV6_BEGINNINGS = [0x00, 0xfc, 0xfd, 0xfe];

type Stretch = readonly [first: number, count: number];

/** What is local and yet named by a rule. */
interface Named {
  names: string[];
  /** With the dot in front. */
  ends: string[];
  networks: Stretch[];
  ipv6: boolean;
}

/**
 * The file for a client. All goes through weir and nothing past it when weir does not answer, but for what is local:
 * names without a dot or below `.local`, private and loopback addresses, and weir's own pages. What of these a rule
 * names that is in force for the client goes through weir too, so that the rule decides.
 *
 * @param proxy where the client finds weir, as it asked for it
 * @param scheme in which it speaks to weir
 * @param rules of the policy; hosts in lists are not looked at
 */
export function pacText(
  proxy: Authority,
  scheme: Scheme,
  rules: readonly RuleSpec[],
  client: IpAddress,
): string {
  const { names, ends, networks, ipv6 } = namedLocally(rules, client);
  return `// Made by weir for who asks it at ${literal(proxy.text)}
function FindProxyForURL(url, host) {
  var proxy = ${literal(`${scheme === "https" ? "HTTPS" : "PROXY"} ${proxy.text}`)};
  host = host.toLowerCase().replace(/^\\[|\\]$/g, "").replace(/\\.$/, "");
  if (url.indexOf(${
    literal(`${scheme}://${proxy.hostField(DEFAULT_PORTS[scheme])}/`)
  }) === 0) return "DIRECT";
  // local hosts that a rule names
  var names = ${literal(names)};
  var ends = ${literal(ends)};
  var networks = ${literal(networks)};
  // local addresses, each stretch by its first and their number
  var local = ${literal(LOCAL)};
  var localIpv6 = ${ipv6 ? "/^$/" : "/^(::1$|f[cd][0-9a-f]{2}:|fe[89a-f][0-9a-f]:)/"};
  var parts = /^(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})$/.exec(host);
  if (parts) {
    var number = ((parts[1] * 256 + +parts[2]) * 256 + +parts[3]) * 256 + +parts[4];
    return !among(number, networks) && among(number, local) ? "DIRECT" : proxy;
  }
  if (host.indexOf(":") >= 0) return localIpv6.test(host) ? "DIRECT" : proxy;
  for (var i = 0; i < names.length; i++) if (host === names[i]) return proxy;
  for (var j = 0; j < ends.length; j++) if (endsWith(host, ends[j])) return proxy;
  if (host.indexOf(".") < 0 || endsWith(host, ".local") || endsWith(host, ".localhost")) return "DIRECT";
  return proxy;
}
function among(number, stretches) {
  for (var i = 0; i < stretches.length; i++) {
    if (number >= stretches[i][0] && number < stretches[i][0] + stretches[i][1]) return true;
  }
  return false;
}
function endsWith(host, end) {
  return host.length > end.length && host.substring(host.length - end.length) === end;
}
`;
}

function namedLocally(rules: readonly RuleSpec[], client: IpAddress): Named {
  const named: Named = { names: [], ends: [], networks: [], ipv6: false };
  for (const { mode, clients, hosts } of rules) {
    if (mode === "report" || clients !== null && !new Networks(clients).includes(client)) continue;
    for (const host of hosts ?? []) addNamed(named, host);
  }
  return named;
}

function addNamed(named: Named, host: HostPattern): void {
  if (host.kind === "network") return addNetwork(named, host.network);
  // every other host goes through weir whatever the rules say
  if (host.kind === "any" || host.kind === "list" || !isLocal(host.name)) return;
  if (host.kind !== "subdomains") named.names.push(host.name);
  if (host.kind !== "name") named.ends.push(`.${host.name}`);
}

function addNetwork(named: Named, { family, bytes, bits }: Network): void {
  // all addresses are what a star is
  if (bits === 0) return;
  if (family === 6) {
    named.ipv6 ||= LOCAL_IPV6_BEGINNINGS.some((first) => (first ^ bytes[0]) >> Math.max(0, 8 - bits) === 0);
    return;
  }
  const [first, count] = stretch(bytes, bits);
  const overlaps = LOCAL.some(([other, others]) => first < other + others && other < first + count);
  if (overlaps) named.networks.push([first, count]);
}

/** Whether a name, or what is below it, is of the network that the client is in. */
function isLocal(name: string): boolean {
  return !name.includes(".") || /\.(?:local|localhost)$/.test(name);
}

function stretch(bytes: ArrayLike<number>, bits: number): Stretch {
  return [((bytes[0] * 256 + bytes[1]) * 256 + bytes[2]) * 256 + bytes[3], 2 ** (32 - bits)];
}

/** A value in JavaScript's own notation: no character of it ends a text, a line or a script. */
function literal(value: string | readonly string[] | readonly Stretch[]): string {
  return JSON.stringify(value).replace(
    /[^\x20-\x7e]|[<>]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
