import { assert, assertEquals } from "@std/assert";
import { Clock, type Deadlined, TICK } from "../../src/net/clock.ts";
import { UNLISTED } from "../../src/net/roster.ts";
import { fakeClock } from "./fakes.ts";

class Item implements Deadlined {
  place = UNLISTED;
  deadline = Infinity;
  expired = 0;
  /** What else happens when the deadline passes. */
  then = () => {};

  expire(): void {
    this.expired++;
    this.then();
  }
}

Deno.test("a deadline is never early and at most two ticks late", () => {
  const { clock, time } = fakeClock();
  for (const phase of [0, 1, TICK / 2, TICK - 1]) {
    for (const milliseconds of [0, 1, TICK - 1, TICK, TICK + 1, 10 * TICK]) {
      const item = new Item();
      clock.watch(item);
      time.pass(phase);
      item.deadline = clock.in(milliseconds);
      time.pass(milliseconds - 1);
      assertEquals(item.expired, 0, `${milliseconds} ms are not over`);
      time.pass(1 + 2 * TICK);
      assertEquals(item.expired, 1, `${milliseconds} ms are over`);
      clock.unwatch(item);
    }
  }
});

Deno.test("a deadline is not early either when the process stands still after it was set", () => {
  const { clock, time } = fakeClock();
  const before = new Item();
  const after = new Item();
  clock.watch(before);
  clock.watch(after);
  time.pass(10 * TICK);
  before.deadline = clock.in(1_000);
  // set late in a tick that is much too long
  after.deadline = clock.in(1_000);
  time.stall(60_000);
  assertEquals([before.expired, after.expired], [0, 0], "nobody has had a chance to be in time");
  time.pass(1_000 + 2 * TICK);
  assertEquals([before.expired, after.expired], [1, 1]);
  clock.unwatch(before);
  clock.unwatch(after);
});

Deno.test("a deadline passes once, and stands at never while it is told", () => {
  const { clock, time } = fakeClock();
  const item = new Item();
  clock.watch(item);
  item.deadline = clock.in(0);
  item.then = () => assertEquals(item.deadline, Infinity);
  time.pass(100 * TICK);
  assertEquals(item.expired, 1);
  clock.unwatch(item);
});

Deno.test("a deadline that is set anew when it passes holds again", () => {
  const { clock, time } = fakeClock();
  const item = new Item();
  clock.watch(item);
  item.then = () => item.deadline = clock.in(TICK);
  item.deadline = clock.in(0);
  time.pass(20 * TICK);
  assert(item.expired > 1 && item.expired < 20, `${item.expired} times in 20 ticks`);
  clock.unwatch(item);
});

Deno.test("a deadline that was put off or taken back does not pass", () => {
  const { clock, time } = fakeClock();
  const item = new Item();
  clock.watch(item);
  item.deadline = clock.in(TICK);
  time.pass(TICK);
  item.deadline = clock.in(10 * TICK);
  time.pass(5 * TICK);
  item.deadline = Infinity;
  time.pass(100 * TICK);
  assertEquals(item.expired, 0);
  clock.unwatch(item);
});

Deno.test("what is not watched any more does not expire, even within the tick that lets others expire", () => {
  const { clock, time } = fakeClock();
  const first = new Item();
  const second = new Item();
  clock.watch(first);
  clock.watch(second);
  first.deadline = second.deadline = clock.in(0);
  // whichever is told first
  first.then = () => clock.unwatch(second);
  second.then = () => clock.unwatch(first);
  time.pass(2 * TICK);
  assertEquals(first.expired + second.expired, 1);
  clock.unwatch(first);
  clock.unwatch(second);
});

Deno.test("items may come and go while a tick looks at them", () => {
  const { clock, time } = fakeClock();
  const items = Array.from({ length: 100 }, () => new Item());
  for (const item of items) {
    clock.watch(item);
    item.deadline = clock.in(0);
    item.then = () => {
      clock.unwatch(item);
      const next = new Item();
      next.then = () => clock.unwatch(next);
      clock.watch(next);
      next.deadline = clock.in(0);
    };
  }
  time.pass(4 * TICK);
  assertEquals(items.filter(({ expired }) => expired === 1).length, 100);
  assertEquals(clock.size, 0);
});

Deno.test("a clock that watches nothing does not run, and knows the time again when it does", () => {
  const { clock, time } = fakeClock();
  assertEquals(time.running, 0);
  const item = new Item();
  clock.watch(item);
  const other = new Item();
  clock.watch(other);
  assertEquals(time.running, 1);
  clock.unwatch(item);
  assertEquals(time.running, 1);
  clock.unwatch(other);
  assertEquals(time.running, 0);
  time.pass(60_000);
  clock.watch(item);
  item.deadline = clock.in(0);
  assertEquals(clock.now, time.now(), "a deadline counts from now, not from when the clock last ran");
  clock.unwatch(item);
  clock.unwatch(item);
  assertEquals(time.running, 0, "taking back twice does no harm");
});

Deno.test("an item that fails does not keep others from expiring", () => {
  const { clock, time } = fakeClock();
  const first = new Item();
  const second = new Item();
  clock.watch(first);
  clock.watch(second);
  first.deadline = second.deadline = clock.in(0);
  first.then = () => {
    throw new Error("a fault of an item's own");
  };
  let thrown = "";
  try {
    time.pass(2 * TICK);
  } catch (error) {
    thrown = (error as Error).message;
  }
  time.pass(TICK);
  assertEquals([first.expired, second.expired], [1, 1]);
  assertEquals(thrown, "a fault of an item's own", "it is not hidden either");
  clock.unwatch(first);
  clock.unwatch(second);
});

Deno.test("the system's time makes deadlines pass", async () => {
  const clock = new Clock();
  const item = new Item();
  clock.watch(item);
  await new Promise<void>((resolve) => {
    item.then = resolve;
    item.deadline = clock.in(1);
  });
  clock.unwatch(item);
  assertEquals(clock.size, 0);
});
