/**
 * The record of one request through the proxy: who asked, for what, what was decided, where it went, what came
 * back, how many bytes, when each station was passed and how it ended. Stations add to it; logs, metrics and
 * pages print it. It never holds a body.
 */

import { referenceOf } from "./reference.ts";

/** How an exchange is carried: a plain request, a CONNECT tunnel, an upgraded connection, or an own answer. */
export type ExchangeKind = "forward" | "tunnel" | "upgrade" | "own";

/** Reads fields of the request's head as text; `""` when the field is absent. */
export interface FieldReader {
  field(name: string): string;
}

/** What is read of a head that is not there. */
export const NO_FIELDS: FieldReader = { field: () => "" };

export class Exchange {
  /** Counts up from 1 within one process. Clients do not get to see it, but {@link reference}. */
  readonly number: number;
  /** Wall-clock start, ms since the epoch: when the first byte of the head was there. */
  readonly startedAt: number;
  /** Monotonic start, ms (`performance.now()`); every other `…At` below is on this clock, -1 when not passed. */
  readonly began: number;

  kind: ExchangeKind = "own";
  /** The client's address without brackets or port: `127.0.0.1`, `::1`. */
  clientAddress = "";
  clientPort = 0;
  /** The trusted proxy that told who the client is, by its address, or `""`. */
  through = "";
  /** The address of weir's on which the client came in: `127.0.0.1:8888`. */
  listener = "";
  /** What the client spoke. */
  protocol: "http" | "socks4" | "socks4a" | "socks5" = "http";
  /** The authenticated user, or `""`. */
  user = "";

  /** The request's method as it came; `""` when no valid head was read. That of SOCKS is `CONNECT` as well. */
  method = "";
  /** The absolute target as understood, without user information or fragment: `http://example.com/a?b`,
   * `example.com:443` for CONNECT, `""` when no valid target was read. */
  target = "";
  /** `http`, `https`, or `""` for CONNECT. */
  scheme = "";
  /** Canonical host, IPv6 without brackets; `""` when none was read. */
  host = "";
  port = 0;
  /** Minor version that the client spoke: 0 or 1. */
  minorVersion = 1;

  /** What the policy decided: `allow`, `deny`, or `none` when it was refused before a decision. */
  verdict: "allow" | "deny" | "none" = "none";
  /** The rule that decided and why, in a few words. */
  rule = "";
  reason = "";
  /** False when a denial was only reported, and the exchange went on. */
  enforced = true;
  /** The host that the tunnel's TLS ClientHello named; `""` when it named none or was not looked at. */
  serverName = "";

  /** The parent proxy through which it went, by its name; `""` when it went to the origin itself. */
  parent = "";
  /**
   * The address of the origin that was dialled, `93.184.216.34`, and whether a kept connection was reused. Of one that
   * was reached through a parent it is known only when it was asked for by address.
   */
  originAddress = "";
  originPort = 0;
  reused = false;
  /** How many connections were used up before the one that answered (a retry is 1). */
  retries = 0;

  /** What the cache had to do with it: `hit`, `miss stored`, `revalidated`, …; `""` when nothing. */
  cache = "";

  /** Status of the final response that was sent to the client; 0 when none was. */
  status = 0;
  /** True when the answer is weir's own and not an origin's. */
  ownAnswer = false;
  /** Status that the origin gave; 0 when it gave none. */
  originStatus = 0;
  /** Media type of the response as the origin wrote it, or `""`. */
  contentType = "";

  /** Bytes from the client: heads, and bodies as framed on the wire. In a tunnel: client to origin. */
  requestHeadBytes = 0;
  requestBodyBytes = 0;
  /** Bytes to the client. In a tunnel: origin to client. */
  responseHeadBytes = 0;
  responseBodyBytes = 0;
  /** Bytes to and from the origin, heads and bodies. */
  upstreamSentBytes = 0;
  upstreamReceivedBytes = 0;

  /** Monotonic ms of the stations; -1 when not passed. */
  headAt = -1;
  connectedAt = -1;
  responseAt = -1;
  endedAt = -1;

  /** RFC 9209 error type (`connection_refused`, …) when something went wrong, else `""`. */
  error = "";
  /** What went wrong in words for the operator, else `""`. Printable, but may hold bytes from the network. */
  details = "";
  /** What was odd about the origin's or parent's response and was understood all the same, with commas; else `""`. */
  odd = "";
  /** True when a body or tunnel did not reach its end. */
  truncated = false;

  /** The request's head; readable until the exchange has been given to the observers, not after. */
  fields: FieldReader = NO_FIELDS;

  constructor(number: number, startedAt: number, began: number) {
    this.number = number;
    this.startedAt = startedAt;
    this.began = began;
  }

  /** What a client is told that this exchange is called; made anew each time it is asked for. */
  get reference(): string {
    return referenceOf(this.number);
  }

  /** Whole duration, ms with fractions; -1 while it runs. */
  get duration(): number {
    return this.endedAt < 0 ? -1 : this.endedAt - this.began;
  }
}
