/** What a relay is told. Times are ms. */

import type { Authority } from "../http/authority.ts";
import type { Networks } from "../policy/network.ts";
import type { Balance } from "./balancing.ts";

export interface RelaySettings {
  /** Where connections go, at least one; a name stands for all of its addresses. */
  readonly to: readonly Authority[];
  readonly balance: Balance;
  /** Time between two looks at whether a target answers; 0: only clients' connections tell. */
  readonly checkInterval: number;
  /** The version of the PROXY protocol by which targets are told who the client is; `null`: they are not. */
  readonly sendProxy: 1 | 2 | null;
  /** Who may connect; `null`: everybody. */
  readonly clients: Networks | null;
  readonly maxConnections: number;
  /** Of one client of another machine, and of one of this; 0: no limit. */
  readonly maxConnectionsPerClient: number;
  readonly maxConnectionsPerLocalClient: number;
  /** Time for one target to accept a connection. */
  readonly connectTimeout: number;
  /** Time in which nothing may come through a connection, in either direction. */
  readonly idleTimeout: number;
  /** Time for a whole connection, whatever comes through it; 0: no limit. */
  readonly lifetime: number;
  /** Time for connections to end by themselves on a stop. */
  readonly grace: number;
}
