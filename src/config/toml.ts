/** Reads options, rules and tests from TOML by their tables. */

import { ConfigError, WrongValue } from "./errors.ts";
import type { RuleSpec } from "../policy/spec.ts";
import type { TestCase } from "../policy/test_case.ts";
import { type Field, readField } from "./fields.ts";
import { didYouMean, nearest } from "./nearest.ts";
import type { Option } from "./option.ts";
import { GROUPS, OPTIONS, OPTIONS_IN_FILE, type Values } from "./options.ts";
import { printable, quote } from "./printable.ts";
import {
  PARENT_FIELDS,
  type ParentFieldValues,
  ROUTE_FIELDS,
  type RouteFieldValues,
} from "./route_fields.ts";
import { DIRECT } from "../policy/routes.ts";
import { NO_WAYS, type WrittenParent, type WrittenRoute, type WrittenWays } from "./routes.ts";
import { RULE_FIELDS, type RuleFieldValues, TEST_FIELDS, type TestFieldValues } from "./rule_fields.ts";
import { ruleOf, testCaseOf, wrongName } from "./rules.ts";
import { Outline, type Path, shown, TomlError } from "./toml_outline.ts";
import { type AddressReader, valueOfToml } from "./value.ts";

/** std's parser; its npm edition brings no types. */
type Parse = (text: string) => Record<string, unknown>;

const BY_KEY = new Map<string, Option>(OPTIONS_IN_FILE.map((option) => [option.key, option]));
const SECTIONS = new Set(GROUPS.map((group) => group.section).filter((section) => section !== ""));

/** What any number of may stand in a file. */
const TABLES: readonly string[] = ["rule", "test", "parent", "route"];

/** More problems than this are counted, not told. */
const MOST_PROBLEMS = 20;
/** Rules, and tests. */
const MOST_TABLES = 10_000;

interface Problem {
  line: number;
  message: string;
}

/** What a file holds. */
export interface TomlContents {
  values: Values;
  /** In their order; those without a name have the name `""`. */
  rules: RuleSpec[];
  tests: TestCase[];
  /** Parents and routes. */
  ways: WrittenWays;
}

/**
 * @param name how messages call the document: its file's name, or "standard input"
 * @throws {ConfigError} with everything that is wrong, each with its line
 */
export async function readToml(
  text: string,
  name: string,
  readAddress: AddressReader,
): Promise<TomlContents> {
  const problems: Problem[] = [];
  const contents: TomlContents = { values: {}, rules: [], tests: [], ways: NO_WAYS };
  try {
    const outline = new Outline(text);
    const { parse }: { parse: Parse } = await import("@std/toml");
    new Reading(name, outline, readAddress, contents, problems).document(parse(text));
  } catch (error) {
    problems.push(asProblem(error));
  }
  if (problems.length === 0) return contents;
  problems.sort((a, b) => a.line - b.line);
  const lines = problems.slice(0, MOST_PROBLEMS).map(({ line, message }) => `${name}:${line}: ${message}`);
  if (problems.length > MOST_PROBLEMS) lines.push(`${name}: and ${problems.length - MOST_PROBLEMS} more`);
  throw new ConfigError(lines);
}

/** One document on its way into {@link TomlContents}. */
class Reading {
  /** The lines on which names of rules stand, and those of parents. */
  #names = new Map<string, number>();
  #parentNames = new Map<string, number>();
  #parents: WrittenParent[] = [];
  #routes: WrittenRoute[] = [];

  constructor(
    readonly name: string,
    readonly outline: Outline,
    readonly readAddress: AddressReader,
    readonly contents: TomlContents,
    readonly problems: Problem[],
  ) {}

  document(table: Record<string, unknown>): void {
    const { rule, test, parent, route, ...options } = table;
    this.#options(options, []);
    if (rule !== undefined) this.#each("rule", rule, (each, path) => this.#rule(each, path));
    if (test !== undefined) this.#each("test", test, (each, path) => this.#test(each, path));
    if (parent !== undefined) this.#each("parent", parent, (each, path) => this.#parent(each, path));
    if (route !== undefined) this.#each("route", route, (each, path) => this.#route(each, path));
    this.contents.ways = { parents: this.#parents, routes: this.#routes };
  }

  #options(table: Record<string, unknown>, above: Path): void {
    for (const [key, value] of Object.entries(table)) {
      const path = [...above, key];
      const name = path.join(".");
      const option = BY_KEY.get(name);
      if (option !== undefined) {
        this.#read(path, name, () => {
          (this.contents.values as Record<string, unknown>)[option.flag] = valueOfToml(
            option,
            value,
            this.readAddress,
          );
        });
      } else if (SECTIONS.has(name) && isTable(value)) {
        this.#options(value, path);
      } else {
        this.#problem(path, unknown(path, value));
      }
    }
  }

  /** Reads an array of tables, `[[rule]]` say. */
  #each(key: string, value: unknown, read: (table: Record<string, unknown>, path: Path) => void): void {
    if (!Array.isArray(value) || !value.every(isTable)) {
      return this.#problem([key], `write [[${key}]], with two brackets on each side, above each ${key}`);
    }
    if (value.length > MOST_TABLES) {
      return this.#problem([key, MOST_TABLES], `there are more than ${MOST_TABLES} of [[${key}]]`);
    }
    value.forEach((table, index) => read(table, [key, index]));
  }

  #rule(table: Record<string, unknown>, path: Path): void {
    const values: RuleFieldValues = this.#fields(RULE_FIELDS, table, path);
    if (!("action" in table)) this.#problem(path, `a rule needs an action: write action = "allow" or "deny"`);
    const { name, action } = values;
    if (name !== undefined) this.#nameOfRule(name, path);
    if (action === undefined) return;
    const lines: Record<string, number> = {};
    for (const key of Object.keys(table)) lines[key] = this.outline.lineOf([...path, key]);
    const line = this.outline.lineOf(path);
    this.contents.rules.push(ruleOf({ ...values, action }, { file: this.name, lines, line }));
  }

  #nameOfRule(name: string, above: Path): void {
    const path = [...above, "name"];
    const wrong = wrongName(name);
    if (wrong !== null) this.#problem(path, `name: ${wrong}`);
    const first = this.#names.get(name);
    if (first === undefined) this.#names.set(name, this.outline.lineOf(path));
    else this.#problem(path, `name: ${quote(name)} is the name of the rule on line ${first} too`);
  }

  #parent(table: Record<string, unknown>, path: Path): void {
    const { name, url }: ParentFieldValues = this.#fields(PARENT_FIELDS, table, path);
    if (!("name" in table)) this.#problem(path, `a parent needs a name: write name = "proxy"`);
    if (!("url" in table)) {
      this.#problem(path, `a parent needs a url: write url = "http://proxy.example:3128"`);
    }
    if (name === undefined) return;
    const place = [...path, "name"];
    if (name === DIRECT) this.#problem(place, `name: ${DIRECT} is the way without a parent: take another`);
    if (/[@:/]/.test(name)) this.#problem(place, "name: must be without @, : and /, which URLs have");
    const first = this.#parentNames.get(name);
    if (first === undefined) this.#parentNames.set(name, this.outline.lineOf(place));
    else this.#problem(place, `name: ${quote(name)} is the name of the parent on line ${first} too`);
    if (url !== undefined) this.#parents.push({ name, url });
  }

  #route(table: Record<string, unknown>, path: Path): void {
    const { hosts, via }: RouteFieldValues = this.#fields(ROUTE_FIELDS, table, path);
    if (!("hosts" in table)) this.#problem(path, `a route needs hosts: write hosts = [".example.com"]`);
    if (!("via" in table)) this.#problem(path, `a route needs ways: write via = ["direct"]`);
    if (hosts === undefined || via === undefined) return;
    this.#routes.push({ hosts, via, place: `${this.name}:${this.outline.lineOf([...path, "via"])}` });
  }

  #test(table: Record<string, unknown>, path: Path): void {
    const values: TestFieldValues = this.#fields(TEST_FIELDS, table, path);
    if (!("url" in table)) this.#problem(path, `a test needs a url: write url = "https://example.com/"`);
    if (!("expect" in table)) {
      this.#problem(path, `a test needs what to expect: write expect = "allow" or "deny"`);
    }
    const { url, expect } = values;
    if (url === undefined || expect === undefined) return;
    this.contents.tests.push(testCaseOf({ ...values, url, expect }, this.name, this.outline.lineOf(path)));
  }

  #fields(fields: readonly Field[], table: Record<string, unknown>, above: Path): Record<string, never> {
    const values: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(table)) {
      const field = fields.find((each) => each.key === key);
      const path = [...above, key];
      if (field === undefined) {
        const keys = fields.map((each) => each.key);
        this.#problem(path, `a ${above[0]} has no key ${printable(key)}${didYouMean(key, keys)}`);
      } else {
        this.#read(path, key, () => values[key] = readField(field, value));
      }
    }
    return values as Record<string, never>;
  }

  /** Runs what may find a value wrong, and says where. */
  #read(path: Path, name: string, read: () => void): void {
    try {
      read();
    } catch (error) {
      if (!(error instanceof WrongValue)) throw error;
      const place = error.item === undefined ? path : [...path, error.item];
      this.#problem(place, `${name}: ${error.message}`);
    }
  }

  #problem(path: Path, message: string): void {
    this.problems.push({ line: this.outline.lineOf(path), message });
  }
}

/** Says that there is no such key or section, and which one was probably meant. */
function unknown(path: Path, value: unknown): string {
  const name = shown(path);
  if (SECTIONS.has(name)) return `${name} is a section: write [${name}] once, and its keys below`;
  if (isTable(value) || (Array.isArray(value) && value.some(isTable))) {
    const last = String(path[path.length - 1]);
    const meant = SECTIONS.has(last) || TABLES.includes(last)
      ? last
      : nearest(name, [...SECTIONS, ...TABLES]) ?? nearest(last, TABLES);
    const written = Array.isArray(value) ? `[[${name}]]` : `[${name}]`;
    if (meant === undefined) return `there is no section ${written}`;
    return `there is no section ${written}; did you mean ${
      TABLES.includes(meant) ? `[[${meant}]]` : `[${meant}]`
    }?`;
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
