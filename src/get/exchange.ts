/** One request and its answer, from the name to the last byte of the body. */

import { BodyReader } from "../http/body_reader.ts";
import { HttpError } from "../http/error.ts";
import type { Framing } from "../http/framing.ts";
import { ResponseReader } from "../http/response_reader.ts";
import { Clock } from "../net/clock.ts";
import type { Connection } from "../net/connection.ts";
import { type AnswerHead, ended, linesOf, readAnswerHead } from "./answer_head.ts";
import { type GetSettings, reach, type Times, type Watcher } from "./connecting.ts";
import { GetFailure } from "./failure.ts";
import { type FieldLine, type GetRequest, headBytes, requestLines } from "./target.ts";

export interface Outcome {
  readonly head: AnswerHead;
  readonly times: Times;
  /** Bytes of the body, without their framing. */
  readonly bytes: number;
  readonly trailers: readonly FieldLine[];
  /** What was odd about it, in a few words each. */
  readonly odd: readonly string[];
  /** Whether it is the answer of a proxy that gave no tunnel. */
  readonly noTunnel: boolean;
  /** False when the watcher wanted no more of it. */
  readonly whole: boolean;
}

/** Interim answers before the answer. */
const MAX_INTERIM = 32;

/**
 * Sends a request on a connection of its own and reads the answer.
 *
 * @param times are filled as the steps are done, so that they tell of an exchange that fails too
 * @param signal ends it at once, with an error that says so
 * @throws {GetFailure}
 */
export async function exchange(
  request: GetRequest,
  settings: GetSettings,
  watcher: Watcher,
  times: Times,
  signal: AbortSignal,
): Promise<Outcome> {
  const began = performance.now();
  try {
    return await run(request, settings, watcher, times, signal);
  } finally {
    times.whole = performance.now() - began;
  }
}

async function run(
  request: GetRequest,
  settings: GetSettings,
  watcher: Watcher,
  times: Times,
  signal: AbortSignal,
): Promise<Outcome> {
  const clock = new Clock();
  const response = new ResponseReader(settings);
  const { connection, peer, refusal } = await reach(
    request.target,
    settings,
    response,
    clock,
    times,
    watcher,
    signal,
  );
  const close = () => connection.close();
  signal.addEventListener("abort", close);
  try {
    if (signal.aborted) throw new GetFailure("connect", "given up");
    connection.deadline = clock.in(settings.responseTimeout);
    let answer = refusal;
    let method = "CONNECT";
    if (answer === null) {
      ({ method } = request);
      answer = await ask(connection, request, settings, response, peer, watcher, times);
    }
    watcher.answered(answer, true);
    const bodyBegan = performance.now();
    const framing = framingOf(response, method, peer);
    const body = new BodyReader("response", framing, settings, response.tolerant);
    const { bytes, trailers, whole } = await readBody(connection, body, settings, clock, peer, watcher);
    response.note(body.odd);
    const now = performance.now();
    if (framing !== 0) times.body = now - bodyBegan;
    return { head: answer, times, bytes, trailers, odd: response.odd, noTunnel: refusal !== null, whole };
  } finally {
    signal.removeEventListener("abort", close);
    connection.release();
  }
}

export function noTimes(): Times {
  return { name: -1, connect: -1, tunnel: -1, tls: -1, answer: -1, body: -1, whole: -1 };
}

async function ask(
  connection: Connection,
  request: GetRequest,
  { agent, proxy }: GetSettings,
  response: ResponseReader,
  peer: string,
  watcher: Watcher,
  times: Times,
): Promise<AnswerHead> {
  const began = performance.now();
  const plainProxy = request.target.scheme === "http" ? proxy : null;
  const lines = requestLines(request, agent, plainProxy !== null, plainProxy?.authorization ?? null);
  watcher.asked(lines);
  // not waited for: who does not want the body answers before it has taken it
  connection.write(joined(headBytes(lines), request.body));
  for (let interim = 0; interim <= MAX_INTERIM; interim++) {
    const answer = await readAnswerHead(connection, response, peer, "answer");
    // after a change of protocols nothing comes that could be read here
    if (answer.status >= 200 || answer.status === 101) {
      times.answer = performance.now() - began;
      return answer;
    }
    watcher.answered(answer, false);
  }
  throw new GetFailure("answer", `${peer} sent more than ${MAX_INTERIM} interim answers`);
}

function joined(head: Uint8Array<ArrayBuffer>, body: Uint8Array | null): Uint8Array<ArrayBuffer> {
  if (body === null) return head;
  const whole = new Uint8Array(head.length + body.length);
  whole.set(head);
  whole.set(body, head.length);
  return whole;
}

function framingOf(response: ResponseReader, method: string, peer: string): Framing {
  try {
    return response.framing(method);
  } catch (error) {
    if (error instanceof HttpError) throw new GetFailure("answer", `${peer}: ${error.message}`);
    throw error;
  }
}

async function readBody(
  connection: Connection,
  body: BodyReader,
  settings: GetSettings,
  clock: Clock,
  peer: string,
  watcher: Watcher,
): Promise<{ bytes: number; trailers: readonly FieldLine[]; whole: boolean }> {
  let bytes = 0;
  while (!body.done) {
    if (connection.end > connection.start) {
      try {
        body.read(connection.buffer, connection.start, connection.end);
      } catch (error) {
        if (error instanceof HttpError) throw new GetFailure("body", `${peer}: ${error.message}`);
        throw error;
      }
      connection.start = body.consumed;
      if (body.dataEnd > body.dataStart) {
        bytes += body.dataEnd - body.dataStart;
        if (!watcher.body(connection.buffer.subarray(body.dataStart, body.dataEnd))) {
          return { bytes, trailers: [], whole: false };
        }
      }
      continue;
    }
    connection.empty();
    connection.deadline = clock.in(settings.bodyTimeout);
    const count = await connection.read();
    if (count > 0) continue;
    if (count === 0 && body.end()) break;
    const of = body.framing > 0 ? ` of ${body.framing}` : "";
    const where = `after ${bytes}${of} bytes of the body`;
    throw ended(connection, count, peer, "body", where);
  }
  return { bytes, trailers: body.trailers === null ? [] : linesOf(body.trailers), whole: true };
}
