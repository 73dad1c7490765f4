/** What is known of a request when it is judged. */

import type { Authority } from "../http/authority.ts";
import type { IpAddress } from "../http/ip_address.ts";

export interface Facts {
  /** The client's address: as text in its canonical form, and as bytes. An IPv4-mapped one is IPv4. */
  readonly client: string;
  readonly clientIp: IpAddress;
  /** Who the client has proved to be; `null` when it has not said. */
  readonly user: string | null;
  /** The method as it came; a tunnel is `CONNECT`. */
  readonly method: string;
  /** The canonical target. */
  readonly authority: Authority;
  /** The target's path without its query, as it came; `null` where it cannot be seen, in a tunnel. */
  readonly path: string | null;
}
