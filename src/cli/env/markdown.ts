/** Writes the table of programs as README shows it. */

import { type Program, PROGRAMS, type Setting } from "../../programs/programs.ts";
import { readProxyUrl } from "./read_proxy_url.ts";

/** One Markdown table of all programs: the word for `weir env`, what to do for one run and for good. */
export function programsMarkdown(): string {
  const setting: Setting = { proxy: readProxyUrl("http://127.0.0.1:8888"), exceptions: [] };
  const rows = PROGRAMS.map((program) => [
    program.title,
    code(`weir env ${program.name}`),
    program.once === undefined ? "" : code(program.once(setting)),
    forGood(program, setting),
    program.note ?? "",
  ]);
  const table = [
    ["Program", "Printed by", "For one run", "For good", ""],
    ["---", "---", "---", "---", "---"],
    ...rows,
  ];
  return table.map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`).join(
    "",
  );
}

/** A longer line makes the table too wide to be read. */
const LONGEST = 100;

/** What is printed where it is one short line, and where it goes. */
function forGood({ place, text }: Program, setting: Setting): string {
  const printed = text(setting).trimEnd();
  const what = printed.includes("\n") || printed.length > LONGEST ? "" : code(printed);
  if (place === "shell") return what || "evaluated, by the shell's profile too";
  return what === "" ? `in ${code(place)}` : `${what} in ${code(place)}`;
}

function code(text: string): string {
  return `\`${text}\``;
}
