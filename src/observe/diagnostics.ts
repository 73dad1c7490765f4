/** What the operator should know that belongs to no single exchange: lines on standard error, through LogTape. */

import type { NoticeLevel } from "../proxy/observer.ts";
import { BatchedWriter } from "./batched_writer.ts";
import { BOLD, CYAN, DIM, paint, RED, YELLOW } from "./colors.ts";
import { printable } from "./printable.ts";
import { isoTime } from "./timestamps.ts";

export interface DiagnosticsOptions {
  /** Colours for a terminal. */
  color: boolean;
  /** Lines begin with the time: by default when standard error is no terminal. */
  time?: boolean;
  /** Writes bytes and says how many it took; standard error by default. */
  write?(bytes: Uint8Array): Promise<number>;
  /** How long a flush waits for a reader that stands still, ms: 2000. */
  patience?: number;
}

/** Says something to the operator. Returns at once and never throws. */
export interface Diagnostics {
  (level: NoticeLevel, message: string): void;
  /** Resolves when all that was said is written, or when a reader that stands still has used up the patience. */
  flush(): Promise<void>;
}

const RANK: Record<NoticeLevel, number> = { debug: 0, info: 1, warning: 2, error: 3 };
const COLOR: Record<NoticeLevel, string> = {
  debug: DIM,
  info: CYAN,
  warning: YELLOW,
  error: `${BOLD};${RED}`,
};
const MAX_LENGTH = 4096;
/** Bytes that may wait for a slow reader. */
const CAPACITY = 1024 * 1024;

interface Line {
  level: NoticeLevel;
  message: string;
}

type Sink = (line: Line, at: number) => void;

/**
 * Begins diagnostics of this level and above, in lines like `weir: warning: …`. LogTape is loaded with the first of
 * them: it costs as much time as the rest of a start. A later call takes the place of the one before.
 */
export function configureDiagnostics(level: NoticeLevel, options: DiagnosticsOptions): Promise<Diagnostics> {
  const timed = options.time ?? !Deno.stderr.isTerminal();
  const toText = (line: Line, at: number) => {
    const time = timed ? `${paint(options.color, DIM, isoTime(at))} ` : "";
    const word = paint(options.color, COLOR[line.level], `${line.level}:`);
    return `${time}weir: ${word} ${printable(line.message, MAX_LENGTH)}\n`;
  };
  const writer = new BatchedWriter({
    write: options.write ?? ((bytes) => Deno.stderr.write(bytes)),
    delay: 0,
    capacity: CAPACITY,
    patience: options.patience,
    lost: () => {
      const message =
        `messages missing here so far: ${writer.dropped}; standard error is not read fast enough`;
      writer.append(toText({ level: "warning", message }, Date.now()));
    },
    // there is nowhere left to say it
    failed() {},
  });

  let log: ((line: Line) => void) | undefined;
  let loading: Promise<void> | undefined;
  const waiting: Line[] = [];
  const load = async () => {
    try {
      log = await logTape(level, (line, at) => writer.append(toText(line, at)));
    } catch {
      // what cannot be loaded must not silence anybody
      log = (line) => writer.append(toText(line, Date.now()));
    }
    for (const line of waiting.splice(0)) log(line);
  };

  const diagnostics = (lineLevel: NoticeLevel, message: string) => {
    if (RANK[lineLevel] < RANK[level]) return;
    const line = { level: lineLevel, message };
    if (log !== undefined) return log(line);
    waiting.push(line);
    loading ??= load();
  };
  return Promise.resolve(Object.assign(diagnostics, {
    async flush() {
      await loading;
      await writer.flush();
    },
  }));
}

/** Makes LogTape's logger `weir` write to `sink`, and gives the function that logs through it. */
async function logTape(level: NoticeLevel, sink: Sink): Promise<(line: Line) => void> {
  const { configureSync, getLogger } = await import("@logtape/logtape");
  configureSync({
    reset: true,
    sinks: {
      standardError: (record) => sink(record.properties.line as Line, record.timestamp),
    },
    loggers: [
      { category: "weir", sinks: ["standardError"], lowestLevel: level },
      { category: ["logtape", "meta"], sinks: [], lowestLevel: null },
    ],
  });
  const logger = getLogger("weir");
  // the message is a property and no template: braces in it are just braces
  return (line) => logger[line.level]("{line}", { line });
}
