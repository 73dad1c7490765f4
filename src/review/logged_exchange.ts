/** One exchange as a log tells it, after everything that can be checked has been checked. */

import type { Authority } from "../http/authority.ts";
import type { IpAddress } from "../http/ip_address.ts";

export interface LoggedExchange {
  /** Counts up from 1 in one weir; 0 when the log does not say. */
  readonly number: number;
  /** When it began, ms since the epoch. */
  readonly time: number;
  /** The client's address in canonical form, and as bytes; `""` and `null` when the log names none. */
  readonly client: string;
  readonly clientIp: IpAddress | null;
  /** Who the client proved to be; `null` when it said nothing. */
  readonly user: string | null;
  /** As it came; `CONNECT` is a tunnel, `""` is not known. */
  readonly method: string;
  /** The canonical target; `null` when none was read: the exchange counts, but nothing can be said of it. */
  readonly authority: Authority | null;
  /** Whether the target was written with `https://`; tunnels were not. */
  readonly secure: boolean;
  /**
   * The path without its query, one character a byte; `null` where it cannot be seen, in a tunnel, and where the log
   * has cut it.
   */
  readonly path: string | null;
  /** True when there was a path, and the log has cut it. */
  readonly pathCut: boolean;
  /** The status that the client got; 0 is none. */
  readonly status: number;
  /** What the policy decided; `none` when it was not asked, or when the log does not say. */
  readonly verdict: "allow" | "deny" | "none";
  /** False when a denial was only reported, and the exchange went on. */
  readonly enforced: boolean;
  /** Which rule decided, and why; `""` when the log does not say. */
  readonly rule: string;
  readonly reason: string;
  /** The address that was dialled, canonical, and as bytes; `""` and `null` when the log names none. */
  readonly origin: string;
  readonly originIp: IpAddress | null;
  /** The parent through which it went, by its name, or `direct`; `""` when it took no way, or the log does not say. */
  readonly via: string;
  /** Whether the origin was reached: a tunnel opened, a response came, or a connection stood. */
  readonly reached: boolean;
  /** Bytes from the client and to it, heads included where the log counts them. */
  readonly up: number;
  readonly down: number;
  /** ms; -1 when the log does not say. */
  readonly duration: number;
  /** An RFC 9209 type, or `""`. */
  readonly error: string;
  /** The name that a tunnel's TLS asked for, canonical; `""` when it is not known. */
  readonly serverName: string;
}

/** Whether the exchange passed the policy and reached its origin, or would have been denied by a report alone. */
export function wentThrough(exchange: LoggedExchange): boolean {
  return exchange.reached && (exchange.verdict === "allow" || isReported(exchange));
}

/** A denial that was only reported. */
export function isReported(exchange: LoggedExchange): boolean {
  return exchange.verdict === "deny" && !exchange.enforced;
}

/** Asked for credentials and not refused for good: programs send their first request without any. */
export function isChallenge(exchange: LoggedExchange): boolean {
  return exchange.status === 407 && exchange.verdict !== "allow";
}

/** Refused for good. */
export function wasRefused(exchange: LoggedExchange): boolean {
  return exchange.verdict === "deny" && exchange.enforced && !isChallenge(exchange);
}
