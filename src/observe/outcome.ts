/** How an exchange ended, in words. */

import type { Exchange } from "../proxy/exchange.ts";
import { printable } from "./printable.ts";

const MAX_LENGTH = 200;

/** What is worth saying about the end of an exchange, or `""` when all went as it should. */
export function outcome(exchange: Exchange): string {
  if (
    exchange.error === "" && exchange.details === "" && !exchange.truncated && exchange.verdict !== "deny"
  ) {
    return exchange.status === 0 ? "no answer" : "";
  }
  return printable(inWords(exchange), MAX_LENGTH);
}

function inWords(exchange: Exchange): string {
  const problem = exchange.details || exchange.error.replaceAll("_", " ");
  if (exchange.verdict === "deny") return joined("denied", exchange.reason || exchange.rule || problem);
  if (exchange.status === 0) return joined("no answer", problem);
  return exchange.truncated ? joined("cut short", problem) : problem;
}

function joined(what: string, why: string): string {
  return why === "" ? what : `${what}: ${why}`;
}
