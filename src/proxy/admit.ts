/** Whether a request may go on: the stations `identify` and `decide` of every exchange that leaves this proxy. */

import type { Authority } from "../http/authority.ts";
import { HttpError } from "../http/error.ts";
import { Field } from "../http/field_names.ts";
import type { Exchange } from "./exchange.ts";
import { identify } from "./identity/identify.ts";
import { judge, obey } from "./judgement.ts";
import type { Request } from "./request.ts";
import type { Session } from "./session.ts";
import type { ProxySettings } from "./settings.ts";

/** Bytes of a path that is judged, by rules that take time with its length. */
const LONGEST_PATH = 8192;

const VIA = 1 << Field.Via;

/**
 * Finds out who asks and whether they may. What depends on the address of the origin is judged when that is known,
 * in `reach.ts`. Throws {@link HttpError} for a request that must not go on. A promise only where a password has to
 * be verified, else `null`: most requests do not wait here.
 */
export function admit(session: Session, exchange: Exchange, request: Request): Promise<void> | null {
  const { settings } = session.services;
  refuseAlways(settings, request);
  const path = settings.policy.looksAtPaths ? pathOf(request) : null;
  const { method, target } = request;
  return admitTo(
    session,
    exchange,
    method,
    target.authority!,
    path,
    () => identify(session, exchange, request),
  );
}

/**
 * The same for what was asked in any protocol.
 *
 * @param path of the target; `null` where it is not looked at or cannot be seen
 * @param identified finds out who asks; called where there are users
 */
export function admitTo(
  session: Session,
  exchange: Exchange,
  method: string,
  authority: Authority,
  path: string | null,
  identified: () => string | null | Promise<string | null>,
): Promise<void> | null {
  const { facts } = session;
  facts.user = null;
  facts.method = method;
  facts.authority = authority;
  facts.path = path;
  if (session.services.settings.users !== null) {
    // who is refused whoever they are need not be asked, and makes nobody compute hashes
    const verdict = judge(session, null);
    if (verdict.decision === "deny" && verdict.enforced) obey(session, exchange, verdict);
    const user = identified();
    if (user instanceof Promise) {
      return user.then((proved) => {
        facts.user = proved;
        obey(session, exchange, judge(session, null));
      });
    }
    facts.user = user;
  }
  obey(session, exchange, judge(session, null));
  return null;
}

/** The path without the query; `null` in a tunnel, where it cannot be seen. */
function pathOf({ target, head }: Request): string | null {
  if (target.form === "authority") return null;
  const whole = head.text(target.pathStart, target.pathEnd);
  const query = whole.indexOf("?");
  const path = query < 0 ? whole : whole.slice(0, query);
  if (path.length > LONGEST_PATH) {
    throw new HttpError(
      414,
      "http_request_error",
      `a path of more than ${LONGEST_PATH} bytes, which no rule reads`,
    );
  }
  return path || "/";
}

/** Refuses what must not go on whatever the rules say. */
function refuseAlways(settings: ProxySettings, request: Request): void {
  const { head, framing } = request;
  if ((head.seen & VIA) !== 0 && viaNames(head.values(Field.Via), settings.pseudonym)) {
    throw new HttpError(502, "proxy_loop_detected", "the request has come through this proxy before");
  }
  if (settings.maxBodySize > 0 && framing > settings.maxBodySize) {
    throw new HttpError(413, "http_request_error", `a body of more than ${settings.maxBodySize} bytes`);
  }
}

/** Whether a list of `protocol pseudonym (comment)` names this one (RFC 9110 §7.6.3). */
function viaNames(via: string, pseudonym: string): boolean {
  return via.split(",").some((member) => member.trim().split(/[ \t]+/)[1] === pseudonym);
}
