/** One attempt to connect to a target, that is not with itself. */

import { dial, DialError } from "../net/dial.ts";
import type { OwnListeners } from "../policy/own_listeners.ts";

/**
 * Connects to a literal address, unless that is this relay itself.
 *
 * @throws {DialError}
 */
export async function dialTarget(
  address: string,
  port: number,
  ownListeners: OwnListeners,
  signal: AbortSignal,
): Promise<Deno.TcpConn> {
  const { conn } = await dial([address], port, { signal });
  if (isWithItself(conn)) throw refusal(conn, address, "refused");
  // a listener on all addresses is reached through each that this machine has, and from that very address
  if (ownListeners.includes(address, port, conn.localAddr.hostname)) {
    throw refusal(conn, address, "is this relay itself");
  }
  return conn;
}

function refusal(conn: Deno.TcpConn, address: string, message: string): DialError {
  conn.close();
  return new DialError("refused", message, [{ address, message }]);
}

/**
 * Where nobody listens on a port of this machine, the system may give that very port to the one who connects, who
 * is connected with himself then (TCP's simultaneous open, RFC 9293 §3.5). A target that is down would seem up, and
 * could not come back, since its port is taken.
 */
export function isWithItself(
  { localAddr, remoteAddr }: Pick<Deno.TcpConn, "localAddr" | "remoteAddr">,
): boolean {
  return localAddr.port === remoteAddr.port && localAddr.hostname === remoteAddr.hostname;
}
