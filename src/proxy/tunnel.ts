/** CONNECT: two connections that become one (RFC 9110 §9.3.6). */

import type { Authority } from "../http/authority.ts";
import { badRequest } from "../http/error.ts";
import { bytesOf } from "../http/text.ts";
import type { Connection } from "../net/connection.ts";
import { type FirstLook, relay } from "../net/relay.ts";
import { admit } from "./admit.ts";
import type { Exchange } from "./exchange.ts";
import { paceHead, tunnelPaces } from "./pacing.ts";
import { connect } from "./reach.ts";
import type { Request } from "./request.ts";
import type { Session } from "./session.ts";
import { inspectionOf } from "./tunnel_inspection.ts";

const ESTABLISHED = bytesOf("HTTP/1.1 200 Connection established\r\n\r\n");

/**
 * Opens a tunnel and relays it until it is over. Always false: nothing follows on the client's connection. Throws
 * {@link HttpError} when there is no tunnel.
 */
export async function tunnel(session: Session, exchange: Exchange, request: Request): Promise<boolean> {
  exchange.kind = "tunnel";
  if (request.framing !== 0) throw badRequest("a CONNECT with a body: what follows it belongs to the tunnel");
  const admitted = admit(session, exchange, request);
  if (admitted !== null) await admitted;
  await openTunnel(session, exchange, request.target.authority!, () => ESTABLISHED);
  return false;
}

/**
 * Opens a tunnel that was admitted, and relays it until it is over. Throws {@link HttpError} when there is none.
 *
 * @param established what tells the client that there is one, by the connection to its other end
 */
export async function openTunnel(
  session: Session,
  exchange: Exchange,
  authority: Authority,
  established: (up: Connection) => Uint8Array,
): Promise<void> {
  const { services, down } = session;
  session.watch.begin();
  if (session.usage !== null) await paceHead(session, session.usage, exchange);
  const up = await connect(session, authority, "tunnel", exchange);
  exchange.connectedAt = exchange.responseAt = performance.now();
  session.up = up;
  try {
    down.deadline = services.clock.in(services.settings.bodyTimeout);
    exchange.status = 200;
    const head = established(up);
    if (!await down.write(head)) {
      exchange.truncated = true;
      exchange.details = "the client went away";
      return;
    }
    exchange.responseHeadBytes += head.length;
    await tunnelled(session, exchange, up, inspectionOf(session, exchange, authority));
  } finally {
    session.up = null;
    exchange.upstreamSentBytes = up.sent;
    exchange.upstreamReceivedBytes = up.received;
    up.release();
  }
}

/** A look at what the client sends first, which can tell the client that it was refused. */
interface Inspection extends FirstLook {
  refuse(): Promise<void>;
}

/**
 * Relays what comes from either side and writes into the record how it went.
 *
 * @param inspection looks at what the client sends first
 */
export async function tunnelled(
  session: Session,
  exchange: Exchange,
  up: Connection,
  inspection?: Inspection,
): Promise<void> {
  const { down, services, usage } = session;
  down.onSettled = null;
  const sentBefore = down.sent;
  const upBefore = up.sent;
  const paces = usage === null ? undefined : tunnelPaces(session, up, usage);
  const end = await relay(down, up, services.settings.tunnelTimeout, {
    first: inspection,
    lifetime: services.settings.tunnelLifetime,
    ...paces,
  });
  if (end === "refused") await inspection!.refuse();
  exchange.requestBodyBytes = up.sent - upBefore;
  exchange.responseBodyBytes = down.sent - sentBefore;
  if (end === "ended" || end === "refused") return;
  exchange.truncated = true;
  // one that was given up has said why
  if (exchange.error === "connection_limit_reached") return;
  exchange.details = {
    idle: "nothing came through for too long",
    over: "it has been open for as long as a tunnel may be",
    near_failed: "the client reset the connection",
    far_failed: "the other end reset the connection",
    stopped: "the proxy was stopped",
  }[end];
  if (end === "far_failed") exchange.error = "connection_terminated";
}
