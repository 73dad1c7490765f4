/** Reads the Common and the Combined Log Format, as far as they were written by a proxy. */

import {
  BadLine,
  bytesCount,
  methodOf,
  readAddress,
  readLoggedTarget,
  statusOf,
  timeOf,
  userOf,
} from "./log_target.ts";
import type { LoggedExchange } from "./logged_exchange.ts";

const LINE =
  /^(\S{1,256}) \S{1,256} (\S{1,1024}|\S[^[\]]{0,256}\S) \[([^\]]{26})\] "((?:[^"\\]|\\.)*)" ([0-9]{3}|-) ([0-9]{1,16}|-)(?: .*)?$/;
const TIME =
  /^([0-9]{2})\/([A-Z][a-z]{2})\/([0-9]{4}):([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-])([0-9]{2})([0-9]{2})$/;
const REQUEST = /^(\S+) (\S+) HTTP\/1\.[01]$/;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const NAMED: Readonly<Record<string, string>> = { b: "\b", n: "\n", r: "\r", t: "\t", v: "\v" };

/**
 * These formats tell of no verdict and no origin. What was answered with 403, 407 or 5xx may have been answered by
 * the proxy or by the origin: it is taken for neither.
 *
 * @throws {BadLine}
 */
export function readCommonLine(text: string): LoggedExchange {
  const match = LINE.exec(text);
  if (match === null) throw new BadLine("no line of a known format");
  const [, clientText, userText, timeText, requestText, statusText, size] = match;
  const status = statusText === "-" ? 0 : statusOf(Number(statusText));
  const client = readAddress(clientText);
  const parts = REQUEST.exec(unescaped(requestText));
  if (parts === null && requestText !== "-") throw new BadLine("no line of a known format");
  const method = parts === null ? "" : methodOf(parts[1]);
  const written = parts?.[2] ?? "-";
  // an origin form was for the server that wrote the log: it names no host
  const target = /^[/*-]/.test(written) ? null : readLoggedTarget(method, written);
  const clear = target !== null && status >= 100 && status < 500 && status !== 403 && status !== 407;
  return {
    number: 0,
    time: timeOf(timeIn(timeText)),
    client: client?.text ?? "",
    clientIp: client?.ip ?? null,
    user: userText === "-" ? null : userOf(unescaped(userText)),
    method,
    authority: target?.authority ?? null,
    secure: target?.secure ?? false,
    path: target?.path ?? null,
    pathCut: false,
    status,
    verdict: clear ? "allow" : "none",
    enforced: true,
    rule: "",
    reason: "",
    origin: "",
    originIp: null,
    via: "",
    reached: clear,
    up: 0,
    down: size === "-" ? 0 : bytesCount(Number(size)),
    duration: -1,
    error: "",
    serverName: "",
  };
}

/** ms since the epoch of `21/Nov/2026:06:49:01 +0100`. */
function timeIn(text: string): number {
  const match = TIME.exec(text);
  const month = match === null ? -1 : MONTHS.indexOf(match[2]);
  if (match === null || month < 0) throw new BadLine("a time that cannot be");
  const [, day, , year, hours, minutes, seconds, sign, zoneHours, zoneMinutes] = match;
  const offset = (Number(zoneHours) * 60 + Number(zoneMinutes)) * (sign === "-" ? -60_000 : 60_000);
  return Date.UTC(+year, month, +day, +hours, +minutes, +seconds) - offset;
}

/** Apache's escapes: `\"`, `\\`, `\n`, `\xhh`. */
function unescaped(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(
    /\\(?:x([0-9a-fA-F]{2})|(.))/g,
    (_, code, character) =>
      code === undefined ? NAMED[character] ?? character : String.fromCharCode(parseInt(code, 16)),
  );
}
