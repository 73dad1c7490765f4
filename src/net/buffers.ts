/** Buffers that are lent and come back: making one costs more than filling it. */

/** An idle connection's own buffer: most heads fit. */
export const SMALL = 1536;
/** For a head that does not fit, and for answers with their first bytes. */
export const MEDIUM = 16 * 1024;
/** For a stored body of up to 64 KiB that goes out in one piece with its head. */
export const WHOLE = 72 * 1024;
/** For a stream that keeps filling what it is given. */
export const LARGE = 256 * 1024;

/** How many of each are kept for the next borrower. */
const KEPT = { [SMALL]: 2048, [MEDIUM]: 512, [WHOLE]: 64, [LARGE]: 16 };

const small: Uint8Array[] = [];
const medium: Uint8Array[] = [];
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
      return null;
  }
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
  if (kept !== null && kept.length < KEPT[buffer.length as keyof typeof KEPT]) kept.push(buffer);
}
