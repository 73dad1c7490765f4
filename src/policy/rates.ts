/** How much a client, a user or a rule may take. */

/** 0 is no limit everywhere. */
export interface RateLimits {
  /** Requests per second over time, and how many may come at once. */
  readonly requests: number;
  readonly burst: number;
  /** Simultaneous exchanges. */
  readonly exchanges: number;
  /** Bytes per second from the client and to it; what is over waits. */
  readonly up: number;
  readonly down: number;
  /** Bytes both ways in an hour and in a day. */
  readonly hourly: number;
  readonly daily: number;
}
