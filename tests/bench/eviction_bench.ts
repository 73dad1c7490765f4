/**
 * How many requests, and how many bytes, a cache answers by itself, according to what it forgets when it is full.
 * The last column is the store that weir runs; it pays for keys that are strings, the others know theirs by number.
 *
 *     deno run tests/bench/eviction_bench.ts
 */

import { MemoryStore } from "../../src/cache/memory_store.ts";
import { type Cache, type CacheOf, Lru, S3Fifo, Sieve, WTinyLfu, WTinyLfu10 } from "./eviction_policies.ts";
import { type Trace, traces } from "./eviction_traces.ts";

/** The store itself, so that what is measured is what runs. */
class Store implements Cache {
  readonly #store: MemoryStore<true>;
  /** What the store adds to each object, which is given to it on top: the others are compared without overhead. */
  readonly #overhead: number;

  constructor(capacity: number, readonly sizes: Uint32Array) {
    const probe = new MemoryStore<true>(1_000_000);
    probe.set("0000000", true, 0);
    this.#overhead = probe.bytes;
    const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
    this.#store = new MemoryStore(Math.floor(capacity * (1 + this.#overhead / mean)));
  }

  ask(key: number): boolean {
    const name = `${key}`.padStart(7, "0");
    if (this.#store.get(name) !== undefined) return true;
    this.#store.set(name, true, this.sizes[key]);
    return false;
  }
}

const CACHES: Readonly<Record<string, CacheOf>> = {
  "LRU": Lru,
  "SIEVE": Sieve,
  "S3-FIFO": S3Fifo,
  "W-TinyLFU": WTinyLfu,
  "window 10 %": WTinyLfu10,
  "weir": Store,
};

/** Requests are counted once the cache is full and has settled: those after the first part of the trace. */
const SETTLING = 1 / 4;

function ratios(Kind: CacheOf, { keys, sizes, capacity }: Trace): { hits: number; bytes: number } {
  const cache = new Kind(capacity, sizes);
  const from = Math.floor(keys.length * SETTLING);
  let hits = 0;
  let [hitBytes, bytes] = [0, 0];
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i];
    // as in weir, what would take more than an eighth is passed by
    const hit = sizes[key] <= capacity / 8 && cache.ask(key);
    if (i < from) continue;
    bytes += sizes[key];
    if (!hit) continue;
    hits++;
    hitBytes += sizes[key];
  }
  return { hits: hits / (keys.length - from), bytes: hitBytes / bytes };
}

const percent = (ratio: number) => (ratio * 100).toFixed(1);

function row(name: string, cells: readonly string[]): void {
  console.log(`| ${name.padEnd(49)} | ${cells.map((cell) => cell.padStart(13)).join(" | ")} |`);
}

if (import.meta.main) {
  const names = Object.keys(CACHES);
  const means = names.map(() => 0);
  const taken = names.map(() => 0);
  let requests = 0;
  let rows = 0;
  row("hits in % of the requests", names);
  row("-".repeat(49), names.map(() => "------------:"));
  for (const trace of traces()) {
    const measured = Object.values(CACHES).map((Kind, index) => {
      const start = performance.now();
      const ratio = ratios(Kind, trace);
      taken[index] += performance.now() - start;
      return ratio;
    });
    row(trace.name, measured.map(({ hits }) => percent(hits)));
    measured.forEach(({ hits }, index) => means[index] += hits);
    requests += trace.keys.length;
    rows++;
    if (trace.sizes.every((size) => size === trace.sizes[0])) continue;
    row("  of the bytes", measured.map(({ bytes }) => percent(bytes)));
  }
  row("mean of the requests", means.map((sum) => percent(sum / rows)));
  row("ns a request", taken.map((time) => (time / requests * 1e6).toFixed(0)));
}
