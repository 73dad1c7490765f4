/** A line of JSON as an object whose members are looked at one by one, and none of them believed. */

import { BadLine, timeOf } from "./log_target.ts";

const ISO_TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?Z$/;

export type JsonLine = Readonly<Record<string, unknown>>;

/** @throws {BadLine} */
export function objectOf(text: string): JsonLine {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new BadLine("not JSON, though it begins so");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new BadLine("no line of weir's");
  }
  return value as JsonLine;
}

/** The start, ms since the epoch. @throws {BadLine} */
export function timeAt(line: JsonLine): number {
  const text = textAt(line, "time");
  if (text === "") throw new BadLine("time is missing");
  if (!ISO_TIME.test(text)) throw new BadLine("a time that cannot be");
  return timeOf(Date.parse(text));
}

/** A member's text, `""` when it is not there. @throws {BadLine} with the key, which is one of a few */
export function textAt(line: JsonLine, key: string): string {
  const value = Object.hasOwn(line, key) ? line[key] : undefined;
  if (value === undefined) return "";
  if (typeof value !== "string") throw new BadLine(`${key} is no text`);
  return value;
}

/** A member's number. @throws {BadLine} with the key */
export function numberAt(line: JsonLine, key: string): number {
  const value = Object.hasOwn(line, key) ? line[key] : undefined;
  if (value === undefined) throw new BadLine(`${key} is missing`);
  if (typeof value !== "number") throw new BadLine(`${key} is no number`);
  return value;
}

/** The `number` of a line, 0 when there is none. @throws {BadLine} */
export function countAt(line: JsonLine): number {
  if (line.number === undefined) return 0;
  const number = numberAt(line, "number");
  if (!Number.isSafeInteger(number) || number < 1) throw new BadLine("a number that cannot be");
  return number;
}
