/** What the formats of logs have in common: a target, an address and a number, none of which is believed. */

import { type Authority, parseAuthority } from "../http/authority.ts";
import { TOKEN_LOWER } from "../http/characters.ts";
import { HttpError } from "../http/error.ts";
import { canonicalName } from "../http/host_name.ts";
import { formatIp, type IpAddress, parseIp } from "../http/ip_address.ts";
import { ownCopy } from "./tally.ts";

/** A line that is not believed. The message is one of a few, so that they can be counted. */
export class BadLine extends Error {
  override readonly name = "BadLine";
}

/** Above that, a number of bytes is a lie: 1 PiB. */
const MOST_BYTES = 2 ** 50;
/** A year in ms. */
const LONGEST_DURATION = 366 * 86_400_000;
/** The year 9999, ms since the epoch: later ones have no ISO 8601 form of four digits. */
const LATEST = 253_402_300_799_999;
const LONGEST_WORDS = 1024;
const LONGEST_NAME = 255;
const LONGEST_METHOD = 64;

/** No rule can name a user with these. */
const NOT_IN_USER = /[:\p{C}]/u;
const NOT_ASCII = /[\u0080-\uffff]/;
// deno-lint-ignore no-control-regex
const NOT_IN_TARGET = /[\x00-\x20\x7f]/;

const MAPPED = /^::ffff:([0-9]+\.[0-9.]+)$/;

const encoder = new TextEncoder();

export interface LoggedTarget {
  readonly authority: Authority;
  readonly secure: boolean;
  /** Without the query, one character a byte; `null` in a tunnel. */
  readonly path: string | null;
}

/** Different authorities that are remembered; when there are more, all are forgotten. */
const MAX_REMEMBERED = 4096;
const LONGEST_REMEMBERED = 512;
const remembered = new Map<string, Authority>();

/**
 * Reads a target as a proxy logs it: `http://host/path`, or `host:port` of a CONNECT.
 *
 * @throws {BadLine}
 */
export function readLoggedTarget(method: string, target: string): LoggedTarget {
  if (method === "CONNECT") {
    return { authority: authorityOf(target, null), secure: false, path: null };
  }
  const secure = /^https:\/\//i.test(target);
  if (!secure && !/^http:\/\//i.test(target)) throw new BadLine("the target is no http or https URL");
  const start = secure ? 8 : 7;
  const end = start + lengthBefore(/[/?#\\]/, target.slice(start));
  const authority = authorityOf(target.slice(start, end), secure ? 443 : 80);
  const rest = target.slice(end);
  const path = rest.slice(0, lengthBefore(/[?#]/, rest)) || "/";
  if (NOT_IN_TARGET.test(path)) throw new BadLine("a path that cannot be");
  return { authority, secure, path: NOT_ASCII.test(path) ? byteText(path) : path };
}

function lengthBefore(pattern: RegExp, text: string): number {
  const at = text.search(pattern);
  return at < 0 ? text.length : at;
}

function authorityOf(text: string, port: number | null): Authority {
  const key = `${port} ${text}`;
  let authority = remembered.get(key);
  if (authority !== undefined) return authority;
  try {
    authority = parseAuthority(ownCopy(text), port);
  } catch (error) {
    if (error instanceof HttpError) throw new BadLine("the host or port is none that a request can have");
    throw error;
  }
  if (remembered.size >= MAX_REMEMBERED) remembered.clear();
  if (key.length <= LONGEST_REMEMBERED) remembered.set(ownCopy(key), authority);
  return authority;
}

/** Rules see paths a byte to a character; logs show their UTF-8 as text. */
function byteText(path: string): string {
  let text = "";
  for (const byte of encoder.encode(path)) text += String.fromCharCode(byte);
  return text;
}

/** Reads an address; an IPv4-mapped one is IPv4. `null` for what is none. */
export function readAddress(text: string): { text: string; ip: IpAddress } | null {
  const inner = text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : text;
  const ip = parseIp(inner);
  if (ip === null) return null;
  const canonical = formatIp(ip);
  const mapped = MAPPED.exec(canonical);
  return mapped === null ? { text: canonical, ip } : { text: mapped[1], ip: parseIp(mapped[1])! };
}

/** The canonical form of the name that a ClientHello asked for, or `""` when it is none. */
export function readServerName(text: string): string {
  try {
    return parseIp(text) !== null ? text : canonicalName(text);
  } catch {
    return "";
  }
}

/** @throws {BadLine} */
export function bytesCount(value: number): number {
  if (Number.isSafeInteger(value) && value >= 0 && value <= MOST_BYTES) return value;
  throw new BadLine("a number of bytes that cannot be");
}

/** ms. @throws {BadLine} */
export function durationOf(value: number): number {
  if (value >= 0 && value <= LONGEST_DURATION) return value;
  throw new BadLine("a duration that cannot be");
}

/** @throws {BadLine} */
export function statusOf(value: number): number {
  if (Number.isInteger(value) && (value === 0 || value >= 100 && value <= 999)) return value;
  throw new BadLine("a status that cannot be");
}

/** ms since the epoch. @throws {BadLine} */
export function timeOf(value: number): number {
  if (value >= 0 && value <= LATEST) return Math.round(value);
  throw new BadLine("a time that cannot be");
}

/** @throws {BadLine} unless it is a token, as methods are, or empty */
export function methodOf(text: string): string {
  if (text.length > LONGEST_METHOD) throw new BadLine("a method that cannot be");
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f || TOKEN_LOWER[code] === 0) throw new BadLine("a method that cannot be");
  }
  return text;
}

/** A user's name. @throws {BadLine} when it holds what no name may */
export function userOf(text: string): string {
  if (text === "" || text.length > LONGEST_NAME || NOT_IN_USER.test(text)) {
    throw new BadLine("a user that cannot be");
  }
  return text;
}

/** Words of the log that are only shown: bounded, and well-formed. Whoever prints them escapes them. */
export function wordsOf(text: string): string {
  return (text.length > LONGEST_WORDS ? `${text.slice(0, LONGEST_WORDS)}…` : text).toWellFormed();
}
