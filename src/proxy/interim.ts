/** Interim responses (RFC 9110 §15.2): on to a client that understands them, or to the end of HTTP with 101. */

import { badResponse } from "../http/error.ts";
import type { Exchange } from "./exchange.ts";
import type { Request } from "./request.ts";
import type { Response } from "./response.ts";
import { sendHead, writeInterimHead } from "./response_head.ts";
import type { Session } from "./session.ts";
import { tunnelled } from "./tunnel.ts";
import type { Upload } from "./upload.ts";
import { upgradeInspectionOf } from "./upgrade_inspection.ts";
import type { Upstream } from "./upstream.ts";

/** Interim responses to one request. */
export const MAX_INTERIM = 64;

/**
 * Sends one on to a client of HTTP/1.1, also a 100 that it did not ask for (RFC 9110 §15.2); but hints not to one that
 * sees the page elsewhere, since it comes by a gateway. False when the client did not take it.
 */
export async function passInterim(
  session: Session,
  exchange: Exchange,
  request: Request,
  response: Response,
): Promise<boolean> {
  const passes = response.status === 100 || session.gateway === null;
  if (request.minorVersion === 0 || !passes) return true;
  return await send(session, exchange, response);
}

/** Sends an interim response. False when the client did not take it. */
async function send(session: Session, exchange: Exchange, response: Response): Promise<boolean> {
  const { down, services: { clock, settings } } = session;
  writeInterimHead(session, response);
  const { length } = response.writer;
  const before = down.deadline;
  const until = down.deadline = clock.in(settings.bodyTimeout);
  if (!await sendHead(down, response)) return false;
  // an upload that waits for the client goes on with its own, unless it has set another meanwhile
  if (down.deadline === until) down.deadline = before;
  exchange.responseHeadBytes += length;
  session.usage?.down(length, clock.now);
  return true;
}

/**
 * 101: HTTP is over, both sides become a tunnel (RFC 9110 §7.8) once the request has gone out to its end. Resolves when
 * that is over; false when the client did not take the response, or its body did not come through. Throws
 * {@link HttpError} when nobody asked for it.
 *
 * @param upload the request's body, which may still be on its way
 */
export async function switchProtocols(
  session: Session,
  exchange: Exchange,
  request: Request,
  response: Response,
  up: Upstream,
  upload: Upload | null,
): Promise<boolean> {
  if (!request.asksUpgrade) {
    throw badResponse("the origin sent 101 Switching Protocols, which nobody asked for");
  }
  exchange.kind = "upgrade";
  exchange.status = exchange.originStatus = 101;
  exchange.responseAt = performance.now();
  if (!await send(session, exchange, response)) return false;
  up.start = response.end;
  // a body that waits for 100 is not going to get it any more
  upload?.proceed();
  if (upload !== null && !await upload.whole()) {
    const { failure, clientGone } = upload;
    exchange.error = failure?.error ?? (clientGone ? "http_request_error" : "connection_terminated");
    const end = clientGone ? "the client went away" : "the origin closed the connection";
    exchange.details = failure?.message ?? `${end} within the request's body`;
    return false;
  }
  await tunnelled(session, exchange, up, upgradeInspectionOf(session, exchange));
  return true;
}
