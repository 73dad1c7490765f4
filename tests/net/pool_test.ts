import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { MEDIUM, SMALL } from "../../src/net/buffers.ts";
import type { Clock } from "../../src/net/clock.ts";
import { Connection } from "../../src/net/connection.ts";
import { Pool, type PoolLimits } from "../../src/net/pool.ts";
import { fakeClock, FakeStream, type FakeTime, settled } from "./fakes.ts";

const LIMITS: PoolLimits = { poolPerOrigin: 4, poolSize: 8, poolTimeout: 10_000 };

class Setting {
  readonly clock: Clock;
  readonly time: FakeTime;
  readonly pool: Pool;
  readonly streams = new Map<Connection, FakeStream>();

  constructor(limits: Partial<PoolLimits> = {}) {
    ({ clock: this.clock, time: this.time } = fakeClock());
    this.pool = new Pool({ ...LIMITS, ...limits });
  }

  connection(): Connection {
    const stream = new FakeStream();
    const connection = new Connection(stream, this.clock, SMALL, 0);
    this.streams.set(connection, stream);
    return connection;
  }

  /** A connection that is parked for this key. */
  parked(key: string): Connection {
    const connection = this.connection();
    this.pool.park(key, connection);
    return connection;
  }

  stream(connection: Connection): FakeStream {
    return this.streams.get(connection)!;
  }

  /** Closes everything; then nothing may be left in the pool or be watched. */
  async end(): Promise<void> {
    this.pool.clear();
    for (const connection of this.streams.keys()) connection.release();
    await settled();
    assertEquals([this.pool.size, this.pool.origins, this.clock.size, this.time.running], [0, 0, 0, 0]);
    for (const stream of this.streams.values()) {
      assertEquals(stream.closed, 1, "every stream is closed, once");
    }
  }
}

Deno.test("a parked connection is taken by its own key alone, and by one taker", async () => {
  const setting = new Setting();
  const { pool } = setting;
  const connection = setting.parked("example.com:80");
  for (const other of ["example.com:8080", "https:example.com:80", "www.example.com:80", ""]) {
    assertEquals(pool.take(other), undefined, other);
  }
  assertStrictEquals(pool.take("example.com:80"), connection);
  assertEquals([pool.take("example.com:80"), pool.size], [undefined, 0]);
  await setting.end();
});

Deno.test("the connection that was used last is taken first: it is the likeliest to be alive", async () => {
  const setting = new Setting();
  const first = setting.parked("a:80");
  const second = setting.parked("a:80");
  assertStrictEquals(setting.pool.take("a:80"), second);
  assertStrictEquals(setting.pool.take("a:80"), first);
  await setting.end();
});

Deno.test("a parked connection is watched: one that ends is dropped at once (RFC 9112 §9.3)", async () => {
  const setting = new Setting();
  const connection = setting.parked("a:80");
  assert(setting.stream(connection).isReading);
  await setting.stream(connection).end();
  assertEquals([connection.closed, setting.pool.size, setting.pool.take("a:80")], [true, 0, undefined]);
  await setting.end();
});

Deno.test("a parked connection that says something unasked is dropped, and what it said with it (RFC 9112 §6.3)", async () => {
  const setting = new Setting();
  const connection = setting.parked("a:80");
  await setting.stream(connection).give("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
  assertEquals([connection.closed, setting.pool.size, setting.pool.take("a:80")], [true, 0, undefined]);
  await setting.end();
});

Deno.test("a parked connection that is reset is dropped at once", async () => {
  const setting = new Setting();
  const connection = setting.parked("a:80");
  await setting.stream(connection).failRead(new Deno.errors.ConnectionReset("reset"));
  assertEquals([connection.closed, setting.pool.take("a:80")], [true, undefined]);
  await setting.end();
});

Deno.test("dropping one leaves the others of the same origin", async () => {
  const setting = new Setting();
  const connections = [1, 2, 3].map(() => setting.parked("a:80"));
  await setting.stream(connections[1]).end();
  assertEquals(setting.pool.size, 2);
  assertStrictEquals(setting.pool.take("a:80"), connections[2]);
  assertStrictEquals(setting.pool.take("a:80"), connections[0]);
  await setting.end();
});

Deno.test("a taken connection still has the read under way that watched it, and is watched no more", async () => {
  const setting = new Setting();
  setting.parked("a:80");
  const connection = setting.pool.take("a:80")!;
  assert(connection.reading);
  const read = connection.read();
  await setting.stream(connection).give("an answer");
  assertEquals([await read, connection.closed], [9, false]);
  await setting.end();
});

Deno.test("a connection that is kept for longer than the limit is closed", async () => {
  const setting = new Setting();
  const connection = setting.parked("a:80");
  setting.time.pass(LIMITS.poolTimeout);
  assertEquals(connection.closed, false);
  setting.time.passDeadline(0);
  assertEquals([connection.closed, setting.pool.size, setting.pool.take("a:80")], [true, 0, undefined]);
  await setting.end();
});

Deno.test("the time in the pool does not count once a connection is taken", async () => {
  const setting = new Setting();
  setting.parked("a:80");
  const connection = setting.pool.take("a:80")!;
  setting.time.passDeadline(LIMITS.poolTimeout * 10);
  assertEquals(connection.closed, false);
  await setting.end();
});

Deno.test("each time a connection is parked its time begins anew", async () => {
  const setting = new Setting();
  const connection = setting.parked("a:80");
  for (let round = 0; round < 5; round++) {
    setting.time.pass(LIMITS.poolTimeout - 1000);
    assertStrictEquals(setting.pool.take("a:80"), connection);
    const read = connection.read();
    await setting.stream(connection).give("answer");
    await read;
    connection.empty();
    setting.pool.park("a:80", connection);
  }
  assertEquals(connection.closed, false);
  await setting.end();
});

Deno.test("no more than the limit are kept for one origin; what is too much is closed", async () => {
  const setting = new Setting();
  const kept = Array.from({ length: LIMITS.poolPerOrigin }, () => setting.parked("a:80"));
  const tooMuch = setting.parked("a:80");
  const other = setting.parked("b:80");
  assertEquals(kept.filter(({ closed }) => closed), []);
  assertEquals([tooMuch.closed, other.closed, setting.pool.size], [true, false, LIMITS.poolPerOrigin + 1]);
  await setting.end();
});

Deno.test("no more than the limit are kept in all; the one that was parked first makes room", async () => {
  const setting = new Setting();
  const kept = Array.from({ length: LIMITS.poolSize }, (_, index) => setting.parked(`${index}:80`));
  const newest = setting.parked("new:80");
  assertEquals(kept.map(({ closed }) => closed), [true, ...Array(LIMITS.poolSize - 1).fill(false)]);
  assertEquals([newest.closed, setting.pool.size], [false, LIMITS.poolSize]);
  assertEquals(setting.pool.take("0:80"), undefined);
  await setting.end();
});

Deno.test("the oldest that makes room may be the only one of the same origin", async () => {
  const setting = new Setting({ poolSize: 1 });
  const first = setting.parked("a:80");
  const second = setting.parked("a:80");
  assertEquals([first.closed, second.closed, setting.pool.size], [true, false, 1]);
  await setting.stream(second).end();
  assertEquals(setting.pool.size, 0);
  const third = setting.parked("a:80");
  assertStrictEquals(setting.pool.take("a:80"), third);
  await setting.end();
});

Deno.test("what was taken and parked again is not the oldest", async () => {
  const setting = new Setting({ poolSize: 2 });
  const first = setting.parked("a:80");
  const second = setting.parked("b:80");
  setting.pool.take("a:80");
  const read = first.read();
  await setting.stream(first).give("x");
  await read;
  first.empty();
  setting.pool.park("a:80", first);
  setting.parked("c:80");
  assertEquals([first.closed, second.closed], [false, true]);
  await setting.end();
});

Deno.test("with a limit of none nothing is kept", async () => {
  for (const limits of [{ poolSize: 0 }, { poolPerOrigin: 0 }]) {
    const setting = new Setting(limits);
    assertEquals([setting.parked("a:80").closed, setting.pool.size], [true, 0]);
    await setting.end();
  }
});

Deno.test("smaller limits hold for what is parked from then on", async () => {
  const setting = new Setting();
  const { pool } = setting;
  for (let i = 0; i < LIMITS.poolSize; i++) setting.parked(`${i}:80`);
  pool.limits = { ...LIMITS, poolSize: 3 };
  const newest = setting.parked("new:80");
  assertEquals([newest.closed, pool.size], [false, 3]);
  await setting.end();
});

Deno.test("a connection that is no good any more is not kept", async () => {
  const setting = new Setting();
  const closed = setting.connection();
  closed.close();
  const ended = setting.connection();
  ended.read();
  await setting.stream(ended).end();
  const failed = setting.connection();
  failed.read();
  await setting.stream(failed).failRead(new Deno.errors.ConnectionReset("reset"));
  const withLeftovers = setting.connection();
  withLeftovers.read();
  await setting.stream(withLeftovers).give("HTTP/1.1 200 OK\r\n\r\n");
  for (const connection of [closed, ended, failed, withLeftovers]) {
    setting.pool.park("a:80", connection);
    assertEquals([connection.closed, setting.pool.size], [true, 0]);
  }
  await setting.end();
});

Deno.test("a kept connection owns no more than the buffer that an idle one needs", async () => {
  const setting = new Setting();
  const connection = new Connection(new FakeStream(), setting.clock, 256 * 1024, 0);
  setting.pool.park("a:80", connection);
  assert(connection.buffer.length <= MEDIUM, `${connection.buffer.length} bytes`);
  await setting.end();
});

Deno.test("clearing closes everything, and the pool can be used again", async () => {
  const setting = new Setting();
  const connections = ["a:80", "a:80", "b:80"].map((key) => setting.parked(key));
  setting.pool.clear();
  assertEquals(connections.map(({ closed }) => closed), [true, true, true]);
  assertEquals([setting.pool.size, setting.pool.take("a:80")], [0, undefined]);
  const next = setting.parked("a:80");
  assertStrictEquals(setting.pool.take("a:80"), next);
  await setting.end();
});

Deno.test("thousands of parked connections are dropped in no particular order without getting lost", async () => {
  const count = 2_000;
  const setting = new Setting({ poolPerOrigin: count, poolSize: count });
  const connections = Array.from({ length: count }, (_, index) => setting.parked(`${index % 7}:80`));
  for (let i = 0; i < count; i += 2) setting.stream(connections[(i * 37) % count]).end();
  await settled();
  let left = 0;
  for (let key = 0; key < 7; key++) while (setting.pool.take(`${key}:80`) !== undefined) left++;
  assertEquals([left, setting.pool.size], [connections.filter(({ closed }) => !closed).length, 0]);
  await setting.end();
});

Deno.test("an origin to which no connection is kept any more is forgotten, however it came to that", async () => {
  const setting = new Setting();
  const { pool } = setting;
  setting.parked("taken:80");
  await setting.stream(setting.parked("ended:80")).end();
  assertEquals(pool.origins, 1);
  pool.take("taken:80");
  assertEquals(pool.origins, 0);
  await setting.end();
});
