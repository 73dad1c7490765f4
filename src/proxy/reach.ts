/** The way to an origin: a kept connection, or a new one to an address that was looked at. The only way out. */

import type { Authority } from "../http/authority.ts";
import { HttpError } from "../http/error.ts";
import { sameIp } from "../http/ip_address.ts";
import { MEDIUM, SMALL } from "../net/buffers.ts";
import type { Stream } from "../net/connection.ts";
import { DialError, type Dialled } from "../net/dial.ts";
import { ResolveError } from "../net/resolve.ts";
import { startTlsTo } from "../net/tls.ts";
import { plainAddress } from "../policy/address_scope.ts";
import type { Verdict } from "../policy/verdict.ts";
import type { Asker } from "./asker.ts";
import { ClientGone } from "./client_gone.ts";
import { asAnswer, dialWithRoom, incomplete } from "./dialling.ts";
import type { Exchange } from "./exchange.ts";
import { ipOf, judge, judgeAt, obey, passes } from "./judgement.ts";
import { NamedAddress } from "./named_address.ts";
import { bridged } from "./parents/loopback_bridge.ts";
import type { Parent, Way } from "./parents/parent.ts";
import { type ReachedParent, reachParent } from "./parents/parent_dial.ts";
import { called, ParentError } from "./parents/parent_error.ts";
import { askForTunnel } from "./parents/parent_http.ts";
import { askForSocksTunnel } from "./parents/parent_socks.ts";
import type { Services } from "./services.ts";
import { SignalDeadline } from "../net/signal_deadline.ts";
import { asksParent, poolKey, Upstream, type Wanted } from "./upstream.ts";

/** Bytes before a response in its buffer: what the rewritten head may be longer than the one that came. */
const RESPONSE_BASE = 512;

/**
 * A new connection on which an origin can be asked, and on which nothing has been asked yet: to the origin itself, or
 * through the first of its parents that can be reached. Writes where it leads into the record. Throws
 * {@link HttpError} with the answer that its failure deserves, and {@link ClientGone} when there is nobody who could
 * read it.
 *
 * @param without ways that this exchange has tried, while others are left
 */
export async function connect(
  session: Asker,
  authority: Authority,
  wanted: Wanted,
  exchange: Exchange,
  without: readonly Way[] = [],
): Promise<Upstream> {
  const { parents, clock, settings } = session.services;
  const end = clock.in(settings.connectTimeout);
  const ways = parents.waysTo(authority, without);
  const attempt: Attempt = { session, authority, wanted, exchange, end, deadline: end };
  if (ways === null) return orThrow(await attempted(attempt, null));
  let failure: HttpError | null = null;
  for (const [index, way] of ways.entries()) {
    // one that is silent leaves time for those behind it
    attempt.deadline = clock.now + (end - clock.now) / (ways.length - index);
    const up = await attempted(attempt, way);
    if (up instanceof Upstream) return up;
    failure = up;
    exchange.retries++;
  }
  exchange.retries--;
  throw failure!;
}

/** One attempt to reach an origin on one way. */
interface Attempt {
  readonly session: Asker;
  readonly authority: Authority;
  readonly wanted: Wanted;
  readonly exchange: Exchange;
  /** The time for all attempts, and for what comes first in this one, on the clock's time. */
  readonly end: number;
  deadline: number;
}

function orThrow(up: Upstream | HttpError): Upstream {
  if (up instanceof Upstream) return up;
  throw up;
}

/**
 * Takes one way. What it resolves with when it is no connection is an answer that another way may make needless; what
 * no other way would change is thrown.
 */
async function attempted(attempt: Attempt, way: Way): Promise<Upstream | HttpError> {
  const { session, authority, exchange } = attempt;
  const { clock } = session.services;
  const deadline = session.reaching = new SignalDeadline(clock, attempt.deadline);
  exchange.parent = way?.name ?? "";
  try {
    const up = way === null ? await directly(attempt, deadline) : await through(attempt, way, deadline);
    if (session.gone) {
      up.release();
      throw new ClientGone();
    }
    return up;
  } catch (error) {
    if (session.gone) throw new ClientGone();
    if (error instanceof Passable) return error.answer;
    if (way === null && (error instanceof DialError || error instanceof ResolveError)) {
      return asAnswer(authority, error);
    }
    throw asAnswer(authority, error);
  } finally {
    session.reaching = null;
    deadline.lift();
  }
}

/** A failure of one way that says nothing about others. */
class Passable extends Error {
  constructor(readonly answer: HttpError) {
    super(answer.message);
  }
}

/** To one of the origin's own addresses. */
async function directly(attempt: Attempt, { signal }: SignalDeadline): Promise<Upstream> {
  const { session, authority, wanted, exchange } = attempt;
  const { services } = session;
  const addresses = authority.ip !== null
    ? [authority.host]
    : await services.resolver.resolve(authority.host, signal, session.facts.client);
  const { allowed, verdicts, circular } = chooseAddresses(session, exchange, authority, addresses);
  const { conn, address } = await dialAllowed(services, authority, allowed, circular, signal);
  exchange.originAddress = address;
  refuseOwn(services, authority, conn, address);
  takeVerdict(
    session,
    exchange,
    verdictOnPeer(session, conn, address) ?? verdicts[allowed.indexOf(address)],
    conn,
  );
  const stream = wanted === "https"
    ? await startTlsTo(conn, authority.host, { caCerts: services.settings.originCertificates, signal })
    : conn;
  const up = upstreamOf(attempt, stream, null);
  up.address = address;
  up.named = namedAddress(attempt, authority, address);
  return up;
}

/** What a connection that may be kept follows: the name that has just led to this address, if one did. */
function namedAddress(
  { session, wanted }: Attempt,
  { host, ip }: Authority,
  address: string,
): NamedAddress | null {
  return ip === null && wanted !== "tunnel" ? new NamedAddress(host, address, session.services.clock) : null;
}

function upstreamOf({ session, authority, wanted }: Attempt, stream: Stream, way: Way): Upstream {
  const { clock } = session.services;
  // a tunnel needs no room for a head, and gives its idle buffers back to the small
  const up = wanted === "tunnel"
    ? new Upstream(stream, clock, SMALL, 0)
    : new Upstream(stream, clock, MEDIUM, RESPONSE_BASE);
  up.parent = way;
  up.asksParent = asksParent(way, wanted);
  if (wanted !== "tunnel") up.key = poolKey(way, wanted, authority);
  return up;
}

/**
 * Through a parent, who looks the name up: what is judged is the name, or the address that was asked for. The parent's
 * own address is the operator's choice and not judged.
 */
async function through(attempt: Attempt, parent: Parent, deadline: SignalDeadline): Promise<Upstream> {
  const { session, authority, exchange } = attempt;
  const { services, local } = session;
  const { signal } = deadline;
  const { host } = authority;
  const address = authority.ip === null ? "" : host;
  exchange.originAddress = address;
  exchange.originPort = authority.port;
  if (address !== "" && services.ownListeners.includes(address, authority.port, local)) {
    throw circularity(authority);
  }
  obey(session, exchange, judgeAt(session, address));
  // the parent would complete it, to a name that no rule here was asked about
  if (address === "" && !host.includes(".") && !services.settings.policy.mayComplete(host)) {
    throw incomplete(host);
  }
  const { term } = parent.health;
  let reached: ReachedParent;
  try {
    reached = await reachParent(services, parent, local, signal);
  } catch (error) {
    const failure = error as HttpError;
    if (!signal.aborted || deadline.passed) services.parents.failed(parent, term, failure.message);
    throw new Passable(failure);
  }
  services.parents.reached(parent);
  deadline.deadline = attempt.end;
  const up = upstreamOf(attempt, reached.stream, parent);
  up.address = address;
  up.named = namedAddress(attempt, parent.spec.authority, reached.address);
  if (up.asksParent) return up;
  const giveUp = () => up.close();
  signal.addEventListener("abort", giveUp);
  try {
    await askParent(attempt, parent, up);
    if (signal.aborted) throw signal.reason;
  } catch (error) {
    up.release();
    if (deadline.passed) throw late(parent, authority);
    // what says nothing may have gone that very moment, and has not been told anything that another may not be told
    if (error instanceof ParentError && isNoAnswer(error)) throw new Passable(error);
    throw error;
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
  return attempt.wanted === "https" ? await secured(attempt, parent, up, signal) : up;
}

async function askParent(
  { session, authority, exchange }: Attempt,
  parent: Parent,
  up: Upstream,
): Promise<void> {
  const { services } = session;
  if (parent.speaksHttp) {
    const before = exchange.fields.field("via");
    const via = `${before === "" ? "" : `${before}, `}1.1 ${services.settings.pseudonym}`;
    try {
      await askForTunnel(services, up, parent, authority, via);
    } finally {
      exchange.odd = up.odd.join(", ");
    }
  } else await askForSocksTunnel(up, parent, authority);
}

/** TLS to the origin, through a tunnel. */
async function secured(
  attempt: Attempt,
  parent: Parent,
  up: Upstream,
  signal: AbortSignal,
): Promise<Upstream> {
  const { session: { services }, authority } = attempt;
  const options = { caCerts: services.settings.originCertificates, signal };
  if (parent.spec.scheme === "https") {
    const stream = await bridged(up, services.parents);
    const inner = upstreamOf(attempt, await startTlsTo(stream, authority.host, options), parent);
    inner.address = up.address;
    inner.named = up.named;
    inner.odd = up.odd;
    return inner;
  }
  try {
    // in TLS the client speaks first
    if (up.start !== up.end) {
      const message = `${called(parent)} sent something in the name of ${authority.text} before it was asked`;
      throw new HttpError(502, "http_protocol_error", message);
    }
    up.stream = await startTlsTo(up.stream as Deno.TcpConn, authority.host, options);
    return up;
  } catch (error) {
    up.release();
    throw error;
  }
}

function isNoAnswer({ error, receivedStatus }: ParentError): boolean {
  return receivedStatus === 0 && (error === "connection_terminated" || error === "http_protocol_error");
}

function late(parent: Parent, { text }: Authority): ParentError {
  const message = `${called(parent)} gave no answer about ${text} in time`;
  return new ParentError(parent, 504, "connection_timeout", message);
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
 * What the policy has against the address that the connection leads to, where the system says that it is another than
 * the one that was dialled; `null` where it has nothing.
 */
function verdictOnPeer(session: Asker, conn: Deno.TcpConn, address: string): Verdict | null {
  const peer = conn.remoteAddr.hostname;
  if (peer === address) return null;
  const [ip, dialled] = [ipOf(peer), ipOf(address)];
  if (ip === null || dialled !== null && sameIp(plainAddress(ip), plainAddress(dialled))) return null;
  const verdict = judge(session, ip);
  return verdict.decision === "allow" ? null : verdict;
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
    // a name that means weir itself, above all localhost, may have an address where nobody listens, or one of a family
    // that this machine does not have
    const { kind } = error as DialError;
    if (!circular || (kind !== "refused" && kind !== "unreachable")) throw error;
  }
  throw circularity(authority);
}
