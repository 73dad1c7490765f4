/** What the policy has to say about the first bytes of a tunnel. */

import type { Authority } from "../http/authority.ts";
import type { FirstLook } from "../net/relay.ts";
import { TOO_MANY_UNFINISHED, type Unfinished } from "../net/unfinished.ts";
import { ClientHelloReader } from "../policy/client_hello.ts";
import { SecondHello } from "../policy/second_hello.ts";
import { checkTunnel } from "../policy/tunnel_check.ts";
import type { Verdict } from "../policy/verdict.ts";
import type { Exchange } from "./exchange.ts";
import type { Session } from "./session.ts";

/** A fatal alert `access_denied`, as TLS has it before anything is encrypted (RFC 8446 §5.1, §6.2). */
const ACCESS_DENIED = Uint8Array.of(0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 49);

/** The look at the tunnel of the exchange under way; undefined when the policy looks away. */
export function inspectionOf(
  session: Session,
  exchange: Exchange,
  authority: Authority,
): TunnelInspection | undefined {
  const { verdict } = session;
  if (verdict === null || verdict.tls === "any") return undefined;
  return new TunnelInspection(session, exchange, authority, verdict);
}

export class TunnelInspection implements FirstLook, Unfinished {
  /** What the client is counted as. */
  readonly clientKey: string;
  readonly firstByteTime: number;
  readonly decisionTime: number;
  readonly heard: Promise<void>;
  readonly #tellHeard: () => void;
  #hello = new ClientHelloReader();
  /** There once the first ClientHello may go on. */
  #second: SecondHello | null = null;
  /** The server has spoken before anything of the client went to it. */
  #serverSpoke = false;
  /** What may be a second one has begun to come, and does not go on. */
  #holds = false;
  readonly #enforced: boolean;

  constructor(
    readonly session: Session,
    readonly exchange: Exchange,
    readonly authority: Authority,
    readonly verdict: Verdict,
  ) {
    const { headTimeout, policy } = session.services.settings;
    this.clientKey = session.clientKey;
    // a rule that is only on trial takes nothing away from what the rule says that let the tunnel open
    this.#enforced = !policy.reportsOnly;
    this.decisionTime = headTimeout;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.heard = promise;
    this.#tellHeard = resolve;
    // who need not speak TLS may also wait for the other side to speak first
    this.firstByteTime = verdict.tls === "require" ? headTimeout : Infinity;
  }

  look(bytes: Uint8Array, start: number, end: number): "more" | "go" | "stop" | number {
    const second = this.#second;
    if (second === null) return this.#lookAtFirst(bytes, start, end);
    if (second.state === "none") return "go";
    // once it has begun, all that comes belongs to it
    const passed = this.#holds ? 0 : second.pass(bytes, start, end);
    if (passed > 0) return passed;
    this.#holds = end > start;
    if (second.state === "unknown" || this.#hello.read(bytes, start, end) === "more") return "more";
    return this.#decide();
  }

  #lookAtFirst(bytes: Uint8Array, start: number, end: number): "more" | "go" | "stop" | number {
    const hello = this.#hello;
    if (hello.read(bytes, start, end) === "more") {
      // a key that was pressed: no server of TLS has spoken by now
      return hello.mayBeOther && this.#serverSpoke && this.verdict.tls === "match" ? "go" : "more";
    }
    const word = this.#decide();
    if (word === "stop" || hello.state !== "done" || this.exchange.verdict === "deny") return word;
    this.#second = new SecondHello();
    this.#hello = new ClientHelloReader();
    return hello.size;
  }

  hear(bytes: Uint8Array, start: number, end: number): boolean {
    const second = this.#second;
    // who speaks before it was spoken to does not answer a ClientHello
    if (second === null) {
      this.#serverSpoke = true;
      return true;
    }
    second.hear(bytes, start, end);
    if (second.state === "unknown") return true;
    this.#tellHeard();
    return false;
  }

  hold(bytes: number): void {
    const { unfinished, settings } = this.session.services;
    if (bytes > 0) unfinished.hold(this, bytes, settings.maxUnfinished);
    else unfinished.letGo(this);
  }

  giveUp(): void {
    this.exchange.error = "connection_limit_reached";
    this.exchange.details = TOO_MANY_UNFINISHED;
    this.session.down.close();
  }

  cutShort(by: "end" | "time" | "size"): "go" | "stop" {
    const { exchange, verdict } = this;
    if (this.#second !== null) {
      if (!this.#holds) return "go";
      return this.#second.state === "asked" ? this.#decide() : this.#deny(unasked(this.authority));
    }
    // one that has gone before it said anything has done nothing
    if (by === "end" && !this.#hello.begun && this.#enforced && verdict.tls === "require") {
      exchange.details = "the client ended the tunnel before its first byte";
      return "stop";
    }
    return this.#decide();
  }

  #decide(): "go" | "stop" {
    const { exchange, verdict, authority } = this;
    exchange.serverName = this.#hello.serverName ?? "";
    const again = this.#second !== null;
    const reason = again && this.#hello.state === "not_tls"
      ? `what follows the TLS ClientHello in the tunnel to ${authority.host} is not TLS`
      : checkTunnel(verdict.tls, authority, this.#hello, this.#serverSpoke && !again);
    if (reason === null) return "go";
    const { unseenBy } = verdict;
    return this.#deny(unseenBy === undefined ? reason : `${reason}; "${unseenBy}" cannot see into it`);
  }

  #deny(reason: string): "go" | "stop" {
    const { exchange } = this;
    // in a tunnel that should not have been opened at all, this is the lesser fault
    if (!this.#enforced && exchange.verdict === "deny") return "go";
    exchange.verdict = "deny";
    exchange.rule = "tls";
    exchange.reason = reason;
    exchange.enforced = this.#enforced;
    if (!this.#enforced) return "go";
    exchange.error = "http_request_denied";
    exchange.details = reason;
    return "stop";
  }

  /** Tells the client that its first bytes were refused, in the way of TLS if it spoke that, and ends it. */
  async refuse(): Promise<void> {
    const { session, exchange } = this;
    const { down, services } = session;
    exchange.truncated = true;
    const { state, begun } = this.#hello;
    // behind a first ClientHello it did
    if (this.#second !== null || state !== "not_tls" && begun) {
      down.deadline = services.clock.in(services.settings.headTimeout);
      await down.write(ACCESS_DENIED);
    }
    session.lingers = true;
  }
}

/** No client of any version of TLS has more to say in the open before the server has. */
function unasked({ host }: Authority): string {
  return `the client goes on with its TLS handshake in the tunnel to ${host} before the server has answered`;
}
