/**
 * The one canonical form of an authority (RFC 3986 §3.2, RFC 9110 §4.2). Rules, pool, cache and dialler all use
 * what is made here, so that none of them can be shown another host than the others see.
 */

import { badRequest, type HttpError } from "./error.ts";
import { canonicalName, shownPlace, userInformation } from "./host_name.ts";
import { formatIp, type IpAddress, looksLikeIpv4, parseIp } from "./ip_address.ts";

export class Authority {
  constructor(
    /** Canonical host: lower case, A-labels, no final dot; an IPv6 address without brackets. */
    readonly host: string,
    /** 1–65535. */
    readonly port: number,
    /** The address when the host is one, else `null`. */
    readonly ip: IpAddress | null,
    /** `host:port`, the port always written, an IPv6 address in brackets. */
    readonly text: string,
  ) {}

  /** The value for `Host`: the port is left out when it is the scheme's own (RFC 9110 §7.2). */
  hostField(defaultPort: number): string {
    if (this.port !== defaultPort) return this.text;
    return this.text.slice(0, this.text.lastIndexOf(":"));
  }
}

const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;

/**
 * Reads `host`, `host:port` or `[IPv6]:port` and makes the canonical form of it.
 *
 * What different programs might take for different hosts is refused: user information, percent-encoding, zone
 * identifiers, IPv4 addresses in anything but four decimal numbers, ports with signs, spaces or leading zeros.
 *
 * @param text decoded text: a non-ASCII character is itself, not a byte
 * @param defaultPort the scheme's port, taken when none is written; `null` requires one (CONNECT)
 * @throws {HttpError} 400, with what is wrong and what to write
 */
export function parseAuthority(text: string, defaultPort: number | null): Authority {
  try {
    return parse(text, defaultPort);
  } catch (error) {
    // whatever else is wrong may be a part of a password, and is not repeated
    throw text.includes("@") ? userInformation(text) : error;
  }
}

function parse(text: string, defaultPort: number | null): Authority {
  if (text.charCodeAt(0) === OPEN_BRACKET) return parseBracketed(text, defaultPort);

  const colon = text.indexOf(":");
  if (colon >= 0 && text.indexOf(":", colon + 1) >= 0) throw manyColons(text);
  const written = colon < 0 ? text : text.slice(0, colon);
  const host = canonicalName(written);
  const port = readPort(text, colon, defaultPort);
  if (!looksLikeIpv4(host)) return new Authority(host, port, null, `${host}:${port}`);

  // Judged as it was written: a final dot or full-width digits make no address that everybody would read.
  const ip = parseIp(written);
  if (ip !== null) return new Authority(host, port, ip, `${host}:${port}`);
  throw badRequest(
    `${shownPlace(written)} is no plain IPv4 address: write four decimal numbers, as in 192.0.2.1`,
  );
}

function parseBracketed(text: string, defaultPort: number | null): Authority {
  const close = text.indexOf("]");
  if (close < 0) {
    throw badRequest(`${shownPlace(text)} has no closing bracket: write an IPv6 address as [2001:db8::1]`);
  }
  const inner = text.slice(1, close);
  const ip = inner.includes(":") ? parseIp(inner) : null;
  if (ip === null) {
    throw badRequest(
      inner.includes("%")
        ? `${shownPlace(text)} has a zone identifier, which means nothing beyond one machine: leave it out`
        : `${shownPlace(text)} holds no IPv6 address between its brackets: write it as [2001:db8::1]`,
    );
  }
  if (close + 1 < text.length && text.charCodeAt(close + 1) !== COLON) {
    throw badRequest(
      `${shownPlace(text)} goes on after the bracket: only a colon and the port may follow it`,
    );
  }
  const port = readPort(text, close + 1 < text.length ? close + 1 : -1, defaultPort);
  const host = formatIp(ip);
  return new Authority(host, port, ip, `[${host}]:${port}`);
}

/** Reads the digits after `colon`; an index below 0 says that there is no colon. */
function readPort(text: string, colon: number, defaultPort: number | null): number {
  const length = text.length;
  if (colon < 0 || colon + 1 === length) {
    if (defaultPort !== null) return defaultPort;
    throw badRequest(`${shownPlace(text)} has no port: write it as host:443`);
  }
  let port = 0;
  for (let i = colon + 1; i < length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) throw badPort(text);
    port = port * 10 + digit;
    // No leading zero: 080 is 80 to some readers and octal to others. This refuses 0 itself too.
    if (port === 0 || port > 65535) throw badPort(text);
  }
  return port;
}

function badPort(text: string): HttpError {
  // what stands for the port may be a password whose / or # has ended it
  const host = text.slice(0, text.lastIndexOf(":"));
  return badRequest(`${shownPlace(host)} has no valid port: write a number from 1 to 65535 in plain digits`);
}

function manyColons(text: string): HttpError {
  if (parseIp(text) !== null) {
    return badRequest(`${shownPlace(text)} is an IPv6 address without brackets: write [${text}]:443`);
  }
  return badRequest(
    `${
      shownPlace(text.slice(0, text.indexOf(":")))
    } has more than one colon behind it: write host:port, and an IPv6 address in brackets`,
  );
}
