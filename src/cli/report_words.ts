/** Parts of a summary of logs that are worded the same in every form. */

import { humanDuration, humanSize } from "../observe/quantities.ts";
import { exchangesInWords } from "../review/evidence.ts";
import type { Durations } from "../review/durations.ts";
import type { RelaySummary } from "../review/relay_summary.ts";
import type { Summary } from "../review/summary.ts";
import { shellWord } from "../programs/shell_word.ts";

/** A flag and its value as they are pasted into a shell; nothing where there is no flag. */
export function pasted(flag: string): string {
  if (flag === "") return "";
  return flag.split(" ").map(shellWord).join(" ");
}

/** What became of the exchanges, a line each. */
export function outcomes(summary: Summary): string[] {
  const { allowed, refused, reported, challenged, undecided, withoutTarget, total, statuses } = summary;
  const verdicts = [
    `${allowed} allowed`,
    `${refused} denied`,
    some(reported, "would have been denied"),
    some(challenged, "asked for credentials"),
    some(undecided, "without a decision"),
    some(withoutTarget, "without a target"),
  ];
  const classes = statuses.map((count, first) =>
    some(count, first === 0 ? "without an answer" : `${first}xx`)
  );
  return [
    verdicts.filter(Boolean).join(", "),
    [...classes.slice(1), classes[0]].filter(Boolean).join(", "),
    `${humanSize(total.up)} up, ${humanSize(total.down)} down`,
    durations(summary, "requests"),
  ].filter(Boolean);
}

/** What became of the connections of a relay, a line each. */
export function relayOutcomes(relayed: RelaySummary): string[] {
  const { connected, unreached, denied, cut, passedOn, total } = relayed;
  const ends = [
    `${connected} connected`,
    some(unreached, "reached no target"),
    some(denied, "denied"),
    some(cut, "cut short"),
    some(passedOn, "passed on from a target that could not be reached"),
  ];
  return [
    ends.filter(Boolean).join(", "),
    `${humanSize(total.up)} up, ${humanSize(total.down)} down`,
    durations(relayed, "connections"),
  ].filter(Boolean);
}

/** `1 connection`, `2 connections`. */
export function connectionsInWords(count: number): string {
  return `${count} relayed ${count === 1 ? "connection" : "connections"}`;
}

function some(count: number, what: string): string {
  return count === 0 ? "" : `${count} ${what}`;
}

function durations({ durations }: { readonly durations: Durations }, what: string): string {
  if (durations.count === 0) return "";
  const [half, most] = [humanDuration(durations.quantile(0.5)), humanDuration(durations.quantile(0.95))];
  const longest = humanDuration(durations.longest);
  return `${what} took ${half} (half of them at most), ${most} (19 of 20), ${longest} (all)`;
}

/**
 * What a table leaves out, in words; `""` when it is nothing.
 *
 * @param others entries below its last row
 * @param untold those that were counted together, since there were too many to tell apart
 */
export function restOf(
  others: readonly { count: number }[],
  untold: { count: number } | null,
  word: string,
): string {
  const parts: string[] = [];
  if (others.length > 0) {
    parts.push(`${others.length} more ${word} with ${exchangesInWords(sum(others))}`);
  }
  if (untold !== null) {
    parts.push(
      `${exchangesInWords(untold.count)} of still others: there are too many ${word} to tell them apart`,
    );
  }
  return parts.length === 0 ? "" : `and ${parts.join(", and ")}`;
}

function sum(entries: readonly { count: number }[]): number {
  return entries.reduce((total, { count }) => total + count, 0);
}
