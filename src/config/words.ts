/** What help and README say of an option besides its one line, made from its row of the table. */

import { COMMANDS } from "./commands.ts";
import { isFor, isRepeatable, type Option } from "./option.ts";
import { textsOf } from "./value.ts";

/** How an option is written: `--grace TIME`. */
export function usageOf(option: Option): string {
  return option.word === undefined ? `--${option.flag}` : `--${option.flag} ${option.word}`;
}

/** Its default as a person writes it, or `""` when it has none worth telling. */
export function defaultInWords(option: Option): string {
  if ("defaultInWords" in option) return option.defaultInWords ?? "";
  if (option.type === "boolean" || !("default" in option) || option.default === undefined) return "";
  const text = textsOf(option, option.default).join(", ");
  return option.default === 0 && option.zero !== undefined ? `${text}: ${option.zero}` : text;
}

/** Its one line, with the choices, what 0 means and that it may be given several times. */
export function describe(option: Option): string {
  let text = option.help;
  if (option.type === "choice") text += `: ${option.choices.join(", ")}`;
  if ("zero" in option && option.zero !== undefined && option.default !== 0) text += `; 0: ${option.zero}`;
  if (isRepeatable(option)) text += "; repeatable";
  return text;
}

/** The commands that take it: `weir why, weir test`. */
export function commandsInWords(option: Option): string {
  return COMMANDS.filter(({ name }) => isFor(option, name)).map(({ name }) => `weir ${name}`).join(", ");
}
