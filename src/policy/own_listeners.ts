/** The addresses on which weir itself listens: going there would be going round in circles. */

import {
  embeddedIpv4,
  formatIp,
  type IpAddress,
  isLoopback,
  isUnspecified,
  parseIp,
} from "../http/ip_address.ts";

interface Place {
  address: IpAddress | null;
  port: number;
}

/** The address inside an IPv4-mapped one, else the address itself. */
function plain(address: IpAddress): IpAddress {
  return embeddedIpv4(address) ?? address;
}

export class OwnListeners {
  #places: Place[] = [];

  /** @param addresses literal addresses without brackets, as the system says them */
  set(addresses: readonly { hostname: string; port: number }[]): void {
    this.#places = addresses.map(({ hostname, port }) => {
      const address = parseIp(hostname);
      return { address: address === null ? null : plain(address), port };
    });
  }

  /**
   * Whether a connection to `address` would come back to weir. A listener on all addresses is reached through any
   * address of this machine, of which only loopback and `local` (where the client came in) can be told.
   */
  includes(address: string, port: number, local: string): boolean {
    for (const place of this.#places) {
      if (place.port !== port) continue;
      const parsed = parseIp(address);
      if (parsed === null || place.address === null) continue;
      const target = plain(parsed);
      if (isUnspecified(target)) return true;
      if (isUnspecified(place.address)) {
        if (isLoopback(target) || sameText(target, parseIp(local))) return true;
      } else if (sameText(target, place.address)) return true;
    }
    return false;
  }
}

function sameText(one: IpAddress, other: IpAddress | null): boolean {
  return other !== null && formatIp(one) === formatIp(plain(other));
}
