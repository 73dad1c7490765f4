/** Whole answers of the responses that are asked for several times a second, as they are sent. */

import type { Variant } from "./variant.ts";

/** An answer within one second: its `Age` is another one in the next. */
export interface HotAnswer {
  readonly age: number;
  readonly bytes: Uint8Array;
  readonly headLength: number;
  /** What names weir in it: another one after a reload. */
  readonly by: unknown;
}

/** How many are kept; none is longer than a small thing, so that it is not worth counting what they take. */
const KEPT = 256;
const kept: Variant[] = [];
let next = 0;

/** Keeps the answer with the variant, and lets go of the one that was kept longest. */
export function keepHot(variant: Variant, answer: HotAnswer): void {
  if (variant.hot === null) {
    if (kept.length === KEPT) kept[next].hot = null;
    kept[next] = variant;
    next = (next + 1) % KEPT;
  }
  variant.hot = answer;
}
