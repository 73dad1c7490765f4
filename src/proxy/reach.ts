/** The way to an origin: a kept connection, or a new one to an address that was looked at. The only way out. */

import type { Authority } from "../http/authority.ts";
import { HttpError } from "../http/error.ts";
import type { Scheme } from "../http/target.ts";
import { MEDIUM, SMALL } from "../net/buffers.ts";
import { Connection } from "../net/connection.ts";
import { dial, DialError, type Dialled } from "../net/dial.ts";
import { ResolveError } from "../net/resolve.ts";
import { startTlsTo, TlsError } from "../net/tls.ts";
import type { Clock, Deadlined } from "../net/clock.ts";
import type { Verdict } from "../policy/verdict.ts";
import type { Asker } from "./asker.ts";
import { ClientGone } from "./client_gone.ts";
import type { Exchange } from "./exchange.ts";
import { ipOf, judge, obey, passes } from "./judgement.ts";
import type { Services } from "./services.ts";

/** Bytes before a response in its buffer: what the rewritten head may be longer than the one that came. */
const RESPONSE_BASE = 512;

/** What the pool knows an origin by. */
export function poolKey(scheme: Scheme, authority: Authority): string {
  return scheme === "http" ? authority.text : "https:" + authority.text;
}

/** A deadline for what takes a signal. */
class SignalDeadline implements Deadlined {
  readonly #controller = new AbortController();
  readonly signal = this.#controller.signal;
  deadline: number;

  constructor(clock: Clock, milliseconds: number) {
    clock.watch(this);
    this.deadline = clock.in(milliseconds);
  }

  expire(): void {
    this.#controller.abort(new DOMException("The time to connect is over", "TimeoutError"));
  }

  giveUp(): void {
    this.#controller.abort();
  }
}

/**
 * A new connection to an origin, on which nothing has been sent. Writes where it leads into the record. Throws
 * {@link HttpError} with the answer that its failure deserves (RFC 9110 §15.6.3 and §15.6.5, RFC 9209 §2.3), and
 * {@link ClientGone} when there is nobody who could read it.
 */
export async function connect(
  session: Asker,
  authority: Authority,
  scheme: Scheme | "tunnel",
  exchange: Exchange,
): Promise<Connection> {
  const { services } = session;
  const { clock, settings } = services;
  const deadline = session.reaching = new SignalDeadline(clock, settings.connectTimeout);
  try {
    const { signal } = deadline;
    const addresses = authority.ip !== null
      ? [authority.host]
      : await services.resolver.resolve(authority.host, signal);
    const { allowed, verdicts, circular } = chooseAddresses(session, exchange, authority, addresses);
    const { conn, address } = await dialAllowed(services, authority, allowed, circular, signal);
    exchange.originAddress = address;
    refuseOwn(services, authority, conn, address);
    takeVerdict(session, exchange, verdicts[allowed.indexOf(address)], conn);
    const stream = scheme === "https"
      ? await startTlsTo(conn, authority.host, { caCerts: settings.originCertificates, signal })
      : conn;
    // a tunnel needs no room for a head, and gives its idle buffers back to the small
    const up = scheme === "tunnel"
      ? new Connection(stream, clock, SMALL, 0)
      : new Connection(stream, clock, MEDIUM, RESPONSE_BASE);
    up.address = address;
    if (session.gone) {
      up.release();
      throw new ClientGone();
    }
    return up;
  } catch (error) {
    throw session.gone ? new ClientGone() : asAnswer(authority, error);
  } finally {
    session.reaching = null;
    clock.unwatch(deadline);
  }
}

/**
 * A listener on all addresses is reached through each that this machine has, which is known only now: a connection
 * to this machine comes from the address that it goes to. Throws {@link HttpError}; then the connection is closed.
 */
function refuseOwn(
  { ownListeners }: Services,
  authority: Authority,
  conn: Deno.TcpConn,
  address: string,
): void {
  if (!ownListeners.includes(address, authority.port, conn.localAddr.hostname)) return;
  conn.close();
  throw circularity(authority);
}

function circularity({ text }: Authority): HttpError {
  return new HttpError(502, "proxy_loop_detected", `${text} is this proxy itself`);
}

/**
 * Stands by what was said of the address that answered, even if another policy is in force meanwhile: until now the
 * exchange counted against the rates of the first. Throws {@link HttpError}; then the connection is closed.
 */
function takeVerdict(session: Asker, exchange: Exchange, verdict: Verdict, conn: Deno.TcpConn): void {
  try {
    obey(session, exchange, verdict);
  } catch (error) {
    conn.close();
    throw error;
  }
}

interface Choice {
  /** Those addresses that may be dialled, and what the policy said of each. */
  allowed: string[];
  verdicts: Verdict[];
  /** Whether one of the others is a listener of weir's own. */
  circular: boolean;
}

/**
 * Judges every address before one is dialled: a name may have public and private ones at once, and others at the next
 * look. Throws {@link HttpError} when the policy refuses all.
 */
function chooseAddresses(
  session: Asker,
  exchange: Exchange,
  authority: Authority,
  addresses: readonly string[],
): Choice {
  const { services: { ownListeners }, local } = session;
  const choice: Choice = { allowed: [], verdicts: [], circular: false };
  let refused: Verdict | null = null;
  for (const address of addresses) {
    if (ownListeners.includes(address, authority.port, local)) {
      choice.circular = true;
      continue;
    }
    const ip = ipOf(address);
    // one with a zone identifier leads to a network that no rule can name
    if (ip === null) continue;
    const verdict = judge(session, ip);
    if (passes(verdict)) {
      choice.allowed.push(address);
      choice.verdicts.push(verdict);
    } else refused ??= verdict;
  }
  if (choice.allowed.length > 0) {
    // where it went when nobody answers there, and the address that did when somebody does
    exchange.originAddress = choice.allowed[0];
    exchange.originPort = authority.port;
    obey(session, exchange, choice.verdicts[0]);
  } else if (refused !== null) obey(session, exchange, refused);
  else if (!choice.circular) {
    throw new HttpError(502, "destination_ip_unroutable", `${authority.text} cannot be reached from here`);
  }
  return choice;
}

/** Dials those of an origin's addresses that do not lead back here. Throws when none is left. */
async function dialAllowed(
  services: Services,
  authority: Authority,
  allowed: readonly string[],
  circular: boolean,
  signal: AbortSignal,
): Promise<Dialled> {
  try {
    if (allowed.length > 0) return await dialWithRoom(services, allowed, authority.port, signal);
  } catch (error) {
    // a name that means weir itself, above all localhost, may have an address where nobody listens
    if (!circular || (error as DialError).kind !== "refused") throw error;
  }
  throw circularity(authority);
}

/** Dials; when the system has no descriptor left, once more after the kept connections have given theirs. */
async function dialWithRoom(
  services: Services,
  addresses: readonly string[],
  port: number,
  signal: AbortSignal,
): Promise<Dialled> {
  try {
    return await dial(addresses, port, { signal });
  } catch (error) {
    const { pool } = services;
    if (!(error instanceof DialError) || error.kind !== "no_descriptors" || pool.size === 0) throw error;
    pool.clear();
    return await dial(addresses, port, { signal });
  }
}

/** Those kinds of failed handshakes that are not the certificate's fault. */
const TLS_ERRORS: Readonly<Record<string, string>> = {
  alert: "tls_alert_received",
  protocol: "tls_protocol_error",
  closed: "tls_protocol_error",
  aborted: "tls_protocol_error",
};

function asAnswer(authority: Authority, error: unknown): HttpError {
  const { text, host } = authority;
  if (error instanceof HttpError) return error;
  if (error instanceof ResolveError) {
    if (error.kind === "timeout") {
      return new HttpError(504, "dns_timeout", `no name server told the address of ${host} in time`);
    }
    if (error.kind === "not_found") return new HttpError(502, "dns_error", `there is no host ${host}`);
    return new HttpError(502, "dns_error", `the address of ${host} could not be found out: ${error.message}`);
  }
  if (error instanceof TlsError) {
    const message = `no TLS connection with ${text}: ${error.message}`;
    if (error.kind === "timeout") return new HttpError(504, "connection_timeout", message);
    if (error.kind === "exhausted") return new HttpError(503, "connection_limit_reached", message);
    return new HttpError(502, TLS_ERRORS[error.kind] ?? "tls_certificate_error", message);
  }
  if (error instanceof DialError) {
    switch (error.kind) {
      case "refused":
        return new HttpError(502, "connection_refused", `${text} refused the connection`);
      case "timeout":
        return new HttpError(504, "connection_timeout", `no connection with ${text} in time`);
      case "unreachable":
        return new HttpError(502, "destination_ip_unroutable", `${text} cannot be reached from here`);
      case "no_descriptors":
        return new HttpError(
          503,
          "connection_limit_reached",
          "this proxy has no room for another connection",
        );
    }
    return new HttpError(502, "destination_unavailable", `no connection with ${text}: ${error.message}`);
  }
  return new HttpError(
    502,
    "destination_unavailable",
    `no connection with ${text}: ${(error as Error).message}`,
  );
}
