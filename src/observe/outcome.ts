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
  if (exchange.verdict === "deny") {
    const denied = exchange.rule === "" ? "denied" : `denied by ${exchange.rule}`;
    if (exchange.enforced) return joined(denied, exchange.reason || (exchange.rule === "" ? problem : ""));
    // the exchange went on, and how that ended is worth a word too
    return joined(joined(`would be ${denied}`, exchange.reason), problem, "; ");
  }
  if (exchange.status === 0) return joined("no answer", problem);
  return exchange.truncated ? joined("cut short", problem) : problem;
}

function joined(what: string, why: string, by = ": "): string {
  return why === "" ? what : what + by + why;
}
