/** What comes in the place of an origin's answer and is none, or none for the client. */

import type { Authority } from "../http/authority.ts";
import { CR, LF } from "../http/characters.ts";
import { HttpError } from "../http/error.ts";
import { mayBecomeStatusLine } from "../http/start_line.ts";
import { unwelcome } from "./parents/parent_error.ts";
import type { Response } from "./response.ts";
import type { Upstream } from "./upstream.ts";

/** Bytes of empty lines that are skipped on one connection. */
const MAX_EMPTY = 64;

/**
 * A request was not answered on a kept connection: what came crossed it, and was the rest of the exchange before or the
 * word of an origin that closes. A request that may be repeated goes to a new connection.
 */
export class NotAnswered extends HttpError {
  constructor(message: string) {
    super(502, "http_protocol_error", message);
  }
}

/**
 * Whether an answer seems to begin in a kept connection's buffer, where empty lines are skipped; false while there is
 * nothing else. Throws {@link NotAnswered} for what begins no status line.
 *
 * @param tolerant whether an odd status line is one
 */
export function beginsAnswer(up: Upstream, tolerant: boolean): boolean {
  const { buffer, start, end } = up;
  let at = start;
  while (at < end && (buffer[at] === CR || buffer[at] === LF)) at++;
  up.skipped += at - start;
  up.start = at;
  if (up.skipped > MAX_EMPTY || !mayBecomeStatusLine(buffer, at, end, tolerant)) {
    throw new NotAnswered("the origin sent what is no HTTP/1.1");
  }
  return at < end;
}

/**
 * Refuses a response that is not the answer to the request that went out on this connection. Throws {@link HttpError}:
 *
 * - for 407 (RFC 9110 §15.5.8). A parent's is about weir's own credentials. An origin is no proxy: sent on, its 407
 *   would be weir's to the client, which would be asked for the proxy's password by the origin or take its own for wrong.
 * - {@link NotAnswered} for 408 that ends a connection on which the origin has waited for long enough (§15.5.9): it may
 *   have crossed the request.
 *
 * @param repeats whether the connection was kept, and the request may go to another one
 */
export function refuseNoAnswer(
  { status, options, minorVersion }: Response,
  up: Upstream,
  { text }: Authority,
  repeats: boolean,
): void {
  if (status === 407) {
    if (up.asksParent) throw unwelcome(up.parent!, status);
    const message = `${text} answered 407 Proxy Authentication Required, which only a proxy may`;
    throw new HttpError(502, "http_protocol_error", message);
  }
  if (status === 408 && repeats && (options.close || minorVersion === 0)) {
    throw new NotAnswered(`${text} closed the connection: it has waited for a request for too long`);
  }
}
