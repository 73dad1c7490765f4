import { assertEquals } from "@std/assert";
import { shortNumber, threeDigits } from "../../src/observe/digits.ts";

Deno.test("threeDigits has leading zeros", () => {
  assertEquals([0, 7, 42, 100, 999].map(threeDigits), ["000", "007", "042", "100", "999"]);
});

Deno.test("shortNumber has one decimal below 10 and none above", () => {
  assertEquals([0, 0.04, 0.05, 1, 9.94, 9.96, 12.5, 999].map(shortNumber), [
    "0.0",
    "0.0",
    "0.1",
    "1.0",
    "9.9",
    "10",
    "13",
    "999",
  ]);
});
