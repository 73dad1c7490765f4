/** `weir report`: sums logs up, for people and for the page of a CI job. */

import type { Instance } from "../config/config.ts";
import type { CommandLine } from "../config/flags.ts";
import { LogReader } from "../review/log_reader.ts";
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
  const reader = new LogReader();
  const summary = new Summary();
  for await (const exchanges of readLogs(reader, line, io)) {
    for (const exchange of exchanges) summary.add(exchange);
  }
  if (options.markdown) {
    const { reportMarkdown } = await import("./report_markdown.ts");
    io.out(reportMarkdown(summary, MOST_ROWS));
  } else {
    const { reportText } = await import("./report_text.ts");
    io.out(reportText(summary, MOST_ROWS, wantsColor(line.values["log-color"] ?? "auto", "out", io)));
  }
  tellPassedOver(reader, io);
  return options["fail-on-denied"] && summary.denied > 0 ? 1 : 0;
}
