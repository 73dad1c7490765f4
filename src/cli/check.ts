/** `weir --check`: judges the configuration and prints it. */

import { type Instance } from "../config/config.ts";
import type { CommandLine } from "../config/flags.ts";
import type { Values } from "../config/options.ts";
import { withoutSecrets } from "../config/parent_url.ts";
import type { WrittenWays } from "../config/routes.ts";
import { tomlText } from "../config/toml_text.ts";
import type { Io } from "./io.ts";
import { load } from "./load.ts";

/**
 * Prints what was given as a file that `--config` takes, and says on standard error that it is right.
 *
 * @throws {ConfigError}
 */
export async function check(line: CommandLine, instance: Instance, io: Io): Promise<number> {
  const { values, written, tests, ways, warnings } = await load(line, instance, io);
  for (const warning of warnings) io.err(`weir: warning: ${warning}\n`);
  const text = tomlText(values, written, tests, ways);
  const shown = io.isTerminal("out") ? tomlText(hidden(values), written, tests, hiddenIn(ways)) : text;
  io.out(shown);
  if (shown !== text) {
    io.err(
      "weir: users and passwords of parents stand as *** on a terminal, and whole in a file or a pipe\n",
    );
  }
  io.err("weir: the configuration is right\n");
  return 0;
}

/** A terminal has people beside it, and scrolls back; a file that did not work would be none. */
function hidden(values: Values): Values {
  return values.upstream === undefined
    ? values
    : { ...values, upstream: values.upstream.map(withoutSecrets) };
}

function hiddenIn({ parents, routes }: WrittenWays): WrittenWays {
  return {
    parents: parents.map((parent) => ({ ...parent, url: withoutSecrets(parent.url) })),
    routes: routes.map((route) => ({ ...route, via: route.via.map(withoutSecrets) })),
  };
}
