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

/** Text that is encoded at once: joined strings get dearer the longer they are left lying. */
const TEXT_SIZE = 16 * 1024;
/** Bytes that are written without waiting for more. */
const BATCH_SIZE = 64 * 1024;
/** Bytes of one write at most: what comes while one is under way is collected, so slow writes get larger. */
const LARGEST_BATCH = 256 * 1024;
/** Most of a second at 50,000 lines/s: what a disk that hesitates may take. */
const CAPACITY = 4 * 1024 * 1024;
const PATIENCE = 2000;
const REPORT_INTERVAL = 5000;
/** After a failure that may pass (a full disk) the next try comes no sooner than this. */
const RETRY_INTERVAL = 10_000;
const LINE_FEED = 0x0a;

/** Entries that are written together: the first `end` of the bytes. */
interface Batch {
  bytes: Uint8Array;
  end: number;
  entries: number;
}

/**
 * A bounded queue of text before an asynchronous write. Entries are joined as strings, which costs a few ns each, and
 * encoded many at a time: encoding each for itself costs three times as much, and filling bytes by hand more.
 */
export class BatchedWriter {
  readonly #options: BatchedWriterOptions;
  readonly #capacity: number;
  readonly #now: () => number;
  readonly #encoder = new TextEncoder();

  /** What was appended last and is not encoded yet, and how many entries it holds. */
  #text = "";
  #entries = 0;
  /** What is encoded, and the sum of its bytes; the first batch may be in the middle of being written. */
  #batches: Batch[] = [];
  #queuedBytes = 0;
  /** The memory of a batch that was written, for the next one. */
  #spare: Uint8Array | undefined;

  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The loop that writes, while there is one, and the batch whose bytes must stay as they are. */
  #writing: Promise<void> | undefined;
  #inFlight: Batch | undefined;

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
    if (this.#text.length >= TEXT_SIZE) this.#encode();
    if (this.#writing === undefined) {
      if (this.#queuedBytes >= BATCH_SIZE) this.#start();
      else if (this.#timer === undefined) this.#startLater();
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

  #startLater(): void {
    if (this.#options.delay === 0) return this.#start();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#start();
    }, this.#options.delay);
  }

  /** Starts to write whatever there is, unless that is being done. */
  #start(): void {
    if (this.#timer !== undefined) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
    if (this.#writing !== undefined || !this.#waits()) return;
    this.#writing = this.#run();
  }

  /** Writes batch after batch, also those that come meanwhile; text that is not encoded by then waits for its time. */
  async #run(): Promise<void> {
    // entries of the same moment share a write
    await undefined;
    this.#encode();
    while (this.#batches.length > 0 && await this.#write(this.#batches[0]));
    this.#writing = undefined;
    if (this.#waits() && this.#timer === undefined) this.#startLater();
  }

  /** @returns whether it worked */
  async #write(batch: Batch): Promise<boolean> {
    const bytes = batch.bytes.subarray(0, batch.end);
    this.#inFlight = batch;
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
    } finally {
      this.#inFlight = undefined;
    }
    // a flush that lost its patience has thrown the queue away
    if (this.#batches[0] === batch) {
      this.#batches.shift();
      this.#queuedBytes -= bytes.length;
    }
    if (batch.bytes.length === LARGEST_BATCH) this.#spare = batch.bytes;
    this.#brokenLine = false;
    this.#announced = false;
    this.#report(false);
    return true;
  }

  #waits(): boolean {
    return this.#text !== "" || this.#batches.length > 0;
  }

  /** Moves the text to the end of the last batch, or to a new one when that is full or being written. */
  #encode(): void {
    if (this.#text === "") return;
    // UTF-8 takes up to three bytes for each UTF-16 unit
    const most = 3 * this.#text.length;
    let batch = this.#batches.at(-1);
    if (batch === undefined || batch === this.#inFlight || batch.end + most > batch.bytes.length) {
      batch = { bytes: this.#memory(most), end: 0, entries: 0 };
      this.#batches.push(batch);
    }
    const { written } = this.#encoder.encodeInto(this.#text, batch.bytes.subarray(batch.end));
    batch.end += written;
    batch.entries += this.#entries;
    this.#queuedBytes += written;
    this.#text = "";
    this.#entries = 0;
  }

  #memory(size: number): Uint8Array {
    if (size > LARGEST_BATCH) return new Uint8Array(size);
    const memory = this.#spare ?? new Uint8Array(LARGEST_BATCH);
    this.#spare = undefined;
    return memory;
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
