/** Answers of weir's own on their way to the client, and into the record. */

import type { HttpError } from "../../http/error.ts";
import { type Answer, answerTo, pageKind, withBody } from "./answer.ts";
import type { Exchange } from "../exchange.ts";
import type { Request } from "../request.ts";
import type { Session } from "../session.ts";

/**
 * Tells the client why its request is not answered by an origin. True when its connection can go on.
 *
 * @param close whether it is clear already that the connection cannot
 */
export function sendError(
  session: Session,
  exchange: Exchange,
  request: Request,
  error: HttpError,
  close: boolean,
): Promise<boolean> {
  exchange.error = error.error;
  exchange.details = error.message;
  const closing = close || closes(session, request);
  const answer = answerTo(error, session.services.settings, {
    kind: pageKind(request.head.complete ? request.head.field("accept") : ""),
    reference: exchange.reference,
    withoutBody: request.method === "HEAD",
    close: closing,
  });
  return send(session, exchange, error.status, answer, closing);
}

/**
 * Sends an answer that is no error. True when the client's connection can go on.
 *
 * @param lines the status line and the fields, without line ends
 */
export function sendAnswer(
  session: Session,
  exchange: Exchange,
  request: Request,
  lines: readonly string[],
  body: Uint8Array,
): Promise<boolean> {
  const closing = closes(session, request);
  const answer = withBody(closing ? [...lines, "Connection: close"] : lines, body);
  return send(session, exchange, Number(lines[0].slice(9, 12)), answer, closing);
}

/**
 * Whether the connection ends after an own answer: unread bodies are not waited for, and what follows a CONNECT
 * that is refused may have been meant for the tunnel.
 */
function closes({ services }: Session, request: Request): boolean {
  return request.framing !== 0 || request.minorVersion === 0 || request.options.close ||
    request.method === "CONNECT" || services.draining;
}

async function send(
  session: Session,
  exchange: Exchange,
  status: number,
  { bytes, bodyLength }: Answer,
  close: boolean,
): Promise<boolean> {
  const { down, services } = session;
  exchange.status = status;
  exchange.ownAnswer = true;
  session.watch.answered();
  down.deadline = services.clock.in(services.settings.bodyTimeout);
  const written = await down.write(bytes);
  if (written) {
    exchange.responseHeadBytes = bytes.length - bodyLength;
    exchange.responseBodyBytes = bodyLength;
  } else exchange.truncated = true;
  session.lingers = written && close;
  return written && !close;
}
