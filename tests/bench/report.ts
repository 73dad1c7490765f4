/** What was measured, as text: a table for each work, and how its goals stand. */

import type { Column, Goal, Work } from "./works.ts";

/** Figures of every round by peer; a round in which the peer failed is missing. */
export type Rounds = Map<string, (Record<string, number> | undefined)[]>;

export function median(values: number[]): number {
  if (values.length === 0) return NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The ratio of weir to `peer` in each round that both finished. */
export function ratios(rounds: Rounds, peer: string, column: string): number[] {
  const own = rounds.get("weir") ?? [];
  const others = rounds.get(peer) ?? [];
  return own.flatMap((figures, round) => {
    const other = others[round];
    return figures === undefined || other === undefined ? [] : [figures[column] / other[column]];
  });
}

/** The table of one work with its goals, as lines. */
export function report(work: Work, rounds: Rounds): string {
  const first = work.columns[0];
  const header = ["", ...work.columns.map((column) => column.title), "weir's ratio"];
  const rows = [...rounds.keys()].map((peer) => [
    peer + (idled(rounds, peer) ? "*" : ""),
    ...work.columns.map((column) => figure(rounds, peer, column)),
    peer === "weir" ? "" : spread(ratios(rounds, peer, first.key)),
  ]);
  const widths = header.map((_, at) => Math.max(...[header, ...rows].map((row) => row[at].length)));
  const line = (row: string[]) =>
    row.map((cell, at) => at === 0 ? cell.padEnd(widths[at]) : cell.padStart(widths[at])).join("  ")
      .trimEnd();
  const goals = work.goals.flatMap((goal) => judge(work, rounds, goal));
  const spare = [...rounds.keys()].some((peer) => idled(rounds, peer))
    ? [
      "  * did not use up a core: the load, the origin or something else here was the limit; compare CPU instead",
    ]
    : [];
  return ["", work.title, line(header), ...rows.map(line), ...spare, ...goals].join("\n");
}

/** Whether a proxy did not use up one core: it could have done more. */
function idled(rounds: Rounds, peer: string): boolean {
  const busy = (rounds.get(peer) ?? []).flatMap((figures) => figures?.busy ?? []);
  return median(busy) < 0.85;
}

function figure(rounds: Rounds, peer: string, column: Column): string {
  const values = (rounds.get(peer) ?? []).flatMap((figures) => figures?.[column.key] ?? []);
  return values.length === 0 ? "–" : median(values).toFixed(column.digits);
}

/** The median with the least and the greatest: `2.31 (2.25–2.40)`. */
function spread(values: number[]): string {
  if (values.length === 0) return "";
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return `${median(values).toFixed(2)} (${least.toFixed(2)}–${most.toFixed(2)})`;
}

function judge(work: Work, rounds: Rounds, goal: Goal): string[] {
  const column = work.columns.find((column) => column.key === goal.column)!;
  const values = goal.peer !== undefined
    ? ratios(rounds, goal.peer, goal.column)
    : (rounds.get("weir") ?? []).flatMap((figures) => figures?.[goal.column] ?? []);
  if (values.length === 0) return [];
  const bound = goal.atLeast ?? goal.atMost!;
  const reached = goal.atLeast !== undefined ? median(values) >= bound : median(values) <= bound;
  const of = goal.peer !== undefined ? ` × ${goal.peer}'s` : "";
  const word = goal.atLeast !== undefined ? "at least" : "at most";
  return [
    `  ${reached ? "reached" : "MISSED "}  ${column.title} ${word} ${bound}${of}: ${spread(values)}`,
  ];
}
