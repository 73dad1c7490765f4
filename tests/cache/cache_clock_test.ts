import { assertEquals } from "@std/assert";
import { CacheClock } from "../../src/cache/cache_clock.ts";

Deno.test("the cache's clock follows the system's forward, and goes on when that is set back", () => {
  let [wall, steady] = [1_000_000, 5_000];
  const clock = new CacheClock(() => wall, () => steady);
  const pass = (milliseconds: number) => {
    wall += milliseconds;
    steady += milliseconds;
  };
  assertEquals([clock.now(), clock.behind], [1_000_000, 0]);
  pass(10_000);
  assertEquals([clock.now(), clock.behind], [1_010_000, 0]);
  // a machine that sleeps: the steady clock stands still
  wall += 3_600_000;
  assertEquals([clock.now(), clock.behind], [4_610_000, 0]);
  // set back by half an hour, a minute after it was asked last
  pass(60_000);
  wall -= 1_800_000;
  assertEquals([clock.now(), clock.behind], [4_670_000, 1_800_000]);
  pass(5_000);
  assertEquals([clock.now(), clock.behind], [4_675_000, 1_800_000]);
  // and once more, by less than has passed meanwhile
  pass(60_000);
  wall -= 30_000;
  assertEquals([clock.now(), clock.behind], [4_735_000, 1_830_000]);
  // put right again: what is stored is older than it was, never younger
  wall += 1_830_000;
  assertEquals([clock.now(), clock.behind], [6_565_000, 1_830_000]);
});

Deno.test("the cache's clock takes no part in small corrections", () => {
  let [wall, steady] = [1_000_000, 0];
  const clock = new CacheClock(() => wall, () => steady);
  for (let second = 0; second < 100; second++) {
    // half a millisecond in a second is what a clock is slewed by
    wall += 999.5;
    steady += 1000;
    assertEquals([clock.now(), clock.behind], [wall, 0]);
  }
});
