/** Runs the cases of a fuzz run, apart from who watches over it: a case that never ends can then be told. */

/// <reference lib="deno.worker" />

import { runCase } from "./cases.ts";

/** What the run is to be. */
export interface Order {
  seed: number;
  /** The number of the first case. */
  first: number;
  /** How many cases at most. */
  most: number;
  /** How long the run may last, ms. */
  duration: number;
  /** The number of the case that is under way is kept here. */
  progress: Int32Array;
}

/** What became of it. */
export interface Report {
  cases: number;
  findings: string[];
}

/** A run that has found so much is not in need of more. */
const ENOUGH_FINDINGS = 5;

self.onmessage = ({ data }: MessageEvent<Order>) => {
  const { seed, first, most, duration, progress } = data;
  const end = performance.now() + duration;
  const findings: string[] = [];
  let number = first;
  for (; number - first < most && performance.now() < end && findings.length < ENOUGH_FINDINGS; number++) {
    Atomics.store(progress, 0, number);
    try {
      runCase(seed, number);
    } catch (error) {
      findings.push(error instanceof Error ? error.message : String(error));
    }
  }
  self.postMessage({ cases: number - first, findings } satisfies Report);
  self.close();
};
