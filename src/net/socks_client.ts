/**
 * What a client of SOCKS version 5 says and hears (RFC 1928, RFC 1929), as functions of bytes. Every message begins
 * with its version and has a length that is known from its first bytes.
 */

import { COMMAND, METHOD } from "./socks_reader.ts";

const SOCKS_VERSION = 5;
/** Version of the negotiation of user and password (RFC 1929 §2). */
const PASSWORD_VERSION = 1;

const IPV4 = 1;
const NAME = 3;
const IPV6 = 4;

const encoder = new TextEncoder();

/** What opens the conversation: the ways in which the client can say who it is (RFC 1928 §3). */
export function greeting(withPassword: boolean): Uint8Array {
  const methods = withPassword ? [METHOD.none, METHOD.login] : [METHOD.none];
  return Uint8Array.of(SOCKS_VERSION, methods.length, ...methods);
}

/** User and password, each 1–255 bytes of UTF-8 (RFC 1929 §2). */
export function passwordMessage(user: string, password: string): Uint8Array {
  const [one, other] = [encoder.encode(user), encoder.encode(password)];
  return Uint8Array.of(PASSWORD_VERSION, one.length, ...one, other.length, ...other);
}

/**
 * Asks for a connection (RFC 1928 §4).
 *
 * @param destination the bytes of an address, or a name of ASCII that the server resolves
 */
export function connectMessage(destination: Uint8Array | string, port: number): Uint8Array {
  const type = typeof destination === "string" ? NAME : destination.length === 4 ? IPV4 : IPV6;
  const bytes = typeof destination === "string" ? encoder.encode(destination) : destination;
  const length = type === NAME ? [bytes.length] : [];
  return Uint8Array.of(SOCKS_VERSION, COMMAND.connect, 0, type, ...length, ...bytes, port >> 8, port & 0xff);
}

/** The method that a server has chosen; `null` when it is no answer of SOCKS 5. Two bytes at `at`. */
export function readMethod(bytes: Uint8Array, at: number): number | null {
  return bytes[at] === SOCKS_VERSION ? bytes[at + 1] : null;
}

/** Whether user and password were taken; `null` when it is no such answer. Two bytes at `at`. */
export function readWelcome(bytes: Uint8Array, at: number): boolean | null {
  return bytes[at] === PASSWORD_VERSION ? bytes[at + 1] === 0 : null;
}

/**
 * How long the reply is that begins with `bytes[at..end)` (RFC 1928 §6): a number of bytes, 0 when too few are there
 * to tell, `null` when it is no reply.
 */
export function replyLength(bytes: Uint8Array, at: number, end: number): number | null {
  if (end > at && bytes[at] !== SOCKS_VERSION) return null;
  if (end - at < 5) return 0;
  // a refusal ends the conversation, and some servers leave its address out
  switch (bytes[at + 3]) {
    case IPV4:
      return 10;
    case IPV6:
      return 22;
    case NAME:
      return 7 + bytes[at + 4];
  }
  return null;
}
