/** Reads the JSON lines of `weir relay`. */

import { countAt, type JsonLine, numberAt, objectOf, textAt, timeAt } from "./json_line.ts";
import { BadLine, bytesCount, durationOf, readAddress, readLoggedTarget, wordsOf } from "./log_target.ts";

/** One connection through a relay as a log tells it, after everything that can be checked has been checked. */
export interface LoggedConnection {
  /** Counts up from 1 in one relay; 0 when the log does not say. */
  readonly number: number;
  /** When it began, ms since the epoch. */
  readonly time: number;
  /** `""` when the log names no address. */
  readonly client: string;
  /** The target as it was named, `""` when none was tried; and the address of it that was tried last. */
  readonly target: string;
  readonly origin: string;
  /** Whether the client was turned away. */
  readonly denied: boolean;
  readonly connected: boolean;
  /** How many targets were tried in vain before. */
  readonly skipped: number;
  /** Bytes to the target and from it. */
  readonly up: number;
  readonly down: number;
  /** ms. */
  readonly duration: number;
  /** An RFC 9209 type, or `""`. */
  readonly error: string;
}

/** Whether a line is one of `weir relay`'s. */
export function isRelayed(line: JsonLine): boolean {
  return line.kind === "relay";
}

/** `null` when it is another program's line. @throws {BadLine} */
export function readRelayedLine(text: string): LoggedConnection | null {
  const line = objectOf(text);
  if (!isRelayed(line)) return null;
  const { verdict } = line;
  if (verdict !== "allow" && verdict !== "deny") throw new BadLine("no line of weir's");
  const target = textAt(line, "target");
  const skipped = line.skipped === undefined ? 0 : numberAt(line, "skipped");
  if (!Number.isSafeInteger(skipped) || skipped < 0) throw new BadLine("a number of targets that cannot be");
  return {
    number: countAt(line),
    time: timeAt(line),
    client: readAddress(textAt(line, "client"))?.text ?? "",
    target: target === "" ? "" : readLoggedTarget("CONNECT", target).authority.text,
    origin: readAddress(textAt(line, "origin"))?.text ?? "",
    denied: verdict === "deny",
    connected: line.connectedMs !== undefined,
    skipped,
    up: bytesCount(numberAt(line, "requestBodyBytes")),
    down: bytesCount(numberAt(line, "responseBodyBytes")),
    duration: durationOf(numberAt(line, "durationMs")),
    error: wordsOf(textAt(line, "error")),
  };
}
