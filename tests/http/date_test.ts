import { assertEquals } from "@std/assert";
import { formatDate } from "../../src/http/date.ts";

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
