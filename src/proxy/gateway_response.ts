/**
 * The head of a response as a gateway's client gets it. A page's site is not where the browser believes it to be: what
 * a response says to the browser about its origin would be said about the gateway.
 */

import { type Place, reference, refresh, setCookie } from "./gateway_fields.ts";

/**
 * Fields that pass: those of the message and of what it carries, which hold for this response alone. Every other may
 * hold for all that the gateway shows, or make the browser do something, also one that browsers are yet to learn.
 */
const SHOWN: ReadonlySet<string> = new Set([
  ...["connection", "transfer-encoding", "content-length", "trailer", "date", "via", "age", "server"],
  ...["content-encoding", "content-language", "content-range", "content-disposition", "content-md5"],
  ...["digest", "content-digest", "repr-digest", "etag", "last-modified", "accept-ranges"],
  ...["expires", "cache-control", "pragma", "vary", "warning", "retry-after", "allow"],
  ...[
    "cache-status",
    "proxy-status",
    "docker-content-digest",
    "docker-distribution-api-version",
    "npm-notice",
  ],
]);

/**
 * Fields of programs: standards do not use `X-` any more (RFC 6648), so that those which browsers know are known, and
 * will not be more.
 */
const OF_PROGRAMS =
  /^x-(?!content-|dns-prefetch-|download-|frame-|permitted-|sourcemap|ua-compatible|webkit-|xss-)/;

const REWRITTEN: Readonly<Record<string, (value: string, place: Place) => string | null>> = {
  __proto__: null as never,
  "location": reference,
  "content-location": reference,
  "refresh": refresh,
  "set-cookie": setCookie,
};

/**
 * What a page may load, which is what pages without scripts are made of, and from the gateway alone. Pages of all
 * sites have the same origin in the gateway's paths: a script of one could read every other, and what only this machine
 * reaches.
 */
const POLICY = "default-src 'none'; " +
  "img-src 'self' data:; style-src 'self' 'unsafe-inline'; font-src 'self' data:; media-src 'self'; " +
  "frame-src 'self'; form-action 'self'; base-uri 'self'; frame-ancestors 'self'";

/**
 * No other site reads it. What is no style sheet is not taken for one, which could be read in part. The gateway needs to
 * know from which page a link is, and others are told nothing.
 */
const GUARDS: readonly string[] = [
  "Cross-Origin-Resource-Policy: same-origin",
  "X-Content-Type-Options: nosniff",
];

const PLAIN = "text/plain";
const SVG = "image/svg+xml";

/** A response's head, whole, as the gateway's client gets it. A character a byte. */
export function responseHead(head: string, place: Place): string {
  const [start, ...fields] = head.slice(0, -4).split("\r\n");
  const lines = [start];
  const types: string[] = [];
  let typeAt = 0;
  for (const line of fields) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon);
    const lower = name.toLowerCase();
    if (lower === "content-type") {
      // one for all of them, in the first one's place
      if (typeAt === 0) typeAt = lines.push(`${name}: `) - 1;
      types.push(line.slice(colon + 1).trim());
    } else if (SHOWN.has(lower) || OF_PROGRAMS.test(lower)) lines.push(line);
    else {
      const value = REWRITTEN[lower]?.(line.slice(colon + 1).trim(), place) ?? null;
      if (value !== null) lines.push(`${name}: ${value}`);
    }
  }
  const shared = place.ownOrigin === null;
  const type = typeAt === 0 ? "" : shownType(types.join(","), shared);
  if (typeAt > 0) lines[typeAt] += type;
  // a picture as it was, and a page at an origin that is no other's
  const policy = shared && mediaType(type) === SVG ? `${POLICY}; sandbox` : POLICY;
  lines.push(
    `Content-Security-Policy: ${policy}`,
    ...GUARDS,
    `Referrer-Policy: ${referrerPolicy(start, place)}`,
  );
  return lines.join("\r\n") + "\r\n\r\n";
}

/**
 * A type as which browsers may show it. XML is text where sites share an origin: by a style sheet (XSLT) it reads what
 * is of the same origin, without a script. Parts that replace each other, and exchanges, bring heads of their own.
 *
 * @param written all of the fields, of which browsers take the last
 * @param shared whether the page's origin is that of other sites too
 */
export function shownType(written: string, shared: boolean): string {
  // what is several or none is what browsers differ about
  const type = written.includes(",") ? "" : mediaType(written);
  const isText = type === "" || (shared && type !== SVG && /[/+](?:xml|xsl|rdf)$/.test(type)) ||
    (type.startsWith("multipart/") && type !== "multipart/byteranges") ||
    type === "application/signed-exchange" || type === "application/webbundle";
  if (!isText) return written;
  const charset = /;\s*charset\s*=\s*"?([a-z0-9._:+-]+)/i.exec(written)?.[1] ?? "utf-8";
  return `${PLAIN}; charset=${charset}`;
}

/** `text/html`, of `Text/HTML; charset=utf-8`; `""` for what is none. */
function mediaType(written: string): string {
  return /^([!#$%&'*+.^_`|~0-9a-z-]+\/[!#$%&'*+.^_`|~0-9a-z-]+)[ \t]*(?:;|$)/.exec(written.toLowerCase())
    ?.[1] ??
    "";
}

/**
 * The gateway learns from which page a link is, and others nothing; where a redirect leads to another origin in the
 * gateway it has to see that it is from one of its own.
 */
function referrerPolicy(start: string, { ownOrigin }: Place): string {
  return ownOrigin !== null && /^HTTP\/1\.. 3/.test(start) ? "origin" : "same-origin";
}
