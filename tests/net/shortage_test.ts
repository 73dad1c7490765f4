import { assertEquals } from "@std/assert";
import { Shortage } from "../../src/net/shortage.ts";
import { SpareDescriptors } from "../../src/net/spare_descriptors.ts";
import { TICK } from "../../src/net/clock.ts";
import { fakeClock } from "./fakes.ts";

/** A shortage where so many descriptors can be opened from now on as `left` says. */
function begun() {
  const { clock, time } = fakeClock();
  const system = { left: Infinity, open: 0 };
  const spare = new SpareDescriptors(() => {
    if (system.left-- <= 0) throw new Error("Too many open files");
    system.open++;
    return { close: () => void system.open-- };
  });
  let over = 0;
  const shortage = new Shortage(clock, spare, () => over++);
  return { clock, time, system, spare, shortage, over: () => over };
}

Deno.test("a shortage lasts until all descriptors can be held back again, which it finds out by itself", () => {
  const { clock, time, system, spare, shortage, over } = begun();
  shortage.begin();
  assertEquals([shortage.lasts, clock.size], [false, 0], "nothing was held back that could be given up");
  spare.take();
  const held = system.open;
  shortage.begin();
  assertEquals([shortage.lasts, system.open, clock.size], [true, 0, 1]);
  system.left = held - 1;
  time.pass(10 * TICK);
  assertEquals([shortage.lasts, shortage.stillLasts(), system.open, over()], [true, true, 0, 0]);
  system.left = held;
  time.pass(2 * TICK);
  assertEquals([shortage.lasts, system.open, over(), clock.size], [false, held, 1, 0]);
});

Deno.test("whoever asks ends it as soon as it is over, and stopping it leaves nothing open", () => {
  const { clock, system, spare, shortage, over } = begun();
  spare.take();
  shortage.begin();
  assertEquals([shortage.stillLasts(), over(), clock.size], [false, 1, 0]);
  shortage.begin();
  shortage.stop();
  assertEquals([shortage.lasts, over(), clock.size, system.open], [false, 2, 0, 0]);
  spare.take();
  shortage.stop();
  assertEquals([system.open, over()], [0, 2]);
});
