/** What came of the tests of the suite, judged as its own pages do. */

/** The edition of `http-cache-tests` that is run. */
export const EDITION = "0.4.5";

/** What the suite thinks of a test: a rule of the RFC, a chance to answer from the store, or a question. */
export type Kind = "required" | "optimal" | "check";

export interface Test {
  id: string;
  name: string;
  kind: Kind;
  /** Tests without which this one says nothing. */
  dependsOn: string[];
}

export interface Group {
  id: string;
  name: string;
  tests: Test[];
}

/** What the suite's client writes down for a test: `true`, or the name of the error and its message. */
export type Result = true | [name: string, message?: string];

/**
 * `pass` for a check means yes, `fail` no. `dependency`: a test that this one depends on has not passed.
 * `setup`: something other than what is tested went wrong. `retry`: the cache asked the origin twice.
 */
export type Outcome = "pass" | "fail" | "dependency" | "setup" | "retry";

export interface Judged {
  test: Test;
  group: Group;
  outcome: Outcome;
  /** Why it has not passed; `""` when it has. */
  reason: string;
}

/**
 * Judges every test of `groups` that ran. Throws when one that others depend on is not in `groups`, and when
 * nothing came of it.
 */
export function judge(groups: Group[], results: Record<string, Result>): Judged[] {
  const tests = new Map(groups.flatMap((group) => group.tests).map((test) => [test.id, test]));
  const passed = (id: string): boolean => {
    const test = tests.get(id);
    if (test === undefined) throw new Error(`There is no test ${id}.`);
    if (results[id] === undefined) throw new Error(`Nothing came of the test ${id}.`);
    return results[id] === true && test.dependsOn.every(passed);
  };
  return groups.flatMap((group) =>
    group.tests.filter(({ id }) => id in results).map((test) => {
      const missing = test.dependsOn.find((id) => !passed(id));
      const outcome = missing === undefined ? ownOutcome(results[test.id]) : "dependency";
      const reason = missing === undefined ? reasonOf(results[test.id]) : `${missing} has not passed.`;
      return { test, group, outcome, reason };
    })
  );
}

function ownOutcome(result: Result): Outcome {
  if (result === true) return "pass";
  if (result[0] !== "Setup") return "fail";
  return result[1] === "retry" ? "retry" : "setup";
}

function reasonOf(result: Result): string {
  if (result === true) return "";
  const [name, message = ""] = result;
  return name === "Assertion" || name === "Setup" ? message : `${name}: ${message}`;
}

/** How many of `judged` are of `kind`, and how many of these have passed. */
export function tally(judged: Judged[], kind: Kind): { passed: number; all: number } {
  const those = judged.filter(({ test }) => test.kind === kind);
  return { passed: those.filter(({ outcome }) => outcome === "pass").length, all: those.length };
}
