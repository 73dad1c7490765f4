/** Squid's native format, `%ts.%03tu %6tr %>a %Ss/%03>Hs %<st %rm %ru %[un %Sh/%<a %mt`. */

import { withoutUserInformation } from "../http/user_information.ts";
import type { Exchange } from "../proxy/exchange.ts";
import { threeDigits } from "./digits.ts";
import { bounded, byteText, hexadecimal } from "./printable.ts";
import { epochTime } from "./timestamps.ts";

const MAX_TARGET = 8192;
const MAX_METHOD = 64;
const MAX_USER = 256;
const MAX_PARENT = 256;
const MAX_TYPE = 128;

const NOT_VISIBLE = /[^\x21-\x7e]/;
const EACH_NOT_VISIBLE = /[^\x21-\x7e]/g;
const SPECIAL_IN_USER = /[^\x21-\x24\x26-\x5a\x5e-\x7e]/;
const EACH_SPECIAL_IN_USER = /[^\x21-\x24\x26-\x5a\x5e-\x7e]/g;

/**
 * `1795240825.105     12 127.0.0.1 TCP_MISS/200 238 GET http://example.com/ - HIER_DIRECT/93.184.216.34 text/html`,
 * at the time when the exchange ended, with all bytes that the client got, heads included. Unlike Squid's own default
 * (`strip_query_terms`), the query is kept.
 */
export function formatSquid(exchange: Exchange): string {
  const duration = Math.max(0, exchange.duration);
  const elapsed = `${Math.round(duration)}`;
  const bytes = exchange.responseHeadBytes + exchange.responseBodyBytes;
  const fetched = exchange.cache !== "hit";
  const asked = exchange.originAddress !== "" && fetched;
  const hierarchy = exchange.parent !== "" && fetched
    ? `FIRSTUP_PARENT/${visible(exchange.parent, MAX_PARENT)}`
    : asked
    ? `HIER_DIRECT/${exchange.originAddress}`
    : "HIER_NONE/-";
  const method = visible(exchange.method, MAX_METHOD) || "-";
  return `${epochTime(exchange.startedAt + duration)} ${SIX_BLANKS[Math.min(elapsed.length, 6)]}${elapsed} ` +
    `${exchange.clientAddress || "-"} ${resultCode(exchange)}/${threeDigits(exchange.status)} ${bytes} ` +
    `${method} ${targetOf(exchange)} ${userOf(exchange)} ${hierarchy} ${mediaTypeOf(exchange)}`;
}

const SIX_BLANKS = ["      ", "     ", "    ", "   ", "  ", " ", ""];

/**
 * What Squid would call the way this exchange was served. What was never tried is `NONE_NONE`, as is a tunnel that did
 * not open. A response cut in the middle is `_TIMEOUT` or `_ABORTED` in the sense of Squid's documentation (Squid 5.7
 * itself marks only what the client cut), while a 504 of our own is an answer like any other.
 */
function resultCode(exchange: Exchange): string {
  if (exchange.verdict === "deny" && exchange.enforced) return "TCP_DENIED";
  const { kind, status } = exchange;
  const opened = kind === "tunnel" && status >= 200 && status < 300 || kind === "upgrade" && status === 101;
  if (opened) return "TCP_TUNNEL";
  const went = exchange.originAddress !== "" || exchange.parent !== "";
  const tried = kind === "forward" || kind === "upgrade" || went && kind === "own";
  const code = fromCache(exchange.cache) ?? (tried ? "TCP_MISS" : "NONE_NONE");
  if (status === 0 && exchange.target !== "") return `${code}_ABORTED`;
  if (!exchange.truncated) return code;
  return exchange.error.endsWith("timeout") ? `${code}_TIMEOUT` : `${code}_ABORTED`;
}

/** Squid's words for what came from the store; `null` for what did not. */
function fromCache(cache: string): string | null {
  switch (cache) {
    case "hit":
      return "TCP_MEM_HIT";
    case "stale":
      return "TCP_STALE_HIT";
    case "revalidated":
      return "TCP_REFRESH_UNMODIFIED";
    case "collapsed":
      return "TCP_CF_HIT";
  }
  return null;
}

function targetOf(exchange: Exchange): string {
  if (exchange.target !== "") return visible(withoutUserInformation(exchange.target), MAX_TARGET);
  return exchange.status === 0 ? "error:transaction-end-before-headers" : "error:invalid-request";
}

/** `%[un`: as Squid quotes a name, and the blank too, which Squid leaves and readers of columns stumble over. */
function userOf(exchange: Exchange): string {
  if (exchange.user === "") return "-";
  const user = bounded(exchange.user, MAX_USER, "...");
  if (!SPECIAL_IN_USER.test(user)) return user;
  return byteText(user).replace(
    EACH_SPECIAL_IN_USER,
    (character) => character === "\\" ? "\\\\" : percentEncoded(character),
  );
}

/** `%mt`: the type as the origin wrote it, less its parameters. */
function mediaTypeOf(exchange: Exchange): string {
  const semicolon = exchange.contentType.indexOf(";");
  const type = semicolon < 0 ? exchange.contentType : exchange.contentType.slice(0, semicolon).trimEnd();
  return visible(type, MAX_TYPE) || "-";
}

function visible(text: string, limit: number): string {
  const short = bounded(text, limit, "...");
  return NOT_VISIBLE.test(short) ? byteText(short).replace(EACH_NOT_VISIBLE, percentEncoded) : short;
}

function percentEncoded(character: string): string {
  return `%${hexadecimal(character.charCodeAt(0))}`;
}
