/**
 * Links of the gateway's pages that name a path of their site and not the site, such as `/style.css`: in the gateway
 * they arrive without it. The page that they are from says which it is, in `Referer`.
 */

import { type Authority, parseAuthority } from "../http/authority.ts";
import { DEFAULT_PORTS } from "../http/target.ts";
import { decoded } from "./gateway_fields.ts";
import { originOf } from "./gateway_origins.ts";
import { type GatewayTarget, targetOf } from "./gateway_target.ts";

/** Longest target to which a client is sent; what every recipient takes (RFC 9112 §3). */
const LONGEST_TARGET = 8000;

/** Where a link leads when it is taken for one within the site of its page. */
export interface SiteLink {
  /** The target in the gateway: ASCII without controls and spaces, of 8,000 bytes at most. */
  readonly target: string;
  /** Whether what it begins with could be a host too: then that comes first. */
  readonly unlessHost: boolean;
}

/**
 * Takes a target for a link within the site of the page that it is from; `null` where it names a host on purpose, or
 * where the page is none of a site in the gateway.
 *
 * Nobody is sent round in circles: where this leads, the target begins with the site's own host, which is `null` again
 * for this page; and so it is for clients that say they come from where they were sent away.
 *
 * @param written the target as it came, a character a byte
 * @param referer the page's URL, in this gateway
 */
export function siteLink(written: string, referer: string): SiteLink | null {
  const page = URL.parse(referer);
  if (page === null) return null;
  const path = page.pathname + page.search;
  const site = targetOf(path);
  const siteHost = hostOf(site);
  const asked = targetOf(written);
  if (siteHost === null || asked.scheme !== "") return null;
  const host = hostOf(asked);
  if (host !== null && (isMeant(host, asked.authority) || host.host === siteHost.host)) return null;
  // it was sent here from where it says that it comes from
  if (written.endsWith(path)) return null;
  const target = site.prefix + written.replace(/[^\x21-\x7e]/g, escaped);
  if (target.length > LONGEST_TARGET) return null;
  return { target, unlessHost: host !== null && asked.authority.includes(".") };
}

/**
 * The URL at a site's own origin in a gateway at `port` for a target of the gateway's paths; `null` where the site has
 * no such origin.
 */
export function ownUrl(written: GatewayTarget, port: number): string | null {
  const authority = hostOf(written);
  const origin = authority === null
    ? null
    : originOf({ scheme: written.scheme === "https" ? "https" : "http", authority }, port);
  const path = written.path.replace(/[^\x21-\x7e]/g, escaped);
  if (origin === null || path.length > LONGEST_TARGET) return null;
  return `${origin}${path.startsWith("/") ? "" : "/"}${path}`;
}

/** `null` where there is none, or no valid one. */
function hostOf({ scheme, authority }: { scheme: string; authority: string }): Authority | null {
  if (scheme !== "" && scheme !== "http" && scheme !== "https") return null;
  try {
    return parseAuthority(decoded(authority), DEFAULT_PORTS[scheme === "https" ? "https" : "http"]);
  } catch {
    return null;
  }
}

/** Whether no path of a site would begin so. */
function isMeant({ host, ip }: Authority, written: string): boolean {
  return ip !== null || host === "localhost" || written.includes(":");
}

function escaped(character: string): string {
  return "%" + character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0");
}
