/** From a request to a connection on which it may be sent: name, connection, tunnel, TLS. */

import { DEFAULT_PORTS } from "../http/target.ts";
import type { ResponseReader, ResponseRules } from "../http/response_reader.ts";
import { LARGE } from "../net/buffers.ts";
import type { Clock } from "../net/clock.ts";
import { Connection, type Stream } from "../net/connection.ts";
import { dial, DialError } from "../net/dial.ts";
import { ResolveError, Resolver } from "../net/resolve.ts";
import { startTlsTo, TlsError } from "../net/tls.ts";
import { type AnswerHead, readAnswerHead } from "./answer_head.ts";
import { Deadline } from "./deadline.ts";
import { GetFailure } from "./failure.ts";
import { connectLines, type GetTarget, headBytes } from "./target.ts";

/** A proxy on the way. */
export interface ProxyRoute {
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
  /** For `Proxy-Authorization`; `null` for nobody. */
  readonly authorization: string | null;
}

export interface GetSettings extends ResponseRules {
  /** `null` asks the origin itself. */
  readonly proxy: ProxyRoute | null;
  /** What `User-Agent` says. */
  readonly agent: string;
  /** PEM certificates to trust besides the usual ones. */
  readonly certificates: readonly string[];
  /** ms; the first for name, connection, tunnel and TLS together. */
  readonly connectTimeout: number;
  readonly responseTimeout: number;
  readonly bodyTimeout: number;
}

/** How long each step took, ms; -1 for one that was not needed or not reached. */
export interface Times {
  name: number;
  connect: number;
  tunnel: number;
  tls: number;
  /** From the request to the first byte of the answer's head that is not interim. */
  answer: number;
  body: number;
  /** From the beginning to the end. */
  whole: number;
}

/** Is told what goes out and what comes back, as it does. */
export interface Watcher {
  asked(lines: readonly string[]): void;
  /** @param last whether it is the answer, and not an interim one or the tunnel's */
  answered(head: AnswerHead, last: boolean): void;
  /** A piece of the body, of use until this returns. False ends the exchange: nobody wants the rest. */
  body(bytes: Uint8Array): boolean;
}

/** A connection, or the answer of a proxy that gave no tunnel, whose body follows on the connection. */
export interface Reached {
  readonly connection: Connection;
  readonly peer: string;
  /** The head that says why there is no tunnel, in `response`; `null` when all is well. */
  readonly refusal: AnswerHead | null;
}

/** Who answers, in words: `the proxy 127.0.0.1:8888`. */
function placeText(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * @param response is used for the answer of a proxy
 * @throws {GetFailure}
 */
export async function reach(
  target: GetTarget,
  settings: GetSettings,
  response: ResponseReader,
  clock: Clock,
  times: Times,
  watcher: Watcher,
  given: AbortSignal,
): Promise<Reached> {
  const { proxy } = settings;
  const { host, port } = proxy ?? target.authority;
  const hop = `${proxy === null ? "" : "the proxy "}${placeText(host, port)}`;
  using deadline = new Deadline(settings.connectTimeout, given);
  const { signal } = deadline;
  const stream = await connect(host, port, times, signal, settings.connectTimeout, hop);
  if (target.scheme === "http") {
    return { connection: new Connection(stream, clock, LARGE, 0), peer: hop, refusal: null };
  }
  if (proxy !== null) {
    const refused = await openTunnel(stream, target, settings, response, clock, times, watcher, hop, signal);
    if (refused !== null) return refused;
  }
  const began = performance.now();
  try {
    const tls = await startTlsTo(stream, target.authority.host, {
      caCerts: [...settings.certificates],
      signal,
    });
    times.tls = performance.now() - began;
    return { connection: new Connection(tls, clock, LARGE, 0), peer: nameOf(target), refusal: null };
  } catch (error) {
    if (!(error instanceof TlsError)) throw error;
    const help = error.kind === "unknown_issuer" ? ": --origin-ca FILE trusts another authority" : "";
    throw new GetFailure("tls", `${error.message}${help}`);
  }
}

function nameOf({ authority, scheme }: GetTarget): string {
  return authority.hostField(DEFAULT_PORTS[scheme]);
}

async function connect(
  host: string,
  port: number,
  times: Times,
  signal: AbortSignal,
  timeout: number,
  hop: string,
): Promise<Deno.TcpConn> {
  const began = performance.now();
  try {
    const addresses = await new Resolver({ timeout }).resolve(host, signal);
    const resolved = performance.now();
    if (!(addresses.length === 1 && addresses[0] === host)) times.name = resolved - began;
    const { conn } = await dial(addresses, port, { signal });
    times.connect = performance.now() - resolved;
    return conn;
  } catch (error) {
    if (error instanceof ResolveError) throw new GetFailure("name", error.message);
    if (error instanceof DialError) {
      throw new GetFailure(
        "connect",
        `no connection with ${hop}: ${error.message}`,
        error.kind === "refused",
      );
    }
    throw error;
  }
}

/**
 * Asks a proxy for a tunnel on a connection, which is left as it is for TLS.
 *
 * @returns what the proxy says in its place, on that connection; `null` when there is a tunnel
 */
async function openTunnel(
  stream: Deno.TcpConn,
  target: GetTarget,
  { agent, proxy }: GetSettings,
  response: ResponseReader,
  clock: Clock,
  times: Times,
  watcher: Watcher,
  hop: string,
  signal: AbortSignal,
): Promise<Reached | null> {
  const began = performance.now();
  const lent = new Lent(stream);
  const connection = new Connection(lent, clock, LARGE, 0);
  const close = () => connection.close();
  signal.addEventListener("abort", close);
  let kept = false;
  try {
    const lines = connectLines(target, agent, proxy!.authorization);
    watcher.asked(lines);
    const written = connection.write(headBytes(lines));
    for (;;) {
      const answer = await readAnswerHead(connection, response, hop, "tunnel");
      if (answer.status < 200) {
        watcher.answered(answer, false);
        continue;
      }
      if (answer.status >= 300) {
        kept = true;
        return { connection, peer: hop, refusal: answer };
      }
      await written;
      watcher.answered(answer, false);
      if (connection.end > connection.start) {
        throw new GetFailure("tunnel", `${hop} says more than that there is a tunnel`);
      }
      times.tunnel = performance.now() - began;
      lent.taken = true;
      return null;
    }
  } catch (error) {
    if (signal.reason?.name === "TimeoutError") {
      throw new GetFailure("tunnel", `${hop} opened no tunnel to ${target.authority.text} in time`);
    }
    throw error;
  } finally {
    signal.removeEventListener("abort", close);
    if (!kept) connection.release();
  }
}

/** A stream that outlives the connection that it is lent to, once it is taken back. */
class Lent implements Stream {
  taken = false;

  constructor(readonly stream: Deno.TcpConn) {}

  read(into: Uint8Array<ArrayBuffer>): Promise<number | null> {
    return this.stream.read(into);
  }

  write(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
    return this.stream.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.stream.closeWrite();
  }

  close(): void {
    if (!this.taken) this.stream.close();
  }
}
