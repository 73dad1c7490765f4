import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { WrongValue } from "../../src/config/errors.ts";
import { formatDuration, formatSize, parseDuration, parseSize } from "../../src/config/quantity.ts";

Deno.test("a size is bytes, or a number with k, m, g or t of 1024 each", () => {
  assertEquals(parseSize("0"), 0);
  assertEquals(parseSize("8192"), 8192);
  assertEquals(parseSize("64k"), 65_536);
  assertEquals(parseSize("256M"), 268_435_456);
  assertEquals(parseSize("1g"), 2 ** 30);
  assertEquals(parseSize("2t"), 2 ** 41);
});

Deno.test("what is no size is refused with examples of what is", () => {
  for (const text of ["", "k", "64kb", "64 k", "-1", "+1", "1.5m", "1e3", "0x10", "NaN", "Infinity", "٣k"]) {
    assertThrows(() => parseSize(text), WrongValue, "must be a size such as 64k, 256m, 1g or plain bytes");
  }
});

Deno.test("a time is a whole number with ms, s, m or h", () => {
  assertEquals(parseDuration("500ms"), 500);
  assertEquals(parseDuration("0s"), 0);
  assertEquals(parseDuration("10s"), 10_000);
  assertEquals(parseDuration("5m"), 300_000);
  assertEquals(parseDuration("1h"), 3_600_000);
});

Deno.test("a time without its unit is refused, and the message writes the units behind it", () => {
  assertThrows(() => parseDuration("10"), WrongValue, "10 needs a unit: write 10ms, 10s, 10m or 10h");
});

Deno.test("what is no time is refused with examples of what is", () => {
  for (const text of ["", "s", "10 s", "-1s", "1.5s", "10S", "1d", "1h30m", "1e3s", "9".repeat(400)]) {
    assertThrows(() => parseDuration(text), WrongValue, "must be a time such as 500ms, 10s, 5m or 1h");
  }
});

Deno.test("what is formatted reads back the same, in the largest unit that fits", () => {
  assertEquals(formatSize(65_536), "64k");
  assertEquals(formatSize(65_537), "65537");
  assertEquals(formatSize(0), "0");
  assertEquals(formatDuration(300_000), "5m");
  assertEquals(formatDuration(90_000), "90s");
  assertEquals(formatDuration(0), "0s");
  fc.assert(fc.property(fc.nat(2 ** 31 - 1), (amount) => {
    assertEquals(parseSize(formatSize(amount)), amount);
    assertEquals(parseDuration(formatDuration(amount)), amount);
  }));
});
