/**
 * The worker that writes the database: hears what is to be done, gathers it, and sees to what goes wrong. What is to be
 * read is read at once: somebody waits for it, and for what is written nobody does.
 */

import { openDatabase, removeDatabase, sizeOfFiles } from "./database.ts";
import { DiskEngine, NoRoom } from "./engine.ts";
import type { FromWorker, ToWorker } from "./messages.ts";
import { anewText, faultOf, messageOf } from "./sqlite_fault.ts";
import { byCount, type GatheredUses, partsOf } from "./uses.ts";

/** A transaction ends when nothing more is to be done, or after so many changes or bytes. */
const MOST_CHANGES = 256;
const MOST_BYTES = 4 * 1024 * 1024;
/** The part of the limit that one transaction may write: the log has to hold it. */
const LARGEST_PART = 1 / 32;
/** How long it writes before it hears whether something is to be read, ms. */
const TURN = 4;
/** How long it only listens before that, at the most, ms. */
const LISTENING = 1;
/** A store that would be smaller than this is none. */
const LEAST_LIMIT = 512 * 1024;
/** Fresh starts of one store; a disk that damages more is not worth it. */
const MOST_RESTARTS = 5;

declare const self: {
  onmessage: ((event: { data: ToWorker }) => void) | null;
  postMessage(message: FromWorker, transfer?: ArrayBuffer[]): void;
};

type Change = Extract<ToWorker, { ticket: number }>;
/** What is done one after another. */
type Task = Exclude<ToWorker, { kind: "open" | "restart" | "close" | "read" | "pin" | "unpin" }>;

class DiskWorker {
  #folder = "";
  #limit = 0;
  #engine: DiskEngine | null = null;
  /** What is to be done; before `#next` it is. */
  #tasks: Task[] = [];
  #next = 0;
  /** Changes of the transaction that is open, to be made up for when it fails. */
  #changes: Change[] = [];
  #bytes = 0;
  #ticket = 0;
  #waiting = false;
  /** Something was told since it looked last, and when it began to listen (`performance.now()`). */
  #told = false;
  #listening = 0;
  #restarts = 0;
  #full = false;
  #fullTold = false;

  hear(message: ToWorker): void {
    switch (message.kind) {
      case "open":
        this.#folder = message.folder;
        this.#limit = message.limit;
        return this.#open();
      case "restart":
        return this.#restart();
      case "close":
        return this.#close();
      case "pin":
        return this.#engine?.pin(message.id);
      case "unpin":
        this.#engine?.unpin(message.id);
        return this.#later();
      case "read":
        return this.#read(message);
      case "limit":
        this.#limit = message.limit;
    }
    if (this.#engine === null) return;
    if (this.#tasks.length === 0) this.#listening = performance.now();
    this.#tasks.push(message);
    this.#told = true;
    this.#later();
  }

  /** Does what is to be done, for so long, ms. False when something is left. */
  #work(time: number): boolean {
    const end = performance.now() + time;
    while (this.#next < this.#tasks.length) {
      const engine = this.#engine;
      if (engine === null) break;
      if (performance.now() > end) {
        this.#listening = performance.now();
        this.#letGo();
        return false;
      }
      const task = this.#tasks[this.#next++];
      if ("ticket" in task) this.#ticket = task.ticket;
      try {
        this.#do(engine, task);
        const most = Math.min(MOST_BYTES, this.#limit * LARGEST_PART);
        if (this.#changes.length >= MOST_CHANGES || this.#bytes >= most) this.#commit(engine);
      } catch (error) {
        this.#failed(error);
      }
    }
    this.#letGo();
    return true;
  }

  /** Lets go of what is done, with its bytes: while the disk lags behind there may be no end of it. */
  #letGo(): void {
    this.#tasks.splice(0, this.#next);
    this.#next = 0;
  }

  #do(engine: DiskEngine, message: Task): void {
    if ("ticket" in message) this.#changes.push(message);
    switch (message.kind) {
      case "piece":
        this.#bytes += message.bytes.length;
        return unlessNoRoom(() => engine.addPiece(message.writer, message.bytes));
      case "finish":
        this.#bytes += message.meta.length;
        return unlessNoRoom(() => engine.finish(message.writer, message, Date.now()));
      case "abort":
        return engine.abort(message.writer);
      case "meta":
        this.#bytes += message.meta.length;
        return unlessNoRoom(
          () => engine.changeMeta(message.key, message.variant, message.meta),
          () => engine.remove(message.key, message.variant),
        );
      case "remove":
        return engine.remove(message.key, message.variant);
      case "clear":
        return engine.clear();
      case "lost":
        return engine.lose(message.id);
      case "uses":
        return use(engine, message);
      case "limit":
        engine.limit = message.limit;
        return engine.shrinkTo(message.limit);
      case "stats":
        this.#commit(engine);
        return tell({ kind: "stats", stats: engine.stats });
    }
  }

  #read(message: Extract<ToWorker, { kind: "read" }>): void {
    const { read, id, index } = message;
    const engine = this.#engine;
    let bytes: Uint8Array | null = null;
    try {
      const found = engine?.readPiece(message, index) ?? "missing";
      if (typeof found !== "string") bytes = found;
      else if (found === "damaged") {
        engine!.lose(id);
        tell({ kind: "lost" });
        this.#later();
      }
    } catch (error) {
      this.#failed(error);
      this.#later();
    } finally {
      tell({ kind: "piece", read, bytes }, bytes === null ? [] : [bytes.buffer as ArrayBuffer]);
    }
  }

  #later(): void {
    if (this.#waiting || this.#engine === null) return;
    this.#waiting = true;
    setTimeout(() => {
      this.#waiting = false;
      if (this.#told && performance.now() - this.#listening < LISTENING) {
        // Deno 2.6 hands over one message at a time: what is to be read may be behind others
        this.#told = false;
        return this.#later();
      }
      const done = this.#work(TURN);
      const engine = this.#engine;
      if (engine === null) return;
      try {
        if (!done) return this.#later();
        this.#commit(engine);
        if (engine.tidy()) this.#later();
      } catch (error) {
        this.#failed(error);
        this.#later();
      }
    }, 0);
  }

  #commit(engine: DiskEngine): void {
    engine.commit();
    this.#changes = [];
    this.#bytes = 0;
    tell({ kind: "settled", ticket: this.#ticket });
  }

  /** What was to be written since the last transaction is not; what was to go has to go all the same. */
  #failed(error: unknown): void {
    const engine = this.#engine;
    if (engine === null) return;
    engine.rollback();
    const changes = this.#changes;
    this.#changes = [];
    this.#bytes = 0;
    const fault = faultOf(error);
    if (fault !== "full" && fault !== "busy") {
      this.#giveUp(anewText(error));
      return;
    }
    try {
      if (fault === "full") this.#yield(engine);
      for (const change of changes) {
        if (change.kind === "clear") engine.clear();
        else if (change.kind !== "piece" && change.kind !== "uses") {
          engine.remove(change.key, change.variant);
        }
      }
      this.#commit(engine);
    } catch (error) {
      this.#giveUp(anewText(error));
    }
  }

  /** The disk is full: leaves room to others, and to the log. */
  #yield(engine: DiskEngine): void {
    this.#full = true;
    this.#limit = Math.min(this.#limit, Math.floor(sizeOfFiles(this.#folder) * 3 / 4));
    if (this.#limit < LEAST_LIMIT) throw new Error("database or disk is full");
    engine.checkpoint();
    engine.limit = this.#limit;
    engine.shrinkTo(Math.floor(this.#limit / 2));
    engine.checkpoint();
    if (this.#fullTold) return;
    this.#fullTold = true;
    const kept = Math.round(this.#limit / 2 ** 20);
    tell({
      kind: "notice",
      level: "warning",
      message: `keeps ${kept} MB at the most from now on, for the disk takes no more`,
    });
  }

  /** All is to begin anew, once nobody else has the files open. */
  #giveUp(message: string): void {
    this.#closeEngine();
    tell({ kind: "damaged", message });
  }

  #restart(): void {
    this.#closeEngine();
    this.#restarts++;
    const full = sizeOfFiles(this.#folder);
    try {
      removeDatabase(this.#folder);
    } catch (error) {
      tell({ kind: "off", message: messageOf(error) });
      return;
    }
    if (this.#restarts > MOST_RESTARTS) {
      tell({ kind: "off", message: `it had to begin anew ${MOST_RESTARTS} times` });
      return;
    }
    // where the disk was full it will be again
    if (this.#full) this.#limit = Math.min(this.#limit, Math.max(full >> 1, LEAST_LIMIT));
    this.#open();
  }

  #open(): void {
    try {
      const database = openDatabase(this.#folder, this.#limit, (message) => {
        tell({ kind: "notice", level: "warning", message });
      });
      this.#engine = new DiskEngine(database, this.#folder, this.#limit);
      this.#engine.shrinkTo(this.#limit);
    } catch (error) {
      this.#closeEngine();
      if (faultOf(error) === "damaged" && this.#restarts === 0) {
        // nobody else has opened it yet
        tell({
          kind: "notice",
          level: "warning",
          message: `is damaged (${messageOf(error)}), and begins anew`,
        });
        this.#restart();
      } else tell({ kind: "off", message: messageOf(error) });
      return;
    }
    tell({ kind: "ready", filter: this.#engine.filter.shared });
    this.#later();
  }

  #close(): void {
    this.#work(Infinity);
    try {
      this.#engine?.checkpoint();
    } catch {
      // what was not written is not seen
    }
    this.#closeEngine();
    tell({ kind: "closed" });
  }

  #closeEngine(): void {
    const engine = this.#engine;
    this.#engine = null;
    this.#tasks = [];
    this.#next = 0;
    try {
      engine?.close();
    } catch {
      // what could not be closed ends with the process
    }
  }
}

function use(engine: DiskEngine, uses: GatheredUses): void {
  const now = Date.now();
  for (const [hits, ids] of byCount(uses)) engine.useAll(ids, hits, now);
  uses.names.forEach((name, at) => {
    const { key, variant } = partsOf(name);
    engine.use(key, variant, uses.counts[at], now);
  });
}

function unlessNoRoom(change: () => void, otherwise?: () => void): void {
  try {
    change();
  } catch (error) {
    if (!(error instanceof NoRoom)) throw error;
    otherwise?.();
  }
}

function tell(message: FromWorker, transfer: ArrayBuffer[] = []): void {
  self.postMessage(message, transfer);
}

const worker = new DiskWorker();
self.onmessage = ({ data }) => worker.hear(data);
