/** A connection between its being accepted and its first request: whose it is, and where it came in. */

import { formatIp, isIpv4Mapped, parseIp } from "../http/ip_address.ts";
import { borrow, giveBack, SMALL } from "../net/buffers.ts";
import { clientKey } from "../net/client_key.ts";
import { Connection, type Stream } from "../net/connection.ts";
import { type Ends, endsOf } from "../net/ends.ts";
import { ProxyHeaderReader } from "../net/proxy_protocol.ts";
import type { Services } from "./services.ts";

export interface Arrival extends Ends {
  /** The trusted peer that told who the client is, or `""`. */
  readonly through: string;
  /** Whether it came in over TLS. */
  readonly overTls: boolean;
  /** Whether it came to a gateway. */
  readonly gateway: boolean;
}

/** Room before what a client sends, in which a chunk's size line can be written. */
export const REQUEST_BASE = 16;

/** A client's connection as a session takes it. */
export function clientConnection(services: Services, stream: Stream): Connection {
  const connection = new Connection(stream, services.clock, SMALL, REQUEST_BASE);
  connection.leastRate = services.settings.minBodyRate;
  return connection;
}

/** Whose an accepted connection is, by what the system says of it. */
export function arrivalOf(
  remote: Deno.NetAddr,
  local: Deno.NetAddr,
  overTls = false,
  gateway = false,
): Arrival {
  return { ...endsOf(remote, local), through: "", overTls, gateway };
}

/**
 * Reads the header of the PROXY protocol with which a trusted peer has to begin, in the time of a head. What follows
 * it is left in the connection's buffer.
 *
 * @returns who the client is: the one that the header names, or the peer where it names none; else what is wrong, in
 *   words, `""` for a peer that went away before it said anything
 */
export async function learnClient(
  down: Connection,
  peer: Arrival,
  services: Services,
): Promise<Arrival | string> {
  const reader = new ProxyHeaderReader(parseIp);
  down.deadline = services.clock.in(services.settings.headTimeout);
  while (reader.state === "more") {
    down.empty();
    if (await down.read() <= 0) {
      if (down.expired) return "no PROXY protocol header in time";
      return down.received === 0 ? "" : "a PROXY protocol header that is cut off";
    }
    down.start = reader.read(down.buffer, down.start, down.end);
  }
  if (reader.state === "invalid") return reader.fault;
  if (down.start === down.end) down.empty();
  // what follows has all the room that it would have had without a header
  else giveBack(down.swap(borrow(SMALL)));
  if (reader.addresses === null) return peer;
  const { ip, port } = reader.addresses.source;
  const client = formatIp(isIpv4Mapped(ip.bytes) ? { family: 4, bytes: ip.bytes.slice(12) } : ip);
  return { ...peer, client, clientPort: port, clientKey: clientKey(client), through: peer.client };
}
