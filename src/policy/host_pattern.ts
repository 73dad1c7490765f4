/** Hosts as rules name them. */

import { HttpError } from "../http/error.ts";
import { canonicalName, shown, userInformation } from "../http/host_name.ts";
import { looksLikeIpv4, parseIp } from "../http/ip_address.ts";
import { type Network, parseNetworks } from "./network.ts";
import { PatternError } from "./pattern_error.ts";
import { parsePorts, type PortRange } from "./port_range.ts";

/**
 * - `name`: `example.com`, and nothing else
 * - `subdomains`: `*.example.com`, everything below it
 * - `domain`: `.example.com`, itself and everything below it
 * - `any`: `*`
 * - `network`: `10.0.0.0/8`, `192.0.2.1`, matched with the address that is dialled
 * - `list`: `@file`
 *
 * Names are in canonical form, as {@link Authority} has them; `text` is as it was written.
 */
export type HostPattern =
  | { readonly kind: "name" | "subdomains" | "domain"; readonly text: string; readonly name: string }
  | { readonly kind: "any"; readonly text: string }
  | { readonly kind: "network"; readonly text: string; readonly network: Network }
  | { readonly kind: "list"; readonly text: string; readonly file: string };

export interface HostAndPorts {
  readonly host: HostPattern;
  /** `null` when none were written. */
  readonly ports: PortRange[] | null;
}

/** Longer than any name, network or path of a file. */
const LONGEST = 4096;

/**
 * Reads one host of a rule and makes the canonical form of it. What no request could name is refused.
 *
 * @throws {PatternError} with what to write instead
 */
export function parseHostPattern(text: string): HostPattern {
  if (text === "") throw new PatternError("it is empty: write a host, as in example.com, or * for any");
  if (text === "*") return { kind: "any", text };
  if (text.length > LONGEST) {
    throw new PatternError(`${shown(text)} is longer than ${LONGEST} characters, which no host is`);
  }
  if (text.startsWith("@")) return parseFile(text);
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text);
  if (scheme !== null) throw new PatternError(notAHost(text, "is a URL", text.slice(scheme[0].length)));
  if (text.includes("@")) throw new PatternError(userInformation(text).message);
  if (text.startsWith("[")) return parseBracketed(text);

  const colon = text.indexOf(":");
  if (colon >= 0) {
    if (text.indexOf(":", colon + 1) < 0) throw new PatternError(notAHost(text, "has a port", text));
    return parseNetwork(text, text);
  }
  const slash = text.indexOf("/");
  if (slash >= 0) {
    if (looksLikeIpv4(text.slice(0, slash)) && /^[0-9]+$/.test(text.slice(slash + 1))) {
      return parseNetwork(text, text);
    }
    throw new PatternError(notAHost(text, "has a path", text));
  }
  return parseName(text);
}

function parseFile(text: string): HostPattern {
  const file = text.slice(1);
  if (file === "") throw new PatternError(`"@" names no file: write @hosts.txt`);
  // deno-lint-ignore no-control-regex
  if (/[\0-\x1f\x7f]/.test(file)) throw new PatternError(`${shown(text)} holds a control character`);
  return { kind: "list", text, file };
}

/** `[2001:db8::1]`, `[2001:db8::/32]`, `[2001:db8::]/32`. */
function parseBracketed(text: string): HostPattern {
  const close = text.indexOf("]");
  if (close < 0) throw new PatternError(`${shown(text)} has no closing bracket: write [2001:db8::1]`);
  const inner = text.slice(1, close);
  const rest = text.slice(close + 1);
  if (!inner.includes(":")) {
    throw new PatternError(`${shown(text)}: brackets are for IPv6 alone, write ${shown(inner)}`);
  }
  if (rest === "") return parseNetwork(text, inner);
  if (/^\/[0-9]+$/.test(rest) && !inner.includes("/")) return parseNetwork(text, inner + rest);
  throw new PatternError(
    notAHost(text, rest.startsWith(":") ? "has a port" : "goes on after the bracket", text),
  );
}

/** @param written as it was written, brackets too */
function parseNetwork(written: string, text: string): HostPattern {
  if (text.includes("%")) {
    throw new PatternError(
      `${shown(written)} has a zone identifier, which means nothing beyond one machine: leave it out`,
    );
  }
  if (/[^0-9a-f:./]/i.test(text)) {
    throw new PatternError(
      `${shown(written)} is no IPv6 address, and a name has no colon: write example.com or 2001:db8::/32`,
    );
  }
  const networks = parseNetworks(text);
  if (networks.length !== 1) throw new PatternError(`${shown(written)} is no single network`);
  return { kind: "network", text: written, network: networks[0] };
}

function parseName(text: string): HostPattern {
  const kind = text.startsWith("*.") ? "subdomains" : text.startsWith(".") ? "domain" : "name";
  const written = text.slice(kind === "subdomains" ? 2 : kind === "domain" ? 1 : 0);
  if (written.includes("*")) throw new PatternError(misplacedStar(text));
  if (/^\.*$/.test(written)) throw new PatternError(`${shown(text)} names no domain: write * for any host`);
  const name = canonical(written);
  if (!looksLikeIpv4(name)) return { kind, text, name };
  // Judged as it was written, as targets are.
  if (kind === "name" && parseIp(written) !== null) return parseNetwork(text, written);
  throw new PatternError(
    kind === "name"
      ? `${shown(text)} is no plain IPv4 address: write four decimal numbers, as in 192.0.2.1`
      : `${shown(text)} ends in a number, as addresses alone do: write a network, as in 192.0.2.0/24`,
  );
}

function canonical(name: string): string {
  try {
    return canonicalName(name);
  } catch (error) {
    if (error instanceof HttpError) throw new PatternError(error.message);
    throw error;
  }
}

/** The star stands in front alone, for whole labels: what is nearest to what was written. */
function misplacedStar(text: string): string {
  const labels = text.split(".");
  const last = labels.findLastIndex((label) => label.includes("*"));
  const label = labels[last].replaceAll("*", "");
  const below = labels.slice(last + 1).filter((label) => label !== "").join(".");
  const start = `${shown(text)} has a star where none can be:`;
  // `*example.com`, where a dot was forgotten, or the domain itself was meant to be in it
  if (last === 0 && /^\*+[^*]+$/.test(labels[0])) {
    const domain = shown(below === "" ? `.${label}` : `.${label}.${below}`).slice(1, -1);
    return `${start} write *${domain} for all names below it, or ${domain} for itself too`;
  }
  if (below === "") return `${start} write each name by itself, or * for any host`;
  return `${start} write each name by itself, or ${shown(`*.${below}`).slice(1, -1)} for all names below it`;
}

/** What is wrong with a host that has more to it, and where its parts go. `text` is without its scheme. */
function notAHost(whole: string, wrong: string, text: string): string {
  const end = text.search(/[/?#]/);
  const authority = (end < 0 ? text : text.slice(0, end)).replace(/^.*@/s, "");
  const path = end < 0 ? "" : text.slice(end).replace(/[?#].*/s, "");
  const [, host, port] = /^(\[.*\]|[^:]*)(?::([0-9]*))?$/s.exec(authority) ?? [null, "", ""];
  // what stands before the @ may be a password: it is not repeated
  const repeated = whole.replace(/^([a-z0-9+.-]*:\/\/)?[^/?#]*@/is, "$1");
  let message = `${shown(repeated)} ${wrong}: write ${host === "" ? "the host alone" : shown(host)}`;
  if (port) message += `; ports go into ports = [${shown(port).slice(1, -1)}]`;
  if (path.length > 1) message += `; paths go into paths = [${shown(path)}]`;
  return message;
}

/**
 * Reads a host with or without ports, as `--allow` and `--deny` take it: `example.com`, `*.example.com:443,8443`,
 * `example.com:8000-8999`, `@file:443`, `10.0.0.0/8:5432`, `[2001:db8::/32]:443`, `2001:db8::/32`. What follows
 * the last colon of a file's name is taken for ports when it looks like them; `@name:80:*` has a file `name:80`.
 *
 * @throws {PatternError} with what to write instead
 */
export function parseHostAndPorts(text: string): HostAndPorts {
  const colon = text.lastIndexOf(":");
  // in a URL, or before an @, the colon is another one
  if (colon < 0 || /^(?:[a-z][a-z0-9+.-]*:\/\/|[^@]+@)/i.test(text)) {
    return { host: parseHostPattern(text), ports: null };
  }
  const before = text.slice(0, colon);
  const after = text.slice(colon + 1);
  if (text.startsWith("@")) {
    if (!/^[0-9*][0-9*,-]*$/.test(after)) return { host: parseHostPattern(text), ports: null };
  } else if (text.startsWith("[")) {
    if (text.lastIndexOf("]") > colon) return { host: parseHostPattern(text), ports: null };
  } else if (before.includes(":")) {
    // Only an IPv6 address has several, and without brackets nobody knows where it ends.
    if (!/^[0-9a-f:.]+\//i.test(before)) return { host: parseHostPattern(text), ports: null };
    throw new PatternError(`${shown(text)} needs brackets: write ${shown(`[${before}]:${after}`)}`);
  }
  const host = parseHostPattern(before);
  if (after === "") {
    throw new PatternError(`${shown(text)} names no port after its colon: write ${shown(before)} for all`);
  }
  return { host, ports: after.split(",").map(parsePorts) };
}

/**
 * Whether the pattern names this host. Networks and lists are not looked into: they never match here.
 *
 * @param host canonical, as {@link Authority.host} is
 */
export function nameMatches(pattern: HostPattern, host: string): boolean {
  switch (pattern.kind) {
    case "any":
      return true;
    case "name":
      return host === pattern.name;
    case "domain":
      return host.endsWith(pattern.name) &&
        (host.length === pattern.name.length || isBelow(host, pattern.name));
    case "subdomains":
      return host.endsWith(pattern.name) && isBelow(host, pattern.name);
    default:
      return false;
  }
}

/** Whether a dot stands before the end that both have in common; not when that is all of the host. */
function isBelow(host: string, name: string): boolean {
  return host.charCodeAt(host.length - name.length - 1) === 0x2e;
}
