/**
 * Points in time as logs write them. Thousands of lines share a second, so each form keeps the text of the one it
 * wrote last.
 */

import { threeDigits } from "./digits.ts";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

let epochSecond = NaN;
let epochText = "";
let isoSecond = NaN;
let isoText = "";
let commonSecond = NaN;
let commonText = "";
let clockSecond = NaN;
let clockText = "";

/** `2026-11-21T05:49:01.042Z`, in UTC. @param time ms since the epoch */
export function isoTime(time: number): string {
  const second = Math.floor(time / 1000);
  if (second !== isoSecond) {
    isoText = new Date(second * 1000).toISOString().slice(0, -4);
    isoSecond = second;
  }
  return `${isoText}${threeDigits(Math.floor(time) - second * 1000)}Z`;
}

/** `21/Nov/2026:06:49:01 +0100`, in the zone of this machine, as Apache's `%t` without its brackets. */
export function commonTime(time: number): string {
  const second = Math.floor(time / 1000);
  if (second !== commonSecond) {
    commonText = commonTimeAt(second * 1000, -new Date(second * 1000).getTimezoneOffset());
    commonSecond = second;
  }
  return commonText;
}

/** {@link commonTime} in a zone that is `offset` minutes east of UTC. */
export function commonTimeAt(time: number, offset: number): string {
  const local = new Date(time + offset * 60_000);
  const day = `${twoDigits(local.getUTCDate())}/${MONTHS[local.getUTCMonth()]}/${local.getUTCFullYear()}`;
  const distance = Math.abs(offset);
  const zone = `${offset < 0 ? "-" : "+"}${twoDigits(Math.floor(distance / 60))}${twoDigits(distance % 60)}`;
  return `${day}:${clock(local.getUTCHours(), local.getUTCMinutes(), local.getUTCSeconds())} ${zone}`;
}

/** `06:49:01`, in the zone of this machine. */
export function clockTime(time: number): string {
  const second = Math.floor(time / 1000);
  if (second !== clockSecond) {
    const local = new Date(second * 1000);
    clockText = clock(local.getHours(), local.getMinutes(), local.getSeconds());
    clockSecond = second;
  }
  return clockText;
}

/** `1795240825.105`: seconds since the epoch, to the ms, as Squid writes them. */
export function epochTime(time: number): string {
  const second = Math.floor(time / 1000);
  if (second !== epochSecond) {
    epochText = `${second}.`;
    epochSecond = second;
  }
  return epochText + threeDigits(Math.floor(time) - second * 1000);
}

function twoDigits(number: number): string {
  return number < 10 ? `0${number}` : `${number}`;
}

function clock(hours: number, minutes: number, seconds: number): string {
  return `${twoDigits(hours)}:${twoDigits(minutes)}:${twoDigits(seconds)}`;
}
