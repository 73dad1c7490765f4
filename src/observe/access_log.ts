/** The access log: each exchange, once it is over, in the format of one's choice. */

import type { Exchange } from "../proxy/exchange.ts";
import type { NoticeLevel } from "../proxy/observer.ts";
import { BatchedWriter } from "./batched_writer.ts";
import { formatCombined } from "./format_combined.ts";
import { formatCommon } from "./format_common.ts";
import { hopsFormat } from "./format_hops.ts";
import { formatJson } from "./format_json.ts";
import { prettyFormat } from "./format_pretty.ts";
import { formatSquid } from "./format_squid.ts";

export type AccessLogFormat = "pretty" | "hops" | "json" | "common" | "combined" | "squid" | "none";

export interface AccessLogOptions {
  /** Colours in the formats for people. */
  color: boolean;
  /** Where the operator is told what the log lost and that it failed; standard error by default. */
  notice?(level: NoticeLevel, message: string): void;
  /** Writes bytes and says how many it took; standard output by default. */
  write?(bytes: Uint8Array): Promise<number>;
  /** How long a line may wait for others, ms: 100, and 0 when standard output is a terminal. */
  delay?: number;
  /** How long a flush waits for a reader that stands still, ms: 2000. */
  patience?: number;
}

/** The part of an observer that listens to exchanges. */
export type AccessLog = RecordLog<Exchange>;

export interface RecordLog<Each> {
  /** Notes an exchange that is over. Returns at once and never throws. */
  finished(exchange: Each): void;
  /**
   * Writes what waits. Resolves when it is written, or when a reader that stands still has used up the patience: then
   * the write is still pending, and the process has to be ended with `Deno.exit`.
   */
  flush(): Promise<void>;
  /** How many exchanges were not logged, for want of room or of a reader. */
  readonly dropped: number;
}

const DELAY = 100;

/** Begins an access log. Nothing is opened and no timer runs until there is something to write. */
export function accessLog(format: AccessLogFormat, options: AccessLogOptions): AccessLog {
  return recordLog(lineFormat(format, options.color), options);
}

/** Begins a log of records, in lines without their end; `undefined` for no lines at all. */
export function recordLog<Each>(
  toLine: ((exchange: Each) => string) | undefined,
  options: AccessLogOptions,
): RecordLog<Each> {
  if (toLine === undefined) return { finished() {}, flush: () => Promise.resolve(), dropped: 0 };

  const notice = options.notice ?? ((level, message) => console.error(`weir: ${level}: ${message}`));
  const writer = new BatchedWriter({
    write: options.write ?? ((bytes) => Deno.stdout.write(bytes)),
    delay: options.delay ?? (options.write === undefined && Deno.stdout.isTerminal() ? 0 : DELAY),
    patience: options.patience,
    lost: (exchanges) => notice("warning", lostMessage(exchanges)),
    failed: (error) => notice("warning", failedMessage(error)),
  });
  let misshapen = 0;
  return {
    finished(exchange) {
      try {
        writer.append(`${toLine(exchange)}\n`);
      } catch (error) {
        // a mistake of ours must not cost the client its connection, nor flood the operator
        if (misshapen++ === 0) notice("error", `an exchange could not be logged: ${error}`);
      }
    },
    flush: () => writer.flush(),
    get dropped() {
      return writer.dropped + misshapen;
    },
  };
}

function lineFormat(format: AccessLogFormat, color: boolean): ((exchange: Exchange) => string) | undefined {
  switch (format) {
    case "pretty":
      return prettyFormat(color);
    case "hops":
      return hopsFormat(color);
    case "json":
      return formatJson;
    case "common":
      return formatCommon;
    case "combined":
      return formatCombined;
    case "squid":
      return formatSquid;
    case "none":
      return undefined;
  }
}

function lostMessage(exchanges: number): string {
  const what = exchanges === 1 ? "1 exchange is" : `${exchanges} exchanges are`;
  return `${what} missing from the access log: standard output was not read fast enough`;
}

function failedMessage(error: unknown): string {
  if (error instanceof Deno.errors.BrokenPipe) {
    return "the access log has ended: nobody reads standard output any more; requests are served as before";
  }
  const why = error instanceof Error ? error.message : String(error);
  return `the access log cannot be written (${why}); requests are served as before, and it is tried again`;
}
