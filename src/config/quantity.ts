/** Sizes and times as people write them: `64k`, `500ms`. */

import { WrongValue } from "./errors.ts";
import { quote } from "./printable.ts";

const SIZES: Record<string, number> = { "": 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };
const TIMES: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/**
 * Reads a size: bytes, or a number with `k`, `m`, `g` or `t`, each 1024 times the one before.
 *
 * @returns bytes
 * @throws {WrongValue}
 */
export function parseSize(text: string): number {
  const match = /^([0-9]+)([kmgt]?)$/i.exec(text);
  if (match === null) {
    throw new WrongValue(`must be a size such as 64k, 256m, 1g or plain bytes, not ${quote(text)}`);
  }
  return Number(match[1]) * SIZES[match[2].toLowerCase()];
}

/** Writes a size in the largest unit that leaves nothing over, so that {@link parseSize} reads the same back. */
export function formatSize(bytes: number): string {
  return inLargestUnit(bytes, SIZES, "");
}

/**
 * Reads a time: a whole number with `ms`, `s`, `m` or `h`.
 *
 * @returns milliseconds
 * @throws {WrongValue}
 */
export function parseDuration(text: string): number {
  const match = /^([0-9]+)(ms|s|m|h)$/.exec(text);
  if (match !== null) return Number(match[1]) * TIMES[match[2]];
  if (/^[0-9]{1,15}$/.test(text)) {
    throw new WrongValue(`${text} needs a unit: write ${text}ms, ${text}s, ${text}m or ${text}h`);
  }
  throw new WrongValue(`must be a time such as 500ms, 10s, 5m or 1h, not ${quote(text)}`);
}

/** Writes a time in the largest unit that leaves nothing over, so that {@link parseDuration} reads the same back. */
export function formatDuration(milliseconds: number): string {
  return inLargestUnit(milliseconds, TIMES, "s");
}

function inLargestUnit(amount: number, units: Record<string, number>, unitOfZero: string): string {
  let best = amount === 0 ? unitOfZero : "";
  let factor = 1;
  for (const [unit, each] of Object.entries(units)) {
    if (amount === 0 || amount % each !== 0 || each < factor) continue;
    best = unit;
    factor = each;
  }
  return `${amount / factor}${best}`;
}
