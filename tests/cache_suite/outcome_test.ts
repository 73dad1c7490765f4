import { assertEquals, assertThrows } from "@std/assert";
import { type Group, judge, type Result, tally, type Test } from "./outcome.ts";

const groups: Group[] = [
  {
    id: "parse",
    name: "Parsing",
    tests: [test("quoted", "check"), test("quoted-all", "required", ["quoted"])],
  },
  {
    id: "stale",
    name: "Staleness",
    tests: [test("again", "optimal", ["quoted-all"]), test("other", "required")],
  },
];

Deno.test("a test passes only if all that it depends on have passed, however far back", () => {
  assertEquals(outcomes({ quoted: true, "quoted-all": true, again: true, other: true }), {
    quoted: "pass",
    "quoted-all": "pass",
    again: "pass",
    other: "pass",
  });
  assertEquals(outcomes({ quoted: ["Assertion", "no"], "quoted-all": true, again: true, other: true }), {
    quoted: "fail",
    "quoted-all": "dependency",
    again: "dependency",
    other: "pass",
  });
});

Deno.test("what went wrong besides the test is told from what was tested", () => {
  const results: Record<string, Result> = {
    quoted: ["Setup", "Response 1 status is 503, not 200"],
    "quoted-all": true,
    again: true,
    other: ["Setup", "retry"],
  };
  assertEquals(outcomes(results).quoted, "setup");
  assertEquals(outcomes(results).other, "retry");
  assertEquals(outcomes({ ...results, other: ["FetchError", "network timeout"] }).other, "fail");
});

Deno.test("a test says why it has not passed, and one that depends says on what", () => {
  const judged = judge(groups, {
    quoted: ["Assertion", "Response 2 does not come from cache"],
    "quoted-all": true,
    again: true,
    other: ["FetchError", "network timeout"],
  });
  assertEquals(judged.map(({ reason }) => reason), [
    "Response 2 does not come from cache",
    "quoted has not passed.",
    "quoted-all has not passed.",
    "FetchError: network timeout",
  ]);
});

Deno.test("tests that did not run are not judged, but those that others depend on have to", () => {
  assertEquals(judge(groups, { other: true }).map(({ test }) => test.id), ["other"]);
  assertThrows(() => judge(groups, { "quoted-all": true }), Error, "Nothing came of the test quoted.");
  const lost = [{ id: "lost", name: "", tests: [test("one", "required", ["nobody"])] }];
  assertThrows(() => judge(lost, { one: true }), Error, "There is no test nobody.");
});

Deno.test("a tally counts one kind alone, and dependency as not passed", () => {
  const judged = judge(groups, {
    quoted: ["Assertion", "no"],
    "quoted-all": true,
    again: true,
    other: true,
  });
  assertEquals(tally(judged, "required"), { passed: 1, all: 2 });
  assertEquals(tally(judged, "optimal"), { passed: 0, all: 1 });
  assertEquals(tally(judged, "check"), { passed: 0, all: 1 });
});

function test(id: string, kind: Test["kind"], dependsOn: string[] = []): Test {
  return { id, name: `The test ${id}`, kind, dependsOn };
}

function outcomes(results: Record<string, Result>): Record<string, string> {
  return Object.fromEntries(judge(groups, results).map(({ test, outcome }) => [test.id, outcome]));
}
