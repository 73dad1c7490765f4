/** Parts of a response that come one after the other, joined (RFC 9111 §3.4). */

import { combine } from "../../cache/range.ts";
import { Variant } from "./variant.ts";

/**
 * What a stored response and a part that has come make together: a longer part, or the whole. `null` when they are not
 * known to be of the same representation, leave a gap, are longer than may be kept or not in memory.
 *
 * @param longest bytes
 */
export function joinParts(stored: Variant, added: Variant, longest: number): Variant | null {
  if (!(stored.body instanceof Array) || !(added.body instanceof Array)) return null;
  // what one client may reach another may not: a whole is from one place
  if (stored.address !== added.address) return null;
  const combined = combine(stored, added);
  if (combined === null || combined.response.length > longest) return null;
  const bodies = { stored: stored.body, added: added.body };
  const pieces = combined.pieces.flatMap(({ of, first, end }) => stretch(bodies[of], first, end));
  const reason = combined.response.status === 200 ? "OK" : added.reason;
  return new Variant(combined.response, reason, added.address, pieces);
}

/** The bytes from `first` up to `end` of a body in pieces. */
function stretch(pieces: readonly Uint8Array[], first: number, end: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  let start = 0;
  for (const piece of pieces) {
    const from = Math.max(first - start, 0);
    const to = Math.min(end - start, piece.length);
    if (from < to) found.push(piece.slice(from, to));
    start += piece.length;
  }
  return found;
}
