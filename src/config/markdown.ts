/** Writes the table of options as README shows it. */

import { DEFAULT_COMMAND } from "./commands.ts";
import { isFor, type Option } from "./option.ts";
import { OPTIONS } from "./options.ts";
import { commandsInWords, defaultInWords, describe, usageOf } from "./words.ts";

/** One Markdown table of all options: flag, key in the file, default, meaning. */
export function optionsMarkdown(): string {
  const rows = OPTIONS.map((option: Option) => [
    `${option.short === undefined ? "" : `\`-${option.short}\`, `}\`${usageOf(option)}\``,
    option.key === undefined ? "" : `\`${option.key}\``,
    defaultInWords(option),
    isFor(option, DEFAULT_COMMAND) ? describe(option) : `${commandsInWords(option)}: ${describe(option)}`,
  ]);
  const table = [
    ["Flag", "Key in the file", "Default", "What it does"],
    ["---", "---", "---", "---"],
    ...rows,
  ];
  return table.map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`).join(
    "",
  );
}
