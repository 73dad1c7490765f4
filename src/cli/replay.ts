/** `weir replay`: which exchanges of a log another policy would judge otherwise. */

import type { Instance } from "../config/config.ts";
import { UsageError } from "../config/errors.ts";
import type { CommandLine } from "../config/flags.ts";
import { BOLD, DIM, GREEN, paint, RED } from "../observe/colors.ts";
import { padLeft, padRight, shown } from "../observe/columns.ts";
import { exchangesInWords } from "../review/evidence.ts";
import { LogReader } from "../review/log_reader.ts";
import { type Change, Replay } from "../review/replay.ts";
import { type Io, wantsColor } from "./io.ts";
import { loadPolicy } from "./load.ts";
import { readLogs, tellPassedOver } from "./logs.ts";
import { restOf } from "./report_words.ts";

/** Changes of each kind that are printed. */
const MOST_ROWS = 50;
const TARGET_WIDTH = 40;
const RULE_WIDTH = 40;
const REASON_WIDTH = 80;
const EXAMPLE_WIDTH = 120;

/**
 * @returns 0 when all that could be judged is judged as it was, and goes the way that it went, else 1
 * @throws {ConfigError} when the policy or a log cannot be read
 */
export async function replay(line: CommandLine, _instance: Instance, io: Io): Promise<number> {
  if (line.config === undefined && line.rules.length === 0 && Object.keys(line.values).length === 0) {
    throw new UsageError(["weir replay needs a policy: weir replay LOG… --config NEW"]);
  }
  if (line.config === "-" && line.words.includes("-")) {
    throw new UsageError(["standard input is either the policy or a log"]);
  }
  const { policy, routes, warnings, files } = await loadPolicy(line, io);
  io.err(warnings.map((warning) => `weir: ${warning}\n`).join(""));
  const reader = new LogReader();
  const replayed = new Replay(policy, routes);
  for await (const exchanges of readLogs(reader, line, io, files)) {
    for (const exchange of exchanges) replayed.add(exchange);
  }
  io.out(replayText(replayed, wantsColor(line.values["log-color"] ?? "auto", "out", io)));
  tellPassedOver(reader, io);
  if (policy.reportsOnly && replayed.differing > 0) {
    io.err('weir: nothing of this would be refused: mode is "report"\n');
  }
  return replayed.differing === 0 && replayed.rerouted === 0 ? 0 : 1;
}

function replayText(replay: Replay, colors: boolean): string {
  const { exchanges, same, differing, byAnotherRule, rerouted, unjudged } = replay;
  const others = byAnotherRule === 0 ? "" : ` (${byAnotherRule} of them by another rule)`;
  const detours = rerouted === 0 ? "" : paint(colors, RED, `, ${rerouted} by another way`);
  let text = `${paint(colors, BOLD, exchangesInWords(exchanges))}: ${same} judged as before${others}, ` +
    `${paint(colors, differing === 0 ? GREEN : RED, `${differing} otherwise`)}${detours}\n`;
  for (const [reason, { count }] of unjudged.sorted(({ count }) => count)) {
    text += `${padLeft(`${count}`, 8)}  not judged: ${reason}\n`;
  }
  const all = replay.changes.sorted(({ count }) => count).map(([, change]) => change);
  for (const kind of new Set(all.map(kindOf))) {
    const changes = all.filter((change) => kindOf(change) === kind);
    text += `\n${paint(colors, BOLD, kind)}\n`;
    for (const change of changes.slice(0, MOST_ROWS)) text += row(change, colors);
    const rest = restOf(changes.slice(MOST_ROWS), null, "changes");
    if (rest !== "") text += `          ${rest}\n`;
  }
  const untold = restOf([], replay.changes.rest, "changes");
  if (untold !== "") text += `\n${untold}\n`;
  return rerouted === 0 ? text : text + detoursText(replay, colors);
}

function detoursText({ detours }: Replay, colors: boolean): string {
  const all = detours.sorted(({ count }) => count).map(([, detour]) => detour);
  let text = `\n${paint(colors, BOLD, "by another way")}\n`;
  for (const { count, target, before, after } of all.slice(0, MOST_ROWS)) {
    const ways = `via ${shown(before, RULE_WIDTH)}, now ${shown(after.join(", "), RULE_WIDTH)}`;
    text += `${padLeft(`${count}`, 8)}  ${padRight(shown(target, TARGET_WIDTH), TARGET_WIDTH)}  ${ways}\n`;
  }
  const rest = restOf(all.slice(MOST_ROWS), detours.rest, "ways");
  return rest === "" ? text : `${text}          ${rest}\n`;
}

function kindOf({ before, after }: Change): string {
  return `${before}, now ${after}`;
}

function row({ count, target, ruleBefore, ruleAfter, reason, example }: Change, colors: boolean): string {
  const host = padRight(shown(target, TARGET_WIDTH), TARGET_WIDTH);
  const before = ruleBefore === "" ? "" : `${shown(ruleBefore, RULE_WIDTH)}, now `;
  const why = reason === "" || reason === ruleAfter ? "" : `: ${shown(reason, REASON_WIDTH)}`;
  return `${padLeft(`${count}`, 8)}  ${host}  by ${before}${shown(ruleAfter, RULE_WIDTH)}${why}\n` +
    `${" ".repeat(10)}${paint(colors, DIM, shown(example, EXAMPLE_WIDTH))}\n`;
}
