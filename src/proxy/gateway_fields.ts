/** What a gateway changes in the fields of messages. A gateway shows every site below one origin, its own. */

import type { Scheme } from "../http/target.ts";

/** Where in the gateway a page is. */
export interface Place {
  /** What stands in the gateway's paths for the page's scheme, host and port, as the client wrote it. */
  readonly prefix: string;
  /** The page's own URL. */
  readonly url: string;
}

/** What cookies of sites are called on the client's side: others on the same host are none of the sites' business. */
const COOKIE = "weir.";

/** Fields of requests that speak of the gateway, or to it. */
const NOT_SENT = /^(?:host|origin|referer|proxy-authorization|upgrade|cookie2?|sec-fetch-.*)$/;

/** Fields of responses that would hold for the whole gateway, or open it to others. */
const NOT_SHOWN = new RegExp(
  "^(?:strict-transport-security|access-control-.*|service-worker-allowed|clear-site-data|alt-svc|" +
    "public-key-pins.*|expect-ct|report-to|reporting-endpoints|nel|www-authenticate|authentication-info|" +
    "timing-allow-origin|origin-agent-cluster|set-cookie2|accept-ch|critical-ch|" +
    "cross-origin-resource-policy|x-content-type-options|referrer-policy)$",
);

/**
 * Pages of all sites have the same origin here: a script of one could read every other, and what only this machine
 * reaches. A style sheet that is none could be read in part. The gateway needs to know from which page a link is, sites
 * do not get to know it from the gateway, and others are told nothing.
 */
const GUARDS: readonly string[] = [
  "Content-Security-Policy: script-src 'none'; worker-src 'none'; object-src 'none'",
  "Cross-Origin-Resource-Policy: same-origin",
  "X-Content-Type-Options: nosniff",
  "Referrer-Policy: same-origin",
];

/** A gateway's target, taken apart. Whether its URL is a valid one is for {@link readTarget}. */
export interface GatewayTarget {
  /** What it stands for. */
  readonly url: string;
  /** What of it stands for the origin: `/https://example.com`. */
  readonly prefix: string;
  /** As it was written: `https://`, or `""`. */
  readonly scheme: string;
  /** As it was written: `example.com`. */
  readonly authority: string;
}

/** Takes a target apart that begins with a slash. */
export function targetOf(written: string): GatewayTarget {
  const rest = written.slice(1);
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(rest)?.[0] ?? "";
  const end = rest.slice(scheme.length).search(/[/?]/);
  const prefix = end < 0 ? written : written.slice(0, 1 + scheme.length + end);
  const url = scheme === "" ? `http://${rest}` : rest;
  return { url, prefix, scheme, authority: prefix.slice(1 + scheme.length) };
}

/** The lines of a request's fields as a proxy gets them: whoever asks for credentials here is weir. */
export function requestFields(fields: Iterable<readonly [name: string, value: string]>): string[] {
  const lines: string[] = [];
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    if (lower === "cookie") {
      const cookies = value.split(";").map((cookie) => cookie.trim())
        .filter((cookie) => cookie.startsWith(COOKIE)).map((cookie) => cookie.slice(COOKIE.length));
      if (cookies.length > 0) lines.push(`${name}: ${cookies.join("; ")}`);
    } else if (lower === "authorization") {
      // browsers would send that of one site to another
      lines.push(`Proxy-Authorization: ${value}`);
    } else if (!NOT_SENT.test(lower)) lines.push(`${name}: ${value}`);
  }
  return lines;
}

/** A response's head, whole, as the gateway's client gets it. A character a byte. */
export function responseHead(head: string, place: Place): string {
  const [start, ...fields] = head.slice(0, -4).split("\r\n");
  const lines = [start];
  for (const line of fields) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon);
    const lower = name.toLowerCase();
    if (NOT_SHOWN.test(lower)) continue;
    const rewrite = REWRITTEN[lower];
    if (rewrite === undefined) lines.push(line);
    else {
      const value = rewrite(line.slice(colon + 1).trim(), place);
      if (value !== null) lines.push(`${name}: ${value}`);
    }
  }
  return [...lines, ...GUARDS].join("\r\n") + "\r\n\r\n";
}

const REWRITTEN: Readonly<Record<string, (value: string, place: Place) => string | null>> = {
  __proto__: null as never,
  "location": reference,
  "content-location": reference,
  "refresh": refresh,
  "set-cookie": setCookie,
};

/** A reference as one that stays in the gateway; `null` for one that cannot. */
function reference(value: string, { url, prefix }: Place): string | null {
  const target = URL.parse(decoded(value), url);
  if (target === null || (target.protocol !== "http:" && target.protocol !== "https:")) return null;
  const before = target.origin === new URL(url).origin
    ? prefix
    : prefixOf(target.protocol.slice(0, -1) as Scheme, target.host);
  return before + target.pathname + target.search + target.hash;
}

function prefixOf(scheme: Scheme, host: string): string {
  if (scheme === "https") return `/https://${host}`;
  // a word alone is taken for a path of the site that leads there
  return /[.:]/.test(host) || host === "localhost" ? `/${host}` : `/http://${host}`;
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

/** A cookie as one of its own site alone; `null` for one without a name. */
export function setCookie(value: string, { url, prefix }: Place): string | null {
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
  if (!path.startsWith("/")) path = new URL(url).pathname.replace(/\/[^/]*$/, "");
  // without a final slash, so that it is that of /host too
  if (path === "/") path = "";
  return [`${COOKIE}${pair.trim()}`, ...kept, `Path=${prefix}${path}`].join("; ");
}

/** Bytes above ASCII are UTF-8 to browsers, where they can be. */
export function decoded(text: string): string {
  return new TextDecoder().decode(Uint8Array.from(text, (character) => character.charCodeAt(0)));
}
