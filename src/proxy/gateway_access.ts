/** For whom a gateway is: its own names, its sites' origins, and no page of others. */

import { Authority, parseAuthority } from "../http/authority.ts";
import { badRequest, HttpError } from "../http/error.ts";
import { Field } from "../http/field_names.ts";
import type { HeadReader } from "../http/head_reader.ts";
import { isLoopback } from "../http/ip_address.ts";
import { DEFAULT_PORTS } from "../http/target.ts";
import { labelIn, type Site, siteOf } from "./gateway_origins.ts";
import { ownHost } from "./own/own_host.ts";
import type { Request } from "./request.ts";
import type { Session } from "./session.ts";

/**
 * Whether a client that knows the gateway by this authority finds sites at origins of their own: names below `localhost`
 * lead to its own machine alone, so that it has to know the gateway as that.
 */
export function hasOwnOrigins(
  { services, local, listener }: Session,
  { host, ip, port }: Authority,
): boolean {
  const { gatewayOrigins, frontPage } = services.settings;
  return gatewayOrigins === "site" && (local === "127.0.0.1" || local === "::1") &&
    (host === "localhost" || (ip !== null && isLoopback(ip))) &&
    // where localhost is a name for it at any port, what is below is too
    (listener.endsWith(`:${port}`) || frontPage.names.includes("localhost"));
}

/**
 * Whether the answer is to be a page in a browser that takes names below `localhost` for this machine. Safari does not,
 * and most programs do not either: they stay in the paths.
 */
export function showsPage(head: HeadReader): boolean {
  return head.field("sec-fetch-mode") === "navigate" && head.field("sec-fetch-dest") === "document" &&
    /(?:Chrome|Firefox)\/[0-9]/.test(head.field("user-agent"));
}

/** As what a gateway was asked. */
export interface Asked {
  /** The site whose own origin it was; `null` where it was the gateway's paths. */
  readonly site: Site | null;
  /** The gateway's port as the client sees it. */
  readonly port: number;
  /** Whether the client finds sites at origins of their own. */
  readonly ownOrigins: boolean;
}

/**
 * As what the gateway was asked, by `Host`. Throws {@link HttpError} for a name that is not the gateway's, and for what
 * a page of another site has asked for.
 */
export function gatewayAsked(session: Session, request: Request): Asked {
  const { head } = request;
  if (head.find(Field.Host) < 0 && request.minorVersion === 1) throw badRequest("a request without Host");
  const own = ownHost(session, request);
  const asked = own === null
    ? siteAsked(session, head)
    : { site: null, port: own.port, ownOrigins: hasOwnOrigins(session, own) };
  if (asked === null) {
    throw refusal(
      "the gateway is not known by this name: ask it by its address, or give it the name with --name",
    );
  }
  refuseOthers(head, asked);
  return asked;
}

function siteAsked(session: Session, head: HeadReader): Asked | null {
  const { host, port } = parseAuthority(head.values(Field.Host), DEFAULT_PORTS.http);
  const site = siteOf(labelIn(host) ?? "");
  const above = new Authority("localhost", port, null, "");
  return site !== null && hasOwnOrigins(session, above) ? { site, port, ownOrigins: true } : null;
}

/**
 * Refuses what a page of another site sends: it could otherwise learn what only this machine reaches. That goes for
 * links too, since who opens a window can watch it. From one of the gateway's origins to another lead redirects.
 */
function refuseOthers(head: HeadReader, asked: Asked): void {
  const site = head.field("sec-fetch-site");
  const own = head.values(Field.Host).toLowerCase();
  const referer = head.values(Field.Referer);
  const fromHere = (value: string) => value === "" || URL.parse(value)?.host === own;
  const isOwn = (site === "" || site === "same-origin" || site === "none") && fromHere(referer);
  if (
    fromHere(head.field("origin")) && (isOwn || (asked.ownOrigins && movesOn(head, asked, referer)))
  ) {
    // a page needs nothing of its own origin in this mode but what would read another site's
    if (head.field("sec-fetch-mode") !== "same-origin" || asked.site !== null) return;
  }
  throw refusal(
    "another site's page has asked for this: type the address, or open it from a page of the gateway",
  );
}

/** Whether a redirect or a link of a page at one of the gateway's origins shows a page at another. */
function movesOn(head: HeadReader, asked: Asked, referer: string): boolean {
  const from = URL.parse(referer);
  return from !== null && head.field("sec-fetch-mode") === "navigate" &&
    head.field("sec-fetch-dest") === "document" && from.protocol === "http:" &&
    Number(from.port || DEFAULT_PORTS.http) === asked.port &&
    (/^(?:localhost|127\.0\.0\.1|\[::1\])$/.test(from.hostname) ||
      siteOf(labelIn(from.hostname) ?? "") !== null);
}

function refusal(message: string): HttpError {
  return new HttpError(403, "http_request_denied", message);
}
