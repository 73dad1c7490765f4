/** Reads Squid's native format, as Squid and weir write it. */

import { DIRECT } from "../policy/routes.ts";
import {
  BadLine,
  bytesCount,
  durationOf,
  methodOf,
  readAddress,
  readLoggedTarget,
  statusOf,
  timeOf,
  userOf,
  wordsOf,
} from "./log_target.ts";
import type { LoggedExchange } from "./logged_exchange.ts";

const LINE = lineOf("\\S{1,1024}");
/** Squid leaves blanks in the name of a user as they are; with a slash besides, nobody could tell where it ends. */
const LINE_WITH_BLANKS = lineOf("[^\\s/][^/]{0,1022}[^\\s/]");

function lineOf(user: string): RegExp {
  return new RegExp(
    "^ *([0-9]{1,12}\\.[0-9]{3}) +(-?[0-9]{1,15}) (\\S{1,256}) ([A-Z_]{1,64})/([0-9]{3}|-) (-?[0-9]{1,16})" +
      ` (\\S{1,64}) (\\S+) (${user}) ([A-Z0-9_]{1,64})/(\\S{1,256})(?: .*)?$`,
  );
}

/** Ways to the origin that name its address; of others it is the address of another proxy. */
const NAMES_ORIGIN = /(?:DIRECT|ORIGINAL_DST|PINNED)$/;
/** Results for which no origin was needed: they were there. */
const HIT = /HIT|UNMODIFIED/;
/** Where weir cuts a target. */
const CUT_TARGET = 8192;

const strictUtf8 = new TextDecoder("utf-8", { fatal: true });

/** @throws {BadLine} */
export function readSquidLine(text: string): LoggedExchange {
  const match = LINE.exec(text) ?? LINE_WITH_BLANKS.exec(text);
  if (match === null) throw new BadLine("no line of a known format");
  const [, end, elapsed, clientText, code, statusText, size, methodText, targetText, userText, way, peer] =
    match;
  const duration = durationOf(Math.max(0, Number(elapsed)));
  const method = methodText === "-" || /^NONE(?:_NONE)?$/.test(methodText) ? "" : methodOf(methodText);
  const status = statusText === "-" ? 0 : statusOf(Number(statusText));
  const client = readAddress(clientText);
  const origin = NAMES_ORIGIN.test(way) ? readAddress(peer) : null;
  // `error:invalid-request` and its like: nothing was understood
  const target = targetText === "-" || targetText.startsWith("error:")
    ? null
    : readLoggedTarget(method, targetText);
  const cut = targetText.length > CUT_TARGET && targetText.endsWith("...") && !targetText.includes("?");
  return {
    number: 0,
    time: timeOf(Math.max(0, Number(end) * 1000 - duration)),
    client: client?.text ?? "",
    clientIp: client?.ip ?? null,
    user: userText === "-" ? null : userOf(unquoted(userText)),
    method,
    authority: target?.authority ?? null,
    secure: target?.secure ?? false,
    path: cut ? null : target?.path ?? null,
    pathCut: cut && target !== null && target.path !== null,
    status,
    verdict: verdictOf(code, status, target !== null),
    enforced: true,
    rule: "",
    reason: "",
    origin: origin?.text ?? "",
    originIp: origin?.ip ?? null,
    via: viaOf(way, peer),
    reached: wasReached(code, status, method, way),
    up: 0,
    down: bytesCount(Math.max(0, Number(size))),
    duration,
    error: "",
    serverName: "",
  };
}

function verdictOf(code: string, status: number, understood: boolean): LoggedExchange["verdict"] {
  // asked for credentials: not a word about whether the rules would have it
  if (!understood || code.includes("DENIED") && status === 407) return "none";
  return code.includes("DENIED") ? "deny" : "allow";
}

/** weir writes the name of a parent, Squid its address, which is no name of weir's. */
function viaOf(way: string, peer: string): string {
  if (way.endsWith("PARENT")) return readAddress(peer) === null ? wordsOf(peer) : "";
  return NAMES_ORIGIN.test(way) ? DIRECT : "";
}

/** A tunnel that opened, a stored response, or whatever came from an address or another proxy. */
function wasReached(code: string, status: number, method: string, way: string): boolean {
  if (code.includes("DENIED")) return false;
  if (method === "CONNECT") return status >= 200 && status < 300;
  // Squid's own answer for an origin that it could not reach looks as one of the origin's does
  if (status >= 502 && status <= 504) return false;
  return HIT.test(code) || !/NONE$/.test(way);
}

/** Squid writes a user's name in percent-encoding, weir a backslash doubled besides. */
function unquoted(text: string): string {
  if (!/[%\\]/.test(text)) return text;
  const bytes: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7e) throw new BadLine("a user that cannot be");
    const encoded = code === 0x25 ? /^[0-9a-fA-F]{2}/.exec(text.slice(i + 1, i + 3)) : null;
    if (encoded !== null) i += 2;
    else if (code === 0x5c && text[i + 1] === "\\") i++;
    bytes.push(encoded === null ? code : parseInt(encoded[0], 16));
  }
  try {
    return strictUtf8.decode(Uint8Array.from(bytes));
  } catch {
    throw new BadLine("a user that cannot be");
  }
}
