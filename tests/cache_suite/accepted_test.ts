import { assertEquals } from "@std/assert";
import { type Accepted, compare, toAccepted } from "./accepted.ts";
import type { Group, Judged, Kind, Outcome } from "./outcome.ts";

const group: Group = { id: "stale", name: "Staleness", tests: [] };
const outcomes: Record<string, Record<string, Outcome>> = {
  stale: { a: "pass", b: "fail", c: "pass", d: "fail" },
};
const accepted: Accepted = {
  edition: "1",
  summary: "",
  results: { required: outcomes, optimal: outcomes, check: outcomes },
};

Deno.test("a required or optimal test that had passed and has not is worse, whatever it is now", () => {
  for (const outcome of ["fail", "dependency", "setup", "retry"] as const) {
    for (const kind of ["required", "optimal"] as const) {
      assertEquals(ids(compare(accepted, [one("a", kind, outcome)]).worse), ["a"]);
    }
  }
  assertEquals(compare(accepted, [one("a", "required", "pass")]).worse, []);
  assertEquals(compare(accepted, [one("b", "optimal", "setup")]).worse, []);
});

Deno.test("one that passes now is better", () => {
  const { worse, better, changed } = compare(accepted, [
    one("b", "optimal", "pass"),
    one("a", "optimal", "pass"),
  ]);
  assertEquals([ids(worse), ids(better), ids(changed)], [[], ["b"], []]);
});

Deno.test("a check is neither better nor worse, but told of when its answer changes", () => {
  const { worse, better, changed } = compare(accepted, [
    one("c", "check", "fail"),
    one("d", "check", "pass"),
    one("a", "check", "pass"),
  ]);
  assertEquals([ids(worse), ids(better), ids(changed)], [[], [], ["c", "d"]]);
});

Deno.test("a test that the accepted run does not know has to pass", () => {
  assertEquals(ids(compare(accepted, [one("new", "required", "fail")]).worse), ["new"]);
  assertEquals(ids(compare(accepted, [one("new", "required", "pass")]).better), ["new"]);
});

Deno.test("a run that is accepted has nothing worse, better or changed in it", () => {
  const judged = [one("a", "required", "fail"), one("b", "check", "pass"), one("c", "optimal", "pass")];
  const { worse, better, changed } = compare(toAccepted("1", judged), judged);
  assertEquals([worse, better, changed], [[], [], []]);
});

function one(id: string, kind: Kind, outcome: Outcome): Judged {
  return { group, test: { id, name: `The test ${id}`, kind, dependsOn: [] }, outcome, reason: "" };
}

function ids(judged: Judged[]): string[] {
  return judged.map(({ test }) => test.id);
}
