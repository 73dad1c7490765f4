/** A list of hosts that a rule names as `@file`: names in any number, and networks. */

import type { IpAddress } from "../http/ip_address.ts";
import type { NameTable } from "./name_table.ts";
import { type Network, Networks } from "./network.ts";

/** What a list file holds. Made by {@link HostListReader}; it does not change afterwards. */
export class HostList {
  /** Different names, and networks. */
  readonly size: number;
  /** Whether there are networks, so that addresses matter. */
  readonly hasAddresses: boolean;
  readonly #names: NameTable;
  readonly #networks: Networks;

  constructor(names: NameTable, networks: readonly Network[]) {
    this.#names = names;
    this.#networks = new Networks(networks);
    this.size = names.size + networks.length;
    this.hasAddresses = networks.length > 0;
  }

  /**
   * Whether the list holds the name or, in a way that means it, a domain that it lies in. What it costs grows with
   * the labels of the name, not with the list.
   *
   * @param host canonical, as {@link Authority.host} is
   */
  includesName(host: string): boolean {
    return this.#names.includes(host);
  }

  /** Whether one of the networks holds the address, as {@link Networks.includes} says. */
  includesAddress(ip: IpAddress): boolean {
    return this.#networks.includes(ip);
  }
}
