/** The talk with the worker that writes the database: what it is told, what it is asked, and what it says by itself. */

import type { DiskStats, FromWorker, ToWorker } from "./messages.ts";
import type { FoundObject } from "./reader.ts";

/** How long the worker is waited for in the end, ms. */
const CLOSING_TIME = 10_000;
/** How long a piece is waited for at least, and twice as long at the most, ms: then the disk counts as stuck. */
const READING_TIME = 10_000;

/** What the worker says by itself. */
export interface LinkListener {
  ready(filter: SharedArrayBuffer): void;
  /** It is of no use any more. */
  failed(message: string): void;
  /** @param message goes on after the store's name, as that of `damaged` */
  notice(level: "info" | "warning", message: string): void;
  damaged(message: string): void;
  settled(ticket: number): void;
  lost(): void;
}

export class WorkerLink {
  readonly #worker: Worker;
  readonly #reads = new Map<number, (bytes: Uint8Array | null) => void>();
  #lastRead = 0;
  /** Runs while anything is read: the pieces up to that number were asked for before it began. */
  #readTimer: ReturnType<typeof setTimeout> | undefined;
  #lastBefore = 0;
  #statsWanted: ((stats: DiskStats | null) => void)[] = [];
  readonly #closed = Promise.withResolvers<void>();
  #ended = false;

  /** @param readingTime ms */
  constructor(private readonly listener: LinkListener, private readonly readingTime: number = READING_TIME) {
    this.#worker = new Worker(new URL("./worker.ts", import.meta.url).href, { type: "module" });
    this.#worker.onmessage = ({ data }) => this.#hear(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      if (!this.#ended) listener.failed(`its worker failed: ${event.message}`);
    };
  }

  /** Nothing, once it has ended. */
  tell(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    if (!this.#ended) this.#worker.postMessage(message, transfer);
  }

  /** A piece of a body; `null` when it is lost, or does not come in time. */
  read({ id, seed, length }: FoundObject, index: number): Promise<Uint8Array | null> {
    if (this.#ended) return Promise.resolve(null);
    const { promise, resolve } = Promise.withResolvers<Uint8Array | null>();
    const read = ++this.#lastRead;
    this.#reads.set(read, resolve);
    this.tell({ kind: "read", read, id, seed, index, length });
    if (this.#readTimer === undefined) this.#watchReads();
    return promise;
  }

  /** One timer for all of them: nobody is to wait for a disk that hangs for as long as it does. */
  #watchReads(): void {
    this.#lastBefore = this.#lastRead;
    this.#readTimer = setTimeout(() => {
      this.#readTimer = undefined;
      for (const [read, resolve] of this.#reads) {
        // in the order in which they were asked for
        if (read > this.#lastBefore) break;
        this.#reads.delete(read);
        resolve(null);
      }
      if (this.#reads.size > 0) this.#watchReads();
    }, this.readingTime);
  }

  /** `null` when it does not answer any more. */
  stats(): Promise<DiskStats | null> {
    if (this.#ended) return Promise.resolve(null);
    const { promise, resolve } = Promise.withResolvers<DiskStats | null>();
    this.#statsWanted.push(resolve);
    this.tell({ kind: "stats" });
    return promise;
  }

  /** Nothing that was asked so far is going to be answered. */
  forget(): void {
    clearTimeout(this.#readTimer);
    this.#readTimer = undefined;
    for (const resolve of this.#reads.values()) resolve(null);
    this.#reads.clear();
    for (const resolve of this.#statsWanted) resolve(null);
    this.#statsWanted = [];
  }

  /** Has the worker write what waits, and let go of the files. Resolves in ten seconds at the latest. */
  async close(): Promise<void> {
    this.tell({ kind: "close" });
    const timer = setTimeout(this.#closed.resolve, CLOSING_TIME);
    await this.#closed.promise;
    clearTimeout(timer);
  }

  /** Ends the worker at once; again: nothing. */
  end(): void {
    if (this.#ended) return;
    this.forget();
    this.#ended = true;
    this.#worker.terminate();
    this.#closed.resolve();
  }

  #hear(message: FromWorker): void {
    if (this.#ended) return;
    switch (message.kind) {
      case "ready":
        return this.listener.ready(message.filter);
      case "off":
        return this.listener.failed(message.message);
      case "notice":
        return this.listener.notice(message.level, message.message);
      case "damaged":
        return this.listener.damaged(message.message);
      case "settled":
        return this.listener.settled(message.ticket);
      case "lost":
        return this.listener.lost();
      case "piece": {
        const resolve = this.#reads.get(message.read);
        this.#reads.delete(message.read);
        return resolve?.(message.bytes);
      }
      case "stats":
        return this.#statsWanted.shift()?.(message.stats);
      case "closed":
        return this.#closed.resolve();
    }
  }
}
