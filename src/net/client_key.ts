/** What counts as one client, wherever clients are counted: connections, rates, log-ins. */

import { formatIp, isIpv4Mapped, parseIp } from "../http/ip_address.ts";

/** Bytes of an IPv6 address that name its network (RFC 4291 §2.5.1); all addresses in one may be one machine's. */
const NETWORK_BYTES = 8;

/**
 * The name under which the client at an address is counted: `192.0.2.1` for an IPv4 address, also for one that is
 * mapped into IPv6, and `2001:db8:0:1::/64` for an IPv6 address. A text that is no address stands for itself.
 *
 * @param address without brackets; a zone identifier is left out
 */
export function clientKey(address: string): string {
  if (!address.includes(":")) return address;
  const zone = address.indexOf("%");
  const ip = parseIp(zone < 0 ? address : address.slice(0, zone));
  if (ip === null) return address;
  if (isIpv4Mapped(ip.bytes)) return formatIp({ family: 4, bytes: ip.bytes.subarray(12) });
  const network = new Uint8Array(16);
  network.set(ip.bytes.subarray(0, NETWORK_BYTES));
  return `${formatIp({ family: 6, bytes: network })}/64`;
}
