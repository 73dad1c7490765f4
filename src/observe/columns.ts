/** Columns of a line that people read. */

import { printable } from "./printable.ts";

const BLANKS: string[] = [];
for (let width = 0; width <= 128; width++) BLANKS.push(" ".repeat(width));

/** So many blanks, 0 to 128; none for a number below 0. Much cheaper than `padEnd`. */
export function blanks(count: number): string {
  return count <= 0 ? "" : BLANKS[Math.min(count, 128)];
}

/** A text, then blanks up to the width; a longer text stays whole. */
export function padRight(text: string, width: number): string {
  return text + blanks(width - text.length);
}

/** Blanks, then a text, up to the width; a longer text stays whole. */
export function padLeft(text: string, width: number): string {
  return blanks(width - text.length) + text;
}

/**
 * A text in at most `width` characters, its middle left out so that the last `tail` stay: a target is known by its
 * host and its last part.
 */
export function shortened(text: string, width: number, tail = Math.floor(width / 3)): string {
  if (text.length <= width) return text;
  // a cut through a surrogate pair leaves no half of it
  return `${text.slice(0, width - 1 - tail)}…${text.slice(text.length - tail)}`.toWellFormed();
}

/** What the network sent, {@link printable} and in at most `width` characters. */
export function shown(text: string, width: number, tail = Math.floor(width / 3)): string {
  if (text.length <= width) {
    const whole = printable(text, width);
    // an escape is longer than what it stands for
    return whole.length > width ? shortened(whole, width, tail) : whole;
  }
  // the parts that stay are looked at, not the whole, nor the mark between them
  const head = printable(text.slice(0, width - 1 - tail), width);
  return shortened(`${head}…${printable(text.slice(text.length - tail), width)}`, width, tail);
}
