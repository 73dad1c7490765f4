import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { exactMilliseconds, humanDuration, humanSize } from "../../src/observe/quantities.ts";

Deno.test("sizes for people", () => {
  const cases: [number, string][] = [
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 kB"],
    [1256, "1.3 kB"],
    [9940, "9.9 kB"],
    [9960, "10 kB"],
    [999_499, "999 kB"],
    [999_500, "1.0 MB"],
    [1_843_221, "1.8 MB"],
    [5e9, "5.0 GB"],
    [Number.MAX_SAFE_INTEGER, "9.0 PB"],
  ];
  for (const [bytes, expected] of cases) assertEquals(humanSize(bytes), expected);
});

Deno.test("durations for people", () => {
  const cases: [number, string][] = [
    [-1, "-"],
    [0, "0.0 ms"],
    [0.44, "0.4 ms"],
    [9.96, "10 ms"],
    [999.4, "999 ms"],
    [999.5, "1.0 s"],
    [1234, "1.2 s"],
    [59_400, "59 s"],
    [59_500, "1m 00s"],
    [63_000, "1m 03s"],
    [599_500, "10m 00s"],
    [3_599_999, "1h 00m"],
    [7_500_000, "2h 05m"],
    [86_399_000, "23h 59m"],
    [86_400_000 * 3 + 3_600_000 * 4, "3d 04h"],
  ];
  for (const [milliseconds, expected] of cases) assertEquals(humanDuration(milliseconds), expected);
});

Deno.test("no size breaks its column of six characters, no duration its one of seven", () => {
  fc.assert(fc.property(fc.maxSafeNat(), (bytes) => assert(humanSize(bytes).length <= 6, humanSize(bytes))));
  for (const most of [1000, 60_000, 3_600_000, 86_400_000, 99 * 86_400_000]) {
    fc.assert(fc.property(fc.double({ min: 0, max: most, noNaN: true }), (milliseconds) => {
      assert(humanDuration(milliseconds).length <= 7, humanDuration(milliseconds));
    }));
  }
});

Deno.test("exact durations are JSON numbers to the µs", () => {
  assertEquals([0, 0.0004, 0.05, 12.0421, 999.9996, 64_000].map(exactMilliseconds), [
    "0.000",
    "0.000",
    "0.050",
    "12.042",
    "1000.000",
    "64000.000",
  ]);
});
