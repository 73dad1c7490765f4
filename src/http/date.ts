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
