/** A connection to a parent: whoever named it may name any address, but none of weir's own listeners. */

import { startTlsTo } from "../../net/tls.ts";
import { asAnswer, dialWithRoom } from "../dialling.ts";
import type { Parent } from "./parent.ts";
import { called, ParentError } from "./parent_error.ts";
import type { Services } from "../services.ts";

export interface ReachedParent {
  readonly stream: Deno.TcpConn | Deno.TlsConn;
  /** Its address that answered. */
  readonly address: string;
}

/**
 * Connects to a parent, over TLS where it wants that.
 *
 * @param local the address on which the client came in, `""` where there is none
 * @throws {ParentError} with the answer that the failure deserves
 */
export async function reachParent(
  services: Services,
  parent: Parent,
  local: string,
  signal: AbortSignal,
): Promise<ReachedParent> {
  const { authority, scheme } = parent.spec;
  const { parentResolver, ownListeners, settings } = services;
  try {
    const found = authority.ip === null
      ? await parentResolver.resolve(authority.host, signal)
      : [authority.host];
    const addresses = found.filter((address) => !ownListeners.includes(address, authority.port, local));
    if (addresses.length === 0 && found.length > 0) throw itself(parent);
    const { conn, address } = await dialWithRoom(services, addresses, authority.port, signal);
    if (ownListeners.includes(address, authority.port, conn.localAddr.hostname)) {
      conn.close();
      throw itself(parent);
    }
    if (scheme !== "https") return { stream: conn, address };
    const options = { caCerts: settings.originCertificates, signal };
    return { stream: await startTlsTo(conn, authority.host, options), address };
  } catch (error) {
    if (error instanceof ParentError) throw error;
    const { status, error: type, message } = asAnswer(authority, error);
    throw new ParentError(parent, status, type, `${called(parent)} cannot be reached: ${message}`);
  }
}

function itself(parent: Parent): ParentError {
  return new ParentError(parent, 502, "proxy_loop_detected", `${called(parent)} is this proxy itself`);
}
