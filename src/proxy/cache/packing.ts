/**
 * Small things that are stored, many in one buffer: a buffer of its own would cost each of them half as much again as
 * it holds.
 *
 * Bytes are never written over, so that who still holds on to something that is stored no more reads what it was. A
 * page of which an eighth is of no use any more is left: what of it is still stored moves to another one.
 */

const PAGE = 64 * 1024;
/** The part of a page that is of use, at least. */
const USEFUL = 7 / 8;

/** Bytes up to which a thing is small. */
export const SMALL_THING = 4096;

/** What a packed thing takes at the most, as a multiple of its bytes: of the rest of its page it has its share. */
export const PACKED_SHARE = 1 / (USEFUL * (1 - SMALL_THING / PAGE));

/** What can be packed: `extent` bytes of `bytes` from `start` on, which {@link Packing} alone moves. */
export interface Packable {
  bytes: Uint8Array;
  start: number;
  readonly extent: number;
  /** Where it is packed; `null` while it is not. */
  page: Page | null;
}

let loose = new Uint8Array(PAGE);
let looseEnd = 0;

/**
 * Room for a thing of {@link SMALL_THING} bytes or fewer until it is packed, if it ever is. It shares its buffer with
 * those that came just before and after it: for what comes and goes, a buffer each costs more than the bytes.
 */
export function roomFor(extent: number): { bytes: Uint8Array; start: number } {
  if (looseEnd + extent > PAGE) {
    loose = new Uint8Array(PAGE);
    looseEnd = 0;
  }
  const start = looseEnd;
  looseEnd += extent;
  return { bytes: loose, start };
}

/** A buffer of {@link Packing}. */
export class Page {
  readonly bytes = new Uint8Array(PAGE);
  /** All that were written to it, those included that have left. */
  readonly things: Packable[] = [];
  end = 0;
  /** Bytes of those that are still here. */
  useful = 0;
}

export class Packing {
  #open = new Page();

  /** Moves a thing of {@link SMALL_THING} bytes or fewer to the others. */
  add(thing: Packable): void {
    if (this.#open.end + thing.extent > PAGE) {
      const full = this.#open;
      this.#open = new Page();
      this.#leaveIfUseless(full);
    }
    const page = this.#open;
    page.bytes.set(thing.bytes.subarray(thing.start, thing.start + thing.extent), page.end);
    thing.bytes = page.bytes;
    thing.start = page.end;
    thing.page = page;
    page.end += thing.extent;
    page.useful += thing.extent;
    page.things.push(thing);
  }

  /** A thing is stored no more. Nothing, if it was not packed. */
  remove(thing: Packable): void {
    const { page } = thing;
    if (page === null) return;
    thing.page = null;
    page.useful -= thing.extent;
    if (page !== this.#open) this.#leaveIfUseless(page);
  }

  #leaveIfUseless(page: Page): void {
    if (page.useful >= page.end * USEFUL) return;
    for (const thing of page.things) if (thing.page === page) this.add(thing);
    page.things.length = page.useful = page.end = 0;
  }
}
