/** How much memory something keeps, for tests of what is to keep next to none. */

import v8 from "node:v8";
import { runInNewContext } from "node:vm";

const collect = collector();

/** Whether this can be measured: Deno 2.6 lets nobody collect what is not needed any more. */
export const CAN_COLLECT = collect !== null;

/** Bytes of the heap that are in use, less those that nothing refers to. */
export function heapInUse(): number {
  // what is freed at first may have been all that kept something else
  for (let times = 0; times < 3; times++) collect!();
  return Deno.memoryUsage().heapUsed;
}

function collector(): (() => void) | null {
  try {
    v8.setFlagsFromString("--expose-gc");
    return runInNewContext("gc") as () => void;
  } catch {
    return null;
  }
}
