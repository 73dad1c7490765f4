import { assertEquals } from "@std/assert";
import { progressText } from "../../src/get/progress.ts";

Deno.test("a bar tells how far it is, how fast, and how long it will take", () => {
  assertEquals(
    progressText(5_000_000, 10_000_000, 2000),
    " 50 %  ████████████░░░░░░░░░░░░  5.0 MB of 10 MB  2.5 MB/s  2.0 s left",
  );
  assertEquals(progressText(10, 10, 1000), "100 %  ████████████████████████  10 B of 10 B  10 B/s");
});

Deno.test("without a length there is no bar, and no division by nothing", () => {
  assertEquals(progressText(1000, null, 500), "1.0 kB  2.0 kB/s");
  assertEquals(progressText(0, 0, 0), "0 B  0 B/s");
  assertEquals(progressText(0, 10, 0), "  0 %  ░░░░░░░░░░░░░░░░░░░░░░░░  0 B of 10 B  0 B/s");
});
