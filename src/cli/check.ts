/** `weir --check`: judges the configuration and prints it. */

import { type Instance } from "../config/config.ts";
import type { CommandLine } from "../config/flags.ts";
import { tomlText } from "../config/toml_text.ts";
import type { Io } from "./io.ts";
import { load } from "./load.ts";

/**
 * Prints what was given as a file that `--config` takes, and says on standard error that it is right.
 *
 * @throws {ConfigError}
 */
export async function check(line: CommandLine, instance: Instance, io: Io): Promise<number> {
  const { values, written, tests, warnings } = await load(line, instance, io);
  for (const warning of warnings) io.err(`weir: warning: ${warning}\n`);
  io.out(tomlText(values, written, tests));
  io.err("weir: the configuration is right\n");
  return 0;
}
