/** The command line from its words to its exit code. */

import type { CommandName } from "../config/commands.ts";
import { type Instance, randomPseudonym } from "../config/config.ts";
import { ConfigError, UsageError } from "../config/errors.ts";
import { type CommandLine, readFlags } from "../config/flags.ts";
import { parseListenAddress } from "../net/listen.ts";
import { printable } from "../observe/printable.ts";
import { type Io, wantsColor } from "./io.ts";
import { serve } from "./serve.ts";
import { VERSION, versionText } from "./version.ts";

/**
 * Runs a command.
 *
 * @returns the exit code
 * @throws {UsageError} for 2, {ConfigError} for 3; both are told by {@link run}
 */
export type Run = (line: CommandLine, instance: Instance, io: Io) => Promise<number>;

/**
 * What runs each command of `config/commands.ts`. All but `serve` are loaded when they are called, so that the
 * proxy starts without them.
 */
const RUNS: { readonly [name in CommandName]: () => Promise<Run> | Run } = {
  serve: () => serve,
  cache: async () => (await import("./cache.ts")).cache,
  relay: async () => (await import("./relay.ts")).relay,
  get: async () => (await import("./get.ts")).get,
  env: async () => (await import("./env.ts")).env,
  passwd: async () => (await import("./passwd.ts")).passwd,
  learn: async () => (await import("./learn.ts")).learn,
  replay: async () => (await import("./replay.ts")).replay,
  report: async () => (await import("./report.ts")).report,
  test: async () => (await import("./test.ts")).test,
  why: async () => (await import("./why.ts")).why,
  help: async () => (await import("./help.ts")).help,
};

/**
 * Runs weir.
 *
 * @param args the words after the program's name
 * @returns the exit code: 0 done, 1 failed while running, 2 wrong usage, 3 wrong configuration
 */
export async function run(args: readonly string[], io: Io): Promise<number> {
  let command: CommandName | undefined;
  try {
    const line = readFlags(args, parseListenAddress);
    command = line.command;
    if (line.help) {
      const { helpText } = await import("./help.ts");
      io.out(helpText(line.command, wantsColor(line.values["log-color"] ?? "auto", "out", io)));
      return 0;
    }
    if (line.version) {
      io.out(versionText());
      return 0;
    }
    const instance: Instance = { pseudonym: randomPseudonym(), version: VERSION };
    if (line.check) {
      const { check } = await import("./check.ts");
      return await check(line, instance, io);
    }
    const runCommand = await RUNS[line.command]();
    return await runCommand(line, instance, io);
  } catch (error) {
    if (error instanceof UsageError) {
      tell(error.problems, io);
      const of = command ?? error.command ?? "serve";
      const help = of === "serve" ? "--help" : `weir ${of} --help`;
      io.err(`weir: ${help} lists what there is\n`);
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
  // one that holds a line to run has several lines
  const lines = (problem: string) => problem.split("\n").map((line) => printable(line, Infinity)).join("\n");
  io.err(problems.map((problem) => `weir: ${lines(problem)}\n`).join(""));
}
