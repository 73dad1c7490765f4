/** Requests and responses as the rules of the cache see them, made from a few words. */

import { fieldsOf } from "../../src/cache/field_lines.ts";
import type {
  CacheRequest,
  CacheResponse,
  FieldLine,
  StoredResponse,
} from "../../src/cache/stored_response.ts";
import { formatDate } from "../../src/http/date.ts";

/** Fri, 15 Mar 2024 12:00:00 GMT: when everything here happens, unless something else is said. */
export const NOON = Date.UTC(2024, 2, 15, 12);

/** The date that is so many seconds after noon. */
export function at(seconds: number): string {
  return formatDate(NOON + seconds * 1000);
}

/** Reads `Name: value` lines. */
export function linesOf(...written: string[]): FieldLine[] {
  return written.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, "")];
  });
}

/** A GET with these lines. */
export function get(...lines: string[]): CacheRequest {
  return { method: "GET", fields: fieldsOf(linesOf(...lines)), hasBody: false };
}

/** A response with these lines. */
export function response(status: number, ...lines: string[]): CacheResponse {
  return { status, fields: fieldsOf(linesOf(...lines)) };
}

/** A 200 with these lines that was asked for and came at noon. */
export function stored(...lines: string[]): StoredResponse {
  return {
    status: 200,
    fields: linesOf(...lines),
    requestTime: NOON,
    responseTime: NOON,
    vary: [],
    length: 10,
    range: null,
  };
}

/** So many seconds after noon, ms since the epoch. */
export function after(seconds: number): number {
  return NOON + seconds * 1000;
}
