/** Dates as HTTP writes them (RFC 9110 §5.6.7). */

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function two(number: number): string {
  return number < 10 ? "0" + number : String(number);
}

/** `milliseconds` since the epoch as an IMF-fixdate: `Sun, 06 Nov 1994 08:49:37 GMT`. */
export function formatDate(milliseconds: number): string {
  const date = new Date(milliseconds);
  return `${DAYS[date.getUTCDay()]}, ${two(date.getUTCDate())} ${MONTHS[date.getUTCMonth()]} ` +
    `${String(date.getUTCFullYear()).padStart(4, "0")} ${two(date.getUTCHours())}:` +
    `${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} GMT`;
}

const LONG_DAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const SHORT_DAYS: readonly string[] = DAYS.map((name) => name.toLowerCase());
const SHORT_MONTHS: readonly string[] = MONTHS.map((name) => name.toLowerCase());
/** The longest date there is: `Wednesday, 06-Nov-94 08:49:37 GMT`. */
const LONGEST = 33;

/**
 * Reads a date in one of the three formats of RFC 9110 §5.6.7: the IMF-fixdate, and the obsolete ones of RFC 850
 * and asctime. Letters may be in any case and the zone may be called `UTC` (RFC 9111 §4.2); everything else has
 * to be as it is written there. The name of the day is not held against the date.
 *
 * @param now ms since the epoch, of which a year of two digits is at most 50 years ahead
 * @return ms since the epoch; `null` for what is no date, or none of a year from 100 on
 */
export function parseDate(text: string, now: number): number | null {
  if (text.length < 24 || text.length > LONGEST) return null;
  const lower = text.toLowerCase();
  const comma = lower.indexOf(",");
  if (comma === 3) return readFixdate(lower);
  return comma < 0 ? readAsctime(lower) : readRfc850(lower, comma, now);
}

/** `sun, 06 nov 1994 08:49:37 gmt` */
function readFixdate(text: string): number | null {
  if (text.length !== 29 || !SHORT_DAYS.includes(text.slice(0, 3))) return null;
  if (text[4] !== " " || text[7] !== " " || text[11] !== " " || text[16] !== " " || !inZone(text, 25)) {
    return null;
  }
  return timeOf(digits(text, 12, 4), text.slice(8, 11), digits(text, 5, 2), text, 17);
}

/** `sunday, 06-nov-94 08:49:37 gmt` */
function readRfc850(text: string, comma: number, now: number): number | null {
  const at = comma + 1;
  if (text.length !== at + 23 || !LONG_DAYS.includes(text.slice(0, comma))) return null;
  if (text[at] !== " " || text[at + 3] !== "-" || text[at + 7] !== "-" || text[at + 10] !== " ") return null;
  if (!inZone(text, at + 19)) return null;
  const short = digits(text, at + 8, 2);
  if (short < 0 || !Number.isFinite(now)) return null;
  const thisYear = new Date(now).getUTCFullYear();
  const month = text.slice(at + 4, at + 7);
  const day = digits(text, at + 1, 2);
  let year = thisYear - thisYear % 100 + 100 + short;
  // more than 50 years ahead is a year that has been (RFC 9110 §5.6.7)
  while (year > thisYear + 50) year -= 100;
  const time = timeOf(year, month, day, text, at + 11);
  if (time === null || year < thisYear + 50 || time <= fiftyYearsAfter(now)) return time;
  return timeOf(year - 100, month, day, text, at + 11);
}

function fiftyYearsAfter(now: number): number {
  const date = new Date(now);
  return date.setUTCFullYear(date.getUTCFullYear() + 50);
}

/** `sun nov  6 08:49:37 1994` */
function readAsctime(text: string): number | null {
  if (text.length !== 24 || !SHORT_DAYS.includes(text.slice(0, 3))) return null;
  if (text[3] !== " " || text[7] !== " " || text[10] !== " " || text[19] !== " ") return null;
  const day = text[8] === " " ? digits(text, 9, 1) : digits(text, 8, 2);
  return timeOf(digits(text, 20, 4), text.slice(4, 7), day, text, 11);
}

function inZone(text: string, at: number): boolean {
  return text[at] === " " && (text.startsWith("gmt", at + 1) || text.startsWith("utc", at + 1));
}

/** The number that `count` digits at `at` write; -1 when they are not all digits. */
function digits(text: string, at: number, count: number): number {
  let number = 0;
  for (let i = at; i < at + count; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return -1;
    number = number * 10 + digit;
  }
  return number;
}

/** The time of a day in a month, at `hh:mm:ss` that stands in `text` at `at`. A leap second is the one after. */
function timeOf(year: number, monthName: string, day: number, text: string, at: number): number | null {
  const month = SHORT_MONTHS.indexOf(monthName);
  const hour = digits(text, at, 2);
  const minute = digits(text, at + 3, 2);
  const second = digits(text, at + 6, 2);
  if (text[at + 2] !== ":" || text[at + 5] !== ":") return null;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return null;
  if (year < 100 || month < 0 || day < 1 || day > daysIn(year, month)) return null;
  return Date.UTC(year, month, day, hour, minute, second);
}

function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
}
