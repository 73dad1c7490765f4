import { assert, assertEquals } from "@std/assert";
import { LARGE, MEDIUM, SMALL } from "../../src/net/buffers.ts";
import { type Clock, TICK } from "../../src/net/clock.ts";
import { Connection, stuckConnections } from "../../src/net/connection.ts";
import { BufferFit, type FirstLook, relay, type RelayEnd, type RelayWatch } from "../../src/net/relay.ts";
import { fakeClock, FakeStream, type FakeTime, settled, socketPair } from "./fakes.ts";

const IDLE = 10_000;

interface Setting {
  near: FakeStream;
  far: FakeStream;
  nearConnection: Connection;
  farConnection: Connection;
  clock: Clock;
  time: FakeTime;
  /** Starts the relay and lets it get to its first waits. */
  start(watch?: RelayWatch): Promise<void>;
  /** How it ended; "running" while it has not. */
  end(): Promise<RelayEnd | "running">;
}

/** Two fake streams that are relayed; at the end both have to be closed and nothing watched. */
async function withRelay(body: (setting: Setting) => Promise<void>): Promise<void> {
  const { clock, time } = fakeClock();
  const near = new FakeStream();
  const far = new FakeStream();
  const nearConnection = new Connection(near, clock, SMALL, 16);
  const farConnection = new Connection(far, clock, SMALL, 0);
  let ended: RelayEnd | "running" = "running";
  await body({
    near,
    far,
    nearConnection,
    farConnection,
    clock,
    time,
    async start(watch) {
      relay(nearConnection, farConnection, IDLE, watch).then((end) => ended = end);
      await settled();
    },
    async end() {
      await settled();
      return ended;
    },
  });
  await settled();
  assertEquals([nearConnection.closed, farConnection.closed], [true, true], "both are closed");
  assertEquals([clock.size, time.running, stuckConnections()], [0, 0, 0]);
  nearConnection.release();
  farConnection.release();
}

const RESET = new Deno.errors.ConnectionReset("Connection reset by peer");

Deno.test("what either side sends goes to the other, as it comes (RFC 9110 §9.3.6)", () =>
  withRelay(async ({ near, far, start, end }) => {
    await start();
    await near.give("ping");
    assertEquals(far.text, "ping");
    await far.give("pong");
    assertEquals(near.text, "pong");
    await near.give(" again");
    assertEquals(far.text, "ping again");
    await near.end();
    await far.end();
    assertEquals(await end(), "ended");
  }));

Deno.test("bytes that are in the buffers already go first", () =>
  withRelay(async ({ near, far, nearConnection, farConnection, start, end }) => {
    nearConnection.read();
    await near.give("early from near, ");
    farConnection.read();
    await far.give("early from far, ");
    await start();
    await near.give("later");
    await far.give("later");
    assertEquals([far.text, near.text], ["early from near, later", "early from far, later"]);
    await near.end();
    await far.end();
    assertEquals(await end(), "ended");
  }));

Deno.test("a read that was under way before is joined, and what it brings is not lost", () =>
  withRelay(async ({ near, far, nearConnection, start, end }) => {
    nearConnection.read();
    await start();
    await near.give("from the read under way");
    assertEquals(far.text, "from the read under way");
    await near.end();
    await far.end();
    assertEquals(await end(), "ended");
  }));

Deno.test("each direction is closed on its own: the near side may end and still receive", () =>
  withRelay(async ({ near, far, start, end }) => {
    await start();
    await near.give("question");
    await near.end();
    assertEquals([far.writeClosed, far.closed, near.closed], [1, 0, 0], "the end is passed on as an end");
    await far.give("a long answer");
    assertEquals([near.text, await end()], ["a long answer", "running"]);
    await far.end();
    assertEquals(
      [near.closed, far.closed, await end()],
      [1, 1, "ended"],
      "the second end is passed on by closing",
    );
  }));

Deno.test("each direction is closed on its own: the far side may end and still receive", () =>
  withRelay(async ({ near, far, start, end }) => {
    await start();
    await far.end();
    assertEquals([near.writeClosed, far.closed, near.closed], [1, 0, 0]);
    await near.give("still heard");
    assertEquals([far.text, await end()], ["still heard", "running"]);
    await near.end();
    assertEquals(await end(), "ended");
  }));

Deno.test("the end goes on only after all that came before it", () =>
  withRelay(async ({ near, far, start, end }) => {
    far.appetite = 0;
    await start();
    await near.give("first");
    assertEquals(far.isWriting, true);
    assertEquals(far.writeClosed, 0);
    await far.takeWrite(2);
    await far.takeWrite(3);
    await near.end();
    assertEquals([far.text, far.writeClosed], ["first", 1]);
    await far.end();
    assertEquals(await end(), "ended");
  }));

Deno.test("a near side that fails ends the far one at once, and is what the relay ended by", () =>
  withRelay(async ({ near, far, start, end }) => {
    await start();
    await near.failRead(RESET);
    assertEquals([far.closed, await end()], [1, "near_failed"]);
  }));

Deno.test("a far side that fails ends the near one at once, and is what the relay ended by", () =>
  withRelay(async ({ near, far, start, end }) => {
    await start();
    await far.failRead(RESET);
    assertEquals([near.closed, await end()], [1, "far_failed"]);
  }));

Deno.test("a far side that cannot be written to ends the near one", () =>
  withRelay(async ({ near, far, start, end }) => {
    far.appetite = 0;
    await start();
    await near.give("lost");
    await far.failWrite(new Deno.errors.BrokenPipe("Broken pipe"));
    assertEquals([near.closed, far.closed, await end()], [1, 1, "far_failed"]);
  }));

Deno.test("a near side that cannot be written to ends the far one", () =>
  withRelay(async ({ near, far, start, end }) => {
    near.appetite = 0;
    await start();
    await far.give("lost");
    await near.failWrite(new Deno.errors.BrokenPipe("Broken pipe"));
    assertEquals([near.closed, far.closed, await end()], [1, 1, "near_failed"]);
  }));

Deno.test("a side that fails while the other takes nothing ends what waits for the other", () =>
  withRelay(async ({ near, far, start, end }) => {
    far.appetite = 0;
    await start();
    await near.give("stuck");
    await far.failRead(RESET);
    assertEquals([near.closed, far.closed, await end()], [1, 1, "far_failed"]);
  }));

Deno.test("somebody who closes the connections stops the relay, which nobody's failure is", () =>
  withRelay(async ({ far, near, nearConnection, farConnection, start, end }) => {
    near.appetite = 0;
    await start();
    await far.give("under way");
    farConnection.close();
    nearConnection.close();
    assertEquals(await end(), "stopped");
  }));

// backpressure

Deno.test("nothing is read that cannot be written: a slow reader slows the writer", () =>
  withRelay(async ({ near, far, start, end }) => {
    far.appetite = 0;
    await start();
    await near.give("one");
    assertEquals([near.isReading, far.isWriting], [false, true]);
    await far.takeWrite(1);
    assertEquals(near.isReading, false, "a part is not enough");
    await far.takeWrite(2);
    assertEquals(near.isReading, true);
    await far.give("the other direction is not held up");
    assertEquals(near.text, "the other direction is not held up");
    await near.end();
    await far.end();
    assertEquals(await end(), "ended");
  }));

// idle

Deno.test("a relay in which nothing moves either way is ended", () =>
  withRelay(async ({ time, near, start, end }) => {
    await start();
    await near.give("the last word");
    time.pass(IDLE);
    assertEquals(await end(), "running");
    time.passDeadline(0);
    assertEquals(await end(), "idle");
  }));

Deno.test("what moves one way keeps both sides", () =>
  withRelay(async ({ time, near, far, start, end }) => {
    await start();
    for (let i = 0; i < 10; i++) {
      time.pass(IDLE - TICK);
      await (i < 5 ? near : far).give("x");
    }
    assertEquals(await end(), "running");
    time.passDeadline(IDLE);
    assertEquals(await end(), "idle");
  }));

Deno.test("half a relay is idle in the same way as a whole one", () =>
  withRelay(async ({ time, near, start, end }) => {
    await start();
    await near.end();
    time.passDeadline(IDLE);
    assertEquals(await end(), "idle");
  }));

Deno.test("a side that takes nothing for too long is idle", () =>
  withRelay(async ({ time, near, far, start, end }) => {
    far.appetite = 0;
    await start();
    await near.give("stuck");
    time.passDeadline(IDLE);
    assertEquals(await end(), "idle");
  }));

Deno.test("a side that takes its bytes bit by bit is slow, not idle", () =>
  withRelay(async ({ time, near, far, start, end }) => {
    far.appetite = 0;
    await start();
    await near.give("0123456789");
    for (let i = 0; i < 10; i++) {
      time.pass(IDLE - TICK);
      assertEquals(await end(), "running", `after ${i} bytes`);
      await far.takeWrite(1);
    }
    assertEquals(far.text, "0123456789");
    time.passDeadline(IDLE);
    assertEquals(await end(), "idle");
  }));

// buffers

Deno.test("a direction that fills its buffer twice gets a larger one, and the small one again when it calms down", () =>
  withRelay(async ({ near, far, nearConnection, farConnection, start, end }) => {
    await start();
    const lengths: number[] = [];
    for (let i = 0; i < 6; i++) {
      await near.give("x".repeat(near.room));
      lengths.push(nearConnection.buffer.length);
    }
    assertEquals(lengths, [SMALL, MEDIUM, MEDIUM, LARGE, LARGE, LARGE]);
    await near.give("x");
    assertEquals(nearConnection.buffer.length, SMALL);
    assertEquals(farConnection.buffer.length, SMALL, "the other direction has not moved anything");
    assertEquals(far.text.length, far.offered.reduce((sum, count) => sum + count));
    await near.end();
    await far.end();
    assertEquals(await end(), "ended");
  }));

Deno.test("a buffer is made small again only when what is in it fits", async () => {
  const { clock } = fakeClock();
  const stream = new FakeStream();
  const connection = new Connection(stream, clock, LARGE, 16);
  const fit = new BufferFit(connection);
  const read = connection.read();
  await stream.give("x".repeat(SMALL));
  await read;
  fit.reset();
  assertEquals([connection.buffer.length, connection.end - connection.start], [LARGE, SMALL], "it would not");
  connection.start = connection.end - 3;
  fit.reset();
  assertEquals([connection.buffer.length, connection.end - connection.start], [SMALL, 3]);
  assert(connection.room > 0);
  connection.release();
  await settled();
});

// a look at the first bytes

const DECISION = 2_000;

/** Says "more" until there are `enough` bytes, and keeps what it was shown and told. */
class Look implements FirstLook {
  decisionTime = DECISION;
  readonly seen: string[] = [];
  readonly told: string[] = [];

  constructor(
    readonly enough: number,
    readonly word: "go" | "stop",
    readonly firstByteTime = Infinity,
  ) {}

  look(bytes: Uint8Array, start: number, end: number): "more" | "go" | "stop" {
    this.seen.push(new TextDecoder().decode(bytes.subarray(start, end)));
    return end - start < this.enough ? "more" : this.word;
  }

  /** The bytes of memory that it was told of. */
  readonly held: number[] = [];

  hold(bytes: number): void {
    this.held.push(bytes);
  }

  cutShort(by: "end" | "time" | "size"): "go" | "stop" {
    this.told.push(by);
    return this.word;
  }

  readonly heard: Promise<void> = new Promise(() => {});

  hear(): boolean {
    return false;
  }
}

/** Lets lines go on one by one until the far side has said `enough`; `!` holds what comes. */
class Lines implements FirstLook {
  readonly firstByteTime = Infinity;
  readonly decisionTime = DECISION;
  readonly told: string[] = [];
  said = "";
  readonly #heard = Promise.withResolvers<void>();
  readonly heard = this.#heard.promise;

  constructor(readonly enough: string) {}

  look(bytes: Uint8Array, start: number, end: number): "more" | "go" | number {
    if (this.said.includes(this.enough)) return "go";
    const text = new TextDecoder().decode(bytes.subarray(start, end));
    return text.startsWith("!") || !text.includes("\n") ? "more" : text.indexOf("\n") + 1;
  }

  hold(): void {}

  cutShort(by: "end" | "time" | "size"): "stop" {
    this.told.push(by);
    return "stop";
  }

  hear(bytes: Uint8Array, start: number, end: number): boolean {
    this.said += new TextDecoder().decode(bytes.subarray(start, end));
    if (!this.said.includes(this.enough)) return true;
    this.#heard.resolve();
    return false;
  }
}

Deno.test("a look may let go on a part, hold the rest, and be told by what the far side says", () =>
  withRelay(async ({ near, far, start, end }) => {
    const first = new Lines("go on");
    await start({ first });
    await near.give("a\nb\nc");
    assertEquals(far.offered, [2, 2]);
    await near.give("\n!d");
    assertEquals(far.text, "a\nb\nc\n");
    await far.give("go");
    await near.give("\ne");
    assertEquals([far.text, near.text], ["a\nb\nc\n", "go"]);
    await far.give(" on, please");
    assertEquals([far.text, near.text], ["a\nb\nc\n!d\ne", "go on, please"]);
    await far.give("!");
    await near.give("!");
    assertEquals([far.text, near.text], ["a\nb\nc\n!d\ne!", "go on, please!"]);
    await near.end();
    await far.end();
    assertEquals([await end(), first.told], ["ended", []]);
  }));

/** Counts who waits for it. */
class Awaited<T> extends Promise<T> {
  static waits = 0;

  override then<A = T, B = never>(
    done?: ((value: T) => A | PromiseLike<A>) | null,
    failed?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    Awaited.waits++;
    return super.then(done, failed);
  }
}

Deno.test("however much passes by a look, no more waits for the far side's word than at its beginning", () =>
  withRelay(async ({ near, far, nearConnection, start, end }) => {
    const first = Object.assign(new Lines("go on"), { heard: new Awaited<void>(() => {}) });
    await start({ first });
    Awaited.waits = 0;
    for (let line = 0; line < 100; line++) await near.give("a\n");
    assertEquals([far.text.length, Awaited.waits], [200, 0]);
    nearConnection.close();
    assertEquals(await end(), "stopped");
  }));

Deno.test("what the far side says lets a look end that holds nothing", () =>
  withRelay(async ({ near, far, start, end }) => {
    await start({ first: new Lines("hello") });
    await near.give("a\n");
    await far.give("hello");
    await near.give("!b");
    assertEquals(far.text, "a\n!b");
    await near.end();
    await far.end();
    assertEquals(await end(), "ended");
  }));

Deno.test("nothing goes on before the look says so; then all does, unchanged, and it is never asked again", () =>
  withRelay(async ({ near, far, start, end }) => {
    const first = new Look(6, "go");
    await start({ first });
    await near.give("abc");
    await near.give("de");
    assertEquals(far.offered, []);
    await near.give("fg");
    assertEquals([far.text, far.offered], ["abcdefg", [7]], "in one piece");
    await near.give("h");
    assertEquals(far.text, "abcdefgh");
    assertEquals(first.seen, ["abc", "abcde", "abcdefg"]);
    await near.end();
    await far.end();
    assertEquals([await end(), first.told], ["ended", []]);
  }));

Deno.test("bytes that are there already are looked at first", () =>
  withRelay(async ({ near, far, nearConnection, start, end }) => {
    nearConnection.read();
    await near.give("early");
    const first = new Look(6, "go");
    await start({ first });
    assertEquals([first.seen, far.text], [["early"], ""]);
    await near.give("!");
    assertEquals(far.text, "early!");
    await near.end();
    await far.end();
    assertEquals(await end(), "ended");
  }));

Deno.test("what the far side sends flows while the look waits, also before the near side has said anything", () =>
  withRelay(async ({ near, far, start, end }) => {
    await start({ first: new Look(5, "go") });
    await far.give("220 hello");
    assertEquals(near.text, "220 hello");
    await near.give("EHL");
    await far.give(", speak");
    assertEquals([near.text, far.text], ["220 hello, speak", ""]);
    await near.give("O!");
    assertEquals(far.text, "EHLO!");
    await near.end();
    await far.end();
    assertEquals(await end(), "ended");
  }));

Deno.test("a look that stops lets nothing through and ends the far side; the near one can still be told why", () =>
  withRelay(async ({ near, far, nearConnection, start, end }) => {
    await start({ first: new Look(3, "stop") });
    await near.give("abc");
    assertEquals([far.offered, far.closed, near.closed, await end()], [[], 1, 0, "refused"]);
    assertEquals(await nearConnection.write(new TextEncoder().encode("why")), true);
    assertEquals(near.text, "why");
    nearConnection.close();
  }));

Deno.test("a look that stops lets what is on its way to the near side arrive, but does not wait for ever", async () => {
  for (const takes of [true, false]) {
    await withRelay(async ({ near, far, nearConnection, time, start, end }) => {
      near.appetite = 0;
      await start({ first: new Look(3, "stop") });
      await far.give("220 hello");
      await near.give("abc");
      assertEquals([far.closed, near.closed, await end()], [1, 0, "running"]);
      if (takes) await near.takeWrite(9);
      else time.passDeadline(DECISION);
      assertEquals([await end(), nearConnection.closed], ["refused", !takes]);
      nearConnection.close();
    });
  }
});

Deno.test("the near buffer grows while the look wants more, and is made small again afterwards", () =>
  withRelay(async ({ near, far, nearConnection, start, end }) => {
    const first = new Look(40_000, "go");
    await start({ first });
    let given = 0;
    const lengths = new Set([nearConnection.buffer.length]);
    while (given < 40_000) {
      const count = Math.min(near.room, 5_000);
      await near.give("0123456789".repeat(500).slice(0, count));
      given += count;
      lengths.add(nearConnection.buffer.length);
    }
    assertEquals([...lengths], [SMALL, MEDIUM, 2 * MEDIUM, 4 * MEDIUM]);
    assertEquals([far.offered, far.text], [[given], first.seen.at(-1)!]);
    await near.give("x");
    assertEquals(nearConnection.buffer.length, SMALL);
    await near.end();
    await far.end();
    assertEquals(await end(), "ended");
  }));

Deno.test("a look that never has enough is told when the largest buffer is full", () =>
  withRelay(async ({ near, far, nearConnection, start, end }) => {
    const first = new Look(Infinity, "stop");
    await start({ first });
    while (first.told.length === 0) await near.give("x".repeat(near.room));
    assertEquals([first.told, nearConnection.buffer.length], [["size"], LARGE]);
    assertEquals(first.held, [1, 2, 4, 8, 16].map((times) => times * MEDIUM).concat(0));
    assertEquals([far.offered, await end()], [[], "refused"]);
    nearConnection.close();
  }));

Deno.test("a near side that ends while the look wants more: the look decides on what there is", async () => {
  await withRelay(async ({ near, far, start, end }) => {
    const first = new Look(9, "go");
    await start({ first });
    await near.give("abc");
    await near.end();
    assertEquals([first.told, far.text, far.writeClosed], [["end"], "abc", 0]);
    await near.end();
    assertEquals(far.writeClosed, 1, "the end goes on behind them");
    await far.end();
    assertEquals(await end(), "ended");
  });
  await withRelay(async ({ near, far, nearConnection, start, end }) => {
    await start({ first: new Look(9, "stop") });
    await near.give("abc");
    await near.end();
    assertEquals([far.offered, far.closed, await end()], [[], 1, "refused"]);
    nearConnection.close();
  });
});

Deno.test("the time of the look runs from the first byte, and nothing that moves puts it off", () =>
  withRelay(async ({ near, far, nearConnection, time, start, end }) => {
    const first = new Look(Infinity, "stop");
    await start({ first });
    time.pass(IDLE - TICK);
    for (let i = 0; i < 4; i++) {
      await near.give("x");
      await far.give("y");
      assertEquals(await end(), "running");
      time.pass(DECISION / 4);
    }
    time.passDeadline(0);
    assertEquals([await end(), first.told, far.offered], ["refused", ["time"], []]);
    nearConnection.close();
  }));

Deno.test("first bytes that come slowly keep a relay from being idle", () =>
  withRelay(async ({ near, far, time, start, end }) => {
    const first = new Look(5, "go");
    first.decisionTime = Infinity;
    await start({ first });
    for (let i = 0; i < 5; i++) {
      assertEquals([far.offered, await end()], [[], "running"]);
      time.pass(IDLE - TICK);
      await near.give("x");
    }
    assertEquals(far.text, "xxxxx");
    time.passDeadline(IDLE);
    assertEquals(await end(), "idle");
  }));

Deno.test("a near side that says nothing falls under the relay's idle limit", () =>
  withRelay(async ({ time, start, end }) => {
    const first = new Look(1, "stop");
    await start({ first });
    time.passDeadline(IDLE);
    assertEquals([await end(), first.told], ["idle", []]);
  }));

Deno.test("a near side that says nothing is cut short where the first byte has its own time", () =>
  withRelay(async ({ time, far, nearConnection, start, end }) => {
    const first = new Look(1, "stop", DECISION);
    await start({ first });
    await far.give("220 hello");
    time.passDeadline(DECISION);
    assertEquals([await end(), first.told], ["refused", ["time"]]);
    nearConnection.close();
  }));

Deno.test("a look that lets go when its time is over loses nothing of what comes later", async () => {
  for (const early of ["", "abc"]) {
    await withRelay(async ({ near, far, time, start, end }) => {
      await start({ first: new Look(9, "go", DECISION) });
      if (early !== "") await near.give(early);
      time.passDeadline(DECISION);
      await settled();
      assertEquals(far.text, early);
      await near.give("def");
      await near.give("ghi");
      assertEquals(far.text, `${early}defghi`);
      await near.end();
      await far.end();
      assertEquals(await end(), "ended");
    });
  }
});

Deno.test("what comes while first bytes that were let go are being written is not lost", () =>
  withRelay(async ({ near, far, time, start, end }) => {
    far.appetite = 0;
    await start({ first: new Look(9, "go") });
    await near.give("abc");
    time.passDeadline(DECISION);
    await settled();
    assertEquals(far.isWriting, true);
    await near.give("def");
    await far.takeWrite(3);
    await far.takeWrite(3);
    assertEquals(far.text, "abcdef");
    await near.end();
    await far.end();
    assertEquals(await end(), "ended");
  }));

Deno.test("either side's failure ends a relay whose look still waits", async () => {
  await withRelay(async ({ near, far, start, end }) => {
    await start({ first: new Look(9, "go") });
    await near.give("abc");
    await near.failRead(RESET);
    assertEquals([far.closed, far.offered, await end()], [1, [], "near_failed"]);
  });
  await withRelay(async ({ near, far, start, end }) => {
    await start({ first: new Look(9, "go") });
    await near.give("abc");
    await far.failRead(RESET);
    assertEquals([near.closed, await end()], [1, "far_failed"]);
  });
  await withRelay(async ({ near, far, time, start, end }) => {
    far.appetite = 0;
    await start({ first: new Look(9, "go") });
    await near.give("abc");
    time.passDeadline(DECISION);
    await settled();
    await far.failWrite(new Deno.errors.BrokenPipe("Broken pipe"));
    assertEquals([near.closed, await end()], [1, "far_failed"]);
  });
});

// real sockets

Deno.test("real sockets: many megabytes go through both ways at once, unchanged, and both ends are passed on", async () => {
  const { clock } = fakeClock();
  const [client, near] = await socketPair();
  const [server, far] = await socketPair();
  const over = relay(new Connection(near, clock, SMALL, 16), new Connection(far, clock, SMALL, 0), IDLE);
  const size = 16 * 1024 * 1024;
  const [there, back] = await Promise.all([
    receive(server),
    receive(client),
    send(client, size, 3),
    send(server, size, 7),
  ]);
  assertEquals([there, back], [checksum(size, 3), checksum(size, 7)]);
  assertEquals(await over, "ended");
  client.close();
  server.close();
  assertEquals(clock.size, 0);
});

/** The byte at a place of a stream that is told from another by its factor. */
function byteAt(place: number, factor: number): number {
  return (place * factor + (place >> 8)) & 0xff;
}

async function send(to: Deno.TcpConn, size: number, factor: number): Promise<void> {
  const piece = new Uint8Array(100_003);
  for (let at = 0; at < size;) {
    const length = Math.min(piece.length, size - at);
    for (let i = 0; i < length; i++) piece[i] = byteAt(at + i, factor);
    for (let done = 0; done < length;) done += await to.write(piece.subarray(done, length));
    at += length;
  }
  await to.closeWrite();
}

async function receive(from: Deno.TcpConn): Promise<string> {
  const buffer = new Uint8Array(64 * 1024);
  let hash = 0;
  let size = 0;
  for (let count; (count = await from.read(buffer)) !== null; size += count) {
    for (let i = 0; i < count; i++) hash = (Math.imul(hash, 31) + buffer[i]) | 0;
  }
  return `${size} bytes, ${hash}`;
}

function checksum(size: number, factor: number): string {
  let hash = 0;
  for (let at = 0; at < size; at++) hash = (Math.imul(hash, 31) + byteAt(at, factor)) | 0;
  return `${size} bytes, ${hash}`;
}
