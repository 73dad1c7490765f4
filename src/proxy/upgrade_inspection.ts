/**
 * The look at what a client sends first once an upgrade has made a tunnel of its connection (RFC 9110 §7.8). Rules that
 * look at methods or paths cannot see into it: no plain request may follow there.
 */

import type { FirstLook } from "../net/relay.ts";
import type { Exchange } from "./exchange.ts";
import type { Session } from "./session.ts";

const TLS_HANDSHAKE = 0x16;
const TLS_MAJOR_VERSION = 0x03;
/** Frames that a client begins with have one of these opcodes, and a mask (RFC 6455 §5.2, §5.3). */
const OPCODES: ReadonlySet<number> = new Set([0x1, 0x2, 0x8, 0x9, 0xa]);
const OPCODE = 0x0f;
const MASKED = 0x80;

/** The look at the tunnel; undefined where no rule looks at methods or paths. */
export function upgradeInspectionOf(session: Session, exchange: Exchange): UpgradeInspection | undefined {
  return session.verdict?.readsRequest ? new UpgradeInspection(session, exchange) : undefined;
}

export class UpgradeInspection implements FirstLook {
  /** A client may wait for the server to speak first. */
  readonly firstByteTime = Infinity;
  readonly decisionTime: number;
  /** It is never asked again for its word. */
  readonly heard = new Promise<never>(() => {});

  constructor(readonly session: Session, readonly exchange: Exchange) {
    this.decisionTime = session.services.settings.headTimeout;
  }

  look(bytes: Uint8Array, start: number, end: number): "more" | "go" | "stop" {
    if (end === start) return "more";
    const first = bytes[start];
    const mayBeFrame = OPCODES.has(first & OPCODE);
    if (first !== TLS_HANDSHAKE && !mayBeFrame) return this.#deny();
    if (end - start === 1) return "more";
    const second = bytes[start + 1];
    if (first === TLS_HANDSHAKE) return second === TLS_MAJOR_VERSION ? "go" : this.#deny();
    return (second & MASKED) !== 0 ? "go" : this.#deny();
  }

  /** Two bytes are all that it ever waits for. */
  hold(): void {}

  hear(): boolean {
    return false;
  }

  cutShort(by: "end" | "time" | "size"): "go" | "stop" {
    const { down } = this.session;
    return by === "end" && down.start === down.end ? "go" : this.#deny();
  }

  #deny(): "go" | "stop" {
    const { exchange, session } = this;
    const enforced = !session.services.settings.policy.reportsOnly;
    // in a tunnel that should not have been opened at all, this is the lesser fault
    if (!enforced && exchange.verdict === "deny") return "go";
    exchange.verdict = "deny";
    exchange.rule = "tls";
    exchange.reason =
      "what the client sends after its upgrade is neither WebSocket nor TLS, and no rule sees it";
    exchange.enforced = enforced;
    if (!enforced) return "go";
    exchange.error = "http_request_denied";
    exchange.details = exchange.reason;
    return "stop";
  }

  /** Ends the tunnel; what the client speaks has no word for why. */
  refuse(): Promise<void> {
    this.exchange.truncated = true;
    this.session.lingers = true;
    return Promise.resolve();
  }
}
