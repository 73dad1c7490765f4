/** `weir report`: sums logs up, for people and for the page of a CI job. */

import type { Instance } from "../config/config.ts";
import type { CommandLine } from "../config/flags.ts";
import { LogReader } from "../review/log_reader.ts";
import { RelaySummary } from "../review/relay_summary.ts";
import { Summary } from "../review/summary.ts";
import { type Io, wantsColor } from "./io.ts";
import { readLogs, tellPassedOver } from "./logs.ts";

/** Rows that each table has. */
const MOST_ROWS = 20;

/**
 * @returns 0; 1 with `--fail-on-denied` when anything was denied, be it refused or only reported
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
  return options["fail-on-denied"] && summary.denied + relayed.denied > 0 ? 1 : 0;
}
