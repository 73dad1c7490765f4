/** `weir test [FILE…]`: runs the cases that a policy brings along, without the network. */

import type { Instance } from "../config/config.ts";
import { UsageError } from "../config/errors.ts";
import type { CommandLine } from "../config/flags.ts";
import { printable } from "../observe/printable.ts";
import { askerInWords, CaseRunner, type Outcome, outcomeInWords } from "../policy/cases.ts";
import { BOLD, DIM, GREEN, paint, RED } from "../observe/colors.ts";
import { type Io, wantsColor } from "./io.ts";
import { loadPolicy } from "./load.ts";

/** How a case is written, for those who have none yet. */
const SAMPLE = `[[test]]
url = "https://example.com/"
expect = "deny"
`;

/**
 * Prints what fails, and how many there are.
 *
 * @returns 0 when all pass, 1 when one fails
 * @throws {ConfigError} for a file that is wrong
 */
export async function test(line: CommandLine, _instance: Instance, io: Io): Promise<number> {
  const files = line.words.length > 0 ? line.words : line.config === undefined ? [] : [line.config];
  if (files.length === 0) {
    throw new UsageError(["weir test needs the file of a policy: weir test weir.toml"]);
  }
  const color = wantsColor(line.values["log-color"] ?? "auto", "out", io);
  let failed = false;
  for (const file of files) {
    const { spec, lists, routes, cases: tests, warnings } = await loadPolicy({ ...line, config: file }, io);
    for (const warning of warnings) io.err(`weir: ${warning}\n`);
    const name = file === "-" ? "standard input" : file;
    if (tests.length === 0) {
      io.out(
        `${name} has no tests. A case is written so, and any number of them may stand in it:\n\n${SAMPLE}`,
      );
      continue;
    }
    const runner = new CaseRunner(spec, lists, routes);
    const failures = tests.map((each) => runner.run(each)).filter(({ passed }) => !passed);
    for (const failure of failures) io.out(failureText(failure, color));
    io.out(summary(name, tests.length, failures.length, color));
    failed ||= failures.length > 0;
  }
  return failed ? 1 : 0;
}

function failureText({ test, got, rule, via, reason }: Outcome, color: boolean): string {
  const row = (name: string, text: string) =>
    `  ${paint(color, DIM, name.padEnd(10))}${printable(text, 500)}\n`;
  const place = test.line === 0 ? test.file : `${test.file}:${test.line}`;
  return `${paint(color, RED, "✗")} ${paint(color, BOLD, printable(test.url, 200))}  ${
    paint(color, DIM, place)
  }\n` +
    row("asked by", askerInWords(test)) +
    row("expected", outcomeInWords(test.expect, test.rule, test.via)) +
    row("got", outcomeInWords(got, rule, test.via === null ? null : via)) +
    row("because", reason) +
    "\n";
}

function summary(file: string, count: number, failed: number, color: boolean): string {
  const all = count === 1 ? "1 test" : `${count} tests`;
  if (failed === 0) return `${paint(color, GREEN, "✓")} ${file}: ${all} passed\n`;
  return `${paint(color, RED, "✗")} ${file}: ${failed} of ${all} failed\n`;
}
