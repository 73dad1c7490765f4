/** Reads logs: weir's JSON, Squid's native format, and the Common and Combined ones, line by line. */

import { linesOf } from "./log_lines.ts";
import { BadLine } from "./log_target.ts";
import type { LoggedExchange } from "./logged_exchange.ts";
import { MissingNumbers } from "./missing_numbers.ts";
import { readCommonLine } from "./read_common.ts";
import { readJsonLine } from "./read_json.ts";
import { type LoggedConnection, readRelayedLine } from "./read_relayed.ts";
import { readSquidLine } from "./read_squid.ts";

/** Lines that were passed over for one reason. */
export interface PassedOver {
  readonly reason: string;
  count: number;
  /** The first of them: the log's name and the line in it, from 1. */
  readonly log: string;
  readonly line: number;
}

/** The end of a log could not be read. What came before it was. */
export class LogError extends Error {
  override readonly name = "LogError";
}

const SQUID = /^ *[0-9]{1,12}\.[0-9]{3} /;

/** Counts what it reads; one for all logs that belong together. Memory does not grow with the logs. */
export class LogReader {
  /** Lines that were not empty. */
  lines = 0;
  exchanges = 0;
  /** Of a relay. */
  connections = 0;
  /** Numbers that are not in the logs though greater ones are: of exchanges, and of a relay's connections. */
  missing = 0;
  /** The first log that lacks some; `""` where none does. */
  missingFrom = "";
  #relayed: ((connection: LoggedConnection) => void) | null;
  #passedOver = new Map<string, PassedOver>();

  /** @param relayed takes the lines of `weir relay`, which are passed over without it */
  constructor(relayed: ((connection: LoggedConnection) => void) | null = null) {
    this.#relayed = relayed;
  }

  /** What was not understood or not believed, the most frequent first. */
  get passedOver(): PassedOver[] {
    return [...this.#passedOver.values()].sort((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1));
  }

  /**
   * The exchanges of a log in its order, those that came together in one list. Which format a line has is found out
   * for each by itself.
   *
   * @param stream as it was written, neither compressed nor in another encoding
   * @param name what to call the log in {@link passedOver}
   * @throws {LogError} when the stream breaks
   */
  async *read(stream: ReadableStream<Uint8Array>, name: string): AsyncGenerator<LoggedExchange[]> {
    let number = 0;
    const numbers = { exchanges: new MissingNumbers(), connections: new MissingNumbers() };
    const batches = linesOf(stream);
    try {
      while (true) {
        const { value: lines, done } = await nextOf(batches, name);
        if (done) return;
        const exchanges: LoggedExchange[] = [];
        for (const line of lines) {
          number++;
          if (line === "") continue;
          this.lines++;
          try {
            if (line === null) throw new BadLine("longer than any line of a log");
            if (this.#takesRelayed(line, numbers.connections)) continue;
            const exchange = readLine(line);
            numbers.exchanges.add(exchange.number, exchange.time, exchange.duration);
            exchanges.push(exchange);
          } catch (error) {
            if (!(error instanceof BadLine)) throw error;
            this.#passOver(error.message, name, number);
          }
        }
        this.exchanges += exchanges.length;
        if (exchanges.length > 0) yield exchanges;
      }
    } finally {
      const missing = numbers.exchanges.count + numbers.connections.count;
      if (missing > 0) this.missingFrom ||= name;
      this.missing += missing;
      await batches.return(undefined);
    }
  }

  /** Whether a line is a relay's, and somebody wants it. @throws {BadLine} */
  #takesRelayed(line: string, numbers: MissingNumbers): boolean {
    if (this.#relayed === null || !line.startsWith("{") || !line.includes('"relay"')) return false;
    const connection = readRelayedLine(line);
    if (connection === null) return false;
    this.connections++;
    numbers.add(connection.number, connection.time, connection.duration);
    this.#relayed(connection);
    return true;
  }

  /** There are a few reasons, all of them known beforehand: the map stays small. */
  #passOver(reason: string, log: string, line: number): void {
    const known = this.#passedOver.get(reason);
    if (known === undefined) this.#passedOver.set(reason, { reason, count: 1, log, line });
    else known.count++;
  }
}

/** Reads one line of any known format. @throws {BadLine} */
export function readLine(line: string): LoggedExchange {
  if (line.startsWith("{")) return readJsonLine(line);
  return SQUID.test(line) ? readSquidLine(line) : readCommonLine(line);
}

async function nextOf(
  batches: AsyncGenerator<(string | null)[]>,
  name: string,
): Promise<IteratorResult<(string | null)[]>> {
  try {
    return await batches.next();
  } catch (error) {
    throw new LogError(`${name} breaks off: ${error instanceof Error ? error.message : error}`);
  }
}
