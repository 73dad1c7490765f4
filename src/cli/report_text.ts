/** A summary of logs as a terminal shows it. */

import { BOLD, DIM, paint, RED, YELLOW } from "../observe/colors.ts";
import { padLeft, padRight, shown } from "../observe/columns.ts";
import { humanSize } from "../observe/quantities.ts";
import { type Advice, adviceFor } from "../review/advice.ts";
import { exchangesInWords, period } from "../review/evidence.ts";
import type { RelaySummary } from "../review/relay_summary.ts";
import { allowRules, type OneHost } from "../review/rule_toml.ts";
import type { Denial, Summary, Traffic } from "../review/summary.ts";
import type { Tally } from "../review/tally.ts";
import { connectionsInWords, outcomes, pasted, relayOutcomes, restOf } from "./report_words.ts";

const INDENT = " ".repeat(10);
const HOST_WIDTH = 48;
const WORD_WIDTH = 24;
const REASON_WIDTH = 100;

/** @param most rows that each table has */
export function reportText(
  summary: Summary,
  relayed: RelaySummary,
  most: number,
  colors: boolean,
): string {
  const parts = [
    ...summary.total.count === 0 ? [] : [exchangesText(summary, most, colors)],
    ...relayed.total.count === 0 ? [] : [relayText(relayed, most, colors)],
  ];
  return parts.length === 0 ? "no exchanges\n" : parts.join("\n");
}

function relayText(relayed: RelaySummary, most: number, colors: boolean): string {
  const { total, first, last, targets, clients, errors } = relayed;
  const table = (tally: Tally<Traffic>, word: string) =>
    traffic(tally, word, HOST_WIDTH, most, colors, "failed");
  let text = `${paint(colors, BOLD, connectionsInWords(total.count))}, ${period(first, last)}\n`;
  text += relayOutcomes(relayed).map((each) => `  ${each}\n`).join("");
  if (targets.size > 0) text += title("Targets", colors) + table(targets, "target");
  if (clients.size > 0) text += title("Clients", colors) + table(clients, "client");
  if (errors.size > 0) text += title("Errors", colors) + table(errors, "error");
  return text;
}

function exchangesText(summary: Summary, most: number, colors: boolean): string {
  const { total } = summary;
  const span = period(summary.first, summary.last);
  let text = `${paint(colors, BOLD, exchangesInWords(total.count))}, ${span}\n`;
  text += `${outcomes(summary).map((each) => `  ${each}\n`).join("")}`;
  if (summary.denials.size > 0) text += title("Denied", colors) + denials(summary, most, colors);
  text += title("Hosts", colors) + traffic(summary.hosts, "host", HOST_WIDTH, most, colors);
  text += title("Clients", colors) + traffic(summary.clients, "client", HOST_WIDTH, most, colors);
  text += title("Methods", colors) + traffic(summary.methods, "method", WORD_WIDTH, most, colors);
  if (summary.errors.size > 0) {
    text += title("Errors", colors) + traffic(summary.errors, "error", WORD_WIDTH, most, colors);
  }
  return text;
}

function title(text: string, colors: boolean): string {
  return `\n${paint(colors, BOLD, text)}\n`;
}

function denials({ denials, defaultDenies }: Summary, most: number, colors: boolean): string {
  const rows = denials.sorted(({ count }) => count);
  const allowed: OneHost[] = [];
  let text = "";
  for (const [, denial] of rows.slice(0, most)) {
    const advice = adviceFor(denial.authority, denial.rule, denial.client, defaultDenies);
    if (advice.rule !== null) allowed.push(advice.rule);
    text += denialRow(denial, advice, colors);
  }
  text += rest(rows.slice(most).map(([, denial]) => denial), denials.rest, "denials", colors);
  if (allowed.length === 0) return text;
  const lines = allowRules(allowed).trimEnd().split("\n").map((line) => `${INDENT}${line}`.trimEnd());
  return `${text}\n${INDENT}the same as rules of a file:\n\n${lines.join("\n")}\n`;
}

function denialRow(denial: Denial, { flag, remark }: Advice, colors: boolean): string {
  const { authority, rule, count, reported } = denial;
  const host = paint(colors, reported === count ? YELLOW : RED, shown(authority?.text ?? "-", HOST_WIDTH));
  const by = rule === "" ? "" : `  by ${shown(rule, WORD_WIDTH)}`;
  const why = denial.reason === "" || denial.reason === rule ? "" : `: ${shown(denial.reason, REASON_WIDTH)}`;
  const mode = reported === 0 ? "" : reported === count ? ", only reported" : `, ${reported} only reported`;
  const lines = [flag === "" ? "" : `allow it:  ${pasted(flag)}`, remark].filter(Boolean);
  return `${padLeft(`${count}`, 8)}  ${host}${by}${why}${mode}\n` +
    lines.map((line) => `${INDENT}  ${paint(colors, DIM, line)}\n`).join("");
}

function traffic(
  tally: Tally<Traffic>,
  word: string,
  width: number,
  most: number,
  colors: boolean,
  bad = "denied",
): string {
  const rows = tally.sorted(({ count }) => count);
  let text = paint(colors, DIM, `${padLeft("count", 8)} ${padLeft("up", 7)} ${padLeft("down", 7)}  ${word}`) +
    "\n";
  for (const [key, each] of rows.slice(0, most)) {
    const denied = each.denied === 0 ? "" : `  ${paint(colors, YELLOW, `${each.denied} ${bad}`)}`;
    text += `${numbers(each)}  ${
      denied === "" ? shown(key, width) : padRight(shown(key, width), width)
    }${denied}\n`;
  }
  return text + rest(rows.slice(most).map(([, each]) => each), tally.rest, `${word}s`, colors);
}

function numbers({ count, up, down }: Traffic): string {
  return `${padLeft(`${count}`, 8)} ${padLeft(humanSize(up), 7)} ${padLeft(humanSize(down), 7)}`;
}

function rest(
  others: readonly { count: number }[],
  untold: { count: number } | null,
  word: string,
  colors: boolean,
): string {
  const line = restOf(others, untold, word);
  return line === "" ? "" : `${paint(colors, DIM, `${INDENT}${line}`)}\n`;
}
