/** Reads the head of an answer from a connection. */

import { HttpError } from "../http/error.ts";
import type { HeadReader } from "../http/head_reader.ts";
import type { ResponseReader } from "../http/response_reader.ts";
import { type Connection, ENDED } from "../net/connection.ts";
import { GetFailure, type Step } from "./failure.ts";
import type { FieldLine } from "./target.ts";

/** A head as it came; texts have one character a byte. */
export interface AnswerHead {
  readonly status: number;
  readonly reason: string;
  /** 0 or 1. */
  readonly minorVersion: number;
  readonly fields: readonly FieldLine[];
  /** What was odd about it or an interim one before it, in a few words each. */
  readonly odd: readonly string[];
}

/** The value of a field by its name in lower case, several joined by `, `; `""` without one. */
export function fieldIn({ fields }: AnswerHead, name: string): string {
  return fields.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value).join(", ");
}

/**
 * Reads a head into `response`, which stays of use until the connection is read again. What came after it is left in
 * the connection's buffer.
 *
 * @param peer who answers, in words
 * @throws {GetFailure}
 */
export async function readAnswerHead(
  connection: Connection,
  response: ResponseReader,
  peer: string,
  step: Step,
): Promise<AnswerHead> {
  // whatever was read before makes room, so that a head of any size that is allowed has its place
  const { buffer, base, start, end } = connection;
  buffer.copyWithin(base, start, end);
  connection.start = base;
  connection.end = base + end - start;
  response.begin(buffer, base);
  try {
    for (;;) {
      if (!response.mayBecome(connection.end)) {
        throw new GetFailure(step, `what ${peer} says is no HTTP/1.1`);
      }
      if (response.read(connection.end)) break;
      if (connection.room === 0) {
        connection.swap(new Uint8Array(connection.buffer.length * 2));
        response.move(connection.buffer, 0);
      }
      const count = await connection.read();
      if (count > 0) continue;
      const begun = connection.end > base ? "within the head of its answer" : "without an answer";
      throw ended(connection, count, peer, step, begun);
    }
    const { head, status, minorVersion, reasonStart } = response;
    connection.start = response.end;
    return {
      status,
      minorVersion,
      reason: head.text(reasonStart, head.startLineEnd),
      fields: linesOf(head),
      odd: response.odd,
    };
  } catch (error) {
    if (error instanceof HttpError) throw new GetFailure(step, `${peer}: ${error.message}`);
    throw error;
  }
}

/** The lines of a head or of trailers. */
export function linesOf(head: HeadReader): FieldLine[] {
  return Array.from({ length: head.count }, (_, index) => [head.name(index), head.value(index)] as const);
}

/**
 * What the end of a connection means.
 *
 * @param count what the read said
 * @param where what it was in the middle of
 */
export function ended(
  connection: Connection,
  count: number,
  peer: string,
  step: Step,
  where: string,
): GetFailure {
  if (connection.expired) {
    return new GetFailure(step, `${peer} was silent for too long, ${where}`);
  }
  if (count === ENDED) return new GetFailure(step, `${peer} closed the connection ${where}`);
  const { error } = connection;
  const why = error instanceof Error && error.message !== "" ? `: ${error.message}` : "";
  return new GetFailure(step, `the connection with ${peer} broke ${where}${why}`);
}
