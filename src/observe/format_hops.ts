/** A short line for each leg of an exchange, for those who want to see what a proxy does. */

import type { Exchange } from "../proxy/exchange.ts";
import { BOLD, DIM, GREEN, paint, RED, statusColor, YELLOW } from "./colors.ts";
import { blanks, shown } from "./columns.ts";
import { outcome } from "./outcome.ts";
import { withoutUserInformation } from "../http/user_information.ts";
import { humanDuration, humanSize } from "./quantities.ts";

const TARGET_WIDTH = 56;
const USER_AGENT_WIDTH = 44;
/** A browser's name stands at the end: `Mozilla/5.0 … Chrome/130.0.0.0 Safari/537.36`. */
const USER_AGENT_TAIL = 31;
const METHOD_WIDTH = 16;
const TYPE_WIDTH = 48;
const USER_WIDTH = 32;
const PARENT_WIDTH = 48;

/**
 * Up to four lines:
 * ```
 * #42 client → weir    127.0.0.1:51234  GET http://example.com/a HTTP/1.1  curl/8.5.0  78 B
 * #42 weir → origin    93.184.216.34:80  GET /a HTTP/1.1  connected in 12 ms  95 B
 * #42 origin → weir    200  text/html  after 34 ms  1.3 kB
 * #42 weir → client    200  text/html  in 47 ms  1.3 kB
 * ```
 * What goes through a parent proxy has it in the origin's place, by its name; what was stored has one line for the cache,
 * with the origin that it is from: `#42 cache → weir     hit  from 93.184.216.34:80`. A leg that did not happen is not
 * there: an answer of weir's own has the first and the last. Bytes are all that moved on that leg, heads and bodies. How it ended, if not well, stands at the end of the last line.
 */
export function hopsFormat(colors: boolean): (exchange: Exchange) => string {
  return (exchange) => {
    const number = paint(colors, DIM, `#${exchange.number}`);
    const leg = (name: string) => `${number} ${paint(colors, DIM, name)}${blanks(15 - name.length)}`;

    const request = requestLine(exchange);
    let block = leg("client → weir") + clientOf(exchange) + "  " + paint(colors, BOLD, request) +
      userAgentOf(exchange) + bytes(exchange.requestHeadBytes + exchange.requestBodyBytes);
    const through = exchange.parent !== "";
    const isKnown = exchange.originAddress !== "" || through;
    const isStored = comesFromCache(exchange);
    if (isKnown && !(isStored && wasNotAsked(exchange))) {
      block += "\n" + leg(through ? "weir → parent" : "weir → origin") + originOf(exchange) +
        sentLine(exchange) + connection(exchange) +
        bytes(exchange.upstreamSentBytes);
    }
    if (exchange.originStatus !== 0 || exchange.upstreamReceivedBytes > 0) {
      block += "\n" + leg(through ? "parent → weir" : "origin → weir") + whatCame(exchange, colors) +
        bytes(exchange.upstreamReceivedBytes) +
        (exchange.odd === "" ? "" : `  ${paint(colors, YELLOW, `odd: ${exchange.odd}`)}`);
    }
    if (isStored) {
      block += "\n" + leg("cache → weir") + paint(colors, GREEN, exchange.cache) +
        (isKnown ? `  from ${originOf(exchange)}` : "");
    }
    if (exchange.status !== 0) {
      block += "\n" + leg("weir → client") +
        paint(colors, statusColor(exchange.status), `${exchange.status}`) +
        typeOf(exchange) + `  in ${humanDuration(exchange.duration)}` +
        bytes(exchange.responseHeadBytes + exchange.responseBodyBytes);
    }
    const end = outcome(exchange);
    const bad = exchange.status === 0 || exchange.status >= 500 || exchange.truncated;
    if (end !== "") block += `  ${paint(colors, bad ? RED : YELLOW, end)}`;
    // what an own answer shows its client
    return exchange.ownAnswer ? `${block}  ${paint(colors, DIM, `#${exchange.reference}`)}` : block;
  };
}

/** Whether what the client gets was stored, or was another exchange's, and not sent by the origin for this one. */
function comesFromCache({ cache, originStatus }: Exchange): boolean {
  return originStatus === 0 && (cache === "hit" || cache === "stale" || cache === "collapsed");
}

/** Whether the origin that is named is only the one from which it was stored: there was no attempt to reach it. */
function wasNotAsked({ connectedAt, reused, error, upstreamSentBytes }: Exchange): boolean {
  return connectedAt < 0 && !reused && error === "" && upstreamSentBytes === 0;
}

function clientOf(exchange: Exchange): string {
  const address = withPort(exchange.clientAddress, exchange.clientPort);
  return exchange.user === "" ? address : `${shown(exchange.user, USER_WIDTH)}@${address}`;
}

function originOf(exchange: Exchange): string {
  if (exchange.parent !== "") return shown(exchange.parent, PARENT_WIDTH);
  return withPort(exchange.originAddress, exchange.originPort);
}

function withPort(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address || "-"}:${port}`;
}

function requestLine(exchange: Exchange): string {
  if (exchange.method === "") return "no valid request";
  const target = shown(withoutUserInformation(exchange.target), TARGET_WIDTH) || "-";
  return `${shown(exchange.method, METHOD_WIDTH)} ${target} ${protocolOf(exchange)}`;
}

function protocolOf({ protocol, minorVersion }: Exchange): string {
  return protocol === "http" ? `HTTP/1.${minorVersion}` : protocol.toUpperCase();
}

/** The request line as the origin gets it (RFC 9112 §3.2.1): nothing for a tunnel, which sends none. */
function sentLine(exchange: Exchange): string {
  if (exchange.kind === "tunnel") return "";
  // the absolute form goes to a parent that finds the origin itself, which not all do: the target is there above
  if (exchange.parent !== "") return "";
  const authority = exchange.target.indexOf("://") + 3;
  const path = authority < 3 ? -1 : exchange.target.indexOf("/", authority);
  const target = path < 0 ? "/" : exchange.target.slice(path);
  return `  ${shown(exchange.method, METHOD_WIDTH)} ${shown(target, TARGET_WIDTH)} HTTP/1.1`;
}

function connection(exchange: Exchange): string {
  const retries = exchange.retries === 0
    ? ""
    : exchange.retries === 1
    ? " after a retry"
    : ` after ${exchange.retries} retries`;
  if (exchange.reused) return `  reused connection${retries}`;
  if (exchange.connectedAt < 0) return "  not connected";
  // what came before the head was whole is the client's time, not the dialling's
  const from = exchange.headAt < 0 ? exchange.began : exchange.headAt;
  return `  connected in ${humanDuration(Math.max(0, exchange.connectedAt - from))}${retries}`;
}

function whatCame(exchange: Exchange, colors: boolean): string {
  if (exchange.originStatus === 0) return exchange.kind === "tunnel" ? "tunnel" : "no valid response";
  const after = exchange.responseAt < 0
    ? ""
    : `  after ${humanDuration(Math.max(0, exchange.responseAt - exchange.began))}`;
  return paint(colors, statusColor(exchange.originStatus), `${exchange.originStatus}`) + typeOf(exchange) +
    after;
}

function typeOf(exchange: Exchange): string {
  return exchange.contentType === "" ? "" : `  ${shown(exchange.contentType, TYPE_WIDTH)}`;
}

function userAgentOf(exchange: Exchange): string {
  const userAgent = exchange.fields.field("user-agent");
  return userAgent === "" ? "" : `  ${shown(userAgent, USER_AGENT_WIDTH, USER_AGENT_TAIL)}`;
}

function bytes(count: number): string {
  return `  ${humanSize(count)}`;
}
