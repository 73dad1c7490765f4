/** What a run looks like to people. */

import { EXCEPTIONS } from "./exceptions.ts";
import { type Judged, type Kind, type Outcome, tally } from "./outcome.ts";

const KINDS: Kind[] = ["required", "optimal", "check"];

const WORDS: Record<Outcome, string> = {
  pass: "passed",
  fail: "failed",
  dependency: "depends",
  setup: "set-up",
  retry: "retried",
};

/** How many tests of each kind have passed, by group and in all. */
export function summary(judged: Judged[]): string {
  const groups = [...new Set(judged.map(({ group }) => group))];
  const rows = groups.map((group) => [group.id, ...counts(judged.filter((one) => one.group === group))]);
  return table([["", ...KINDS], ...rows, ["in all", ...counts(judged)]]);
}

/** The same for several caches side by side, in all. */
export function comparison(runs: [name: string, judged: Judged[]][]): string {
  return table([["", ...KINDS], ...runs.map(([name, judged]) => [name, ...counts(judged)])]);
}

/** `121 of 157 required, 52 of 86 optimal`. */
export function inWords(judged: Judged[]): string {
  return (["required", "optimal"] as const).map((kind) => {
    const { passed, all } = tally(judged, kind);
    return `${passed} of ${all} ${kind}`;
  }).join(", ");
}

/** Those that have not passed, with their reasons; and why that is bearable, where it is known of weir. */
export function failures(judged: Judged[], exceptions = EXCEPTIONS): string {
  return judged.filter(({ outcome }) => outcome !== "pass").map(({ test, group, outcome, reason }) =>
    [
      `${WORDS[outcome].padEnd(8)} ${test.kind.padEnd(8)}  ${group.id} / ${test.id}: ${test.name}`,
      `    ${reason}`,
      ...test.id in exceptions ? [`    Accepted: ${exceptions[test.id]}`] : [],
    ].join("\n")
  ).join("\n");
}

function counts(judged: Judged[]): string[] {
  return KINDS.map((kind) => {
    const { passed, all } = tally(judged, kind);
    return all === 0 ? "" : `${passed}/${all}`;
  });
}

function table(rows: string[][]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row.map((cell, column) => column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])).join(
      "  ",
    )
  ).join("\n");
}
