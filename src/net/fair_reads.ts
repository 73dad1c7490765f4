/**
 * Every busy connection gets its turn.
 *
 * Deno's event loop finishes at most 128 reads a turn. What is ready beyond that is put off, and when the next turn
 * comes, reads that became ready meanwhile go first. Under load those are the ones of the connections just served:
 * 128 of them go round and round, and all others starve, some for seconds (measured: with 512 busy connections the
 * slowest got 2 answers while the fastest got 500).
 *
 * So when a turn was full, no connection reads again before those have been served that were put off. Reading then
 * goes on for all at once. The event loop is the process's, and so is this.
 */

/** Reads that make a turn full; a few of the 128 may have been accepts or reads of somebody else. */
const FULL_TURN = 120;
/** Immediate callbacks without a read after which nothing can have been put off: sockets are looked at between. */
const QUIET_CALLBACKS = 128;

/** Waiting reads that begin at once: many are done on the spot, and the writes they lead to want their turn too. */
const AT_ONCE = 32;

/** Calls back after what is ready in the event loop; loaded when it is needed first, since it costs 4 ms. */
let soon: ((callback: () => void) => void) | null = null;
let loading = false;

let reads = 0;
/** Whether reads have to wait, and whether those that were put off are done, so that waiting ones may begin. */
let full = false;
let drained = false;
let ticking = false;
let quiet = 0;
const waiting: (() => void)[] = [];

/** Counts a read that has just come to its end. Call it from the read's first reaction. */
export function countRead(): void {
  // the reactions to all reads of a turn are queued before this microtask is
  if (reads++ === 0) queueMicrotask(endOfTurn);
}

/** `null` when a connection may read at once, else what resolves when it may. */
export function turnToRead(): Promise<void> | null {
  if (!full) return null;
  return new Promise((resolve) => {
    waiting.push(resolve);
  });
}

function endOfTurn(): void {
  const wasFull = reads >= FULL_TURN;
  reads = quiet = 0;
  if (wasFull) {
    if (soon === null) return void loadSoon();
    full = true;
    drained = false;
    if (!ticking) {
      ticking = true;
      soon(tick);
    }
  } else if (full) drained = true;
}

async function loadSoon(): Promise<void> {
  if (loading) return;
  loading = true;
  soon = (await import("node:timers")).setImmediate;
}

/** Runs while reads wait. */
function tick(): void {
  // a full turn may happen to leave nothing behind, and then no read is left to tell of it
  if (drained || ++quiet > QUIET_CALLBACKS) {
    const now = waiting.splice(0, AT_ONCE);
    full = waiting.length > 0;
    for (const read of now) read();
  }
  ticking = full;
  if (ticking) soon!(tick);
}
