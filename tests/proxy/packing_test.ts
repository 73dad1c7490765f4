import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  type Packable,
  PACKED_SHARE,
  Packing,
  type Page,
  SMALL_THING,
} from "../../src/proxy/cache/packing.ts";

class Thing implements Packable {
  start = 0;
  page: Page | null = null;
  constructor(public bytes: Uint8Array, readonly extent: number) {}

  get content(): Uint8Array {
    return this.bytes.subarray(this.start, this.start + this.extent);
  }
}

function thing(length: number, fill: number): Thing {
  return new Thing(new Uint8Array(length).fill(fill), length);
}

Deno.test("things that are packed share a buffer and keep their bytes", () => {
  const packing = new Packing();
  const things = [thing(10, 1), thing(0, 2), thing(SMALL_THING, 3)];
  for (const each of things) packing.add(each);
  assertEquals(new Set(things.map((each) => each.bytes)).size, 1);
  assertEquals(
    things.map((each) => each.content),
    [thing(10, 1), thing(0, 2), thing(SMALL_THING, 3)].map((each) => each.bytes),
  );
});

Deno.test("who still holds on to a thing that is stored no more reads what it was", () => {
  const packing = new Packing();
  const gone = thing(1000, 1);
  packing.add(gone);
  packing.remove(gone);
  packing.remove(gone);
  for (let i = 0; i < 1000; i++) {
    const other = thing(1000, 2);
    packing.add(other);
    if (i % 2 === 0) packing.remove(other);
  }
  assertEquals(gone.content, thing(1000, 1).bytes);
});

Deno.test("whatever comes and goes, things keep their bytes and take no more than their share of buffers", () => {
  const sizes = fc.integer({ min: 0, max: SMALL_THING });
  const step = fc.record({ size: sizes, go: fc.nat(), stays: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { minLength: 50, maxLength: 400 }), (steps) => {
      const packing = new Packing();
      const stored: { thing: Thing; fill: number }[] = [];
      steps.forEach(({ size, go, stays }, index) => {
        const fill = index % 251;
        const added = thing(size, fill);
        packing.add(added);
        stored.push({ thing: added, fill });
        if (!stays) packing.remove(stored.splice(go % stored.length, 1)[0].thing);
      });
      for (const { thing, fill } of stored) {
        assertEquals(thing.content.every((byte) => byte === fill), true);
        assertEquals(thing.page!.bytes, thing.bytes);
      }
      const buffers = new Set(stored.map(({ thing }) => thing.bytes));
      const taken = [...buffers].reduce((sum, { length }) => sum + length, 0);
      const needed = stored.reduce((sum, { thing }) => sum + thing.extent, 0);
      // the page that is being filled is not full yet
      assertEquals(taken <= needed * PACKED_SHARE + 65536, true);
    }),
    { numRuns: 50 },
  );
});
