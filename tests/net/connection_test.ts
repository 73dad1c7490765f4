import { assert, assertEquals, assertNotStrictEquals, assertStrictEquals } from "@std/assert";
import { borrow, giveBack, SMALL } from "../../src/net/buffers.ts";
import { type Clock, TICK } from "../../src/net/clock.ts";
import { Connection, ENDED, FAILED, stuckConnections } from "../../src/net/connection.ts";
import { fakeClock, FakeStream, type FakeTime, settled, socketPair } from "./fakes.ts";

const BASE = 16;

interface Setting {
  stream: FakeStream;
  connection: Connection;
  clock: Clock;
  time: FakeTime;
}

/** A connection over a fake stream; at the end nothing of it may be left. */
async function withConnection(body: (setting: Setting) => Promise<void>): Promise<void> {
  const { clock, time } = fakeClock();
  const stream = new FakeStream();
  const connection = new Connection(stream, clock, SMALL, BASE);
  await body({ stream, connection, clock, time });
  connection.release();
  await settled();
  assertEquals(clock.size, 0, "no deadline is watched any more");
  assertEquals(time.running, 0);
  assertEquals(stream.closed, 1, "the stream is closed, once");
}

function textOf(connection: Connection): string {
  return new TextDecoder().decode(connection.buffer.subarray(connection.start, connection.end));
}

/** What a promise has come to, or "pending". */
async function stateOf<T>(promise: Promise<T>): Promise<T | "pending"> {
  await settled();
  return await Promise.race([promise, Promise.resolve("pending" as const)]);
}

const bytes = (text: string) => new TextEncoder().encode(text);

// reading

Deno.test("a read puts what comes behind what is there", () =>
  withConnection(async ({ stream, connection }) => {
    const first = connection.read();
    await stream.give("one ");
    assertEquals(await first, 4);
    assertEquals(connection.start, BASE);
    const second = connection.read();
    await stream.give("two");
    assertEquals(await second, 3);
    assertEquals(textOf(connection), "one two");
    assertEquals(connection.received, 7);
  }));

Deno.test("a read leaves room before and behind what it brings", () =>
  withConnection(async ({ stream, connection }) => {
    const read = connection.read();
    assertEquals(stream.room, connection.capacity);
    await stream.give("x".repeat(connection.capacity));
    await read;
    assertEquals(connection.room, 0);
    assert(connection.buffer.length - connection.end >= 7, "room for the end of the last chunk");
    assertEquals(connection.start, BASE);
  }));

Deno.test("a read brings no more than its reader wants, however much room there is", () =>
  withConnection(async ({ stream, connection }) => {
    connection.readLimit = 5;
    const first = connection.read();
    assertEquals(stream.room, 5);
    await stream.give("one ");
    assertEquals(await first, 4);
    const second = connection.read();
    assertEquals(stream.room, 5);
    await stream.give("two");
    assertEquals([await second, textOf(connection)], [3, "one two"]);
    connection.readLimit = Infinity;
    const third = connection.read();
    assertEquals(stream.room, connection.capacity - 7);
    await stream.give("!");
    await third;
  }));

Deno.test("several who read join the one read under way", () =>
  withConnection(async ({ stream, connection }) => {
    const first = connection.read();
    assertStrictEquals(connection.read(), first);
    assert(connection.reading);
    await stream.give("once");
    assertEquals(await first, 4);
    assert(!connection.reading);
    assertEquals(textOf(connection), "once");
  }));

Deno.test("the end of what a peer sends is told as such and remembered", () =>
  withConnection(async ({ stream, connection }) => {
    const read = connection.read();
    assertEquals(connection.ended, false);
    await stream.end();
    assertEquals(await read, ENDED);
    assertEquals([connection.ended, connection.closed], [true, false]);
  }));

Deno.test("a read that fails is no rejection, and its reason is kept", () =>
  withConnection(async ({ stream, connection }) => {
    const reset = new Deno.errors.ConnectionReset("Connection reset by peer");
    const read = connection.read();
    await stream.failRead(reset);
    assertEquals(await read, FAILED);
    assertStrictEquals(connection.error, reset);
    assertEquals([connection.ended, connection.closed], [false, false]);
  }));

Deno.test("closing ends the read under way", () =>
  withConnection(async ({ connection }) => {
    const read = connection.read();
    connection.close();
    assertEquals(await read, FAILED);
    assert(!connection.reading);
  }));

Deno.test("a closed connection reads nothing, and nobody waits for it", () =>
  withConnection(async ({ stream, connection }) => {
    connection.close();
    assertEquals(await connection.read(), FAILED);
    assertEquals([stream.isReading, connection.reading], [false, false]);
  }));

Deno.test("one who does not wait for a read is told when it has settled, after its bytes are there", () =>
  withConnection(async ({ stream, connection }) => {
    const seen: string[] = [];
    connection.onSettled = (settled) =>
      seen.push(settled.error !== null ? "failed" : settled.ended ? "end" : textOf(settled));
    connection.read();
    await stream.give("unasked");
    connection.read();
    await stream.end();
    connection.read();
    await stream.failRead(new Error("reset"));
    assertEquals(seen, ["unasked", "end", "failed"]);
  }));

Deno.test("another buffer takes over the unused bytes at its base, and reading goes on behind them", () =>
  withConnection(async ({ stream, connection }) => {
    connection.read();
    await stream.give("used, unused");
    connection.start += "used, ".length;
    const old = connection.buffer;
    const next = borrow(64 * 1024);
    assertStrictEquals(connection.swap(next), old);
    assertStrictEquals(connection.buffer, next);
    assertEquals([connection.start, textOf(connection)], [BASE, "unused"]);
    connection.read();
    await stream.give(" and more");
    assertEquals(textOf(connection), "unused and more");
    giveBack(old);
  }));

// writing

Deno.test("a write that is taken in parts goes on until all is out", () =>
  withConnection(async ({ stream, connection }) => {
    stream.appetite = 3;
    assertEquals(await connection.write(bytes("ten bytes.")), true);
    assertEquals(stream.text, "ten bytes.");
    assertEquals(stream.offered, [10, 7, 4, 1], "no byte is offered twice");
    assertEquals(connection.sent, 10);
  }));

Deno.test("a write that fails is no rejection, and its reason is kept", () =>
  withConnection(async ({ stream, connection }) => {
    stream.appetite = 0;
    const broken = new Deno.errors.BrokenPipe("Broken pipe");
    const write = connection.write(bytes("lost"));
    await stream.failWrite(broken);
    assertEquals(await write, false);
    assertStrictEquals(connection.error, broken);
    assertEquals(connection.sent, 0);
  }));

Deno.test("a write that fails after a part of it has gone counts that part alone", () =>
  withConnection(async ({ stream, connection }) => {
    stream.appetite = 0;
    const write = connection.write(bytes("half lost"));
    await stream.takeWrite(4);
    await stream.failWrite(new Deno.errors.ConnectionReset("reset"));
    assertEquals([await write, connection.sent], [false, 4]);
  }));

Deno.test("the first reason for which a connection failed is the one that is kept", () =>
  withConnection(async ({ stream, connection }) => {
    stream.appetite = 0;
    const first = new Deno.errors.ConnectionReset("first");
    connection.read();
    const write = connection.write(bytes("lost"));
    await stream.failRead(first);
    await stream.failWrite(new Deno.errors.BrokenPipe("second"));
    await write;
    assertStrictEquals(connection.error, first);
  }));

Deno.test("nothing is written to a closed connection", () =>
  withConnection(async ({ stream, connection }) => {
    connection.close();
    assertEquals(await connection.write(bytes("late")), false);
    assertEquals(stream.offered, []);
  }));

for (const closeSettlesWrites of [true, false]) {
  const system = closeSettlesWrites ? "ends at once" : "leaves unsettled";

  Deno.test(`closing ends a write under way, also where the system ${system} what was closed`, () =>
    withConnection(async ({ stream, connection }) => {
      stream.appetite = 0;
      stream.closeSettlesWrites = closeSettlesWrites;
      const write = connection.write(bytes("stuck"));
      assertEquals(await stateOf(write), "pending");
      connection.close();
      assertEquals(await stateOf(write), false);
      if (stream.isWriting) await stream.failWrite(new Deno.errors.BrokenPipe("at last"));
    }));
}

Deno.test("a descriptor that a write holds after the close is counted until the peer lets go of it", () =>
  withConnection(async ({ stream, connection }) => {
    stream.appetite = 0;
    stream.closeSettlesWrites = false;
    connection.write(bytes("stuck"));
    await settled();
    assertEquals(stuckConnections(), 0, "an open connection is not stuck");
    connection.close();
    connection.release();
    assertEquals(stuckConnections(), 1);
    await stream.failWrite(new Deno.errors.BrokenPipe("Broken pipe"));
    assertEquals(stuckConnections(), 0);
  }));

Deno.test("a write whose last part is taken after the close is over, and does not go on", () =>
  withConnection(async ({ stream, connection }) => {
    stream.appetite = 0;
    stream.closeSettlesWrites = false;
    const write = connection.write(bytes("in two parts"));
    connection.close();
    await stream.takeWrite(6);
    assertEquals([await write, stream.isWriting, stuckConnections()], [false, false, 0]);
  }));

Deno.test("ending the sending side leaves reading alone", () =>
  withConnection(async ({ stream, connection }) => {
    await connection.closeWrite();
    assertEquals([stream.writeClosed, stream.closed], [1, 0]);
    const read = connection.read();
    await stream.give("still");
    assertEquals(await read, 5);
  }));

Deno.test("ending the sending side of a connection that has failed is no rejection", () =>
  withConnection(async ({ stream, connection }) => {
    stream.failCloseWrite = new Error("Transport endpoint is not connected");
    assertEquals(await connection.closeWrite(), false);
    assertStrictEquals(connection.error, stream.failCloseWrite);
    connection.close();
    assertEquals(await connection.closeWrite(), false);
    assertEquals(stream.writeClosed, 1);
  }));

// time

Deno.test("a deadline that passes closes the connection and says so", () =>
  withConnection(async ({ connection, clock, time }) => {
    const read = connection.read();
    connection.deadline = clock.in(1_000);
    time.pass(1_000);
    assertEquals(connection.closed, false);
    time.passDeadline(0);
    assertEquals([await read, connection.closed, connection.expired], [FAILED, true, true]);
    assertEquals(connection.deadline, Infinity);
  }));

Deno.test("who wants to do something else when the deadline passes does that instead", () =>
  withConnection(async ({ connection, clock, time }) => {
    let called = 0;
    connection.onExpire = () => called++;
    connection.deadline = clock.in(0);
    time.passDeadline(0);
    assertEquals([called, connection.closed, connection.expired], [1, false, false]);
    await settled();
  }));

Deno.test("a peer that takes what is written bit by bit is slow, not silent: the deadline is put off", () =>
  withConnection(async ({ stream, connection, clock, time }) => {
    stream.appetite = 0;
    const idle = 10 * TICK;
    connection.deadline = clock.in(idle);
    const write = connection.write(new Uint8Array(10));
    for (let part = 0; part < 10; part++) {
      assertEquals(connection.closed, false, `after ${part} parts`);
      time.pass(idle - TICK);
      await stream.takeWrite(1);
    }
    assertEquals(await write, true);
  }));

Deno.test("a peer that takes less than its least rate is cut in the end, one that takes as much is not", async () => {
  for (const [bytes, cut] of [[10, true], [20, false]] as const) {
    await withConnection(async ({ stream, connection, clock, time }) => {
      stream.appetite = 0;
      connection.leastRate = 20;
      connection.deadline = clock.in(5_000);
      const write = connection.write(new Uint8Array(20 * bytes));
      for (let part = 0; part < 20 && !connection.closed; part++) {
        time.pass(1_000);
        if (!connection.closed) await stream.takeWrite(bytes);
      }
      assertEquals([await write, connection.expired], [!cut, cut]);
    });
  }
});

Deno.test("a peer that takes nothing more for the whole time is cut", () =>
  withConnection(async ({ stream, connection, clock, time }) => {
    stream.appetite = 0;
    const idle = 10 * TICK;
    connection.deadline = clock.in(idle);
    const write = connection.write(new Uint8Array(10));
    time.pass(idle - TICK);
    await stream.takeWrite(5);
    time.passDeadline(idle);
    assertEquals([await write, connection.expired], [false, true]);
  }));

Deno.test("a write without a deadline gets none", () =>
  withConnection(async ({ stream, connection, time }) => {
    stream.appetite = 0;
    const write = connection.write(new Uint8Array(2));
    time.pass(60_000);
    await stream.takeWrite(1);
    assertEquals(connection.deadline, Infinity);
    await stream.takeWrite(1);
    assertEquals(await write, true);
  }));

// the buffer

Deno.test("closing twice, and after the stream has closed itself, does no harm", () =>
  withConnection(async ({ stream, connection }) => {
    stream.close();
    connection.close();
    connection.close();
    connection.release();
    connection.release();
    stream.closed = 1;
    await settled();
  }));

Deno.test("a released connection lends its buffer to the next", async () => {
  const { clock } = fakeClock();
  const connection = new Connection(new FakeStream(), clock, SMALL, 0);
  const { buffer } = connection;
  connection.release();
  connection.release();
  assertStrictEquals(borrow(SMALL), buffer);
  assertNotStrictEquals(borrow(SMALL), buffer, "and that only once");
  await settled();
});

Deno.test("a buffer into which a read may still write is not lent before that read is over", async () => {
  const { clock } = fakeClock();
  // a stream whose reads outlive its close, for as long as the test says
  let endRead!: (count: number | null) => void;
  const stream = {
    read: () => new Promise<number | null>((resolve) => endRead = resolve),
    write: () => Promise.resolve(0),
    closeWrite: () => Promise.resolve(),
    close: () => {},
  };
  const connection = new Connection(stream, clock, SMALL, 0);
  const { buffer } = connection;
  connection.read();
  connection.release();
  const meanwhile = borrow(SMALL);
  assertNotStrictEquals(meanwhile, buffer);
  endRead(null);
  await settled();
  assertStrictEquals(borrow(SMALL), buffer);
});

Deno.test("a buffer that the system may still be sending from is never lent again", async () => {
  const { clock } = fakeClock();
  const connection = new Connection(new FakeStream(), clock, SMALL, 0);
  const { buffer } = connection;
  connection.bufferLost = true;
  connection.release();
  await settled();
  assertNotStrictEquals(borrow(SMALL), buffer);
});

Deno.test("real sockets: bytes go both ways, partial writes included, and the end is passed on", async () => {
  const { clock } = fakeClock();
  const [client, server] = await socketPair();
  const connection = new Connection(server, clock, SMALL, 0);
  const large = new Uint8Array(8 * 1024 * 1024).map((_, index) => index * 7);
  const whole = connection.write(large);
  let matching = true;
  let count = 0;
  const buffer = new Uint8Array(64 * 1024);
  while (count < large.length) {
    const part = (await client.read(buffer))!;
    for (let i = 0; i < part; i++) matching &&= buffer[i] === large[count + i];
    count += part;
  }
  assertEquals([await whole, matching, count, connection.sent], [true, true, large.length, large.length]);
  await connection.closeWrite();
  assertEquals(await client.read(buffer), null);
  await client.write(bytes("after the end"));
  assertEquals(await connection.read(), 13);
  client.close();
  connection.empty();
  assertEquals(await connection.read(), ENDED);
  connection.release();
});

Deno.test("real sockets: closing while the peer takes nothing ends what waits", async () => {
  const { clock } = fakeClock();
  const [client, server] = await socketPair();
  const connection = new Connection(server, clock, SMALL, 0);
  const write = connection.write(new Uint8Array(64 * 1024 * 1024));
  const read = connection.read();
  await settled();
  connection.release();
  assertEquals([await write, await read], [false, FAILED]);
  // where the system holds on to the write, this makes it let go
  client.close();
  while (stuckConnections() > 0) await settled();
});
