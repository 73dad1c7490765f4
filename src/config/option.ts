/** What an option is made of: the shape of a row of the table in `options.ts`. */

import type { ListenAddress } from "../net/listen.ts";
import type { Action } from "../policy/spec.ts";

/** A part of the table: a heading of the help and, where it has one, a section of the file. */
export interface Group {
  title: string;
  /** The TOML table that holds this group's keys; `""` when they stand at the top of the file. */
  section: string;
}

interface Row {
  /** The long flag without its dashes; unique, and the name by which the program asks for the value. */
  readonly flag: string;
  /** The short flag, one letter. */
  readonly short?: string;
  /** The key in the file, `limits.head-size`; options without one are for the command line alone. */
  readonly key?: string;
  readonly group: string;
  /** What stands for the value in the help: `SIZE`. */
  readonly word?: string;
  /** What it does, in one line without a full stop. */
  readonly help: string;
  /** The commands that take it, by name; absent: `serve` alone. */
  readonly commands?: readonly string[] | "all";
}

export interface SizeOption extends Row {
  readonly type: "size";
  /** Bytes, as are the bounds. */
  readonly default: number;
  readonly least: number;
  readonly most: number;
  /** What 0 means, where it has a meaning of its own: "no limit". */
  readonly zero?: string;
}

export interface DurationOption extends Row {
  readonly type: "duration";
  /** Milliseconds, as are the bounds. */
  readonly default: number;
  readonly least: number;
  readonly most: number;
  readonly zero?: string;
}

export interface IntegerOption extends Row {
  readonly type: "integer";
  readonly default: number;
  readonly least: number;
  readonly most: number;
  readonly zero?: string;
  /** What to say of the default where the number alone does not say all. */
  readonly defaultInWords?: string;
}

export interface ChoiceOption extends Row {
  readonly type: "choice";
  readonly choices: readonly string[];
  /** Absent where having been given makes a difference of its own. */
  readonly default?: string;
}

export interface BooleanOption extends Row {
  readonly type: "boolean";
  readonly default: false;
}

export interface TextOption extends Row {
  readonly type: "text";
  /** What the text must look like, and that in words: "letters, digits and dots"; absent: anything. */
  readonly pattern?: RegExp;
  readonly patternInWords?: string;
  /** What to say of a default that the table does not know, such as one that each process makes anew. */
  readonly defaultInWords?: string;
}

/** A name of a file, `-` for standard input where the help says so. */
export interface FileOption extends Row {
  readonly type: "file";
  readonly repeatable: boolean;
}

/** Addresses to listen on; always repeatable. */
export interface AddressesOption extends Row {
  readonly type: "addresses";
  /** Absent where there is nowhere to listen by itself. */
  readonly default?: readonly ListenAddress[];
}

/** Places as `host:port`, each found valid and kept as it was written; always repeatable. */
export interface PlacesOption extends Row {
  readonly type: "places";
}

/** Hosts without ports, in canonical form; always repeatable. */
export interface HostsOption extends Row {
  readonly type: "hosts";
}

/** Texts as they were written; always repeatable. */
export interface TextsOption extends Row {
  readonly type: "texts";
}

/** Ways out: URLs and names of parents, and `direct`; always repeatable. */
export interface WaysOption extends Row {
  readonly type: "ways";
}

/** Words that `policy/` reads, each found valid and kept as it was written; always repeatable. */
export interface PatternsOption extends Row {
  readonly type: "networks" | "ports" | "destinations";
  /** Words that say all by themselves, in place of a list. */
  readonly alone?: readonly string[];
  /** Those of them that may stand in a list too. */
  readonly besides?: readonly string[];
  readonly default?: readonly string[];
  readonly defaultInWords?: string;
}

/** Hosts that a rule is made of; it adds to the rules and has no value. */
export interface RuleOption extends Row {
  readonly type: "rule";
  readonly action: Action;
}

export type Option =
  | SizeOption
  | DurationOption
  | IntegerOption
  | ChoiceOption
  | BooleanOption
  | TextOption
  | FileOption
  | AddressesOption
  | PlacesOption
  | HostsOption
  | TextsOption
  | WaysOption
  | PatternsOption
  | RuleOption;

/** Options whose value is a number within bounds. */
export type BoundedOption = SizeOption | DurationOption | IntegerOption;

/** True when the option may be given several times, each adding to a list. */
export function isRepeatable(option: Option): boolean {
  if (option.type === "file") return option.repeatable;
  const lists = [
    "addresses",
    "places",
    "hosts",
    "texts",
    "networks",
    "ports",
    "destinations",
    "ways",
    "rule",
  ];
  return lists.includes(option.type);
}

/** Whether a command takes an option. */
export function isFor(option: Option, command: string): boolean {
  const { commands = ["serve"] } = option;
  return commands === "all" || commands.includes(command);
}
