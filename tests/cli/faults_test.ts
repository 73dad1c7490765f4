import { assertEquals, assertMatch } from "@std/assert";
import { watchForFaults } from "../../src/cli/faults.ts";

Deno.test("an error that nobody handled is reported in one line and counted, and ends nothing", async () => {
  const reports: string[] = [];
  let reported = Promise.withResolvers<void>();
  const unwatch = watchForFaults((message) => {
    reports.push(message);
    reported.resolve();
    reported = Promise.withResolvers();
  });
  try {
    for (
      const fail of [
        () => void Promise.reject(new Error("lost")),
        () => void reportError(new Error("thrown")),
      ]
    ) {
      const { promise } = reported;
      fail();
      await promise;
    }
  } finally {
    unwatch();
  }
  assertEquals(reports.length, 2);
  assertMatch(
    reports[0],
    /^fault 1 of weir itself, please report it: Error: lost at \S.*faults_test\.ts:\d+/,
  );
  assertMatch(reports[1], /^fault 2 of weir itself, please report it: Error: thrown at /);
  assertEquals(reports.join("").includes("\n"), false);
});
