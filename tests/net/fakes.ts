/** Time that passes when a test says so, and streams that do what a test says. */

import type { Stream } from "../../src/net/connection.ts";
import { Clock, TICK, type Time } from "../../src/net/clock.ts";

/** A clock's time. It stands still but for {@link pass}. */
export class FakeTime implements Time {
  /** How often somebody has asked to be called, and not taken it back. */
  running = 0;
  #now = 1_000;
  #callback: (() => void) | null = null;
  #interval = 0;
  #next = 0;

  now(): number {
    return this.#now;
  }

  every(milliseconds: number, callback: () => void): () => void {
    this.running++;
    this.#callback = callback;
    this.#interval = milliseconds;
    this.#next = this.#now + milliseconds;
    return () => {
      this.running--;
      this.#callback = null;
    };
  }

  /** Lets so many ms pass, and calls back as often as that makes due. */
  pass(milliseconds: number): void {
    const until = this.#now + milliseconds;
    while (this.#callback !== null && this.#next <= until) {
      this.#now = this.#next;
      this.#next += this.#interval;
      this.#callback();
    }
    this.#now = until;
  }

  /** Lets so many ms pass in which nothing can run, and calls back once, as a timer does that was held up. */
  stall(milliseconds: number): void {
    this.#now += milliseconds;
    this.#next = this.#now + this.#interval;
    this.#callback?.();
  }

  /** Lets a deadline that was set for so many ms from now pass for certain. */
  passDeadline(milliseconds: number): void {
    this.pass(milliseconds + 2 * TICK);
  }
}

/** A clock on a time of its own. */
export function fakeClock(): { clock: Clock; time: FakeTime } {
  const time = new FakeTime();
  return { clock: new Clock(time), time };
}

/** A stream whose other end is the test. Reads and writes wait until the test lets them go on. */
export class FakeStream implements Stream {
  /** All that was written and taken. */
  readonly written: number[] = [];
  /** How many bytes each write offered. */
  readonly offered: number[] = [];
  closed = 0;
  writeClosed = 0;
  /** How many bytes a write takes at most; 0 makes it wait for {@link takeWrite}. */
  appetite = Infinity;
  /** Whether `close` settles what is under way, as Deno 2.9 does; Deno 2.6 leaves a write unsettled. */
  closeSettlesWrites = true;
  failCloseWrite: Error | null = null;

  #into: Uint8Array | null = null;
  #read: PromiseWithResolvers<number | null> | null = null;
  #offer: Uint8Array | null = null;
  #write: PromiseWithResolvers<number> | null = null;

  get isReading(): boolean {
    return this.#read !== null;
  }

  get isWriting(): boolean {
    return this.#write !== null;
  }

  /** Room of the read under way, bytes. */
  get room(): number {
    return this.#into!.length;
  }

  read(into: Uint8Array): Promise<number | null> {
    if (this.#read !== null) throw new Error("two reads at once");
    if (into.length === 0) throw new Error("a read without room");
    this.#into = into;
    this.#read = Promise.withResolvers();
    return this.#read.promise;
  }

  write(bytes: Uint8Array): Promise<number> {
    if (this.#write !== null) throw new Error("two writes at once");
    this.offered.push(bytes.length);
    if (this.closed > 0) return Promise.reject(new Deno.errors.BadResource("Bad resource ID"));
    if (this.appetite > 0) {
      const count = Math.min(bytes.length, this.appetite);
      for (let i = 0; i < count; i++) this.written.push(bytes[i]);
      return Promise.resolve(count);
    }
    this.#offer = bytes;
    this.#write = Promise.withResolvers();
    return this.#write.promise;
  }

  /** Lets the read under way have these bytes. */
  async give(text: string): Promise<void> {
    const bytes = new TextEncoder().encode(text);
    await this.#endRead((read, into) => {
      into.set(bytes);
      read.resolve(bytes.length);
    });
  }

  /** Lets the read under way come to the end of the stream. */
  async end(): Promise<void> {
    await this.#endRead((read) => read.resolve(null));
  }

  async failRead(error: Error): Promise<void> {
    await this.#endRead((read) => read.reject(error));
  }

  /** Lets the write under way take so many bytes, as they are now. */
  async takeWrite(count: number): Promise<void> {
    this.written.push(...this.#offer!.subarray(0, count));
    await this.#endWrite((write) => write.resolve(count));
  }

  async failWrite(error: Error): Promise<void> {
    await this.#endWrite((write) => write.reject(error));
  }

  closeWrite(): Promise<void> {
    this.writeClosed++;
    return this.failCloseWrite === null ? Promise.resolve() : Promise.reject(this.failCloseWrite);
  }

  close(): void {
    if (this.closed++ > 0) throw new Deno.errors.BadResource("Bad resource ID");
    const interrupted = new Deno.errors.Interrupted("operation canceled");
    this.#read?.reject(interrupted);
    this.#read = null;
    if (!this.closeSettlesWrites) return;
    this.#write?.reject(interrupted);
    this.#write = null;
  }

  get text(): string {
    return new TextDecoder().decode(new Uint8Array(this.written));
  }

  async #endRead(
    settle: (read: PromiseWithResolvers<number | null>, into: Uint8Array) => void,
  ): Promise<void> {
    // one who reads much may have to let others go first
    for (let turns = 0; this.#read === null && turns < 10; turns++) await settled();
    const read = this.#read;
    const into = this.#into;
    if (read === null || into === null) throw new Error("nobody reads");
    this.#read = this.#into = null;
    settle(read, into);
    await settled();
  }

  async #endWrite(settle: (write: PromiseWithResolvers<number>) => void): Promise<void> {
    const write = this.#write!;
    this.#write = this.#offer = null;
    settle(write);
    await settled();
  }
}

/** Resolves when everything has run that was waiting for a promise which is settled by now. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Two ends of one real connection over loopback. */
export async function socketPair(): Promise<[Deno.TcpConn, Deno.TcpConn]> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  return await Promise.all([Deno.connect({ hostname: "127.0.0.1", port }), listener.accept()]);
}
