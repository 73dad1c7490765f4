import { assert, assertEquals } from "@std/assert";
import { setImmediate } from "node:timers";
import { turnToRead } from "../../src/net/fair_reads.ts";
import { Clock } from "../../src/net/clock.ts";
import { Connection, ENDED, type Stream } from "../../src/net/connection.ts";

/** Nothing ticks: there are no deadlines here. */
const STILL = { now: () => 0, every: () => () => {} };

/** A stream whose reads end when the test says so. */
class Held implements Stream {
  reads = 0;
  #resolve: ((count: number | null) => void) | null = null;
  #began = Promise.withResolvers<void>();

  read(): Promise<number | null> {
    this.reads++;
    this.#began.resolve();
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** Resolves when the next read has begun. */
  nextRead(): Promise<void> {
    this.#began = Promise.withResolvers<void>();
    return this.#began.promise;
  }

  give(count: number): void {
    this.#resolve!(count);
  }

  write(bytes: Uint8Array): Promise<number> {
    return Promise.resolve(bytes.length);
  }

  closeWrite(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.#resolve?.(null);
  }
}

interface Peer {
  stream: Held;
  connection: Connection;
}

function peers(count: number): Peer[] {
  const clock = new Clock(STILL);
  return Array.from({ length: count }, () => {
    const stream = new Held();
    return { stream, connection: new Connection(stream, clock, 1536, 0) };
  });
}

/** All of them read, and all of these reads end in one turn of the event loop. */
async function turnOf(all: readonly Peer[]): Promise<void> {
  const reading = all.map(({ connection }) => connection.read());
  for (const { stream } of all) stream.give(1);
  assertEquals(await Promise.all(reading), all.map(() => 1));
  for (const { connection } of all) connection.empty();
}

async function end(all: readonly Peer[]): Promise<void> {
  const reading = all.map(({ connection }) => connection.reading ? connection.read() : null);
  for (const { connection } of all) connection.release();
  for (const read of reading) if (read !== null) assertEquals(await read, ENDED);
}

/** Waits until nobody has to wait any more. */
async function quiet(): Promise<void> {
  for (let turn = turnToRead(); turn !== null; turn = turnToRead()) await turn;
}

/** The first full turn of a process loads what later ones are told apart with. */
async function prepare(): Promise<void> {
  await quiet();
  const all = peers(128);
  await turnOf(all);
  await import("node:timers");
  await new Promise<void>((resolve) => setImmediate(resolve));
  await quiet();
  await end(all);
  await quiet();
}

Deno.test("a turn that is not full holds nobody up", async () => {
  await prepare();
  const all = peers(100);
  await turnOf(all);
  all[0].connection.read();
  assertEquals(all[0].stream.reads, 2);
  await end(all);
});

Deno.test("after a full turn those that were put off are served before anybody reads again", async () => {
  await prepare();
  const all = peers(129);
  const late = all.pop()!;
  const lateRead = late.connection.read();
  await turnOf(all);
  const again = all.map(({ stream, connection }) => {
    const began = stream.nextRead();
    connection.read();
    return began;
  });
  assert(all.every(({ stream }) => stream.reads === 1), "they wait");
  late.stream.give(1);
  assertEquals(await lateRead, 1);
  await Promise.all(again);
  assert(all.every(({ stream }) => stream.reads === 2), "and go on when it has had its turn");
  await end([...all, late]);
});

Deno.test("a full turn that leaves nothing behind holds nobody up for long", async () => {
  await prepare();
  const all = peers(128);
  await turnOf(all);
  const began = all[0].stream.nextRead();
  all[0].connection.read();
  assertEquals(all[0].stream.reads, 1);
  await began;
  await end(all);
});

Deno.test("a connection that is closed while it waits for its turn is told so", async () => {
  await prepare();
  const all = peers(128);
  await turnOf(all);
  const read = all[0].connection.read();
  all[0].connection.close();
  all[0].stream.close();
  const { stream } = all[0];
  stream.read = () => Promise.reject(new Deno.errors.BadResource("closed"));
  assertEquals(await read, -1);
  await end(all.slice(1));
});
