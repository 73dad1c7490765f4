/**
 * What has begun to come and is not whole, as far as it has outgrown the buffer that each connection has anyway: heads
 * of requests and of responses, ClientHellos. Together they hold so many bytes at most. Where one more would be too
 * many, the one that holds most of the client that holds most is given up, so that no client takes the room of others.
 */

/** Why one of them is given up. */
export const TOO_MANY_UNFINISHED = "messages that have not come whole take too much memory";

/** One of them. */
export interface Unfinished {
  /** What the client is counted as for which it comes. */
  readonly clientKey: string;
  /** Makes it end; it is not counted any more. */
  giveUp(): void;
}

/** What one client has. */
interface Share {
  bytes: number;
  /** By what they hold, the oldest first. */
  readonly each: Map<Unfinished, number>;
}

export class UnfinishedMessages {
  readonly #shares = new Map<string, Share>();
  #bytes = 0;

  /** Bytes that are held in all. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * One of them holds so many bytes from now on. Gives up as many as it takes, which may be this one.
   *
   * @param most bytes in all
   */
  hold(one: Unfinished, bytes: number, most: number): void {
    let share = this.#shares.get(one.clientKey);
    if (share === undefined) this.#shares.set(one.clientKey, share = { bytes: 0, each: new Map() });
    const more = bytes - (share.each.get(one) ?? 0);
    share.each.set(one, bytes);
    share.bytes += more;
    this.#bytes += more;
    while (this.#bytes > most) {
      const largest = this.#largest();
      this.letGo(largest);
      largest.giveUp();
    }
  }

  /** It is whole, or has ended. Nothing happens when it is not counted. */
  letGo(one: Unfinished): void {
    const share = this.#shares.get(one.clientKey);
    const bytes = share?.each.get(one);
    if (share === undefined || bytes === undefined) return;
    share.each.delete(one);
    share.bytes -= bytes;
    this.#bytes -= bytes;
    if (share.each.size === 0) this.#shares.delete(one.clientKey);
  }

  #largest(): Unfinished {
    const [first, ...others] = this.#shares.values();
    const share = others.reduce((best, each) => each.bytes > best.bytes ? each : best, first);
    let [[largest, most]] = share.each;
    for (const [one, bytes] of share.each) if (bytes > most) [largest, most] = [one, bytes];
    return largest;
  }
}
