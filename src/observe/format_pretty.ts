/** A line per exchange for people, in columns that fit 120 of a terminal when nothing went wrong. */

import type { Exchange } from "../proxy/exchange.ts";
import { BOLD, CYAN, DIM, GREEN, paint, RED, statusColor, YELLOW } from "./colors.ts";
import { padLeft, padRight, shown } from "./columns.ts";
import { outcome } from "./outcome.ts";
import { withoutUserInformation } from "../http/user_information.ts";
import { humanDuration, humanSize } from "./quantities.ts";
import { clockTime } from "./timestamps.ts";

const METHOD_WIDTH = 7;
const TARGET_WIDTH = 48;
const ADDRESS_WIDTH = 15;
/** What a long method or address may take from the target's column leaves it at least this. */
const MIN_TARGET_WIDTH = 24;
const SIZE_WIDTH = 6;
const DURATION_WIDTH = 7;
const LONGEST_METHOD = 16;
const LONGEST_USER = 32;
const LONGEST_PARENT = 48;
const SLOW = 1000;

/**
 * `06:49:01 200 GET     http://example.com/ … 93.184.216.34 … 1.2 kB   12 ms`: the time of the end, the status, the
 * method, the target, the address that was dialled, bytes up (`↑`, of tunnels and of requests with a body) and down,
 * the duration, then whatever is worth a word: who asked if not from this machine, and how it ended if not well.
 */
export function prettyFormat(colors: boolean): (exchange: Exchange) => string {
  return (exchange) => {
    const duration = exchange.duration;
    const time = clockTime(exchange.startedAt + Math.max(0, duration));
    const status = exchange.status === 0 ? "---" : `${exchange.status}`;
    const method = padRight(shown(exchange.method, LONGEST_METHOD) || "-", METHOD_WIDTH);
    const address = padRight(exchange.originAddress || "-", ADDRESS_WIDTH);
    const room = TARGET_WIDTH + METHOD_WIDTH - method.length + ADDRESS_WIDTH - address.length;
    const uri = withoutUserInformation(exchange.target);
    const target = padRight(shown(uri, Math.max(MIN_TARGET_WIDTH, room)) || "-", room);
    const elapsed = padLeft(humanDuration(duration), DURATION_WIDTH);
    const slow = duration > SLOW && exchange.kind === "forward";
    return paint(colors, DIM, time) + " " + paint(colors, statusColor(exchange.status), status) + " " +
      paint(colors, BOLD, method) + " " + target + " " + paint(colors, DIM, address) + " " + sizes(exchange) +
      " " +
      paint(colors && slow, YELLOW, elapsed) + remarks(exchange, colors);
  };
}

function sizes(exchange: Exchange): string {
  const down = padLeft(humanSize(exchange.responseBodyBytes), SIZE_WIDTH);
  const two = exchange.kind === "tunnel" || exchange.kind === "upgrade" || exchange.requestBodyBytes > 0;
  if (!two) return `        ${down} `;
  return `↑${padLeft(humanSize(exchange.requestBodyBytes), SIZE_WIDTH)} ↓${down}`;
}

function remarks(exchange: Exchange, colors: boolean): string {
  const client = clientOf(exchange);
  const end = outcome(exchange);
  const bad = exchange.status === 0 || exchange.status >= 500 || exchange.truncated;
  return (client === "" ? "" : `  ${paint(colors, CYAN, client)}`) +
    (exchange.parent === ""
      ? ""
      : `  ${paint(colors, DIM, `via ${shown(exchange.parent, LONGEST_PARENT)}`)}`) +
    (exchange.protocol === "http" ? "" : `  ${paint(colors, DIM, exchange.protocol)}`) +
    (isWorthAWord(exchange.cache) ? `  ${paint(colors, GREEN, exchange.cache)}` : "") +
    (end === "" ? "" : `  ${paint(colors, bad ? RED : YELLOW, end)}`) +
    (exchange.odd === "" ? "" : `  ${paint(colors, YELLOW, `odd response: ${exchange.odd}`)}`) +
    // what an own answer shows its client
    (exchange.ownAnswer ? `  ${paint(colors, DIM, `#${exchange.reference}`)}` : "");
}

/** What did not come from the origin alone; that it did is the usual thing, and was so before there was a cache. */
function isWorthAWord(cache: string): boolean {
  return cache !== "" && !cache.startsWith("miss") && !cache.startsWith("bypass");
}

/** Who asked: the user, and the address unless it is this machine's own. */
function clientOf(exchange: Exchange): string {
  const address = exchange.clientAddress;
  const near = address === "127.0.0.1" || address === "::1" || address === "";
  if (exchange.user === "") return near ? "" : address;
  const user = shown(exchange.user, LONGEST_USER);
  return near ? user : `${user}@${address}`;
}
