/** `weir report`: sums logs up, for people and for the page of a CI job. */

import type { Instance } from "../config/config.ts";
import type { CommandLine } from "../config/flags.ts";
import { printable } from "../config/printable.ts";
import { LogReader } from "../review/log_reader.ts";
import { RelaySummary } from "../review/relay_summary.ts";
import { Summary } from "../review/summary.ts";
import { type Io, wantsColor } from "./io.ts";
import { readLogs, tellPassedOver } from "./logs.ts";

/** Rows that each table has. */
const MOST_ROWS = 20;

/**
 * @returns 0; 1 with `--fail-on-denied` when anything was denied, be it refused or only reported, when nothing asked
 * for any host, or when numbers of exchanges are missing
 * @throws {ConfigError} when a log cannot be read
 */
export async function report(line: CommandLine, _instance: Instance, io: Io): Promise<number> {
  const { options } = line;
  const summary = new Summary();
  const relayed = new RelaySummary();
  const reader = new LogReader((connection) => relayed.add(connection));
  for await (const exchanges of readLogs(reader, line, io)) {
    for (const exchange of exchanges) summary.add(exchange);
  }
  if (options.markdown) {
    const { reportMarkdown } = await import("./report_markdown.ts");
    io.out(reportMarkdown(summary, relayed, MOST_ROWS));
  } else {
    const { reportText } = await import("./report_text.ts");
    const color = wantsColor(line.values["log-color"] ?? "auto", "out", io);
    io.out(reportText(summary, relayed, MOST_ROWS, color));
  }
  tellPassedOver(reader, io);
  const fails = options["fail-on-denied"] === true;
  if (reader.missing > 0) io.err(numbersMissing(reader, fails));
  if (!fails) return 0;
  if (reader.missing > 0) return 1;
  if (summary.total.count === summary.withoutTarget && relayed.total.count === 0) {
    io.err(nothingAsked(line.words));
    return 1;
  }
  return summary.denied + relayed.denied > 0 ? 1 : 0;
}

/**
 * What goes past weir leaves no denials, nor does a weir that nobody has started: that is no proof that there were none.
 * Whoever waits for weir to be ready asks for its own page, and for no host.
 */
function nothingAsked(logs: readonly string[]): string {
  const names = logs.map((log) => log === "-" ? "standard input" : printable(log)).join(", ");
  return `weir: ${names}: nothing has asked weir for any host, and so --fail-on-denied fails: who goes past it is not denied\n` +
    "  was it running, is this its access log, and do the job's programs go through it (weir env)?\n";
}

/** A denial may be among what the log lost. */
function numbersMissing({ missing, missingFrom }: LogReader, fails: boolean): string {
  const numbers = missing === 1 ? "1 number is" : `${missing} numbers are`;
  const log = missingFrom === "standard input" ? missingFrom : printable(missingFrom);
  return `weir: ${log}: ${numbers} missing between its lines${
    fails ? ", and so --fail-on-denied fails" : ""
  }\n` +
    "  they belong to exchanges that the log lost, that are still under way, or whose lines were filtered out:\n" +
    "  end weir before the report (SIGTERM), and give it the whole log\n";
}
