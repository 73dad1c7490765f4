/**
 * A summary of logs as GitHub-flavoured Markdown, for the page of a CI job.
 *
 * Everything that came from the network stands in code spans, in which nothing is markup, less the three characters
 * that end a span or a cell of a table or change what follows them.
 */

import { humanSize } from "../observe/quantities.ts";
import { adviceFor } from "../review/advice.ts";
import { exchangesInWords, period } from "../review/evidence.ts";
import type { RelaySummary } from "../review/relay_summary.ts";
import { allowRules, type OneHost } from "../review/rule_toml.ts";
import type { Summary, Traffic } from "../review/summary.ts";
import type { Tally } from "../review/tally.ts";
import { connectionsInWords, outcomes, pasted, relayOutcomes, restOf } from "./report_words.ts";

const LONGEST_CODE = 200;

/** @param most rows that each table has */
export function reportMarkdown(summary: Summary, relayed: RelaySummary, most: number): string {
  const parts = [
    ...summary.total.count === 0 ? [] : [exchangesMarkdown(summary, most)],
    ...relayed.total.count === 0 ? [] : [relayMarkdown(relayed, most)],
  ];
  return parts.length === 0 ? "### weir: no exchanges\n" : parts.join("\n");
}

function relayMarkdown(relayed: RelaySummary, most: number): string {
  const { total, first, last, targets, clients, errors } = relayed;
  const table = (tally: Tally<Traffic>, word: string) => traffic(tally, word, most, "failed");
  const facts = [period(first, last), ...relayOutcomes(relayed)].map((each) => `- ${each}\n`).join("");
  const more = [table(clients, "client"), ...errors.size > 0 ? [table(errors, "error")] : []].join("\n");
  return `### weir relay: ${connectionsInWords(total.count)}\n\n${facts}` +
    (targets.size > 0 ? `\n${table(targets, "target")}` : "") + `\n${folded("Clients, errors", more)}`;
}

function exchangesMarkdown(summary: Summary, most: number): string {
  const { total, denied } = summary;
  const head = `### weir: ${exchangesInWords(total.count)}, ${denied} denied`;
  const span = period(summary.first, summary.last);
  let text = `${head}\n\n${[span, ...outcomes(summary)].map((each) => `- ${each}\n`).join("")}`;
  if (summary.denials.size > 0) text += `\n${denials(summary, most)}`;
  text += `\n${traffic(summary.hosts, "host", most)}`;
  text += `\n${
    folded(
      "Clients, methods, errors",
      [
        traffic(summary.clients, "client", most),
        traffic(summary.methods, "method", most),
        ...(summary.errors.size > 0 ? [traffic(summary.errors, "error", most)] : []),
      ].join("\n"),
    )
  }`;
  return text;
}

/** A code span that is safe anywhere, also in a table. */
export function codeSpan(text: string): string {
  const short = text.length > LONGEST_CODE ? `${text.slice(0, LONGEST_CODE)}…` : text;
  const safe = short.toWellFormed().replace(/[`|\\\p{C}\p{Zl}\p{Zp}]/gu, (character) => {
    return `<U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}>`;
  }).trim();
  return safe === "" ? "-" : `\`${safe}\``;
}

function denials({ denials, defaultDenies }: Summary, most: number): string {
  const all = denials.sorted(({ count }) => count);
  const rows: string[][] = [];
  const remarks: string[] = [];
  const allowed: OneHost[] = [];
  for (const [, { authority, rule, reason, client, count, reported }] of all.slice(0, most)) {
    const advice = adviceFor(authority, rule, client, defaultDenies);
    const mode = reported === 0
      ? ""
      : reported === count
      ? " (only reported)"
      : ` (${reported} only reported)`;
    const target = codeSpan(authority?.text ?? "");
    rows.push([`${count}${mode}`, target, codeSpan(rule), codeSpan(reason), codeSpan(pasted(advice.flag))]);
    if (advice.remark !== "") remarks.push(`- ${target}: ${advice.remark}\n`);
    if (advice.rule !== null) allowed.push(advice.rule);
  }
  let text = table(["denied", "host", "rule", "reason", "what allows it"], rows);
  text += paragraph(restOf(all.slice(most).map(([, denial]) => denial), denials.rest, "denials"));
  if (remarks.length > 0) text += `\n${remarks.join("")}`;
  if (allowed.length > 0) {
    text += `\n${folded("The same as rules of a file", `\`\`\`toml\n${allowRules(allowed)}\`\`\`\n`)}`;
  }
  return text;
}

function traffic(tally: Tally<Traffic>, word: string, most: number, bad = "denied"): string {
  const all = tally.sorted(({ count }) => count);
  const rows = all.slice(0, most).map(([key, { count, up, down, denied }]) => [
    codeSpan(key),
    `${count}`,
    denied === 0 ? "" : `${denied}`,
    humanSize(up),
    humanSize(down),
  ]);
  return table([word, "count", bad, "up", "down"], rows) +
    paragraph(restOf(all.slice(most).map(([, each]) => each), tally.rest, `${word}s`));
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}

function paragraph(text: string): string {
  return text === "" ? "" : `\n${text}\n`;
}

function folded(title: string, content: string): string {
  return `<details><summary>${title}</summary>\n\n${content}\n</details>\n`;
}
