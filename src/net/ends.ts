/** Whose an accepted connection is, and where it came in. */

import { clientKey } from "./client_key.ts";

/** Addresses are without brackets. */
export interface Ends {
  readonly client: string;
  readonly clientPort: number;
  /** What the client is counted as. */
  readonly clientKey: string;
  /** Where it came in, and that in one: `127.0.0.1:8888`, `[::1]:8888`. */
  readonly local: string;
  readonly localPort: number;
  readonly listener: string;
}

/** By what the system says of the two ends. */
export function endsOf(remote: Deno.NetAddr, { hostname, port }: Deno.NetAddr): Ends {
  const local = withoutMapping(hostname);
  const client = withoutMapping(remote.hostname);
  return {
    client,
    clientPort: remote.port,
    clientKey: clientKey(client),
    local,
    localPort: port,
    listener: `${local.includes(":") ? `[${local}]` : local}:${port}`,
  };
}

/** An IPv4 client on a listener that takes both families shows as `::ffff:192.0.2.1`. */
function withoutMapping(hostname: string): string {
  return hostname.startsWith("::ffff:") && hostname.includes(".") ? hostname.slice(7) : hostname;
}
