/** The command line from its words to its exit code. */

import { type Instance, randomPseudonym } from "../config/config.ts";
import { ConfigError, UsageError } from "../config/errors.ts";
import { readFlags } from "../config/flags.ts";
import { nearest } from "../config/nearest.ts";
import { printable } from "../config/printable.ts";
import { parseListenAddress } from "../net/listen.ts";
import { type Io, wantsColor } from "./io.ts";
import { serve } from "./serve.ts";
import { VERSION, versionText } from "./version.ts";

const COMMANDS = ["serve"];
/** Flags that other programs have as commands. */
const FLAGS_LIKE_COMMANDS = ["help", "version", "check"];

/**
 * Runs weir.
 *
 * @param args the words after the program's name
 * @returns the exit code: 0 done, 1 failed while running, 2 wrong usage, 3 wrong configuration
 */
export async function run(args: readonly string[], io: Io): Promise<number> {
  try {
    const line = readFlags(args, parseListenAddress);
    if (line.help) {
      const { helpText } = await import("./help.ts");
      io.out(helpText(wantsColor(line.values["log-color"] ?? "auto", "out", io)));
      return 0;
    }
    if (line.version) {
      io.out(versionText());
      return 0;
    }
    requireCommand(line.words);
    const instance: Instance = { pseudonym: randomPseudonym(), version: VERSION };
    if (line.check) {
      const { check } = await import("./check.ts");
      return await check(line, instance, io);
    }
    return await serve(line, instance, io);
  } catch (error) {
    if (error instanceof UsageError) {
      tell(error.problems, io);
      io.err("weir: --help lists what there is\n");
      return 2;
    }
    if (error instanceof ConfigError) {
      tell(error.problems, io);
      return 3;
    }
    io.err(
      `weir: this is a fault of weir itself, please report it: ${
        error instanceof Error ? error.stack : error
      }\n`,
    );
    return 1;
  }
}

function tell(problems: readonly string[], io: Io): void {
  io.err(problems.map((problem) => `weir: ${problem}\n`).join(""));
}

/** @throws {UsageError} unless the words are a command, or none, which is `serve` */
function requireCommand(words: readonly string[]): void {
  const [command, ...rest] = words;
  if (command !== undefined && !COMMANDS.includes(command)) {
    throw new UsageError([`there is no command ${printable(command)}${meantCommand(command)}`]);
  }
  if (rest.length > 0) {
    throw new UsageError(rest.map((word) => `there is one word too many: ${printable(word)}`));
  }
}

function meantCommand(command: string): string {
  const meant = nearest(command, [...COMMANDS, ...FLAGS_LIKE_COMMANDS]);
  if (meant === undefined) return "";
  return `; did you mean ${COMMANDS.includes(meant) ? meant : `--${meant}`}?`;
}
