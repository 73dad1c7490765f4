/** What `--help` prints, 80 columns wide, from the tables of commands and options. */

import {
  type Command,
  type CommandName,
  commandOf,
  COMMANDS,
  DEFAULT_COMMAND,
  usageOfCommand,
} from "../config/commands.ts";
import type { Instance } from "../config/config.ts";
import { UsageError } from "../config/errors.ts";
import type { CommandLine } from "../config/flags.ts";
import { didYouMean } from "../config/nearest.ts";
import { type Group, isFor, type Option } from "../config/option.ts";
import { GROUPS, OPTIONS, OWN_GROUP } from "../config/options.ts";
import { printable } from "../config/printable.ts";
import { defaultInWords, describe, usageOf } from "../config/words.ts";
import { BOLD, DIM, paint } from "../observe/colors.ts";
import { type Io, wantsColor } from "./io.ts";
import { VERSION } from "./version.ts";

const WIDTH = 80;
const COLUMN = 34;

/** `weir help [COMMAND]`. */
export function help(line: CommandLine, _instance: Instance, io: Io): Promise<number> {
  const [name = DEFAULT_COMMAND] = line.words;
  const command = commandOf(name);
  if (command === undefined) {
    const meant = didYouMean(name, COMMANDS.map((each) => each.name));
    throw new UsageError([`there is no command ${printable(name)}${meant}`]);
  }
  io.out(helpText(command.name, wantsColor(line.values["log-color"] ?? "auto", "out", io)));
  return Promise.resolve(0);
}

/** Help of one command; that of the default one tells of all. */
export function helpText(name: CommandName, color: boolean): string {
  const command: Command = commandOf(name)!;
  const title = (text: string, note = "") => {
    const padding = note === "" ? "" : " ".repeat(COLUMN - text.length);
    return `\n${paint(color, BOLD, text)}${padding}${paint(color, DIM, note)}\n`;
  };
  const isDefault = name === DEFAULT_COMMAND;
  let text = isDefault
    ? `${paint(color, BOLD, `weir ${VERSION}`)}, an HTTP forward proxy\n`
    : `${paint(color, BOLD, `weir ${name}`)}: ${command.help}\n`;
  text += title("Usage");
  text += isDefault ? "  weir [serve] [options]\n" : `  ${usageOfCommand(command)} [options]\n`;
  if (isDefault) {
    text += title("Commands", "weir help COMMAND tells more");
    for (const each of COMMANDS) text += row(`${each.name} ${each.words}`.trimEnd(), each.help);
  }
  text += title("Examples");
  for (const [line, help] of command.examples) text += row(line, help);
  const types = new Set<string>();
  const readsFile = (OPTIONS as readonly Option[]).some((option) =>
    option.flag === "config" && isFor(option, name)
  );
  const groups = isDefault ? GROUPS : [...GROUPS.filter(isOwn), ...GROUPS.filter((group) => !isOwn(group))];
  for (const group of groups) {
    const options = (OPTIONS as readonly Option[]).filter((option) =>
      option.group === group.title && isFor(option, name)
    );
    if (options.length === 0) continue;
    const note = group.section === "" || !readsFile ? "" : `[${group.section}] in the file`;
    text += title(isOwn(group) ? "Options" : group.title, note);
    for (const option of options) {
      types.add(option.type);
      text += row(flagsOf(option), meaningOf(option));
    }
  }
  if (types.has("size") || types.has("duration")) text += title("Values");
  if (types.has("size")) text += row("SIZE", "Bytes, or 64k, 256m, 1g, 1t");
  if (types.has("duration")) text += row("TIME", "500ms, 10s, 5m, 1h");
  if (isDefault) {
    text += title("Signals");
    text += row(
      "SIGINT (Ctrl-C), SIGTERM",
      "Finish what is in flight within --grace and exit; a second one exits at once",
    );
    text += row("SIGHUP", "Read the file of --config again; if it is wrong, nothing changes");
  }
  text += title("Exit status");
  text += row("0", command.exit?.[0] ?? "Done");
  text += row("1", command.exit?.[1] ?? "Failed");
  text += row("2", "The command line is wrong");
  text += row("3", "The configuration is wrong");
  if (command.exit?.[4] !== undefined) text += row("4", command.exit[4]);
  if (command.exit?.[5] !== undefined) text += row("5", command.exit[5]);
  if (isDefault) text += row("130, 143", "Ended at once by a second SIGINT or SIGTERM");
  return text;
}

/** Whether a group is of flags that single commands alone take. */
function isOwn({ title }: Group): boolean {
  return title === OWN_GROUP;
}

function flagsOf(option: Option): string {
  return `${option.short === undefined ? "    " : `-${option.short}, `}${usageOf(option)}`;
}

function meaningOf(option: Option): string {
  const byDefault = defaultInWords(option);
  return byDefault === "" ? describe(option) : `${describe(option)} (${byDefault})`;
}

/** Two columns; a first one that is too wide has a line to itself. */
function row(left: string, right: string): string {
  const lines = wrap(right, WIDTH - COLUMN);
  const first = `  ${left}`;
  const head = first.length < COLUMN - 1 ? first.padEnd(COLUMN) + lines.shift() : first;
  return [head, ...lines.map((line) => " ".repeat(COLUMN) + line)].join("\n") + "\n";
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? word : ` ${word}`;
  }
  lines.push(line);
  return lines;
}
