/** A line that says how far a body has come. */

import { humanDuration, humanSize } from "../observe/quantities.ts";

const WIDTH = 24;

/**
 * @param received bytes
 * @param whole bytes of the whole; `null` when nobody knows
 * @param elapsed ms since the body began
 */
export function progressText(received: number, whole: number | null, elapsed: number): string {
  const rate = elapsed > 0 ? received / elapsed : 0;
  const speed = `${humanSize(Math.round(rate * 1000))}/s`;
  if (whole === null || whole === 0) return `${humanSize(received)}  ${speed}`;
  const part = Math.min(1, received / whole);
  const full = Math.floor(part * WIDTH);
  const left = rate > 0 ? `  ${humanDuration((whole - received) / rate)} left` : "";
  return `${`${Math.floor(part * 100)}`.padStart(3)} %  ${"█".repeat(full)}${"░".repeat(WIDTH - full)}  ` +
    `${humanSize(received)} of ${humanSize(whole)}  ${speed}${received < whole ? left : ""}`;
}
