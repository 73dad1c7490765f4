/** Ports as rules name them: `443`, `8000-8999`. */

import { shown } from "../http/host_name.ts";
import { PatternError } from "./pattern_error.ts";

/** First and last included, 1–65535. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

const HIGHEST = 65535;

/** Where plain requests of other machines may go, as Squid's usual configuration has it (`Safe_ports`). */
export const SAFE_PORTS: readonly PortRange[] = [21, 70, 80, 210, 280, 443, 488, 591, 777]
  .map((port): PortRange => ({ first: port, last: port })).concat({ first: 1025, last: HIGHEST });

/**
 * Reads one port, a range of them, or `*` for all.
 *
 * @throws {PatternError} on anything else: signs, spaces and leading zeros too
 */
export function parsePorts(text: string): PortRange {
  if (text === "*") return { first: 1, last: HIGHEST };
  if (text.includes(",")) {
    throw new PatternError(`${shown(text)} is several ports: write them as a list, as in [80, 443]`);
  }
  const hyphen = text.indexOf("-");
  const first = readPort(hyphen < 0 ? text : text.slice(0, hyphen));
  const last = hyphen < 0 ? first : readPort(text.slice(hyphen + 1));
  if (first === null || last === null) {
    throw new PatternError(
      `${shown(text)} is no port: write a number from 1 to 65535, a range as in 8000-8999, or * for all`,
    );
  }
  if (first > last) {
    throw new PatternError(`${shown(text)} ends before it begins: write ${last}-${first}`);
  }
  return { first, last };
}

/** Digits alone and no leading zero, as in targets: 080 is octal to some. */
function readPort(digits: string): number | null {
  if (!/^[1-9][0-9]{0,4}$/.test(digits)) return null;
  const port = Number(digits);
  return port <= HIGHEST ? port : null;
}

/** Whether one of the ranges holds the port. */
export function portsInclude(ranges: readonly PortRange[], port: number): boolean {
  for (const { first, last } of ranges) if (port >= first && port <= last) return true;
  return false;
}

/** The ranges as `--allow` takes them behind the colon: `443,8000-8999`; `*` for all ports. */
export function formatPorts(ranges: readonly PortRange[]): string {
  return ranges.map(({ first, last }) => {
    if (first === 1 && last === HIGHEST) return "*";
    return first === last ? `${first}` : `${first}-${last}`;
  }).join(",");
}
