/** The record of one connection through a relay: who came, where it went, how many bytes, how it ended. */

export class Relayed {
  /** What the policy of clients said. */
  verdict: "allow" | "deny" = "allow";
  /** The target as it was named, `redis.internal:6379`; `""` when none was reached. */
  target = "";
  /** The address that was dialled, without brackets, or `""`. */
  originAddress = "";
  originPort = 0;
  /** How many targets were tried in vain before. */
  skipped = 0;
  /** Bytes from the client to the target, without a header of the PROXY protocol. */
  bytesUp = 0;
  /** Bytes from the target to the client. */
  bytesDown = 0;
  /** Monotonic ms (`performance.now()`); -1 when it did not come to that. */
  connectedAt = -1;
  endedAt = -1;
  /** An error type of RFC 9209 §2.3 when something went wrong, else `""`. */
  error = "";
  /** How it ended in words, when not by both sides having ended; printable. */
  details = "";
  /** Whether it was cut off: something may not have arrived. */
  truncated = false;

  constructor(
    /** Counts up from 1 within one process. */
    readonly number: number,
    /** Without brackets: `127.0.0.1`, `::1`. */
    readonly clientAddress: string,
    readonly clientPort: number,
    /** The address of weir's on which the client came in: `127.0.0.1:8888`. */
    readonly listener: string,
    /** Wall-clock start, ms since the epoch, and the same moment on the monotonic clock. */
    readonly startedAt: number = Date.now(),
    readonly began: number = performance.now(),
  ) {}

  /** Whole duration, ms with fractions; -1 while it runs. */
  get duration(): number {
    return this.endedAt < 0 ? -1 : this.endedAt - this.began;
  }
}
