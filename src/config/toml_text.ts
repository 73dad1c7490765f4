/** Writes options as a TOML file that a person goes on editing. */

import { isRepeatable, type Option } from "./option.ts";
import { GROUPS, OPTIONS_IN_FILE, type Values } from "./options.ts";
import { describe } from "./words.ts";
import { textsOf, type Value } from "./value.ts";

/**
 * A whole file: every option with what it does. Those that were given stand as they are, the others in a comment
 * with their default, so that the file says no more than was said.
 */
export function tomlText(values: Values): string {
  const lines: string[] = [];
  for (const group of GROUPS) {
    const options = OPTIONS_IN_FILE.filter((option) => option.group === group.title);
    if (lines.length > 0) lines.push("");
    if (group.section !== "") lines.push(`[${group.section}]`);
    for (const option of options) {
      const unset = option.type === "text" && option.defaultInWords ? ` (${option.defaultInWords})` : "";
      lines.push(`# ${describe(option)}${unset}`);
      const value = (values as Record<string, Value | undefined>)[option.flag];
      const key = option.key.slice(option.key.lastIndexOf(".") + 1);
      if (value !== undefined) lines.push(`${key} = ${literal(option, value)}`);
      else if ("default" in option && option.default !== undefined) {
        lines.push(`# ${key} = ${literal(option, option.default)}`);
      } else lines.push(`# ${key} = ${option.type === "file" ? `["FILE"]` : `"NAME"`}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

function literal(option: Option, value: Value): string {
  const texts = textsOf(option, value);
  if (option.type === "integer" || option.type === "boolean") return texts[0];
  const strings = texts.map(string);
  return isRepeatable(option) ? `[${strings.join(", ")}]` : strings[0];
}

/** A TOML string. JSON's escapes are TOML's too; DEL alone has to be escaped besides. */
function string(text: string): string {
  return JSON.stringify(text).replaceAll("\x7f", "\\u007f");
}
