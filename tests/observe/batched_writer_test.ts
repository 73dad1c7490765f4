import { assert, assertEquals } from "@std/assert";
import { BatchedWriter, type BatchedWriterOptions } from "../../src/observe/batched_writer.ts";

const NEVER = 2 ** 30;

/** A test that no timer and no pending write may outlive, which not every Deno checks unasked. */
function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, sanitizeOps: true, sanitizeResources: true });
}

/** A sink in the test's hands: each write waits until the test settles it. */
class Sink {
  text = "";
  writes = 0;
  lost: number[] = [];
  failures: unknown[] = [];
  /** Whole lines that were taken. */
  get lines(): number {
    return this.text.split("\n").length - 1;
  }

  #started = Promise.withResolvers<void>();
  readonly #decoder = new TextDecoder();
  #pending: { bytes: Uint8Array; settle: PromiseWithResolvers<number> } | undefined;

  write(bytes: Uint8Array): Promise<number> {
    const settle = Promise.withResolvers<number>();
    this.#pending = { bytes, settle };
    this.writes++;
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
    this.text += this.#decoder.decode(bytes.subarray(0, count), { stream: true });
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

test("entries are written together when the time has come, with no flush", async () => {
  const sink = new Sink();
  const writer = writerTo(sink, { delay: 1 });
  writer.append("one\n");
  writer.append("two\n");
  await sink.take();
  assertEquals(sink.text, "one\ntwo\n");
  assertEquals(sink.writes, 1);
});

test("without a delay an entry is written at once, and those of the same moment with it", async () => {
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

test("there is one write at a time, whoever asks", async () => {
  const sink = new Sink();
  const writer = writerTo(sink, { delay: 0 });
  writer.append("one\n");
  await sink.begun();
  writer.append("two\n");
  const flushed = [writer.flush(), writer.flush()];
  await turns();
  assertEquals(sink.writes, 1);
  await sink.take();
  await sink.take();
  await Promise.all(flushed);
  assertEquals(sink.text, "one\ntwo\n");
});

test("what comes during a write goes out after it, in order, without a delay and with one", async () => {
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

test("a full batch does not wait for the time, and leaves no timer behind", async () => {
  const sink = new Sink();
  const writer = writerTo(sink);
  writer.append("first\n");
  const line = "x".repeat(1023) + "\n";
  for (let i = 0; i < 64; i++) writer.append(line);
  assert(await sink.take() > 64 * 1024);
  await turns();
});

test("nothing runs while there is nothing to write", async () => {
  const sink = new Sink();
  const writer = writerTo(sink);
  await writer.flush();
  assertEquals(sink.writes, 0);
});

test("a write that takes a part goes on with the rest", async () => {
  const sink = new Sink();
  const writer = writerTo(sink);
  writer.append("0123456789\n");
  const flushed = writer.flush();
  assertEquals([await sink.take(3), await sink.take(1), await sink.take()], [3, 1, 7]);
  await flushed;
  assertEquals(sink.text, "0123456789\n");
});

test("flush writes what waits, also what comes while it waits", async () => {
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

test("text beyond ASCII is UTF-8, whatever a batch holds", async () => {
  const sink = new Sink();
  const writer = writerTo(sink);
  const entry = "→ é 𝄞 €\n".repeat(9000);
  writer.append(entry);
  const flushed = writer.flush();
  await sink.take();
  await flushed;
  assertEquals(sink.text, entry);
});

test("a sink that never settles costs a bounded memory: lines are dropped and counted", async () => {
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

test("a sink that was slow and catches up gets whole lines, in order, and the loss is told", async () => {
  const sink = new Sink();
  let clock = 0;
  const writer = writerTo(sink, { capacity: 1024 * 1024, now: () => clock });
  const line = (i: number) => `${i} ${"→ y".repeat(15)}\n`;
  const expected: string[] = [];
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 40_000; i++) {
      const { dropped } = writer;
      writer.append(line(i));
      if (writer.dropped === dropped) expected.push(line(i));
    }
    assert(writer.dropped > 10_000 * (round + 1) && expected.length > 10_000 * (round + 1));
    clock += 5000;
    const flushed = writer.flush();
    while (sink.lines < expected.length) await sink.take();
    await flushed;
  }
  assertEquals(sink.text === expected.join(""), true);
  assertEquals(sink.lost.reduce((sum, entries) => sum + entries), writer.dropped);
  assertEquals(writer.dropped, 80_000 - expected.length);
});

test("an entry may be larger than a batch", async () => {
  const sink = new Sink();
  const writer = writerTo(sink);
  const entry = `${"→".repeat(200_000)}\n`;
  writer.append("small\n");
  writer.append(entry);
  writer.append("small\n");
  const flushed = writer.flush();
  while (sink.lines < 3) await sink.take();
  await flushed;
  assertEquals(sink.text === `small\n${entry}small\n`, true);
});

test("after a flush that gave up, the writer goes on once the reader does", async () => {
  const sink = new Sink();
  const writer = writerTo(sink, { patience: 1, delay: 0 });
  writer.append("one\n");
  await writer.flush();
  assertEquals(writer.dropped, 1);
  writer.append("two\n");
  writer.append(`${"x".repeat(20_000)}\n`);
  await sink.take();
  await sink.take();
  assertEquals(sink.text, `one\ntwo\n${"x".repeat(20_000)}\n`);
});

test("a closed pipe silences the writer for good, with one word about it", async () => {
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

test("a full disk is tried again later, not line by line, and a cut line is ended first", async () => {
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

  writer.append("lost\n");
  flushed = writer.flush();
  await sink.fail(new Error("No space left on device"));
  await flushed;
  assertEquals(sink.failures.length, 2, "it worked in between: that is news");
  clock += 10_000;
  writer.append("again\n");
  flushed = writer.flush();
  await sink.take();
  await flushed;
  assertEquals(sink.text, "one\nagain\nagain\n");
});

test("a write that failed at the start of a line leaves no empty one", async () => {
  const sink = new Sink();
  let clock = 0;
  const writer = writerTo(sink, { now: () => clock });
  for (const fail of [() => sink.fail(new Error("No space left on device")), () => sink.take()]) {
    clock += 10_000;
    writer.append("line\n");
    const flushed = writer.flush();
    await fail();
    await flushed;
  }
  assertEquals(sink.text, "line\n");
});

test("the longer a write takes, the larger the next one", async () => {
  const sink = new Sink();
  const writer = writerTo(sink);
  const line = "x".repeat(1023) + "\n";
  for (let i = 0; i < 64; i++) writer.append(line);
  await sink.begun();
  for (let i = 0; i < 200; i++) writer.append(line);
  const flushed = writer.flush();
  assertEquals(await sink.take(), 64 * 1024);
  assertEquals(await sink.take(), 192 * 1024);
  assertEquals(await sink.take(), 8 * 1024);
  await flushed;
});

test("a sink that throws, or takes nothing, is a failure and no endless loop", async () => {
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

test("an entry larger than all the room there is is dropped", async () => {
  const sink = new Sink();
  const writer = writerTo(sink, { capacity: 10 });
  writer.append("x".repeat(11));
  await writer.flush();
  assertEquals(writer.dropped, 1);
  assertEquals(sink.writes, 0);
});
