/** What `weir get --repeat` prints: a line for each answer, and what they come to. */

import { cacheStatusWord, isHit } from "../get/cache_status_words.ts";
import { DIM, paint, statusColor } from "../observe/colors.ts";
import { padLeft, padRight, shown } from "../observe/columns.ts";
import { humanDuration, humanSize } from "../observe/quantities.ts";

export interface RepeatedRow {
  readonly status: number;
  /** What `Cache-Status` says; `""` without one. */
  readonly cache: string;
  /** ms */
  readonly time: number;
  /** Of the body. */
  readonly bytes: number;
}

const CACHE_WIDTH = 24;

/** @param count how many there are going to be */
export function repeatedRow(number: number, count: number, row: RepeatedRow, color: boolean): string {
  const { status, cache, time, bytes } = row;
  const word = cache === "" ? "-" : shown(cacheStatusWord(cache), CACHE_WIDTH);
  return `${paint(color, DIM, padLeft(`${number}`, `${count}`.length + 1))}  ` +
    `${paint(color, statusColor(status), `${status}`)}  ${padRight(word, CACHE_WIDTH)}  ` +
    `${padLeft(humanDuration(time), 7)}  ${padLeft(humanSize(bytes), 7)}\n`;
}

/** @param tunnelled whether they went through a tunnel, into which no cache can look */
export function repeatedSummary(rows: readonly RepeatedRow[], tunnelled: boolean, color: boolean): string {
  const times = rows.map(({ time }) => time).sort((a, b) => a - b);
  const hits = rows.filter(({ cache }) => isHit(cache)).length;
  const told = rows.some(({ cache }) => cache !== "");
  const what = told
    ? `${hits} from the store`
    : tunnelled
    ? "none from a store: no proxy can look into a tunnel"
    : "and nothing was said of a cache";
  const spread = rows.length === 1
    ? humanDuration(times[0])
    : `${humanDuration(times[0])} to ${humanDuration(times[times.length - 1])}, half of them within ${
      humanDuration(times[Math.floor((times.length - 1) / 2)])
    }`;
  return paint(color, DIM, `${rows.length} ${rows.length === 1 ? "answer" : "answers"}, ${what}; ${spread}`) +
    "\n";
}
