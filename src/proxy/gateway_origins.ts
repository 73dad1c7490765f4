/**
 * Sites at origins of their own in a gateway on loopback: `http://https---example-com.localhost:8889/`. Browsers take
 * every name below `localhost` for this machine, and what a browser keeps apart by origin or by site is apart then:
 * one label below `localhost` is a site (a registrable domain) of its own.
 */

import { type Authority, parseAuthority } from "../http/authority.ts";
import { DEFAULT_PORTS, type Scheme } from "../http/target.ts";

/** Where a page comes from, as the gateway's client asks for it. */
export interface Site {
  readonly scheme: Scheme;
  readonly authority: Authority;
}

const BELOW = ".localhost";
const LONGEST_LABEL = 63;
/** A name as DNS has it: no label begins or ends with a hyphen, so that runs of hyphens can be read back. */
const NAME = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/;
const LABEL = /^(?:(https?)(-v6)?(?:-([1-9][0-9]{0,4}))?---)?([a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)$/;

/**
 * The label of a site. A dot is a hyphen and a hyphen two; before three hyphens stand the scheme and the port, where
 * they are not `http` and 80: `example-com`, `https---my--site-example`, `http-8080---127-0-0-1`,
 * `https-v6---2001-db8-0-0-0-0-0-1`. `null` for a site that has none: its label would be too long, or its name is none
 * that DNS has.
 */
export function labelOf({ scheme, authority: { host, port, ip } }: Site): string | null {
  const isV6 = ip?.family === 6;
  if (!isV6 && !NAME.test(host)) return null;
  const name = isV6 ? groupsOf(ip.bytes) : host.replaceAll("-", "--").replaceAll(".", "-");
  const before = `${scheme}${isV6 ? "-v6" : ""}${port === DEFAULT_PORTS[scheme] ? "" : `-${port}`}`;
  // browsers decode what begins like an A-label
  const label = before === "http" && !name.startsWith("xn--") ? name : `${before}---${name}`;
  return label.length > LONGEST_LABEL ? null : label;
}

/** The site of a label; `null` unless {@link labelOf} makes this label of it. */
export function siteOf(label: string): Site | null {
  const [, written = "http", v6, port, name] = LABEL.exec(label) ?? [];
  if (name === undefined) return null;
  const scheme = written as Scheme;
  const host = v6 === undefined
    ? name.replace(/-+/g, (run) => run.length === 1 ? "." : "-".repeat(run.length / 2))
    : `[${name.replaceAll("-", ":")}]`;
  try {
    const authority = parseAuthority(port === undefined ? host : `${host}:${port}`, DEFAULT_PORTS[scheme]);
    const site = { scheme, authority };
    return labelOf(site) === label ? site : null;
  } catch {
    return null;
  }
}

/** The label of a host below `localhost`, `null` for any other host. */
export function labelIn(host: string): string | null {
  return host.endsWith(BELOW) ? host.slice(0, -BELOW.length) : null;
}

/** The origin of a site in a gateway at `port`, without a final slash; `null` where it has none of its own. */
export function originOf(site: Site, port: number): string | null {
  const label = labelOf(site);
  return label === null ? null : `http://${label}${BELOW}${portText(port)}`;
}

/** The origin of a gateway's paths on loopback. */
export function pathsOrigin(port: number): string {
  return `http://localhost${portText(port)}`;
}

function portText(port: number): string {
  return port === DEFAULT_PORTS.http ? "" : `:${port}`;
}

function groupsOf(bytes: Uint8Array): string {
  return Array.from({ length: 8 }, (_, index) => (bytes[2 * index] * 256 + bytes[2 * index + 1]).toString(16))
    .join("-");
}
