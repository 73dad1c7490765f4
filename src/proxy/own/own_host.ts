/** Whether a request is meant for weir itself, by the name that its client knows weir by. */

import { type Authority, parseAuthority } from "../../http/authority.ts";
import { Field } from "../../http/field_names.ts";
import { isLoopback, sameIp } from "../../http/ip_address.ts";
import { DEFAULT_PORTS, type Scheme } from "../../http/target.ts";
import type { Request } from "../request.ts";
import type { Session } from "../session.ts";

/** How the client speaks to weir. */
export function ownScheme(session: Session): Scheme {
  return session.arrival.overTls ? "https" : "http";
}

/**
 * The authority of weir's own that a request in origin form asks for; `null` for another's. A browser that was led
 * here by somebody else's name, which resolves to weir for the purpose, would let that name's pages read the answer
 * (DNS rebinding): so weir answers to its addresses and to `localhost`, with the port on which the client came in, and
 * to the names that it was given, with any port, since ports are often mapped on the way.
 */
export function ownHost(session: Session, request: Request): Authority | null {
  const port = DEFAULT_PORTS[ownScheme(session)];
  const value = request.head.values(Field.Host);
  // programs that look whether weir is well send none in HTTP/1.0, which no browser speaks
  const listener = parseAuthority(session.listener, port);
  if (value === "") return listener;
  const authority = parseAuthority(value, port);
  const { host, ip } = authority;
  if (session.services.settings.frontPage.names.includes(host)) return authority;
  if (authority.port !== listener.port) return null;
  if (ip === null) return host === "localhost" ? authority : null;
  return isLoopback(ip) || sameIp(ip, listener.ip!) ? authority : null;
}
