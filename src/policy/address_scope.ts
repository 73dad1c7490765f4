/** How far an address reaches: what it takes to go there is decided by it. */

import { embeddedIpv4s, formatIp, type IpAddress, isIpv4Mapped, isLoopback } from "../http/ip_address.ts";
import { isSingleAddress, type Network, networkContains, parseNetworks } from "./network.ts";

/**
 * - `public`: anywhere on the Internet
 * - `private`: a network that is nobody else's
 * - `loopback`: the machine itself
 * - `reserved`: nowhere that a request is meant to go: multicast, documentation, what is not given out
 * - `metadata`: the services by which a cloud tells a machine its secrets, and link-local at large, where they live
 * - `unspecified`: the address of no host, which systems take for the machine itself: rules about loopback say nothing
 *   of it, so that no request goes there
 */
export type Scope = "public" | "private" | "loopback" | "reserved" | "metadata" | "unspecified";

/** The more private, the higher. The first three are also what a client may have: {@link clientScopeOf}. */
export const PRIVACY: Readonly<Record<Scope, number>> = {
  public: 0,
  private: 1,
  loopback: 2,
  reserved: 3,
  metadata: 4,
  unspecified: 5,
};

interface Block {
  readonly network: Network;
  readonly scope: Scope;
}

function blocks(entries: readonly (readonly [string, Scope])[]): Block[] {
  return entries.map(([written, scope]) => ({ network: parseNetworks(written)[0], scope }));
}

/**
 * IPv4 addresses that are not simply public, after the IANA IPv4 Special-Purpose Address Registry and the IANA IPv4
 * Address Space Registry. The first block that holds an address counts.
 */
const IPV4_BLOCKS = blocks([
  ["100.100.100.200", "metadata"], // Alibaba Cloud
  ["168.63.129.16", "metadata"], // Azure's wire server
  ["192.0.0.192", "metadata"], // Oracle Cloud, classic
  ["169.254.0.0/16", "metadata"], // link local, RFC 3927; AWS, Azure, Google, Oracle, OpenStack … live in it
  ["0.0.0.0/8", "unspecified"], // "this network", RFC 791 §3.2, RFC 1122 §3.2.1.3; 0.0.0.0 reaches the machine itself
  ["127.0.0.0/8", "loopback"], // RFC 1122 §3.2.1.3
  ["10.0.0.0/8", "private"], // RFC 1918
  ["172.16.0.0/12", "private"], // RFC 1918
  ["192.168.0.0/16", "private"], // RFC 1918
  ["100.64.0.0/10", "private"], // shared between a provider and its customers, RFC 6598
  ["192.0.0.9", "public"], // Port Control Protocol anycast, RFC 7723: globally reachable
  ["192.0.0.10", "public"], // TURN anycast, RFC 8155: globally reachable
  ["192.0.0.0/24", "reserved"], // IETF protocol assignments, RFC 6890; DS-Lite RFC 7335, NAT64 discovery RFC 8880
  ["192.0.2.0/24", "reserved"], // documentation, RFC 5737
  ["192.88.99.0/24", "reserved"], // relays for 6to4, given up, RFC 7526
  ["198.18.0.0/15", "reserved"], // measurements, RFC 2544
  ["198.51.100.0/24", "reserved"], // documentation, RFC 5737
  ["203.0.113.0/24", "reserved"], // documentation, RFC 5737
  ["224.0.0.0/4", "reserved"], // multicast, RFC 5771
  ["240.0.0.0/4", "reserved"], // for future use, RFC 1112 §4; with it 255.255.255.255, RFC 919 §7
]);

/**
 * The same for IPv6, after the IANA IPv6 Special-Purpose Address Registry and the IANA IPv6 Address Space Registry.
 * Addresses that hold an IPv4 one are public here when all that they say is in what they hold.
 */
const IPV6_BLOCKS = blocks([
  ["fd00:ec2::254", "metadata"], // AWS
  ["fd00:ec2::23", "metadata"], // AWS, credentials of pods
  ["fd20:ce::254", "metadata"], // Google Cloud
  ["fd00:42::42", "metadata"], // Scaleway
  ["fe80::/10", "metadata"], // link local, RFC 4291 §2.5.6; OpenStack's fe80::a9fe:a9fe lives in it
  ["::", "unspecified"], // RFC 4291 §2.5.2: reaches the machine itself
  ["::1", "loopback"], // RFC 4291 §2.5.3
  ["fc00::/7", "private"], // unique local, RFC 4193
  ["fec0::/10", "private"], // site local, given up, RFC 3879
  ["64:ff9b::/96", "public"], // NAT64, RFC 6052: as the IPv4 address inside
  ["64:ff9b:1::/48", "private"], // local NAT64, RFC 8215: besides the IPv4 addresses inside
  ["2001::/32", "public"], // Teredo, RFC 4380: as the IPv4 addresses inside
  ["2001:1::1", "public"], // Port Control Protocol anycast, RFC 7723
  ["2001:1::2", "public"], // TURN anycast, RFC 8155
  ["2001:1::3", "public"], // DNS-SD registration anycast, RFC 9665
  ["2001:3::/32", "public"], // AMT, RFC 7450
  ["2001:4:112::/48", "public"], // AS112, RFC 7535
  ["2001:20::/28", "public"], // ORCHIDv2, RFC 7343
  ["2001:30::/28", "public"], // remote identification of drones, RFC 9374
  ["2001::/23", "reserved"], // IETF protocol assignments, RFC 2928; 2001:2::/48 RFC 5180, 2001:10::/28 RFC 4843
  ["2001:db8::/32", "reserved"], // documentation, RFC 3849
  ["2002::/16", "public"], // 6to4, RFC 3056: as the IPv4 address inside
  ["3fff::/20", "reserved"], // documentation, RFC 9637
  ["2000::/3", "public"], // global unicast, RFC 4291 §2.4: all that is given out is here
  // Of the rest nothing is given out: 100::/64 discard RFC 6666, 100:0:0:1::/64 RFC 9780, 5f00::/16 segment routing
  // RFC 9602, ff00::/8 multicast RFC 4291 §2.7, ::/96 IPv4-compatible RFC 4291 §2.5.5.1, and much that has no name.
  ["::/0", "reserved"],
]);

/** The IPv4 blocks that have to do with each first byte; most have none. */
const BY_FIRST_BYTE: readonly (readonly Block[])[] = Array.from(
  { length: 256 },
  (_, byte) =>
    IPV4_BLOCKS.filter(({ network: { bytes, bits } }) => {
      const mask = bits >= 8 ? 0xff : 0xff << (8 - bits) & 0xff;
      return (byte & mask) === bytes[0];
    }),
);

/** The scope of the address as it is, without regard to addresses inside it. */
export function plainScope(ip: IpAddress): Scope {
  const candidates = ip.family === 4 ? BY_FIRST_BYTE[ip.bytes[0]] : IPV6_BLOCKS;
  for (const { network, scope } of candidates) if (networkContains(network, ip)) return scope;
  return "public";
}

/**
 * Whether an IPv6 address is only another way to write the IPv4 address in its last four bytes, and leads nowhere
 * else: IPv4-mapped (RFC 4291 §2.5.5.2), and NAT64 with the well-known prefix (RFC 6052 §2.1). Of other addresses
 * that hold an IPv4 one anybody may have some that hold whatever they like.
 */
function standsForIpv4(ip: IpAddress): boolean {
  return ip.family === 6 && (isIpv4Mapped(ip.bytes) || networkContains(NAT64, ip));
}

const [NAT64] = parseNetworks("64:ff9b::/96");
const [LOCAL_NAT64] = parseNetworks("64:ff9b:1::/48");

/** The IPv4 address that an IPv6 address stands for and nothing else, or the address itself. */
export function plainAddress(ip: IpAddress): IpAddress {
  return standsForIpv4(ip) ? { family: 4, bytes: ip.bytes.slice(12) } : ip;
}

/**
 * All that an address may lead to: itself, and every IPv4 address inside it. An address that only stands for an IPv4
 * one is that one.
 */
export function meaningsOf(ip: IpAddress): IpAddress[] {
  return standsForIpv4(ip) ? [plainAddress(ip)] : [ip, ...embeddedIpv4s(ip)];
}

/** The scope of the most private of all that an address may lead to. */
export function scopeOf(ip: IpAddress): Scope {
  if (ip.family === 4) return plainScope(ip);
  let scope = standsForIpv4(ip) ? "public" : plainScope(ip);
  for (const inside of embeddedIpv4s(ip)) {
    let other = plainScope(inside);
    // of the positions that an IPv4 address may have in these, some are always zero
    if (other === "unspecified" && networkContains(LOCAL_NAT64, ip)) other = "loopback";
    if (PRIVACY[other] > PRIVACY[scope]) scope = other;
  }
  return scope;
}

/** What a client's own address lets it be taken for. */
export type ClientScope = "public" | "private" | "loopback";

/**
 * The scope that a client may claim by its address, which is the least private of all that it may mean: who holds an
 * IPv4 address inside is not for the client to say. A link-local client is on the same network and counts as
 * private; one from an address that nobody should have counts as public.
 */
export function clientScopeOf(ip: IpAddress): ClientScope {
  if (ip.family === 6 && embeddedIpv4s(ip).length > 0) {
    return isIpv4Mapped(ip.bytes) ? clientScopeOf(plainAddress(ip)) : "public";
  }
  if (LINK_LOCAL.some((network) => networkContains(network, ip))) return "private";
  // that 0.0.0.0 leads to the machine itself does not make it an address that something on it has
  if (isLoopback(ip)) return "loopback";
  return plainScope(ip) === "private" ? "private" : "public";
}

const LINK_LOCAL = parseNetworks("link-local");

/** The first of an address's meanings that has its scope, as text: `127.0.0.1`. */
export function meaningWithScope(ip: IpAddress, scope: Scope): string {
  const meaning = meaningsOf(ip).find((each) => plainScope(each) === scope);
  return formatIp(meaning ?? ip);
}

/**
 * The least private scope that an address of the network may have, or one that is even less private: what is refused
 * for this scope is refused for all of the network.
 */
export function leastScopeIn(network: Network): Scope {
  const first: IpAddress = { family: network.family, bytes: network.bytes };
  if (isSingleAddress(network)) return scopeOf(first);
  const table = network.family === 4 ? IPV4_BLOCKS : IPV6_BLOCKS;
  const around = table.find((block) =>
    block.network.bits <= network.bits && networkContains(block.network, first)
  );
  let least = around?.scope ?? "public";
  for (const { network: { family, bytes, bits }, scope } of table) {
    const within = bits > network.bits && networkContains(network, { family, bytes });
    if (within && PRIVACY[scope] < PRIVACY[least]) least = scope;
  }
  return least;
}
