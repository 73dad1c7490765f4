/** Buffers that are lent and come back: making one costs more than filling it. */

/** An idle connection's own buffer: most heads fit. */
export const SMALL = 1536;
/** For a head that does not fit, and for answers with their first bytes. */
export const MEDIUM = 16 * 1024;
/** For a stored body of up to 64 KiB that goes out in one piece with its head. */
export const WHOLE = 72 * 1024;
/** For a stream that keeps filling what it is given. */
export const LARGE = 256 * 1024;

/** Between them, for what grows while it comes: who sends a little more than fits should not hold much more. */
const STEPS = [2 * MEDIUM, 4 * MEDIUM, 8 * MEDIUM] as const;

/** How many of each are kept for the next borrower. */
const KEPT: Readonly<Record<number, number>> = {
  [SMALL]: 2048,
  [MEDIUM]: 512,
  [STEPS[0]]: 64,
  [STEPS[1]]: 32,
  [WHOLE]: 64,
  [STEPS[2]]: 16,
  [LARGE]: 16,
};

const small: Uint8Array[] = [];
const medium: Uint8Array[] = [];
const steps: Readonly<Record<number, Uint8Array[]>> = { [STEPS[0]]: [], [STEPS[1]]: [], [STEPS[2]]: [] };
const whole: Uint8Array[] = [];
const large: Uint8Array[] = [];

function shelf(size: number): Uint8Array[] | null {
  switch (size) {
    case SMALL:
      return small;
    case MEDIUM:
      return medium;
    case WHOLE:
      return whole;
    case LARGE:
      return large;
    default:
      return steps[size] ?? null;
  }
}

/** The smallest size of a buffer that holds so many bytes; each step is twice the one before. */
export function sizeFor(bytes: number): number {
  if (bytes <= SMALL) return SMALL;
  let size = MEDIUM;
  while (size < bytes) size *= 2;
  return size;
}

/** A buffer of exactly `size` bytes, which still holds what it was last used for. */
export function borrow(size: number): Uint8Array {
  return shelf(size)?.pop() ?? new Uint8Array(size);
}

/**
 * Gives a buffer back. Not while a read or write with it may still be under way: what the next borrower puts into
 * it would go out to the wrong peer.
 */
export function giveBack(buffer: Uint8Array): void {
  const kept = shelf(buffer.length);
  if (kept !== null && kept.length < KEPT[buffer.length]) kept.push(buffer);
}
