/**
 * Reads a command line by the table of options.
 *
 * The usual ways of writing work: `--flag value`, `--flag=value`, `-f value`, `-fvalue`, `-hV`, and `--` to end
 * the flags. A flag that takes a value takes the next word whatever it looks like, so that `--config -` reads
 * standard input; std's `parseArgs` would see a flag without its value there.
 */

import { UsageError, WrongValue } from "./errors.ts";
import { didYouMean } from "./nearest.ts";
import type { Option } from "./option.ts";
import { OPTIONS, type Values } from "./options.ts";
import { printable } from "./printable.ts";
import { type AddressReader, valueOfFlag } from "./value.ts";

/** A command line as it was understood. */
export interface CommandLine {
  /** The command line as it was given. */
  args: readonly string[];
  /** Words that are no flags: commands. */
  words: string[];
  help: boolean;
  version: boolean;
  check: boolean;
  /** The file of `--config`; `-` is standard input. */
  config?: string;
  /** The options that were given. */
  values: Values;
}

const BY_FLAG = new Map<string, Option>(OPTIONS.map((option) => [option.flag, option]));
const BY_LETTER = new Map<string, Option>(
  OPTIONS.flatMap((option) => "short" in option ? [[option.short, option] as const] : []),
);

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
  const problems: string[] = [];
  const texts = new Map<Option, { name: string; texts: string[] }>();
  const words: string[] = [];

  for (const item of split(args, problems)) {
    if (typeof item === "string") {
      words.push(item);
      continue;
    }
    const { option, name, text = "true" } = item;
    const known = texts.get(option);
    if (known === undefined) texts.set(option, { name, texts: [text] });
    else known.texts.push(text);
  }

  const read: Record<string, unknown> = {};
  for (const [option, { name, texts: given }] of texts) {
    try {
      read[option.flag] = valueOfFlag(option, given, readAddress);
    } catch (error) {
      if (!(error instanceof WrongValue)) throw error;
      problems.push(`${name}: ${error.message}`);
    }
  }

  const { help = false, version = false, check = false, config, ...values } = read;
  // somebody who asks for help gets it, whatever else is wrong
  if (problems.length > 0 && help !== true) throw new UsageError(problems);
  return { args, words, help, version, check, config, values } as CommandLine;
}

/** Takes the command line apart into flags and words; what is wrong goes to `problems`. */
function* split(args: readonly string[], problems: string[]): Generator<Given | string> {
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

function longFlag(arg: string, problems: string[]): Given[] {
  const equals = arg.indexOf("=");
  const flag = arg.slice(2, equals < 0 ? undefined : equals);
  const text = equals < 0 ? undefined : arg.slice(equals + 1);
  const option = BY_FLAG.get(flag);
  if (option !== undefined) return [{ option, name: `--${flag}`, text }];
  problems.push(`there is no flag --${printable(flag)}${didYouMean(flag, BY_FLAG.keys(), "--")}`);
  return [];
}

/** `-hV` is two flags; `-l8888` and `-l=8888` are one with its value. */
function shortFlags(arg: string, problems: string[]): Given[] {
  const long = arg.slice(1).split("=")[0];
  const given: Given[] = [];
  for (let i = 1; i < arg.length; i++) {
    const option = BY_LETTER.get(arg[i]);
    if (option === undefined || BY_FLAG.has(long)) {
      const meant = i === 1 ? didYouMean(long, BY_FLAG.keys(), "--") : "";
      problems.push(`there is no flag ${printable(meant === "" ? `-${arg[i]}` : `-${long}`)}${meant}`);
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
