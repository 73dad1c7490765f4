/**
 * The outline of a TOML document: which keys it has, and on which line each stands.
 *
 * std's parser tells values but no lines, and it lets pass what a configuration must not: a key given twice, two
 * keys on one line, `__proto__`. It also takes quadratic time in the keys of a table. So a document goes through
 * here first, in one pass, and what is not clear TOML is refused with its line. Multi-line strings, inline tables
 * and arrays of tables are fine; dates and `nan` are not, since no option could take them.
 */

import { printable } from "./printable.ts";

/** Names of tables and keys, and places in lists. */
export type Path = readonly (string | number)[];

/** The document is not TOML, or not such as a configuration needs. */
export class TomlError extends Error {
  override readonly name = "TomlError";
  constructor(readonly line: number, message: string) {
    super(message);
  }
}

const MAX_DEPTH = 16;
/** Room for 10,000 rules and as many tests. */
const MAX_KEYS = 200_000;
const MAX_KEYS_IN_TABLE = 500;
const LONGEST_NUMBER = 64;

const BLANK = /[ \t]*/y;
const COMMENT = /#[^\n]*/y;
const BARE_KEY = /[A-Za-z0-9_-]+/y;
const BARE_VALUE = /[^\s,\]}#"']*/y;
const TRUTH_OR_NUMBER = new RegExp(
  "^(?:true|false" +
    "|[+-]?(?:0|[1-9](?:_?[0-9])*)(?:\\.[0-9](?:_?[0-9])*)?(?:[eE][+-]?[0-9](?:_?[0-9])*)?" +
    "|0x[0-9A-Fa-f](?:_?[0-9A-Fa-f])*|0o[0-7](?:_?[0-7])*|0b[01](?:_?[01])*)$",
);
const ESCAPE = /\\(?:[btnfr"\\]|u[0-9A-Fa-f]{4})/y;

/** What stands at a path: a table that only names of others spoke of, a table, an array of tables, or a value. */
type Kind = "implied" | "table" | "tables" | "value";

export class Outline {
  #lines = new Map<string, number>();

  /** @throws {TomlError} */
  constructor(text: string) {
    new Reader(text, this.#lines).document();
  }

  /** The line of a key, a table or a list's item, from 1; that of the nearest thing around it if it has none. */
  lineOf(path: Path): number {
    for (let length = path.length; length > 0; length--) {
      const line = this.#lines.get(JSON.stringify(path.slice(0, length)));
      if (line !== undefined) return line;
    }
    return 1;
  }

  /** How many paths have a line. */
  get size(): number {
    return this.#lines.size;
  }
}

class Reader {
  #text: string;
  #lines: Map<string, number>;
  #at = 0;
  #line = 1;
  #kinds = new Map<string, Kind>();
  #keysIn = new Map<string, number>();
  /** How many tables the array of tables at a path has. */
  #counts = new Map<string, number>();

  constructor(text: string, lines: Map<string, number>) {
    this.#text = text;
    this.#lines = lines;
  }

  document(): void {
    let table: Path = [];
    for (this.#space(); this.#at < this.#text.length; this.#space()) {
      if (this.#text[this.#at] === "[") table = this.#header();
      else this.#pair(table, 0);
      this.#endOfLine();
    }
  }

  /** `[a.b]` or `[[a.b]]`; returns the path to which the keys that follow belong. */
  #header(): Path {
    const several = this.#skip("[[");
    if (!several) this.#skip("[");
    const keys = this.#keys();
    if (!this.#skip(several ? "]]" : "]")) {
      this.#fail(`a table's name ends with ${several ? "]]" : "]"}`);
    }
    const above = this.#within([], keys.slice(0, -1));
    const path = [...above, keys[keys.length - 1]];
    const id = JSON.stringify(path);
    const kind = this.#kinds.get(id);
    if (several) {
      if (kind !== undefined && kind !== "tables") this.#fail(this.#twice(path));
      const count = this.#counts.get(id) ?? 0;
      this.#counts.set(id, count + 1);
      if (count === 0) this.#enter(path, "tables");
      return this.#enter([...path, count], "table");
    }
    if (kind === "implied") {
      this.#fail(`[${shown(path)}] has to come before line ${this.#lines.get(id)}, which is a part of it`);
    }
    if (kind !== undefined) this.#fail(this.#twice(path));
    return this.#enter(path, "table");
  }

  /** `key = value` in a table; the key may be dotted. */
  #pair(table: Path, depth: number): void {
    const keys = this.#keys();
    const above = this.#within(table, keys.slice(0, -1));
    const path = [...above, keys[keys.length - 1]];
    if (this.#kinds.has(JSON.stringify(path))) this.#fail(this.#twice(path));
    if (!this.#skip("=")) this.#fail(`${shown(path)} needs a value: write ${shown(path)} = …`);
    this.#enter(path, "value");
    this.#value(path, depth);
  }

  /** Follows keys from a table down, through the last table of an array of tables. */
  #within(table: Path, keys: readonly string[]): Path {
    let path = table;
    for (const key of keys) {
      path = [...path, key];
      const id = JSON.stringify(path);
      const kind = this.#kinds.get(id);
      if (kind === "value") {
        this.#fail(`${shown(path)} is no table: it has a value on line ${this.#lines.get(id)}`);
      }
      if (kind === "tables") path = [...path, (this.#counts.get(id) ?? 1) - 1];
      if (kind === undefined) this.#enter(path, "implied");
    }
    return path;
  }

  #enter(path: Path, kind: Kind): Path {
    if (path.length > MAX_DEPTH) this.#fail(`tables are nested more than ${MAX_DEPTH} deep`);
    const id = JSON.stringify(path);
    const parent = JSON.stringify(path.slice(0, -1));
    const count = (this.#keysIn.get(parent) ?? 0) + 1;
    this.#keysIn.set(parent, count);
    // the tables of an array of tables and the items of a list are no keys
    if (count > MAX_KEYS_IN_TABLE && typeof path[path.length - 1] === "string") {
      this.#fail(`a table has more than ${MAX_KEYS_IN_TABLE} keys`);
    }
    if (this.#kinds.size >= MAX_KEYS) this.#fail(`there are more than ${MAX_KEYS} keys`);
    this.#kinds.set(id, kind);
    this.#lines.set(id, this.#line);
    return path;
  }

  /** `a."b c".d`, with the blanks around it. */
  #keys(): string[] {
    const keys: string[] = [];
    do {
      this.#match(BLANK);
      keys.push(this.#key());
      this.#match(BLANK);
    } while (this.#skip("."));
    return keys;
  }

  #key(): string {
    const quoteMark = this.#text[this.#at];
    if (quoteMark !== '"' && quoteMark !== "'") {
      const key = this.#match(BARE_KEY);
      if (key === "") this.#fail(`${this.#here()} is where a key should be`);
      return this.#usable(key);
    }
    const start = this.#at + 1;
    this.#string();
    const key = this.#text.slice(start, this.#at - 1);
    if (key === "" || key.includes("\\") || key.includes("\n")) {
      this.#fail("a key is neither empty nor written with backslashes");
    }
    return this.#usable(key);
  }

  #usable(key: string): string {
    // std's parser looks keys up in plain objects, which have these already
    if (key === "__proto__" || key in Object.prototype) this.#fail(`${key} cannot be a key`);
    return key;
  }

  #value(path: Path, depth: number): void {
    if (depth > MAX_DEPTH) this.#fail(`values are nested more than ${MAX_DEPTH} deep`);
    this.#match(BLANK);
    const first = this.#text[this.#at];
    if (first === '"' || first === "'") this.#string();
    else if (first === "[") this.#list(path, depth);
    else if (first === "{") this.#inlineTable(path, depth);
    else this.#bareValue(path);
  }

  #bareValue(path: Path): void {
    const word = this.#match(BARE_VALUE);
    if (word === "") this.#fail(`${shown(path)} needs a value`);
    if (word.length > LONGEST_NUMBER || !TRUTH_OR_NUMBER.test(word)) {
      const text = printable(word);
      this.#fail(`${text} is no value: texts, sizes and times are written in quotes, "${text}"`);
    }
  }

  #list(path: Path, depth: number): void {
    this.#skip("[");
    for (let index = 0;; index++) {
      this.#space();
      if (this.#skip("]")) return;
      if (this.#at === this.#text.length) break;
      this.#lines.set(JSON.stringify([...path, index]), this.#line);
      this.#value([...path, index], depth + 1);
      this.#space();
      if (this.#skip(",")) continue;
      if (this.#skip("]")) return;
      break;
    }
    this.#fail(`the list of ${shown(path)} goes on with a comma or ends with ]; here is ${this.#here()}`);
  }

  #inlineTable(path: Path, depth: number): void {
    this.#skip("{");
    this.#match(BLANK);
    if (this.#skip("}")) return;
    do {
      this.#pair(path, depth + 1);
      this.#match(BLANK);
    } while (this.#skip(","));
    if (!this.#skip("}")) this.#fail(`the table of ${shown(path)} ends with } on the same line`);
  }

  /** Passes over a string of any of the four kinds. */
  #string(): void {
    const mark = this.#text[this.#at];
    const begun = this.#line;
    const long = this.#skip(mark.repeat(3));
    if (!long) this.#skip(mark);
    while (this.#at < this.#text.length) {
      if (this.#skip(long ? mark.repeat(3) : mark)) {
        // one quote more belongs to the string
        if (long) this.#skip(mark);
        return;
      }
      const character = this.#text[this.#at];
      if (character === "\n" && !long) break;
      if (character === "\\" && mark === '"') this.#escape(long);
      else if (character < " " && !"\t\n\r".includes(character)) {
        this.#fail("a string holds a control character");
      } else this.#advance();
    }
    throw new TomlError(begun, `a string is not closed with ${long ? mark.repeat(3) : mark}`);
  }

  #escape(long: boolean): void {
    if (long && /\\\r?\n/y.test(this.#text.slice(this.#at, this.#at + 3))) {
      this.#at++;
      return;
    }
    if (this.#match(ESCAPE) === "") {
      this.#fail('after a backslash comes one of b t n f r " \\ or u with four hex digits');
    }
  }

  /** Blanks, comments and line ends. */
  #space(): void {
    while (true) {
      this.#match(BLANK);
      this.#match(COMMENT);
      if (this.#text.startsWith("\r\n", this.#at)) this.#at++;
      if (this.#text[this.#at] !== "\n") return;
      this.#advance();
    }
  }

  #endOfLine(): void {
    this.#match(BLANK);
    this.#match(COMMENT);
    if (this.#at === this.#text.length || this.#text[this.#at] === "\n") return;
    if (this.#text.startsWith("\r\n", this.#at)) return;
    this.#fail(`${this.#here()} is where the line should end`);
  }

  #advance(): void {
    if (this.#text[this.#at++] === "\n") this.#line++;
  }

  #skip(expected: string): boolean {
    if (!this.#text.startsWith(expected, this.#at)) return false;
    this.#at += expected.length;
    return true;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? "";
    this.#at += found.length;
    return found;
  }

  #here(): string {
    const character = this.#text[this.#at];
    if (character === undefined) return "the end of the file";
    return character === "\n" || character === "\r" ? "the end of the line" : printable(character);
  }

  #twice(path: Path): string {
    return `${shown(path)} is there twice, first on line ${this.#lines.get(JSON.stringify(path))}`;
  }

  #fail(message: string): never {
    throw new TomlError(this.#line, message);
  }
}

/** A path as a message shows it: `limits.fields`, without places in lists. */
export function shown(path: Path): string {
  return printable(path.filter((part) => typeof part === "string").join("."));
}
