/**
 * Lines on their way to a file, a pipe or a terminal without making anybody wait: collected, written many at a time,
 * and thrown away with a count when the reader cannot keep up.
 */

export interface BatchedWriterOptions {
  /** Writes bytes and says how many it took; fewer than given is fine. */
  write(bytes: Uint8Array): Promise<number>;
  /** How long a line may wait for others, ms. 0 writes at once whenever no write is under way. */
  delay: number;
  /** Bytes that may wait for a slow reader: 4 MiB. */
  capacity?: number;
  /** How long {@link BatchedWriter.flush} waits for a reader that stands still, ms: 2000. */
  patience?: number;
  /**
   * Entries were lost since the last call. Called at most once in a few seconds, and at a flush. Neither this nor
   * `failed` may throw.
   */
  lost(entries: number): void;
  /** A write failed. Called once until writing works again, which for a closed pipe is never. */
  failed(error: unknown): void;
  /** The clock, ms. */
  now?(): number;
}

/** A text of this size is written without waiting for more. */
const BATCH_SIZE = 64 * 1024;
/** While a write is under way more is collected: the slower the writes, the larger they get. */
const LATE_BATCH_SIZE = 256 * 1024;
/** Most of a second at 50,000 lines/s: what a disk that hesitates may take. */
const CAPACITY = 4 * 1024 * 1024;
const PATIENCE = 2000;
const REPORT_INTERVAL = 5000;
/** After a failure that may pass (a full disk) the next try comes no sooner than this. */
const RETRY_INTERVAL = 10_000;
const LINE_FEED = 0x0a;

interface Batch {
  bytes: Uint8Array;
  entries: number;
}

/**
 * A bounded queue of text before an asynchronous write. Entries are joined as strings, which costs a few ns each, and
 * encoded once per batch: encoding each for itself costs three times as much, and filling bytes by hand more.
 */
export class BatchedWriter {
  readonly #options: BatchedWriterOptions;
  readonly #capacity: number;
  readonly #now: () => number;
  readonly #encoder = new TextEncoder();

  /** What was appended since the last batch was closed, and how many entries it holds. */
  #text = "";
  #entries = 0;
  /** Closed batches and the sum of their bytes; the first one may be in the middle of being written. */
  #batches: Batch[] = [];
  #queuedBytes = 0;

  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The loop that writes, while there is one. */
  #writing: Promise<void> | undefined;

  #state: "works" | "failed" | "closed" = "works";
  #failedAt = 0;
  /** What was written last ends in the middle of a line, since a write failed there. */
  #brokenLine = false;
  /** The failure was reported, and nothing was written since. */
  #announced = false;

  #dropped = 0;
  #unreported = 0;
  #reportedAt = -Infinity;

  constructor(options: BatchedWriterOptions) {
    this.#options = options;
    this.#capacity = options.capacity ?? CAPACITY;
    this.#now = options.now ?? (() => performance.now());
  }

  /** How many entries were lost until now: no room, or nobody to read them. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes an entry: one line or several, the last `\n` included. Never waits and never throws. */
  append(entry: string): void {
    if (this.#state !== "works" && !this.#mayTryAgain()) {
      this.#lose(1);
      return;
    }
    if (this.#queuedBytes + this.#text.length + entry.length > this.#capacity) {
      this.#lose(1);
      this.#report(false);
      return;
    }
    this.#text += entry;
    this.#entries++;
    if (this.#writing !== undefined) {
      if (this.#text.length >= LATE_BATCH_SIZE) this.#closeBatch();
    } else if (this.#text.length >= BATCH_SIZE) {
      this.#start();
    } else if (this.#timer === undefined) {
      if (this.#options.delay === 0) this.#start();
      else this.#timer = setTimeout(() => this.#onTimer(), this.#options.delay);
    }
  }

  /**
   * Writes what waits and reports what was lost. Resolves when all is written, or when the reader stood still for so
   * long that the rest is given up; then a write may still be pending, which keeps a process from ending by itself.
   */
  async flush(): Promise<void> {
    const drained = await this.#drained();
    this.#report(true);
    // what came during a write that was under way, and the report, which may have come back as an entry
    if (drained) await this.#drained();
  }

  /** Waits for the loop that writes; gives up, throws all away and says false when that takes too long. */
  async #drained(): Promise<boolean> {
    this.#start();
    if (this.#writing === undefined) return true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const patience = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), this.#options.patience ?? PATIENCE);
    });
    const drained = await Promise.race([this.#writing.then(() => true), patience]);
    clearTimeout(timer);
    if (!drained) this.#discard();
    return drained;
  }

  #onTimer(): void {
    this.#timer = undefined;
    this.#start();
  }

  /** Starts to write whatever there is, unless that is being done. */
  #start(): void {
    if (this.#timer !== undefined) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
    if (this.#writing !== undefined || this.#batches.length === 0 && this.#text === "") return;
    this.#writing = this.#run();
  }

  /** Writes batch after batch. Ends when there is none; what came meanwhile and filled none waits for its time. */
  async #run(): Promise<void> {
    // entries of the same moment share a write
    await undefined;
    if (this.#batches.length === 0) this.#closeBatch();
    while (this.#batches.length > 0 && await this.#write(this.#batches[0]));
    this.#writing = undefined;
    if (this.#text === "") return;
    if (this.#text.length >= BATCH_SIZE) this.#start();
    else this.#timer ??= setTimeout(() => this.#onTimer(), this.#options.delay);
  }

  async #write(batch: Batch): Promise<boolean> {
    const { bytes } = batch;
    let at = 0;
    try {
      while (at < bytes.length) {
        const written = await this.#options.write(at === 0 ? bytes : bytes.subarray(at));
        if (!(written > 0)) throw new Error("nothing was taken");
        at += written;
      }
    } catch (error) {
      if (at > 0) this.#brokenLine = bytes[at - 1] !== LINE_FEED;
      this.#fail(error);
      return false;
    }
    // a flush that lost its patience has thrown the queue away
    if (this.#batches[0] === batch) {
      this.#batches.shift();
      this.#queuedBytes -= bytes.length;
    }
    this.#brokenLine = false;
    this.#announced = false;
    this.#report(false);
    return true;
  }

  #closeBatch(): void {
    if (this.#text === "") return;
    const bytes = this.#encoder.encode(this.#text);
    this.#batches.push({ bytes, entries: this.#entries });
    this.#queuedBytes += bytes.length;
    this.#text = "";
    this.#entries = 0;
  }

  #fail(error: unknown): void {
    this.#state = error instanceof Deno.errors.BrokenPipe ? "closed" : "failed";
    this.#failedAt = this.#now();
    this.#discard();
    if (!this.#announced) this.#options.failed(error);
    this.#announced = true;
  }

  #mayTryAgain(): boolean {
    if (this.#state === "closed" || this.#now() - this.#failedAt < RETRY_INTERVAL) return false;
    this.#state = "works";
    if (this.#brokenLine) this.#text = "\n";
    return true;
  }

  /** Gives up all that waits. */
  #discard(): void {
    let entries = this.#entries;
    for (const batch of this.#batches) entries += batch.entries;
    this.#text = "";
    this.#entries = 0;
    this.#batches = [];
    this.#queuedBytes = 0;
    this.#lose(entries);
  }

  #lose(entries: number): void {
    this.#dropped += entries;
    this.#unreported += entries;
  }

  #report(now: boolean): void {
    if (this.#unreported === 0 || this.#state !== "works") return;
    const time = this.#now();
    if (!now && time - this.#reportedAt < REPORT_INTERVAL) return;
    this.#reportedAt = time;
    const entries = this.#unreported;
    this.#unreported = 0;
    this.#options.lost(entries);
  }
}
