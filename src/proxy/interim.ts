/** Interim responses (RFC 9110 §15.2): on to a client that understands them, or to the end of HTTP with 101. */

import { badResponse } from "../http/error.ts";
import type { Exchange } from "./exchange.ts";
import type { Request } from "./request.ts";
import type { Response } from "./response.ts";
import { sendHead, writeInterimHead } from "./response_head.ts";
import type { Session } from "./session.ts";
import { tunnelled } from "./tunnel.ts";
import type { Upstream } from "./upstream.ts";

/** Interim responses to one request. */
export const MAX_INTERIM = 64;

/**
 * Sends one on to a client of HTTP/1.1: 100 only to one that asked, and hints not to who sees the page elsewhere than
 * where a gateway's is. False when the client did not take it.
 */
export async function passInterim(
  session: Session,
  exchange: Exchange,
  request: Request,
  response: Response,
): Promise<boolean> {
  const passes = response.status === 100 ? request.expectsContinue : session.gateway === null;
  if (request.minorVersion === 0 || !passes) return true;
  const { down, services } = session;
  writeInterimHead(session, response);
  const { length } = response.writer;
  const before = down.deadline;
  const until = down.deadline = services.clock.in(services.settings.bodyTimeout);
  if (!await sendHead(down, response)) return false;
  // an upload that waits for the client goes on with its own, unless it has set another meanwhile
  if (down.deadline === until) down.deadline = before;
  count(session, exchange, length);
  return true;
}

/**
 * 101: HTTP is over, both sides become a tunnel (RFC 9110 §7.8). Resolves when that is over; false when the client did
 * not take the response. Throws {@link HttpError} when nobody asked for it.
 */
export async function switchProtocols(
  session: Session,
  exchange: Exchange,
  request: Request,
  response: Response,
  up: Upstream,
): Promise<boolean> {
  if (!request.asksUpgrade) {
    throw badResponse("the origin sent 101 Switching Protocols, which nobody asked for");
  }
  const { down, services } = session;
  writeInterimHead(session, response);
  const { length } = response.writer;
  exchange.kind = "upgrade";
  exchange.status = exchange.originStatus = 101;
  exchange.responseAt = performance.now();
  down.deadline = services.clock.in(services.settings.bodyTimeout);
  if (!await sendHead(down, response)) return false;
  count(session, exchange, length);
  up.start = response.head.end;
  await tunnelled(session, exchange, up);
  return true;
}

function count(session: Session, exchange: Exchange, bytes: number): void {
  exchange.responseHeadBytes += bytes;
  session.usage?.down(bytes, session.services.clock.now);
}
