/** Reads options from TOML by the table of options. */

import { ConfigError, WrongValue } from "./errors.ts";
import { nearest } from "./nearest.ts";
import type { Option } from "./option.ts";
import { GROUPS, OPTIONS, OPTIONS_IN_FILE, type Values } from "./options.ts";
import { printable } from "./printable.ts";
import { Outline, type Path, shown, TomlError } from "./toml_outline.ts";
import { type AddressReader, valueOfToml } from "./value.ts";

/** std's parser; its npm edition brings no types. */
type Parse = (text: string) => Record<string, unknown>;

const BY_KEY = new Map<string, Option>(OPTIONS_IN_FILE.map((option) => [option.key, option]));
const SECTIONS = new Set(GROUPS.map((group) => group.section).filter((section) => section !== ""));

/** More problems than this are counted, not told. */
const MOST_PROBLEMS = 20;

interface Problem {
  line: number;
  message: string;
}

/**
 * @param name how messages call the document: its file's name, or "standard input"
 * @throws {ConfigError} with everything that is wrong, each with its line
 */
export async function readToml(text: string, name: string, readAddress: AddressReader): Promise<Values> {
  const problems: Problem[] = [];
  const values: Record<string, unknown> = {};
  try {
    const outline = new Outline(text);
    const { parse }: { parse: Parse } = await import("@std/toml");
    readTable(parse(text), [], outline, readAddress, values, problems);
  } catch (error) {
    problems.push(asProblem(error));
  }
  if (problems.length === 0) return values as Values;
  problems.sort((a, b) => a.line - b.line);
  const lines = problems.slice(0, MOST_PROBLEMS).map(({ line, message }) => `${name}:${line}: ${message}`);
  if (problems.length > MOST_PROBLEMS) lines.push(`${name}: and ${problems.length - MOST_PROBLEMS} more`);
  throw new ConfigError(lines);
}

function readTable(
  table: Record<string, unknown>,
  above: Path,
  outline: Outline,
  readAddress: AddressReader,
  values: Record<string, unknown>,
  problems: Problem[],
): void {
  for (const [key, value] of Object.entries(table)) {
    const path = [...above, key];
    const name = path.join(".");
    const option = BY_KEY.get(name);
    if (option !== undefined) {
      try {
        values[option.flag] = valueOfToml(option, value, readAddress);
      } catch (error) {
        if (!(error instanceof WrongValue)) throw error;
        const place = error.item === undefined ? path : [...path, error.item];
        problems.push({
          line: outline.lineOf(place),
          message: `${name}: ${error.message}`,
        });
      }
    } else if (SECTIONS.has(name) && isTable(value)) {
      readTable(value, path, outline, readAddress, values, problems);
    } else {
      problems.push({ line: outline.lineOf(path), message: unknown(path, value) });
    }
  }
}

/** Says that there is no such key or section, and which one was probably meant. */
function unknown(path: Path, value: unknown): string {
  const name = shown(path);
  if (SECTIONS.has(name)) return `${name} is a section: write [${name}] once, and its keys below`;
  if (isTable(value) || (Array.isArray(value) && value.some(isTable))) {
    const last = path[path.length - 1];
    const meant = SECTIONS.has(String(last)) ? last : nearest(name, SECTIONS);
    return `there is no section [${name}]${meant === undefined ? "" : `; did you mean [${meant}]?`}`;
  }
  const last = String(path[path.length - 1]);
  const flag: Option | undefined = OPTIONS.find((option) => option.flag === last);
  if (flag !== undefined && flag.key === undefined) return `${name}: --${last} is for the command line alone`;
  const meant = flag ?? OPTIONS_IN_FILE.find((option) => option.key.endsWith(`.${last}`)) ??
    nearestOption(name);
  return `there is no key ${name}${meant === undefined ? "" : `; did you mean ${whereToWrite(meant.key!)}?`}`;
}

function nearestOption(name: string): Option | undefined {
  const names = new Map<string, Option>();
  for (const option of OPTIONS_IN_FILE) names.set(option.key, option).set(option.flag, option);
  return names.get(nearest(name, names.keys()) ?? "");
}

function whereToWrite(key: string): string {
  const dot = key.indexOf(".");
  return dot < 0 ? `${key}, at the top of the file` : `${key.slice(dot + 1)} in [${key.slice(0, dot)}]`;
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function asProblem(error: unknown): Problem {
  if (error instanceof TomlError) return { line: error.line, message: error.message };
  // std's parser throws nothing else, and puts the line in its message
  if (!(error instanceof SyntaxError)) throw error;
  const [, line = "1", message = error.message] =
    /^Parse error on line ([0-9]+), column [0-9]+: (.*)/s.exec(error.message) ?? [];
  return { line: Number(line), message: printable(message) };
}
