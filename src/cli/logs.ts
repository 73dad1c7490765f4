/** The logs that a command is given. */

import { ConfigError } from "../config/errors.ts";
import type { CommandLine } from "../config/flags.ts";
import { LogError, type LogReader } from "../review/log_reader.ts";
import type { LoggedExchange } from "../review/logged_exchange.ts";
import type { Io } from "./io.ts";
import { logsOf } from "./permissions.ts";
import { plainLog } from "./plain_log.ts";
import { openFile, requireRead } from "./read_file.ts";

/** Reasons for which lines were passed over that are told; the others are counted. */
const MOST_REASONS = 5;

/**
 * The exchanges of all logs that the command line names, one log after the other; `-` is standard input.
 *
 * @param others files that had to be read before, so that a line that permits it permits those too
 * @throws {ConfigError} when one cannot be read, and in the end when none of them holds a line that is understood
 */
export async function* readLogs(
  reader: LogReader,
  line: CommandLine,
  io: Io,
  others: readonly string[] = [],
): AsyncGenerator<LoggedExchange[]> {
  const files = logsOf(line);
  if (line.words.length - files.length > 1) throw new ConfigError(["standard input can be read only once"]);
  if (files.length > 0) await requireRead([...others, ...files], line);
  for (const word of line.words) {
    const stream = word === "-" ? io.input : await openFile(word, line);
    const name = word === "-" ? "standard input" : word;
    try {
      yield* reader.read(plainLog(stream), name);
    } catch (error) {
      if (error instanceof LogError) throw new ConfigError([error.message]);
      throw error;
    }
  }
  if (reader.lines > 0 && reader.exchanges + reader.connections === 0) {
    throw new ConfigError([
      `${line.words.join(", ")}: no line is understood; ${passedOver(reader)}\n` +
      "  weir reads what --log-format json, squid, common and combined write",
    ]);
  }
}

/** Says on standard error which lines were passed over, if any were. */
export function tellPassedOver(reader: LogReader, io: Io): void {
  if (reader.passedOver.length === 0) return;
  const all = reader.lines - reader.exchanges - reader.connections;
  io.err(`weir: ${all} of ${reader.lines} lines were passed over: ${passedOver(reader)}\n`);
}

function passedOver(reader: LogReader): string {
  const reasons = reader.passedOver;
  const told = reasons.slice(0, MOST_REASONS).map(({ reason, count, log, line }) =>
    `${reason} (${count === 1 ? "" : `${count}, first in `}${log}:${line})`
  );
  const others = reasons.slice(MOST_REASONS).reduce((sum, { count }) => sum + count, 0);
  return told.join("; ") + (others === 0 ? "" : `; and ${others} more`);
}
