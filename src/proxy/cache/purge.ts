/** `PURGE`: a client asks that what is stored for a URL be forgotten, in the way that other caches know. */

import { HttpError } from "../../http/error.ts";
import { formatDate } from "../../http/date.ts";
import { bytesOf } from "../../http/text.ts";
import { keyOf, ownerOf } from "./cache_key.ts";
import type { Exchange } from "../exchange.ts";
import type { HttpCache } from "./http_cache.ts";
import { passes } from "../judgement.ts";
import type { Request } from "../request.ts";
import { sendAnswer } from "../own/send_answer.ts";
import type { Session } from "../session.ts";

/**
 * Forgets it for all users: 200 when there was something, else 404. Only for clients that a rule lets do it by the
 * method's name. Throws {@link HttpError} 403 for all others.
 */
export function purge(
  session: Session,
  exchange: Exchange,
  request: Request,
  cache: HttpCache,
): Promise<boolean> {
  exchange.kind = "own";
  const { verdict } = session;
  // a rule on trial takes nothing away from the one that lets it pass
  if (verdict === null || verdict.decision === "unresolved" || !passes(verdict) || !verdict.namesMethod) {
    exchange.verdict = "deny";
    exchange.rule = "purge";
    exchange.reason = "no rule lets this client do it by name";
    throw new HttpError(
      403,
      "http_request_denied",
      'PURGE is for clients of a rule with methods = ["PURGE"]',
    );
  }
  const found = cache.drop(exchange.target, ownerOf(keyOf(session, exchange, request)));
  exchange.cache = found ? "purged" : "purge miss";
  const body = bytesOf(found ? "forgotten\n" : "nothing was stored for this URL\n");
  return sendAnswer(session, exchange, request, [
    found ? "HTTP/1.1 200 OK" : "HTTP/1.1 404 Not Found",
    `Date: ${formatDate(Date.now())}`,
    "Content-Type: text/plain; charset=utf-8",
    "Cache-Control: no-store",
    `Content-Length: ${body.length}`,
  ], body);
}
