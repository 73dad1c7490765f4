/** Cache-Control, dates and ages of a fuzz run, and what must hold for the readers of them. */

import { assert, assertEquals } from "@std/assert";
import {
  MAX_SECONDS,
  readRequestDirectives,
  readResponseDirectives,
  type ResponseDirectives,
} from "../../src/cache/cache_control.ts";
import { ageOf, lifetimeOf, readAge } from "../../src/cache/freshness.ts";
import { normalise } from "../../src/cache/vary.ts";
import { formatDate, parseDate } from "../../src/http/date.ts";
import { damaged } from "./inputs.ts";
import type { Random } from "./random.ts";

const NOON = Date.UTC(2024, 2, 15, 12);

const DIRECTIVES = [
  "max-age=60",
  "max-age=0",
  "max-age",
  'max-age="60"',
  "Max-Age=99999999999",
  "s-maxage=30",
  "no-store",
  "no-cache",
  'no-cache="set-cookie, a"',
  "private",
  'private="x"',
  "public",
  "must-revalidate",
  "proxy-revalidate",
  "must-understand",
  "immutable",
  "stale-while-revalidate=5",
  "stale-if-error=5",
  "only-if-cached",
  "max-stale",
  "min-fresh=5",
  "no-transform",
  'x="a, no-store"',
];
const BETWEEN = [",", ", ", ", ", ";", " ", "=", '"', "\\", ", ,", "\t"];
const DATES = [
  "Sun, 06 Nov 1994 08:49:37 GMT",
  "Sunday, 06-Nov-94 08:49:37 GMT",
  "Sun Nov  6 08:49:37 1994",
  "Fri, 31 Dec 2016 23:59:60 UTC",
  "Thu, 29 Feb 2024 00:00:00 GMT",
  "0",
];
const AGES = ["0", "60", "0,60", "60, 60", "-1", "99999999999", "1.5"];

/** A text that is read as Cache-Control, as a date, as an age and as a list, whole or damaged. */
export function cacheWordInput(random: Random): string {
  const text = random.pick([
    () => random.several(8, () => random.pick(DIRECTIVES) + random.pick(BETWEEN)).join(""),
    () => random.several(8, () => random.pick(DIRECTIVES)).join(", "),
    () => random.pick(DATES),
    () => random.pick(AGES),
  ])();
  return random.once(3) ? text : damaged(random, text, [...DIRECTIVES, ...DATES, ...AGES, ...BETWEEN]);
}

/** Reads the text in each of its meanings. */
export function checkCacheWord(text: string): void {
  const read = readResponseDirectives(text);
  checkDirectives(text, read);
  checkDate(text);
  const age = readAge(text);
  assert(age === null || isSeconds(age), `the age ${age}`);

  const fields = ["Cache-Control", "Expires", "Date", "Age", "Last-Modified"].map((name) =>
    [name, text] as const
  );
  const stored = { status: 200, requestTime: NOON, responseTime: NOON, vary: [], length: 0, range: null };
  for (let first = 0; first < fields.length; first++) {
    const response = { ...stored, fields: fields.slice(first) };
    assert(isSeconds(lifetimeOf(response).seconds), `the lifetime ${lifetimeOf(response).seconds}`);
    assert(isSeconds(ageOf(response, NOON + 1000)), `the age ${ageOf(response, NOON + 1000)}`);
  }
  for (const name of ["accept-language", "x"]) {
    const normal = normalise(name, text);
    assertEquals(normalise(name, normal), normal, "what is normalised stays so");
  }
}

function isSeconds(number: number): boolean {
  return Number.isInteger(number) && number >= 0 && number <= MAX_SECONDS;
}

/** What is said twice, in another order or in addition to something never allows more. */
function checkDirectives(text: string, read: ResponseDirectives): void {
  const asked = readRequestDirectives(text);
  for (const value of [...Object.values(read), ...Object.values(asked)]) {
    assert(typeof value !== "number" || isSeconds(value), `${value} seconds`);
  }
  const capital = text.replace(/[a-z]/g, (letter) => letter.toUpperCase());
  assertEquals(readResponseDirectives(capital), read, "in any case");
  if (hasOpenQuote(text)) {
    assert(read.noStore, "what an open quotation hides may be anything");
    return;
  }
  assertEquals(readResponseDirectives(`${text}, ${text}`), read, "twice is once");
  assertEquals(readRequestDirectives(`${text}, ${text}`), asked, "twice is once");
  const more = readResponseDirectives(`no-store, private, max-age=0, ${text}, no-cache`);
  assertEquals([more.noStore, more.private, more.noCache, more.maxAge], [true, true, true, 0]);
}

/** Whether a quoted string does not end. */
function hasOpenQuote(text: string): boolean {
  return text.replace(/"(?:[^"\\]|\\[^])*"/g, "").includes('"');
}

/** A date is what is written again from it, but for its day, its case and its format. */
function checkDate(text: string): void {
  const time = parseDate(text, NOON);
  if (time === null) return;
  assert(Number.isInteger(time) && time % 1000 === 0, `the time ${time}`);
  assertEquals(parseDate(formatDate(time), NOON), time);
  // of a leap second the clock shows the next one
  const clock = /\d\d:\d\d:\d\d/.exec(text)?.[0];
  if (!clock?.endsWith(":60")) assert(formatDate(time).includes(clock!), formatDate(time));
}
