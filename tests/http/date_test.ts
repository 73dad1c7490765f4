import { assertEquals } from "@std/assert";
import { formatDate, parseDate } from "../../src/http/date.ts";

Deno.test("a date is written as an IMF-fixdate (RFC 9110 §5.6.7)", () => {
  assertEquals(formatDate(784111777000), "Sun, 06 Nov 1994 08:49:37 GMT");
  assertEquals(formatDate(784111777999), "Sun, 06 Nov 1994 08:49:37 GMT", "fractions are cut off");
  assertEquals(formatDate(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  assertEquals(formatDate(Date.UTC(2024, 1, 29, 23, 59, 59)), "Thu, 29 Feb 2024 23:59:59 GMT");
});

Deno.test("every day and month has the name that the platform gives it (RFC 9110 §5.6.7)", () => {
  for (let day = 0; day < 800; day++) {
    const time = Date.UTC(2023, 0, 1, 1, 2, 3) + day * 86_400_000 + day * 1000;
    assertEquals(formatDate(time), new Date(time).toUTCString());
    assertEquals(formatDate(time).length, 29);
  }
});

const NOW = Date.UTC(2024, 2, 15, 12);
const EXAMPLE = 784111777000;

Deno.test("a date is read in the three formats that there are (RFC 9110 §5.6.7)", () => {
  assertEquals(parseDate("Sun, 06 Nov 1994 08:49:37 GMT", NOW), EXAMPLE);
  assertEquals(parseDate("Sunday, 06-Nov-94 08:49:37 GMT", NOW), EXAMPLE);
  assertEquals(parseDate("Sun Nov  6 08:49:37 1994", NOW), EXAMPLE);
  assertEquals(parseDate("Wed Nov 16 08:49:37 1994", NOW), EXAMPLE + 10 * 86_400_000);
  assertEquals(parseDate("Wednesday, 16-Nov-94 08:49:37 GMT", NOW), EXAMPLE + 10 * 86_400_000);
  assertEquals(parseDate("Thu, 29 Feb 2024 23:59:59 GMT", NOW), Date.UTC(2024, 1, 29, 23, 59, 59));
  assertEquals(parseDate("Fri, 31 Dec 9999 23:59:59 GMT", NOW), Date.UTC(9999, 11, 31, 23, 59, 59));
});

Deno.test("letters of a date may be in any case, its zone may be UTC, and its day may be called wrongly (RFC 9111 §4.2)", () => {
  assertEquals(parseDate("SUN, 06 nOV 1994 08:49:37 gMT", NOW), EXAMPLE);
  assertEquals(parseDate("Sun, 06 Nov 1994 08:49:37 UTC", NOW), EXAMPLE);
  assertEquals(parseDate("sunday, 06-NOV-94 08:49:37 utc", NOW), EXAMPLE);
  assertEquals(parseDate("Mon, 06 Nov 1994 08:49:37 GMT", NOW), EXAMPLE);
});

Deno.test("a leap second is the second after it (RFC 9110 §5.6.7)", () => {
  assertEquals(parseDate("Sat, 31 Dec 2016 23:59:60 GMT", NOW), Date.UTC(2017, 0, 1));
});

Deno.test("a year of two digits is at most 50 years ahead (RFC 9110 §5.6.7)", () => {
  const year = (text: string, now = NOW) => {
    const time = parseDate(text, now);
    return time === null ? null : new Date(time).getUTCFullYear();
  };
  assertEquals(year("Thursday, 18-Aug-50 02:01:18 GMT"), 2050);
  assertEquals(year("Thursday, 18-Aug-73 02:01:18 GMT"), 2073);
  assertEquals(year("Friday, 15-Mar-74 12:00:00 GMT"), 2074);
  assertEquals(year("Friday, 15-Mar-74 12:00:01 GMT"), 1974);
  assertEquals(year("Friday, 15-Mar-75 12:00:00 GMT"), 1975);
  assertEquals(year("Friday, 15-Mar-99 12:00:00 GMT"), 1999);
  assertEquals(year("Friday, 15-Mar-00 12:00:00 GMT"), 2000);
  assertEquals(year("Friday, 15-Mar-00 12:00:00 GMT", Date.UTC(1994, 0)), 2000);
  assertEquals(year("Friday, 15-Mar-00 12:00:00 GMT", NaN), null);
});

Deno.test("what is no date is none (RFC 9110 §5.6.7)", () => {
  const wrong = [
    "",
    "0",
    "-1",
    "1994-11-06T08:49:37Z",
    "Sun, 06 Nov 1994 08:49:37",
    "Sun, 06 Nov 1994 08:49:37 EST",
    "Sun, 06 Nov 1994 08:49:37 GMT+1",
    "Sun, 06 Nov 1994 08:49:37 +0000",
    "Sun, 6 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 8:49:37 GMT",
    "Sun, 06 Nov 1994 08:49 GMT",
    "Sun, 06  Nov 1994 08:49:37 GMT",
    "Sun 06 Nov 1994 08:49:37 GMT",
    "Sun,06 Nov 1994 08:49:37 GMT",
    "Sun, 06-Nov-1994 08:49:37 GMT",
    "Sun, 06 Nov 94 08:49:37 GMT",
    "Sun, 06 Nov 0099 08:49:37 GMT",
    "Sun, 00 Nov 1994 08:49:37 GMT",
    "Sun, 31 Nov 1994 08:49:37 GMT",
    "Wed, 29 Feb 2023 08:49:37 GMT",
    "Sun, 06 Foo 1994 08:49:37 GMT",
    "Xxx, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 24:00:00 GMT",
    "Sun, 06 Nov 1994 08:60:37 GMT",
    "Sun, 06 Nov 1994 08:49:61 GMT",
    "Sun, 06 Nov 1994 08.49.37 GMT",
    "Sun, 06 Nov 1994 -8:49:37 GMT",
    "Sun, +6 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:37 GMT ",
    "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06-Nov-94 08:49:37 GMT",
    "Sunday, 06 Nov 94 08:49:37 GMT",
    "Sunday, 6-Nov-94 08:49:37 GMT",
    "Sun Nov 6 08:49:37 1994",
    "Sun Nov   6 08:49:37 94",
    "Sun Nov  6 08:49:37 1994 GMT",
    "Sun Nov  0 08:49:37 1994",
  ];
  for (const text of wrong) assertEquals(parseDate(text, NOW), null, text);
});

Deno.test("every date that is written is read back (RFC 9110 §5.6.7)", () => {
  for (let day = 0; day < 40_000; day += 13) {
    const time = Date.UTC(1970, 0, 1, 1, 2, 3) + day * 86_400_000 + day * 1000;
    assertEquals(parseDate(formatDate(time), NOW), time);
  }
});
