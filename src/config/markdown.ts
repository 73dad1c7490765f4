/** Writes the tables of options and fields as README shows them. */

import { DEFAULT_COMMAND } from "./commands.ts";
import type { Field } from "./fields.ts";
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
  return tableOf([
    ["Flag", "Key in the file", "Default", "What it does"],
    ["---", "---", "---", "---"],
    ...rows,
  ]);
}

/** One Markdown table of what a `[[rule]]` or a `[[test]]` may say: key, meaning. */
export function fieldsMarkdown(fields: readonly Field[]): string {
  const rows = fields.map((field) => [
    `\`${field.key}\``,
    field.type === "choice" ? `${field.help}: ${field.choices.join(", ")}` : field.help,
  ]);
  return tableOf([["Key", "What it says"], ["---", "---"], ...rows]);
}

function tableOf(rows: readonly (readonly string[])[]): string {
  return rows.map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`).join(
    "",
  );
}
