/** What the policy has to say about the first bytes of a tunnel. */

import type { Authority } from "../http/authority.ts";
import type { FirstLook } from "../net/relay.ts";
import { ClientHelloReader } from "../policy/client_hello.ts";
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

export class TunnelInspection implements FirstLook {
  readonly firstByteTime: number;
  readonly decisionTime: number;
  readonly #hello = new ClientHelloReader();
  readonly #enforced: boolean;

  constructor(
    readonly session: Session,
    readonly exchange: Exchange,
    readonly authority: Authority,
    readonly verdict: Verdict,
  ) {
    const { headTimeout, policy } = session.services.settings;
    // a rule that is only on trial takes nothing away from what the rule says that let the tunnel open
    this.#enforced = !policy.reportsOnly;
    this.decisionTime = headTimeout;
    // who need not speak TLS may also wait for the other side to speak first
    this.firstByteTime = verdict.tls === "require" ? headTimeout : Infinity;
  }

  look(bytes: Uint8Array, start: number, end: number): "more" | "go" | "stop" {
    return this.#hello.read(bytes, start, end) === "more" ? "more" : this.#decide();
  }

  cutShort(by: "end" | "time" | "size"): "go" | "stop" {
    const { exchange, verdict } = this;
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
    const reason = checkTunnel(verdict.tls, authority, this.#hello);
    if (reason === null) return "go";
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
    if (state !== "not_tls" && begun) {
      down.deadline = services.clock.in(services.settings.headTimeout);
      await down.write(ACCESS_DENIED);
    }
    session.lingers = true;
  }
}
