import { assert, assertEquals } from "@std/assert";
import { SMALL } from "../../src/net/buffers.ts";
import { type Clock, TICK } from "../../src/net/clock.ts";
import { Connection } from "../../src/net/connection.ts";
import { relay, type RelayEnd } from "../../src/net/relay.ts";
import { NO_LIMITS, type RateLimits, Rates, Usage } from "../../src/policy/rates.ts";
import { Pause, tunnelPaces } from "../../src/proxy/pacing.ts";
import type { Session } from "../../src/proxy/session.ts";
import { fakeClock, FakeStream, type FakeTime, settled } from "../net/fakes.ts";
import { SETTINGS } from "./harness.ts";

const PATIENCE = 2_000;

interface Setting {
  clock: Clock;
  time: FakeTime;
  near: Connection;
  far: Connection;
  streams: { near: FakeStream; far: FakeStream };
}

/** Two connections on a clock of the test's; nothing may be watched at the end. */
async function withConnections(body: (setting: Setting) => Promise<void>): Promise<void> {
  const { clock, time } = fakeClock();
  const streams = { near: new FakeStream(), far: new FakeStream() };
  const near = new Connection(streams.near, clock, SMALL, 16);
  const far = new Connection(streams.far, clock, SMALL, 0);
  await body({ clock, time, near, far, streams });
  near.release();
  far.release();
  assertEquals([clock.size, time.running], [0, 0], "nothing is left");
}

/** Starts a pause and tells whether it is over, and how often it has put off what must not happen. */
function paused({ clock, near, far }: Setting, milliseconds: number) {
  const state = { over: false, meanwhile: 0, pause: null as Pause | null };
  state.pause = new Pause(clock, milliseconds, near, far, PATIENCE, () => state.meanwhile++);
  state.pause.over.then(() => state.over = true);
  return state;
}

Deno.test("a pause lasts as long as it should, and a tick longer at most", () =>
  withConnections(async (setting) => {
    const state = paused(setting, 1_100);
    setting.time.pass(1_000);
    await settled();
    assertEquals([state.over, state.meanwhile], [false, 5]);
    setting.time.pass(TICK);
    await settled();
    assertEquals([state.over, state.meanwhile], [true, 5]);
  }));

for (const which of ["near", "far"] as const) {
  Deno.test(`a pause is over when the ${which} connection is closed or has failed`, () =>
    withConnections(async (setting) => {
      const state = paused(setting, 1e9);
      setting[which].close();
      setting.time.pass(TICK);
      await settled();
      assertEquals(state.over, true);
    }).then(() =>
      withConnections(async (setting) => {
        const state = paused(setting, 1e9);
        setting[which].read();
        await setting.streams[which].failRead(new Deno.errors.ConnectionReset("reset"));
        setting.time.pass(TICK);
        await settled();
        assertEquals(state.over, true);
      })
    ));
}

Deno.test("a pause that is ended is over at once, and not watched any more", () =>
  withConnections(async (setting) => {
    const state = paused(setting, 1e9);
    state.pause!.end();
    await settled();
    assertEquals([state.over, setting.clock.size], [true, 2]);
  }));

Deno.test("a client that has ended its sending is given up when one pause outlasts its patience", () =>
  withConnections(async (setting) => {
    setting.near.read();
    await setting.streams.near.end();
    const short = paused(setting, PATIENCE);
    setting.time.pass(PATIENCE + TICK);
    await settled();
    assertEquals([short.over, setting.near.closed], [true, false]);
    const long = paused(setting, 1e9);
    setting.time.pass(PATIENCE);
    await settled();
    assertEquals([long.over, setting.near.closed], [false, false]);
    setting.time.pass(TICK);
    await settled();
    assertEquals([long.over, setting.near.closed], [true, true]);
    assert(setting.near.error !== null);
  }));

interface Tunnel extends Setting {
  usage: Usage;
  end(): Promise<RelayEnd | "running">;
}

/** A tunnel between the two connections whose client has these limits. */
function withTunnel(limits: Partial<RateLimits>, body: (tunnel: Tunnel) => Promise<void>): Promise<void> {
  return withConnections(async (setting) => {
    const { clock, near, far } = setting;
    const rates = new Rates({ client: { ...NO_LIMITS, ...limits }, user: NO_LIMITS });
    const usage = rates.begin("192.0.2.1", "", null, clock.now);
    if (!(usage instanceof Usage)) throw new Error("limited");
    const session = { down: near, services: { clock, settings: SETTINGS } } as unknown as Session;
    let ended: RelayEnd | "running" = "running";
    relay(near, far, SETTINGS.tunnelTimeout, tunnelPaces(session, far, usage)).then((end) => ended = end);
    await settled();
    await body({
      ...setting,
      usage,
      async end() {
        await settled();
        return ended;
      },
    });
  });
}

const ends = async ({ streams }: Tunnel) => {
  await streams.near.end();
  await streams.far.end();
};

Deno.test("a tunnel reads as much at once as a quarter of a second may bring, and 1 KiB at least", () =>
  withTunnel({ up: 4_400, down: 100 }, async (tunnel) => {
    assertEquals([tunnel.streams.near.room, tunnel.streams.far.room], [1_100, 1_024]);
    await ends(tunnel);
  }));

Deno.test("what is over the rate waits in the buffer, and nothing more is read meanwhile", () =>
  withTunnel({ down: 1_000 }, async (tunnel) => {
    const { streams, time } = tunnel;
    await streams.far.give("a".repeat(1_024));
    assertEquals(
      streams.near.written.length,
      1_024,
      "a second's bytes go at once, and the read that goes beyond",
    );
    await streams.far.give("b".repeat(1_000));
    assertEquals([streams.near.written.length, streams.far.isReading], [1_024, false]);
    await streams.near.give("the other way is free");
    assertEquals(streams.far.text, "the other way is free");
    time.pass(TICK);
    await settled();
    assertEquals([streams.near.written.length, streams.far.isReading], [2_024, true], "24 bytes were owed");
    await streams.far.give("c");
    time.pass(750 - TICK);
    await settled();
    assertEquals(streams.near.written.length, 2_024);
    time.pass(2 * TICK);
    await settled();
    assertEquals(streams.near.text.at(-1), "c");
    await ends(tunnel);
    assertEquals(await tunnel.end(), "ended");
  }));

Deno.test("a wait longer than the idle limit is no idleness, and the limit counts anew after it", () =>
  withTunnel({ up: 1 }, async (tunnel) => {
    const { streams, time } = tunnel;
    await streams.near.give("x".repeat(1_024));
    await streams.near.give("y".repeat(1_024));
    time.pass(SETTINGS.tunnelTimeout + 10_000);
    assertEquals(await tunnel.end(), "running");
    time.pass(1_024_000 - SETTINGS.tunnelTimeout - 10_000);
    await settled();
    assertEquals(streams.far.written.length, 2_048);
    time.pass(SETTINGS.tunnelTimeout - TICK);
    assertEquals(await tunnel.end(), "running");
    time.passDeadline(TICK);
    assertEquals(await tunnel.end(), "idle");
  }));

Deno.test("the relay is over when the other side fails while bytes wait for it", () =>
  withTunnel({ up: 1 }, async (tunnel) => {
    const { streams, time } = tunnel;
    await streams.near.give("x".repeat(1_024));
    await streams.near.give("y".repeat(1_024));
    await streams.far.failRead(new Deno.errors.ConnectionReset("reset"));
    time.pass(TICK);
    assertEquals(await tunnel.end(), "far_failed");
    assertEquals(streams.far.written.length, 1_024);
  }));

Deno.test("all that goes through is counted once, each way", () =>
  withTunnel({ hourly: 1_000_000 }, async (tunnel) => {
    const { streams, usage } = tunnel;
    const counted = { up: 0, down: 0 };
    for (const way of ["up", "down"] as const) {
      const count = usage[way].bind(usage);
      usage[way] = (bytes, now) => {
        counted[way] += bytes;
        return count(bytes, now);
      };
    }
    for (let i = 0; i < 10; i++) await streams.near.give("out");
    await streams.far.give("back again");
    await ends(tunnel);
    assertEquals(counted, { up: 30, down: 10 });
  }));
