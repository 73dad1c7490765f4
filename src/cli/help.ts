/** What `--help` prints, 80 columns wide, from the table of options. */

import type { Option } from "../config/option.ts";
import { GROUPS, OPTIONS } from "../config/options.ts";
import { defaultInWords, describe, usageOf } from "../config/words.ts";
import { BOLD, DIM, paint } from "../observe/colors.ts";
import { VERSION } from "./version.ts";

const WIDTH = 80;
const COLUMN = 34;

export function helpText(color: boolean): string {
  const title = (text: string, note = "") => {
    const padding = note === "" ? "" : " ".repeat(COLUMN - text.length);
    return `\n${paint(color, BOLD, text)}${padding}${paint(color, DIM, note)}\n`;
  };
  let text = `${paint(color, BOLD, `weir ${VERSION}`)}, an HTTP forward proxy\n`;
  text += title("Usage");
  text += "  weir [serve] [options]\n";
  text += title("Examples");
  text += row("weir", "Listen on 127.0.0.1:8888");
  text += row("weir -l 3128 --log-format json", "On port 3128, with a log for programs");
  text += row("weir --check > weir.toml", "Write a file with all options");
  text += row("weir -c weir.toml", "Run by that file");
  for (const group of GROUPS) {
    text += title(group.title, group.section === "" ? "" : `[${group.section}] in the file`);
    for (const option of OPTIONS as readonly Option[]) {
      if (option.group === group.title) text += row(flagsOf(option), meaningOf(option));
    }
  }
  text += title("Values");
  text += row("SIZE", "Bytes, or 64k, 256m, 1g, 1t");
  text += row("TIME", "500ms, 10s, 5m, 1h");
  text += title("Signals");
  text += row(
    "SIGINT (Ctrl-C), SIGTERM",
    "Finish what is in flight within --grace and exit; a second one exits at once",
  );
  text += row("SIGHUP", "Read the file of --config again; if it is wrong, nothing changes");
  text += title("Exit status");
  text += row("0", "Done");
  text += row("1", "Failed while running: a busy port, say");
  text += row("2", "The command line is wrong");
  text += row("3", "The configuration is wrong");
  text += row("130, 143", "Ended at once by a second SIGINT or SIGTERM");
  return text;
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
