/** What a client of SOCKS says, as text with one character a byte. */

import { parseIp } from "../../src/http/ip_address.ts";

function port(number: number): string {
  return String.fromCharCode(number >> 8, number & 0xff);
}

/** A host as it stands in a request of version 5: by `address` as bytes, else as a name. */
function host(text: string): string {
  const ip = parseIp(text);
  if (ip !== null) return String.fromCharCode(ip.family === 4 ? 1 : 4, ...ip.bytes);
  return named(text);
}

function named(text: string): string {
  return `\x03${String.fromCharCode(text.length)}${text}`;
}

/** The greeting of a client that need not say who it is. */
export const HELLO = "\x05\x01\0";
/** The greeting of one that can, and need not. */
export const HELLO_WITH_LOGIN = "\x05\x02\0\x02";

export function login(user: string, password: string): string {
  return `\x01${String.fromCharCode(user.length)}${user}${String.fromCharCode(password.length)}${password}`;
}

/** A request of version 5 for `host:port`, IPv6 without brackets; a name is said as it is. */
export function ask5(authority: string, command = 1): string {
  const colon = authority.lastIndexOf(":");
  return `\x05${String.fromCharCode(command)}\0${host(authority.slice(0, colon))}${
    port(Number(authority.slice(colon + 1)))
  }`;
}

/** The same with the host as a name, also when it is an address. */
export function ask5Named(authority: string): string {
  const colon = authority.lastIndexOf(":");
  return `\x05\x01\0${named(authority.slice(0, colon))}${port(Number(authority.slice(colon + 1)))}`;
}

/** A request of version 4 for an address of IPv4, and of 4a for a name. */
export function ask4(authority: string, user = "", command = 1): string {
  const colon = authority.lastIndexOf(":");
  const name = authority.slice(0, colon);
  const ip = parseIp(name);
  // what begins with three zeros says that a name follows
  const isIpv4 = ip?.family === 4 && !name.startsWith("0.0.0.");
  const address = isIpv4 ? String.fromCharCode(...ip!.bytes) : "\0\0\0\x01";
  return `\x04${String.fromCharCode(command)}${port(Number(authority.slice(colon + 1)))}${address}${user}\0${
    isIpv4 ? "" : `${name}\0`
  }`;
}
