/** Who asks: the station `identify` of an exchange (RFC 9110 §11.7.2). */

import { Field } from "../../http/field_names.ts";
import { badRequest, HttpError } from "../../http/error.ts";
import { bytesOf } from "../../http/text.ts";
import { type Credentials, MAX_CREDENTIALS, readBasic } from "../../policy/credentials.ts";
import { ClientGone } from "../client_gone.ts";
import type { Exchange } from "../exchange.ts";
import { CHALLENGE } from "../judgement.ts";
import type { Request } from "../request.ts";
import type { Session } from "../session.ts";
import type { Users } from "./users.ts";

const PROXY_AUTHORIZATION = 1 << Field.ProxyAuthorization;
const LETTER_B = 0x62;
const COLON = 0x3a;
const LATER = "Retry-After: 5";

/**
 * Who the client has proved to be by the fields of its request, which goes into the record too; `null` when it has not
 * said, in a way that weir knows. At once for a credential that has been verified before; else it takes the time of a
 * hash, or longer for a client that has guessed wrong. Throws or rejects with {@link HttpError}: 407 for a wrong
 * credential, 429 when too many wait, 400 for two; and {@link ClientGone} when there is nobody left who could be told.
 */
export function identify(
  session: Session,
  exchange: Exchange,
  request: Request,
): string | null | Promise<string | null> {
  const { services } = session;
  const { users } = services.settings;
  const { head } = request;
  if (users === null || (head.seen & PROXY_AUTHORIZATION) === 0) return null;
  const index = head.find(Field.ProxyAuthorization);
  if (head.find(Field.ProxyAuthorization, index + 1) >= 0) {
    throw badRequest("Proxy-Authorization more than once");
  }
  const start = head.valueStart(index);
  const end = head.valueEnd(index);
  // what cannot be Basic is not worth a hash
  if (end - start > MAX_CREDENTIALS || (head.bytes[start] | 0x20) !== LETTER_B) return null;
  const tag = services.identities.tagOf(head.bytes, start, end);
  const user = services.identities.recall(users, tag);
  if (user !== undefined) return exchange.user = user;
  const credentials = readBasic(head.value(index));
  if (credentials === null) return null;
  // a client that sends a body is not watched: what it sends is not for this station to read
  if (request.framing === 0) session.watch.begin();
  return prove(session, exchange, users, credentials, tag);
}

/**
 * The same for a user and a password that came by themselves. They are looked at as the field that would hold them,
 * so that who is known by one is known by the other. `null` also for what no field could hold, such as a name with a
 * colon.
 */
export function identifyBy(
  session: Session,
  exchange: Exchange,
  user: Uint8Array,
  password: Uint8Array,
): string | null | Promise<string | null> {
  const { services } = session;
  const { users } = services.settings;
  if (users === null || user.includes(COLON)) return null;
  const value = `Basic ${btoa(String.fromCharCode(...user, COLON, ...password))}`;
  const bytes = bytesOf(value);
  const tag = services.identities.tagOf(bytes, 0, bytes.length);
  const known = services.identities.recall(users, tag);
  if (known !== undefined) return exchange.user = known;
  const credentials = readBasic(value);
  if (credentials === null) return null;
  session.watch.begin();
  return prove(session, exchange, users, credentials, tag);
}

async function prove(
  session: Session,
  exchange: Exchange,
  users: Users,
  credentials: Credentials,
  tag: string,
): Promise<string | null> {
  const waiter = session.services.identities.prove(users, credentials, tag, session.clientKey);
  session.reaching = { giveUp: () => waiter.leave() };
  let outcome;
  try {
    outcome = await waiter.outcome;
  } catch (error) {
    session.services.observer.notice("error", `a password could not be verified: ${error}`);
    throw new HttpError(500, "proxy_internal_error", "the password could not be verified");
  } finally {
    session.reaching = null;
  }
  if (outcome === "left" || session.gone) throw new ClientGone();
  if (outcome === "right") return exchange.user = credentials.user;
  // where nothing is refused, that is as good as having said nothing
  if (session.services.settings.policy.reportsOnly) return null;
  if (outcome === "busy") {
    throw new HttpError(429, "http_request_denied", "too many passwords wait to be verified", [LATER]);
  }
  throw wrongPassword(exchange);
}

/** What becomes of an exchange whose client is not who it says it is. */
export function wrongPassword(exchange: Exchange): HttpError {
  exchange.verdict = "deny";
  exchange.rule = "users";
  exchange.reason = "the user or the password is wrong";
  return new HttpError(407, "http_request_denied", exchange.reason, [CHALLENGE]);
}
