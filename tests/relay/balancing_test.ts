import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Balance, type Candidate, choose, hashOf } from "../../src/relay/balancing.ts";
import { Random } from "../fuzz/random.ts";

interface Place extends Candidate {
  name: string;
  active: number;
  picked: number;
}

function places(count: number): Place[] {
  return Array.from({ length: count }, (_, i) => {
    const name = `10.0.${i >> 8}.${i & 255} 6379`;
    return { name, hash: hashOf(name), active: 0, picked: -1 };
  });
}

/** Chooses as a relay does, and counts the connection. */
function pick(balance: Balance, all: Place[], turn: number, client = 0, random = () => 0): Place {
  const chosen = choose(balance, all, client, random);
  chosen.picked = turn;
  chosen.active++;
  return chosen;
}

const clientHash = (number: number) => hashOf(`192.168.${number >> 8 & 255}.${number & 255}`);

Deno.test("round-robin goes round, in one order", () => {
  const all = places(3);
  const names = Array.from({ length: 7 }, (_, turn) => all.indexOf(pick("round-robin", all, turn)));
  assertEquals(names, [0, 1, 2, 0, 1, 2, 0]);
});

Deno.test("round-robin is fair whoever comes and goes: those that stay get turns that differ by one", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 12 }),
    fc.array(fc.tuple(fc.nat(11), fc.integer({ min: 1, max: 30 })), { maxLength: 12 }),
    (count, changes) => {
      const all = places(count);
      const out = new Set<Place>();
      let turn = 0;
      for (const [which, turns] of changes) {
        const changed = all[which % count];
        if (!out.delete(changed) && out.size + 1 < count) out.add(changed);
        const able = all.filter((place) => !out.has(place));
        const got = new Map(able.map((place) => [place, 0]));
        for (let i = 0; i < turns; i++) {
          const chosen = pick("round-robin", able, turn++);
          got.set(chosen, got.get(chosen)! + 1);
        }
        assert(Math.max(...got.values()) - Math.min(...got.values()) <= 1);
      }
    },
  ));
});

Deno.test("least-connections never goes where more are than elsewhere, and by turns among equals", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 8 }),
    fc.array(fc.option(fc.nat(1000), { nil: undefined }), { maxLength: 200 }),
    (count, steps) => {
      const all = places(count);
      const open: Place[] = [];
      steps.forEach((ended, turn) => {
        if (ended !== undefined && open.length > 0) {
          open.splice(ended % open.length, 1)[0].active--;
          return;
        }
        const least = Math.min(...all.map(({ active }) => active));
        const oldest = Math.min(...all.filter(({ active }) => active === least).map(({ picked }) => picked));
        const { picked } = choose("least-connections", all, 0, () => 0);
        assertEquals(picked, oldest);
        const chosen = pick("least-connections", all, turn);
        assertEquals(chosen.active, least + 1);
        open.push(chosen);
      });
      if (open.length === steps.length) {
        const counts = all.map(({ active }) => active);
        assert(Math.max(...counts) - Math.min(...counts) <= 1);
      }
    },
  ));
});

Deno.test("random-two looks at two different ones and takes the one with fewer", () => {
  fc.assert(fc.property(
    fc.array(fc.nat(5), { minLength: 2, maxLength: 10 }),
    fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    (actives, one, two) => {
      const all = places(actives.length);
      actives.forEach((active, i) => all[i].active = active);
      const numbers = [one, two];
      const chosen = choose("random-two", all, 0, () => numbers.shift()!);
      const first = Math.floor(one * all.length);
      const others = all.filter((_, i) => i !== first);
      const busiest = Math.max(...actives);
      // the busiest of all is taken only where no other is less busy
      if (chosen.active === busiest) {
        assert(all[first].active === busiest && others.some(({ active }) => active === busiest));
      }
    },
  ));
  const [alone] = places(1);
  assertEquals(choose("random-two", [alone], 0, () => 0.99), alone);
});

Deno.test("random-two keeps a hundred relays' worth of connections nearly even", () => {
  const random = new Random(7);
  const all = places(10);
  for (let i = 0; i < 10_000; i++) pick("random-two", all, i, 0, () => random.below(2 ** 30) / 2 ** 30);
  const counts = all.map(({ active }) => active);
  assert(Math.max(...counts) - Math.min(...counts) <= 10, counts.join(" "));
});

Deno.test("source sends a client always to the same place, whatever its load and the order of places", () => {
  fc.assert(fc.property(fc.nat(65535), fc.integer({ min: 1, max: 20 }), fc.nat(19), (client, count, by) => {
    const all = places(count);
    const chosen = choose("source", all, clientHash(client), () => 0);
    chosen.active = 1000;
    const turned = [...all.slice(by % count), ...all.slice(0, by % count)];
    assertEquals(choose("source", turned, clientHash(client), () => 0).name, chosen.name);
  }));
});

Deno.test("when a place goes, its clients alone move; when it comes back, they alone come back", () => {
  fc.assert(fc.property(fc.integer({ min: 2, max: 20 }), fc.nat(19), (count, which) => {
    const all = places(count);
    const lost = all[which % count];
    const left = all.filter((place) => place !== lost);
    for (let client = 0; client < 300; client++) {
      const before = choose("source", all, clientHash(client), () => 0);
      const after = choose("source", left, clientHash(client), () => 0);
      if (before !== lost) assertEquals(after, before);
      else assert(after !== lost);
    }
  }));
});

Deno.test("source spreads clients evenly, and those of a lost place over all others", () => {
  const all = places(8);
  const clients = Array.from({ length: 40_000 }, (_, i) => clientHash(i));
  const shares = (able: Place[], of: number[]) =>
    able.map((place) => of.filter((client) => choose("source", able, client, () => 0) === place).length);
  const expected = clients.length / all.length;
  for (const share of shares(all, clients)) assert(Math.abs(share - expected) < expected * 0.06, `${share}`);
  const orphans = clients.filter((client) => choose("source", all, client, () => 0) === all[3]);
  const inherited = shares(all.toSpliced(3, 1), orphans);
  for (const share of inherited) {
    assert(Math.abs(share - orphans.length / 7) < orphans.length / 7 * 0.2, inherited.join(" "));
  }
});

Deno.test("a client's place is the same in every process and release", () => {
  const all = places(4);
  const chosen = Array.from(
    { length: 8 },
    (_, i) => all.indexOf(choose("source", all, clientHash(i), () => 0)),
  );
  assertEquals(chosen, [3, 2, 3, 3, 3, 2, 3, 0]);
});
