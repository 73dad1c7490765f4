/** The parts of the disk store that need no disk. */

import { assert, assertEquals, assertLess } from "@std/assert";
import fc from "fast-check";
import { hashOf, KeyFilter } from "../../src/cache/disk/key_filter.ts";
import { PendingChanges } from "../../src/cache/disk/pending.ts";
import { idOf, numberOf, PIECE_SIZE } from "../../src/cache/disk/schema.ts";
import { DiskWriter } from "../../src/cache/disk/writer.ts";

Deno.test("a filter never says no to a key that is there, and seldom yes to others", () => {
  const filter = KeyFilter.for(1000);
  const seen = new KeyFilter(filter.shared);
  const keys = [...Array(20_000).keys()].map((i) => `http://example.com:80/${i}`);
  for (const key of keys) filter.add(hashOf(key));
  assert(keys.every((key) => seen.mayHave(key)));
  const wrong = keys.filter((key) => seen.mayHave(`${key}x`)).length;
  assertLess(wrong, keys.length / 9);
  for (const key of keys.slice(100)) filter.delete(hashOf(key));
  assert(keys.slice(0, 100).every((key) => seen.mayHave(key)));
  assertLess(keys.filter((key) => seen.mayHave(key)).length, 200);
  filter.clear();
  assert(!keys.some((key) => seen.mayHave(key)));
});

Deno.test("a counter of a filter that is full stays so: what it stands for can not be counted any more", () => {
  const filter = KeyFilter.for(1);
  for (let i = 0; i < 300; i++) filter.add(7);
  for (let i = 0; i < 300; i++) filter.delete(7);
  const seen = new Uint8Array(filter.shared);
  assertEquals(seen[7], 255);
});

Deno.test("a key is hidden from its first change to the settling of its last one", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constantFrom("a", "b", null, undefined), fc.integer({ min: 1, max: 5 })), {
        maxLength: 60,
      }),
      (steps) => {
        const pending = new PendingChanges();
        let model: { ticket: number; key: string | null | undefined }[] = [];
        let last = 0;
        let done = 0;
        for (const step of steps) {
          if (typeof step === "number") {
            done = Math.min(last, done + step);
            pending.settle(done);
            model = model.filter(({ ticket }) => ticket > done);
          } else {
            last = pending.add(step, 10);
            model.push({ ticket: last, key: step });
          }
          for (const key of ["a", "b", "c"]) {
            assertEquals(pending.hides(key), model.some((each) => each.key === key || each.key === null));
          }
          assertEquals([pending.count, pending.bytes], [model.length, model.length * 10]);
          assertEquals(pending.endsWithAll, model.at(-1)?.key === null);
        }
        pending.settleAll();
        assertEquals([pending.count, pending.bytes, pending.hides("a")], [0, 0, false]);
      },
    ),
  );
});

Deno.test("what was found before a fresh start is not taken for what has its identifier afterwards", () => {
  for (const id of [0, 1, 2 ** 33 - 1]) {
    for (const epoch of [0, 1, 1000]) {
      assertEquals(idOf(numberOf(id, epoch), epoch), id);
      assertEquals(idOf(numberOf(id, epoch), epoch + 1), null);
    }
  }
});

Deno.test("a body comes in whole pieces and a rest, however it is cut, and is copied", () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 200_000 }), { maxLength: 6 }), (lengths) => {
      const given: Uint8Array[] = [];
      let finished = -1;
      const writer = new DiskWriter({
        longest: Infinity,
        piece: (_, bytes) => given.push(bytes) > 0,
        finish: (_, __, length) => (finished = length) >= 0,
        abort: () => {},
      }, 1);
      const buffer = new Uint8Array(200_000);
      let whole = 0;
      const ends: number[] = [];
      lengths.forEach((length, i) => {
        buffer.fill(i + 1);
        ends.push(whole += length);
        assert(writer.append(buffer.subarray(0, length)));
      });
      buffer.fill(99);
      assert(writer.finish("{}"));
      assertEquals(finished, whole);
      assert(given.slice(0, -1).every(({ length }) => length === PIECE_SIZE));
      assertEquals(given.reduce((sum, { length }) => sum + length, 0), whole);
      let [at, part] = [0, 0];
      for (const piece of given) {
        for (const byte of piece) {
          while (at >= ends[part]) part++;
          if (byte !== part + 1) throw new Error(`byte ${at} is ${byte}`);
          at++;
        }
      }
    }),
    { numRuns: 20 },
  );
});

Deno.test("a writer that is refused tells it once and whether there is anything of it, and takes nothing more", () => {
  const aborted: { outdated: boolean; any: boolean }[] = [];
  const make = (longest: number, takes: boolean, finishes = takes) =>
    new DiskWriter(
      {
        longest,
        piece: () => takes,
        finish: () => finishes,
        abort: (_, outdated, any) => aborted.push({ outdated, any }),
      },
      1,
    );
  const tooLong = make(10, true);
  assert(!tooLong.append(new Uint8Array(11)) && !tooLong.append(new Uint8Array(1)) && !tooLong.finish("{}"));
  const full = make(Infinity, false);
  assert(full.append(new Uint8Array(10)) && !full.finish("{}"));
  const late = make(Infinity, true, false);
  assert(late.append(new Uint8Array(10)) && !late.finish("{}"));
  const cut = make(Infinity, true);
  cut.append(new Uint8Array(10));
  cut.abort();
  cut.abort();
  const done = make(Infinity, true);
  assert(done.finish("{}"));
  done.abort();
  assertEquals(aborted, [
    { outdated: true, any: false },
    { outdated: true, any: false },
    { outdated: true, any: true },
    { outdated: false, any: false },
  ]);
});
