/** What a gateway changes in the fields that name its sites: cookies, references, and what a request says of it. */

import { parseAuthority } from "../http/authority.ts";
import { DEFAULT_PORTS, type Scheme } from "../http/target.ts";
import { originOf, pathsOrigin } from "./gateway_origins.ts";

/** Where in the gateway a page is. */
export interface Place {
  /** What stands in the gateway's paths for the page's scheme, host and port, as the client wrote it. */
  readonly prefix: string;
  /** The page's own URL. */
  readonly url: string;
  /** The gateway's port where the site has an origin of its own; `null` where it shares that of the paths. */
  readonly ownOrigin: number | null;
}

/** What cookies of sites are called on the client's side: others on the same host are none of the sites' business. */
const COOKIE = "weir.";

/** Fields of requests that speak of the gateway, or to it. */
const NOT_SENT = /^(?:host|origin|referer|proxy-authorization|upgrade|cookie2?|sec-fetch-.*)$/;

/**
 * The lines of a request's fields as a proxy gets them: whoever asks for credentials here is weir.
 *
 * @param ownOrigin whether the site has an origin of its own, and so cookies of its own
 */
export function requestFields(
  fields: Iterable<readonly [name: string, value: string]>,
  ownOrigin: boolean,
): string[] {
  const lines: string[] = [];
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    if (lower === "cookie") {
      const cookies = ownOrigin ? value : ownCookies(value);
      if (cookies !== "") lines.push(`${name}: ${cookies}`);
    } else if (lower === "authorization") {
      // browsers would send that of one site to another
      lines.push(`Proxy-Authorization: ${value}`);
    } else if (!NOT_SENT.test(lower)) lines.push(`${name}: ${value}`);
  }
  return lines;
}

function ownCookies(value: string): string {
  return value.split(";").map((cookie) => cookie.trim())
    .filter((cookie) => cookie.startsWith(COOKIE)).map((cookie) => cookie.slice(COOKIE.length)).join("; ");
}

/** A reference as one that stays in the gateway; `null` for one that cannot. */
export function reference(value: string, { url, prefix, ownOrigin }: Place): string | null {
  const target = URL.parse(decoded(value), url);
  if (target === null || (target.protocol !== "http:" && target.protocol !== "https:")) return null;
  // a path that begins with two slashes would be another host's where nothing stands before it
  const isWithin = target.origin === new URL(url).origin &&
    !(prefix === "" && target.pathname.startsWith("//"));
  const before = isWithin ? prefix : ownOrigin === null ? prefixOf(target) : originIn(target, ownOrigin);
  return before === null ? null : before + target.pathname + target.search + target.hash;
}

/** What stands in the gateway's paths for a URL's origin. */
function prefixOf({ protocol, host }: URL): string {
  if (protocol === "https:") return `/https://${host}`;
  // a word alone is taken for a path of the site that leads there
  return /[.:]/.test(host) || host === "localhost" ? `/${host}` : `/http://${host}`;
}

/** The same in absolute form for a page that is not in those paths; `null` for what is no host. */
function originIn(target: URL, port: number): string | null {
  const scheme = target.protocol.slice(0, -1) as Scheme;
  try {
    const site = { scheme, authority: parseAuthority(target.host, DEFAULT_PORTS[scheme]) };
    return originOf(site, port) ?? pathsOrigin(port) + prefixOf(target);
  } catch {
    return null;
  }
}

/** `5`, `5; url=…`, and what browsers take for it. */
export function refresh(value: string, place: Place): string | null {
  const [, time, rest] = /^([\d.]+)(.*)$/.exec(value) ?? [];
  if (time === undefined) return null;
  const url = rest.replace(/^[\s;,]+/, "").replace(/^url\s*=\s*/i, "");
  if (url === "") return time;
  const quote = /^["']/.exec(url)?.[0];
  const target = reference(quote === undefined ? url : url.slice(1).split(quote)[0], place);
  return target === null ? null : `${time}; url=${target}`;
}

/** A cookie as one of its own site alone; `null` for one without a name, which could be taken for another. */
export function setCookie(value: string, { url, prefix, ownOrigin }: Place): string | null {
  const [pair, ...attributes] = value.split(";");
  if (pair.indexOf("=") < 1 || pair.trim().startsWith("=")) return null;
  let path = "";
  const kept: string[] = [];
  for (const attribute of attributes) {
    const [name, text = ""] = attribute.split("=", 2).map((part) => part.trim());
    const lower = name.toLowerCase();
    // the last one counts (RFC 6265 §5.3)
    if (lower === "path") path = attribute.slice(attribute.indexOf("=") + 1).trim();
    else if (lower !== "domain" && name !== "") kept.push(text === "" ? name : attribute.trim());
  }
  if (ownOrigin !== null) {
    return [pair.trim(), ...kept, ...path === "" ? [] : [`Path=${path}`]].join("; ");
  }
  if (!path.startsWith("/")) path = new URL(url).pathname.replace(/\/[^/]*$/, "");
  // without a final slash, so that it is that of /host too
  if (path === "/") path = "";
  return [`${COOKIE}${pair.trim()}`, ...kept, `Path=${prefix}${path}`].join("; ");
}

/** Bytes above ASCII are UTF-8 to browsers, where they can be. */
export function decoded(text: string): string {
  return new TextDecoder().decode(Uint8Array.from(text, (character) => character.charCodeAt(0)));
}
