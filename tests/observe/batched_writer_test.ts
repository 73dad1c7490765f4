import { assert, assertEquals } from "@std/assert";
import { BatchedWriter, type BatchedWriterOptions } from "../../src/observe/batched_writer.ts";

const NEVER = 2 ** 30;

/** A sink in the test's hands: each write waits until the test settles it. */
class Sink {
  text = "";
  largest = 0;
  writes = 0;
  lost: number[] = [];
  failures: unknown[] = [];
  #started = Promise.withResolvers<void>();
  #pending: { bytes: Uint8Array; settle: PromiseWithResolvers<number> } | undefined;

  write(bytes: Uint8Array): Promise<number> {
    const settle = Promise.withResolvers<number>();
    this.#pending = { bytes, settle };
    this.writes++;
    this.largest = Math.max(this.largest, bytes.length);
    this.#started.resolve();
    return settle.promise;
  }

  /** Waits for a write and leaves it pending. */
  begun(): Promise<void> {
    return this.#started.promise;
  }

  /** Waits for a write and says that it took at most `most` bytes. */
  async take(most = Infinity): Promise<number> {
    const { bytes, settle } = await this.#next();
    const count = Math.min(most, bytes.length);
    this.text += new TextDecoder().decode(bytes.subarray(0, count));
    settle.resolve(count);
    return count;
  }

  async fail(error: Error): Promise<void> {
    const { settle } = await this.#next();
    settle.reject(error);
  }

  async #next() {
    await this.#started.promise;
    this.#started = Promise.withResolvers();
    return this.#pending!;
  }
}

function writerTo(sink: Sink, options: Partial<BatchedWriterOptions> = {}): BatchedWriter {
  return new BatchedWriter({
    write: (bytes) => sink.write(bytes),
    delay: NEVER,
    lost: (entries) => void sink.lost.push(entries),
    failed: (error) => void sink.failures.push(error),
    ...options,
  });
}

/** Lets everything that can go on without the outside go on. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await undefined;
}

Deno.test("entries are written together when the time has come, with no flush", async () => {
  const sink = new Sink();
  const writer = writerTo(sink, { delay: 1 });
  writer.append("one\n");
  writer.append("two\n");
  await sink.take();
  assertEquals(sink.text, "one\ntwo\n");
  assertEquals(sink.writes, 1);
});

Deno.test("without a delay an entry is written at once, and those of the same moment with it", async () => {
  const sink = new Sink();
  const writer = writerTo(sink, { delay: 0 });
  writer.append("one\n");
  writer.append("two\n");
  await sink.take();
  assertEquals(sink.text, "one\ntwo\n");
  await turns();
  writer.append("three\n");
  await sink.take();
  assertEquals(sink.text, "one\ntwo\nthree\n");
});

Deno.test("what comes during a write goes out after it, in order, without a delay and with one", async () => {
  for (const delay of [0, 1]) {
    const sink = new Sink();
    const writer = writerTo(sink, { delay });
    writer.append("one\n");
    await sink.begun();
    writer.append("two\n");
    await sink.take();
    await sink.take();
    assertEquals(sink.text, "one\ntwo\n");
  }
});

Deno.test("a full batch does not wait for the time, and leaves no timer behind", async () => {
  const sink = new Sink();
  const writer = writerTo(sink);
  writer.append("first\n");
  const line = "x".repeat(1023) + "\n";
  for (let i = 0; i < 64; i++) writer.append(line);
  assert(await sink.take() > 64 * 1024);
  await turns();
});

Deno.test("nothing runs while there is nothing to write", async () => {
  const sink = new Sink();
  const writer = writerTo(sink);
  await writer.flush();
  assertEquals(sink.writes, 0);
});

Deno.test("a write that takes a part goes on with the rest", async () => {
  const sink = new Sink();
  const writer = writerTo(sink);
  writer.append("0123456789\n");
  const flushed = writer.flush();
  assertEquals([await sink.take(3), await sink.take(1), await sink.take()], [3, 1, 7]);
  await flushed;
  assertEquals(sink.text, "0123456789\n");
});

Deno.test("flush writes what waits, also what comes while it waits", async () => {
  const sink = new Sink();
  const writer = writerTo(sink);
  writer.append("one\n");
  const flushed = writer.flush();
  await sink.begun();
  writer.append("two\n");
  await sink.take();
  await sink.take();
  await flushed;
  assertEquals(sink.text, "one\ntwo\n");
});

Deno.test("text beyond ASCII is UTF-8, whatever a batch holds", async () => {
  const sink = new Sink();
  const writer = writerTo(sink);
  const entry = "→ é 𝄞 €\n".repeat(9000);
  writer.append(entry);
  const flushed = writer.flush();
  await sink.take();
  await flushed;
  assertEquals(sink.text, entry);
});

Deno.test("a sink that never settles costs a bounded memory: lines are dropped and counted", async () => {
  const sink = new Sink();
  let clock = 0;
  const writer = writerTo(sink, { capacity: 256 * 1024, patience: 1, now: () => clock });
  const line = "x".repeat(99) + "\n";
  const appended = 100_000;
  for (let i = 0; i < appended; i++) writer.append(line);
  await turns();
  assertEquals(sink.writes, 1);
  assertEquals(writer.dropped, appended - Math.floor(256 * 1024 / line.length));
  assertEquals(sink.lost, [1], "the first loss is told at once, others when seconds have passed");

  clock += 5000;
  writer.append(line);
  assertEquals(sink.lost, [1, writer.dropped - 1]);

  await writer.flush();
  assertEquals(writer.dropped, appended + 1, "what a flush gives up is counted too");
  assertEquals(sink.lost.reduce((sum, entries) => sum + entries), appended + 1);
});

Deno.test("a sink that was slow and catches up gets whole lines, in order, and the loss is told", async () => {
  const sink = new Sink();
  let clock = 0;
  const writer = writerTo(sink, { capacity: 128 * 1024, now: () => clock });
  for (let i = 0; i < 20_000; i++) writer.append(`${i} ${"y".repeat(50)}\n`);
  const kept = 20_000 - writer.dropped;
  assert(kept > 1000 && kept < 20_000);
  clock += 5000;
  const flushed = writer.flush();
  while (sink.text.length < 128 * 1024 - 100) await sink.take();
  await flushed;
  const lines = sink.text.trimEnd().split("\n");
  assertEquals(lines.length, kept);
  lines.forEach((line, i) => assertEquals(line, `${i} ${"y".repeat(50)}`));
  assertEquals(sink.lost, [1, 20_000 - kept - 1]);
  assertEquals(writer.dropped, 20_000 - kept);
});

Deno.test("a closed pipe silences the writer for good, with one word about it", async () => {
  const sink = new Sink();
  let clock = 0;
  const writer = writerTo(sink, { now: () => clock });
  writer.append("one\n");
  const flushed = writer.flush();
  await sink.fail(new Deno.errors.BrokenPipe("Broken pipe"));
  await flushed;
  clock += 3_600_000;
  writer.append("two\n");
  await writer.flush();
  assertEquals(sink.writes, 1);
  assertEquals(sink.failures.length, 1);
  assertEquals(sink.lost, []);
  assertEquals(writer.dropped, 2);
});

Deno.test("a full disk is tried again later, not line by line, and a cut line is ended first", async () => {
  const sink = new Sink();
  let clock = 0;
  const writer = writerTo(sink, { now: () => clock });
  writer.append("one two three\n");
  let flushed = writer.flush();
  await sink.take(3);
  await sink.fail(new Error("No space left on device"));
  await flushed;
  writer.append("lost\n");
  await writer.flush();
  assertEquals(sink.writes, 2, "not tried again so soon");

  clock += 10_000;
  writer.append("still full\n");
  flushed = writer.flush();
  await sink.fail(new Error("No space left on device"));
  await flushed;
  assertEquals(sink.failures.length, 1, "the same failure is told once");

  clock += 10_000;
  writer.append("again\n");
  flushed = writer.flush();
  await sink.take();
  await flushed;
  assertEquals(sink.text, "one\nagain\n");
  assertEquals(sink.lost, [3]);
  assertEquals(writer.dropped, 3);
});

Deno.test("a sink that throws, or takes nothing, is a failure and no endless loop", async () => {
  for (
    const write of [() => {
      throw new Error("broken");
    }, () => Promise.resolve(0)]
  ) {
    const sink = new Sink();
    const writer = writerTo(sink, { write });
    writer.append("one\n");
    await writer.flush();
    assertEquals(sink.failures.length, 1);
    assertEquals(writer.dropped, 1);
  }
});

Deno.test("an entry larger than all the room there is is dropped", async () => {
  const sink = new Sink();
  const writer = writerTo(sink, { capacity: 10 });
  writer.append("x".repeat(11));
  await writer.flush();
  assertEquals(writer.dropped, 1);
  assertEquals(sink.writes, 0);
});
