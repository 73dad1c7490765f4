/**
 * Reads a command line by the table of options.
 *
 * The usual ways of writing work: `--flag value`, `--flag=value`, `-f value`, `-fvalue`, `-hV`, and `--` to end
 * the flags. A flag that takes a value takes the next word whatever it looks like, so that `--config -` reads
 * standard input; std's `parseArgs` would see a flag without its value there.
 */

import type { RuleSpec } from "../policy/spec.ts";
import {
  type CommandName,
  commandOf,
  COMMANDS,
  DEFAULT_COMMAND,
  usageOfCommand,
  wordsOf,
} from "./commands.ts";
import { UsageError, WrongValue } from "./errors.ts";
import { didYouMean, nearest } from "./nearest.ts";
import { isFor, type Option } from "./option.ts";
import { type CommandOptions, OPTIONS, type Values } from "./options.ts";
import { printable } from "./printable.ts";
import { type AddressReader, valueOfFlag } from "./value.ts";
import { rulesOfFlag } from "./rule_flags.ts";
import { commandsInWords } from "./words.ts";

/** A command line as it was understood. */
export interface CommandLine {
  /** The command line as it was given. */
  args: readonly string[];
  command: CommandName;
  /** The words behind the command that are no flags, as many as it takes. */
  words: string[];
  help: boolean;
  version: boolean;
  check: boolean;
  /** The file of `--config`; `-` is standard input. */
  config?: string;
  /** The options that were given and that the file may hold too. */
  values: Values;
  /** Those that the command line alone may say: a command's own. */
  options: CommandOptions;
  /** What `--allow` and `--deny` say, in their order; before the file's rules. */
  rules: RuleSpec[];
}

/** Flags that other programs have as commands. */
const FLAGS_LIKE_COMMANDS = ["version", "check"];

const BY_FLAG = new Map<string, Option>(OPTIONS.map((option) => [option.flag, option]));
const BY_LETTER = new Map<string, Option>(
  OPTIONS.flatMap((option) => "short" in option ? [[option.short, option] as const] : []),
);

/** What is wrong, or what says so once it is known of which command. */
type Problem = string | ((command: CommandName) => string);

/** One flag as it was written, with its value if it had one. */
interface Given {
  option: Option;
  /** `--grace` or `-l`, for messages. */
  name: string;
  text?: string;
}

/**
 * @param args the words after the program's name
 * @throws {UsageError} with everything that is wrong
 */
export function readFlags(args: readonly string[], readAddress: AddressReader): CommandLine {
  const problems: Problem[] = [];
  const texts = new Map<Option, { name: string; texts: string[] }>();
  const words: string[] = [];

  const rules = new Map<string, RuleSpec>();

  for (const item of split(args, problems)) {
    if (typeof item === "string") {
      words.push(item);
      continue;
    }
    const { option, name, text = "true" } = item;
    if (option.type === "rule") {
      // the same host once more would never be looked at
      attempt(name, problems, () => {
        for (const rule of rulesOfFlag(option, text)) if (!rules.has(rule.name)) rules.set(rule.name, rule);
      });
    }
    const known = texts.get(option);
    if (known === undefined) texts.set(option, { name, texts: [text] });
    else known.texts.push(text);
  }

  const read: Record<string, unknown> = {};
  for (const [option, { name, texts: given }] of texts) {
    if (option.type === "rule") continue;
    attempt(name, problems, () => read[option.flag] = valueOfFlag(option, given, readAddress));
  }

  const command = takeCommand(words, [...texts], problems);
  const { help = false, version = false, check = false, config, ...others } = read;
  // somebody who asks for help gets it, whatever else is wrong
  if (problems.length > 0 && help !== true) {
    throw new UsageError(problems.map((each) => typeof each === "string" ? each : each(command)), command);
  }
  const values: Record<string, unknown> = {};
  const options: Record<string, unknown> = {};
  for (const [flag, value] of Object.entries(others)) {
    (BY_FLAG.get(flag)!.key === undefined ? options : values)[flag] = value;
  }
  return {
    args,
    command,
    words,
    help,
    version,
    check,
    config,
    values,
    options,
    rules: [...rules.values()],
  } as CommandLine;
}

/** Reads a value; what is wrong with it goes to `problems`. */
function attempt(name: string, problems: Problem[], read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof WrongValue)) throw error;
    problems.push(`${name}: ${error.message}`);
  }
}

/** Takes the command from the head of the words, and says what it cannot do with the rest and with the flags. */
function takeCommand(
  words: string[],
  given: readonly (readonly [Option, { name: string }])[],
  problems: Problem[],
): CommandName {
  const name = words.shift() ?? DEFAULT_COMMAND;
  const command = commandOf(name);
  if (command === undefined) {
    const meant = nearest(name, [...COMMANDS.map((each) => each.name), ...FLAGS_LIKE_COMMANDS]);
    const isFlag = FLAGS_LIKE_COMMANDS.includes(meant ?? "");
    const hint = meant === undefined ? "" : `; did you mean ${isFlag ? "--" : ""}${meant}?`;
    problems.push(`there is no command ${printable(name)}${hint}`);
    return DEFAULT_COMMAND;
  }
  for (const [option, { name: flag }] of given) {
    if (isFor(option, name)) continue;
    problems.push(`${flag} belongs to ${commandsInWords(option)}, not to weir ${name}`);
  }
  const { least, most, names } = wordsOf(command);
  if (words.length < least) {
    const [[example]] = command.examples;
    problems.push(`${usageOfCommand(command)} needs ${names[words.length]}, as in ${example}`);
  }
  for (const word of words.slice(most)) problems.push(`there is one word too many: ${printable(word)}`);
  return command.name;
}

/** Takes the command line apart into flags and words; what is wrong goes to `problems`. */
function* split(args: readonly string[], problems: Problem[]): Generator<Given | string> {
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    if (arg === "--") {
      yield* args.slice(i + 1);
      return;
    }
    if (arg === "-" || !arg.startsWith("-")) {
      yield arg;
      continue;
    }
    for (const given of arg.startsWith("--") ? longFlag(arg, problems) : shortFlags(arg, problems)) {
      if (given.text === undefined && given.option.type !== "boolean") {
        if (i + 1 === args.length) {
          problems.push(`${given.name} needs a value: ${given.option.word}`);
          continue;
        }
        given.text = args[++i];
      }
      yield given;
    }
  }
}

function longFlag(arg: string, problems: Problem[]): Given[] {
  const equals = arg.indexOf("=");
  const flag = arg.slice(2, equals < 0 ? undefined : equals);
  const text = equals < 0 ? undefined : arg.slice(equals + 1);
  const option = BY_FLAG.get(flag);
  if (option !== undefined) return [{ option, name: `--${flag}`, text }];
  problems.push((command) => `there is no flag --${printable(flag)}${meantFlag(flag, command)}`);
  return [];
}

/** The command's flag that was probably meant, as a question. */
function meantFlag(flag: string, command: CommandName): string {
  const flags = OPTIONS.filter((option) => isFor(option, command)).map((option) => option.flag);
  return didYouMean(flag, flags, "--");
}

/** `-hV` is two flags; `-l8888` and `-l=8888` are one with its value. */
function shortFlags(arg: string, problems: Problem[]): Given[] {
  const long = arg.slice(1).split("=")[0];
  const given: Given[] = [];
  for (let i = 1; i < arg.length; i++) {
    const option = BY_LETTER.get(arg[i]);
    if (option === undefined || BY_FLAG.has(long)) {
      problems.push((command) => {
        const meant = i === 1 ? meantFlag(long, command) : "";
        return `there is no flag ${printable(meant === "" ? `-${arg[i]}` : `-${long}`)}${meant}`;
      });
      return given;
    }
    if (option.type === "boolean") {
      given.push({ option, name: `-${arg[i]}` });
      continue;
    }
    const rest = arg.slice(i + 1).replace(/^=/, "");
    given.push({ option, name: `-${arg[i]}`, text: rest === "" ? undefined : rest });
    return given;
  }
  return given;
}
