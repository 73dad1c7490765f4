/** Who asks a cache for what: traces that come the same again from the same seed. */

import { Random } from "../fuzz/random.ts";

export interface Trace {
  readonly name: string;
  /** What is asked for, one after the other. */
  readonly keys: Int32Array;
  /** The bytes of each key's object. */
  readonly sizes: Uint32Array;
  /** Bytes that a cache may hold. */
  readonly capacity: number;
}

const KIBIBYTE = 1024;
const MEBIBYTE = 1024 * 1024;

/** Ranks from 0 on, of which that of rank r is drawn in proportion to 1 / (r + 1) ** skew (Vose's alias method). */
function zipf(random: Random, ranks: number, skew: number): () => number {
  const weights = Float64Array.from({ length: ranks }, (_, rank) => (rank + 1) ** -skew);
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / ranks;
  const aliases = new Int32Array(ranks);
  const small: number[] = [];
  const large: number[] = [];
  for (let rank = 0; rank < ranks; rank++) {
    weights[rank] /= mean;
    (weights[rank] < 1 ? small : large).push(rank);
  }
  while (small.length > 0 && large.length > 0) {
    const poor = small.pop()!;
    const rich = large.at(-1)!;
    aliases[poor] = rich;
    weights[rich] -= 1 - weights[poor];
    if (weights[rich] < 1) small.push(large.pop()!);
  }
  for (const rank of [...small, ...large]) weights[rank] = 1;
  return () => {
    const rank = random.below(ranks);
    return random.next() / 2 ** 32 < weights[rank] ? rank : aliases[rank];
  };
}

const equal = (keys: number) => new Uint32Array(keys).fill(KIBIBYTE);

/** 1 KiB to 1 MiB, small ones far more often than large ones (a bounded Pareto distribution, 8 KiB on the average). */
function heavyTail(random: Random, keys: number): Uint32Array {
  const rest = KIBIBYTE / MEBIBYTE;
  return Uint32Array.from(
    { length: keys },
    () => Math.floor(KIBIBYTE / (1 - (random.next() / 2 ** 32) * (1 - rest))),
  );
}

const sum = (sizes: Uint32Array) => sizes.reduce((sum, size) => sum + size, 0);

/** The part of all objects, in words. */
const percent = (part: number) => `${part * 100} %`;

function independent(skew: number, keys: number, part: number, length: number): Trace {
  const random = new Random(1);
  const draw = zipf(random, keys, skew);
  return {
    name: `zipf ${skew.toFixed(1)}, ${keys / 1000}k keys, ${percent(part)}`,
    keys: Int32Array.from({ length }, draw),
    sizes: equal(keys),
    capacity: part * keys * KIBIBYTE,
  };
}

/** Every so often comes a run of keys that are never asked for again. */
function scans(skew: number, part: number, length: number): Trace {
  const popular = 100_000;
  const [every, run] = [20_000, 10_000];
  const random = new Random(2);
  const draw = zipf(random, popular, skew);
  let fresh = popular;
  const keys = Int32Array.from(
    { length },
    (_, index) => index % every >= every - run ? fresh++ : draw(),
  );
  return {
    name: `zipf ${skew.toFixed(1)}, half of it scans, ${percent(part)}`,
    keys,
    sizes: equal(fresh),
    capacity: part * popular * KIBIBYTE,
  };
}

/** The same keys in the same order, over and over: `times` as many as the cache holds. */
function loop(times: number, length: number): Trace {
  const holds = 10_000;
  const keys = Math.round(holds * times);
  return {
    name: `a loop of ${times} times the cache`,
    keys: Int32Array.from({ length }, (_, index) => index % keys),
    sizes: equal(keys),
    capacity: holds * KIBIBYTE,
  };
}

/** A loop, and beside it, by turns, what some ask for often. */
function loopBeside(times: number, length: number): Trace {
  const holds = 10_000;
  const popular = 50_000;
  const looped = holds * times;
  const random = new Random(3);
  const draw = zipf(random, popular, 1);
  return {
    name: `zipf 1.0 and by turns a loop of ${times} times the cache`,
    keys: Int32Array.from(
      { length },
      (_, index) => index % 2 === 0 ? draw() : popular + (index >> 1) % looped,
    ),
    sizes: equal(popular + looped),
    capacity: holds * KIBIBYTE,
  };
}

/** What is popular changes: every so often all ranks belong to other keys. */
function shifting(every: number, length: number): Trace {
  const keys = 100_000;
  const random = new Random(4);
  const draw = zipf(random, keys, 1);
  const step = 10_007;
  return {
    name: `zipf 1.0, other keys every ${every / 1000}k, 5 %`,
    keys: Int32Array.from({ length }, (_, index) => (draw() + Math.floor(index / every) * step) % keys),
    sizes: equal(keys),
    capacity: 0.05 * keys * KIBIBYTE,
  };
}

/** A key is asked for a few times soon after it came up, and then no more, as the news is. */
function recent(length: number): Trace {
  const random = new Random(5);
  const draw = zipf(random, 50_000, 0.9);
  const keys = Int32Array.from({ length }, (_, index) => Math.max(0, (index >> 2) - draw()));
  return { name: "the newer, the more popular", keys, sizes: equal(length), capacity: 5_000 * KIBIBYTE };
}

function sized(skew: number, part: number, length: number): Trace {
  const keys = 100_000;
  const random = new Random(6);
  const sizes = heavyTail(random, keys);
  const draw = zipf(random, keys, skew);
  return {
    name: `zipf ${skew.toFixed(1)}, 1 KiB–1 MiB, ${percent(part)}`,
    keys: Int32Array.from({ length }, draw),
    sizes,
    capacity: part * sum(sizes),
  };
}

/** Installs of 60 projects, the busy ones more often: each asks for its own 800 of 8,000 packages in its order. */
function installs(part: number, length: number): Trace {
  const [packages, projects, needs] = [8_000, 60, 800];
  const random = new Random(7);
  const sizes = heavyTail(random, packages);
  const drawPackage = zipf(random, packages, 0.8);
  const drawProject = zipf(random, projects, 0.9);
  const lists = Array.from({ length: projects }, () => {
    const list = new Set<number>();
    while (list.size < needs) list.add(drawPackage());
    return [...list];
  });
  const keys = new Int32Array(length);
  for (let index = 0; index < length;) {
    const list = lists[drawProject()];
    // once in a while a package is replaced by another
    if (random.once(3)) list[random.below(needs)] = drawPackage();
    for (let i = 0; i < needs && index < length; i++) keys[index++] = list[i];
  }
  return { name: `installs, 1 KiB–1 MiB, ${percent(part)}`, keys, sizes, capacity: part * sum(sizes) };
}

/** All of them, made one by one, since each takes some memory. */
export function* traces(): Generator<Trace> {
  for (const skew of [0.6, 0.8, 1, 1.2]) {
    for (const part of [0.01, 0.1]) yield independent(skew, 100_000, part, 600_000);
  }
  for (const part of [0.01, 0.1]) yield independent(0.8, 1_000_000, part, 1_500_000);
  for (const part of [0.01, 0.1]) yield scans(0.8, part, 600_000);
  yield scans(1, 0.05, 600_000);
  for (const times of [1.1, 1.5, 3]) yield loop(times, 300_000);
  yield loopBeside(1, 600_000);
  yield loopBeside(2, 600_000);
  for (const every of [20_000, 100_000]) yield shifting(every, 600_000);
  yield recent(600_000);
  for (const skew of [0.8, 1]) {
    for (const part of [0.01, 0.1]) yield sized(skew, part, 600_000);
  }
  for (const part of [0.05, 0.25, 0.5]) yield installs(part, 600_000);
}
