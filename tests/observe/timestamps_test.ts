import { assertEquals } from "@std/assert";
import { clockTime, commonTime, commonTimeAt, epochTime, isoTime } from "../../src/observe/timestamps.ts";

const TIME = Date.UTC(2026, 10, 1, 5, 9, 1, 42);

Deno.test("isoTime is what Date writes, in the same second and in another", () => {
  for (const time of [TIME, TIME + 1, TIME + 957, TIME + 958, TIME - 60_000, 0, TIME]) {
    assertEquals(isoTime(time), new Date(time).toISOString());
  }
  assertEquals(isoTime(TIME + 0.9), "2026-11-01T05:09:01.042Z");
});

Deno.test("commonTimeAt writes Apache's form in any zone", () => {
  assertEquals(commonTimeAt(TIME, 0), "01/Nov/2026:05:09:01 +0000");
  assertEquals(commonTimeAt(TIME, 60), "01/Nov/2026:06:09:01 +0100");
  assertEquals(commonTimeAt(TIME, -9 * 60 - 30), "31/Oct/2026:19:39:01 -0930");
  assertEquals(commonTimeAt(TIME, 14 * 60), "01/Nov/2026:19:09:01 +1400");
});

Deno.test("commonTime and clockTime are in the zone of this machine", () => {
  for (const time of [TIME, TIME + 999, TIME + 1000, TIME + 86_400_000]) {
    const offset = -new Date(time).getTimezoneOffset();
    assertEquals(commonTime(time), commonTimeAt(time, offset));
    assertEquals(clockTime(time), commonTimeAt(time, offset).slice(12, 20));
  }
});

Deno.test("epochTime has seconds and three digits", () => {
  assertEquals(epochTime(1_795_240_825_105), "1795240825.105");
  assertEquals(epochTime(1_795_240_825_005.7), "1795240825.005");
  assertEquals(epochTime(1_795_240_826_000), "1795240826.000");
});
