/** Sizes and durations, for people and for programs. */

import { shortNumber, threeDigits } from "./digits.ts";

const SIZE_UNITS = [" B", " kB", " MB", " GB", " TB", " PB"];

/** `512 B`, `1.2 kB`, `56 MB`: two digits or three, units of 1000. At most six characters below 1000 PB. */
export function humanSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  let unit = 0;
  let value = bytes;
  while (Math.round(value) >= 1000 && unit < SIZE_UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return shortNumber(value) + SIZE_UNITS[unit];
}

/**
 * `0.4 ms`, `45 ms`, `1.2 s`, `1m 03s`, `2h 05m`, `3d 04h`: at most seven characters below 100 days, and `-` for
 * what was not measured (below 0).
 */
export function humanDuration(milliseconds: number): string {
  if (milliseconds < 0) return "-";
  if (Math.round(milliseconds) < 1000) return `${shortNumber(milliseconds)} ms`;
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${shortNumber(milliseconds / 1000)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return twoUnits(minutes, "m", seconds % 60, "s");
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return twoUnits(hours, "h", minutes % 60, "m");
  return twoUnits(Math.floor(hours / 24), "d", hours % 24, "h");
}

/** A duration in ms to the µs, as a JSON number: `12.042`. */
export function exactMilliseconds(milliseconds: number): string {
  const micros = Math.round(milliseconds * 1000);
  const whole = Math.floor(micros / 1000);
  return `${whole}.${threeDigits(micros - whole * 1000)}`;
}

function twoUnits(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return `${large}${largeUnit} ${small < 10 ? "0" : ""}${small}${smallUnit}`;
}
