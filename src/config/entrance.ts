/** What the options say of how clients come in, put together and judged. */

import { type IpAddress, isUnspecified, parseIp, sameIp } from "../http/ip_address.ts";
import type { ListenAddress } from "../net/listen.ts";
import { Networks, parseNetworks } from "../policy/network.ts";
import { ConfigError } from "./errors.ts";
import { formatAddress } from "./value.ts";

/** The certificate and the key of listeners over TLS; reading them is cli/'s. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** What was said of listeners over TLS. */
export interface OverTls {
  readonly listenTls: readonly ListenAddress[];
  readonly certificateFile: string | null;
  readonly keyFile: string | null;
}

/**
 * The files to read, `null` when nothing is over TLS.
 *
 * @throws {ConfigError} when one is there without the others
 */
export function certificateFilesOf(
  { listenTls, certificateFile: cert, keyFile: key }: OverTls,
): CertificateFiles | null {
  if (cert === null && key === null && listenTls.length === 0) return null;
  if (cert === null || key === null) {
    const given = listenTls.length > 0 ? "listen-tls" : cert === null ? "tls-key" : "tls-cert";
    throw new ConfigError([
      `${given} needs a certificate and its key: say both by --tls-cert FILE and --tls-key FILE`,
    ]);
  }
  if (listenTls.length === 0) {
    throw new ConfigError(["tls-cert needs a place to be shown at: say it by --listen-tls 127.0.0.1:8443"]);
  }
  return { cert, key };
}

/** An option that names addresses to listen on, and those. */
export type Places = readonly [flag: string, addresses: readonly ListenAddress[]];

/**
 * Looks whether each listener has an address of its own: the system would only say that it is taken.
 *
 * @throws {ConfigError} that names the options, for each pair that has the same address
 */
export function requireDistinctPlaces(places: readonly Places[]): void {
  const all = places.flatMap(([flag, addresses]) => addresses.map((address) => ({ flag, address })));
  const problems: string[] = [];
  for (const [index, { flag, address }] of all.entries()) {
    for (const before of all.slice(0, index)) {
      if (!overlaps(before.address, address)) continue;
      const [first, second] = [before.address, address].map(formatAddress);
      const taken = first === second
        ? before.flag === flag
          ? `${flag} names ${first} twice`
          : `${before.flag} and ${flag} both name ${first}`
        : `${before.flag} ${first} and ${flag} ${second} are the same address`;
      problems.push(`${taken}: give each listener a port of its own`);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
}

function overlaps(one: ListenAddress, other: ListenAddress): boolean {
  if (one.port !== other.port || one.port === 0) return false;
  const [ip, otherIp] = [ipOf(one), ipOf(other)];
  if (ip === null || otherIp === null) return one.hostname === other.hostname;
  return sameIp(ip, otherIp) || includes(ip, otherIp) || includes(otherIp, ip);
}

/** Whether an address stands for all, and the other is one of them; that of IPv6 takes IPv4 too. */
function includes(ip: IpAddress, other: IpAddress): boolean {
  return isUnspecified(ip) && (ip.family === 6 || other.family === 4);
}

function ipOf({ hostname }: ListenAddress): IpAddress | null {
  return parseIp(hostname === "localhost" ? "127.0.0.1" : hostname);
}

/** @throws {ConfigError} when everybody would be believed to be anybody */
export function trustedProxiesOf(texts: readonly string[] | undefined): Networks | null {
  if (texts === undefined) return null;
  const networks = texts.flatMap(parseNetworks);
  const all = networks.find(({ bits }) => bits === 0);
  if (all !== undefined) {
    throw new ConfigError([
      `trust-proxy: ${all.text} would let everybody say that they are anybody: name the proxies alone`,
    ]);
  }
  return new Networks(networks);
}
