/** What weir answers itself: requests to the proxy and not through it, and those that end their way here. */

import { formatDate } from "../../http/date.ts";
import { badRequest } from "../../http/error.ts";
import { Field } from "../../http/field_names.ts";
import { bytesOf } from "../../http/text.ts";
import type { Exchange } from "../exchange.ts";
import { receive } from "../judgement.ts";
import { ownHost, ownScheme } from "./own_host.ts";
import type { Request } from "../request.ts";
import { sendAnswer } from "./send_answer.ts";
import type { Session } from "../session.ts";

/** Fields that a TRACE does not give back: whoever asks may not be who sent them (RFC 9110 §9.3.8). */
const CREDENTIALS: ReadonlySet<number> = new Set([
  Field.Authorization,
  Field.ProxyAuthorization,
  Field.Cookie,
]);

/** A request in origin form, or `OPTIONS *`: it is meant for weir itself. Throws {@link HttpError}. */
export async function ownAnswer(session: Session, exchange: Exchange, request: Request): Promise<boolean> {
  if (request.target.form === "asterisk") {
    receive(session, exchange);
    return await answerOptions(session, exchange, request);
  }
  const host = ownHost(session, request);
  if (host !== null) {
    // most proxies are never asked for it
    const { answerOwnPage } = await import("./front_page.ts");
    return await answerOwnPage(session, exchange, request, host);
  }
  const own = `${ownScheme(session)}://${session.listener}`;
  throw badRequest(
    `this is a proxy, not a web server: set it as the proxy of your program, as in curl -x ${own} URL; ` +
      `its own page is at ${own}/ and at the names that --name gives it`,
  );
}

/** A TRACE or OPTIONS that may not be forwarded any further (RFC 9110 §7.6.2). */
export function answerLastForward(session: Session, exchange: Exchange, request: Request): Promise<boolean> {
  exchange.kind = "own";
  return request.method === "TRACE"
    ? answerTrace(session, exchange, request)
    : answerOptions(session, exchange, request);
}

function answerOptions(session: Session, exchange: Exchange, request: Request): Promise<boolean> {
  return sendAnswer(session, exchange, request, [
    "HTTP/1.1 200 OK",
    `Date: ${formatDate(Date.now())}`,
    "Allow: GET, HEAD, POST, PUT, DELETE, CONNECT, OPTIONS, TRACE, PATCH",
    "Cache-Control: no-store",
    "Content-Length: 0",
  ], new Uint8Array());
}

function answerTrace(session: Session, exchange: Exchange, request: Request): Promise<boolean> {
  const { head } = request;
  let text = head.text(head.start, head.lineStart(0));
  for (let index = 0; index < head.count; index++) {
    if (!CREDENTIALS.has(head.number(index))) {
      text += head.text(head.lineStart(index), head.lineStart(index + 1));
    }
  }
  const body = bytesOf(text + "\r\n");
  return sendAnswer(session, exchange, request, [
    "HTTP/1.1 200 OK",
    `Date: ${formatDate(Date.now())}`,
    "Content-Type: message/http",
    "Cache-Control: no-store",
    `Content-Length: ${body.length}`,
  ], body);
}
