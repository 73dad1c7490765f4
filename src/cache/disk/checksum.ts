/**
 * What tells that what is read is what was written: CRC-32 by the platform, which takes tens of gigabytes a second.
 * It is there against disks and crashes, not against those who can write the files.
 */

import { crc32 } from "node:zlib";

/**
 * The sum of a piece of a body, which says to which object it belongs and where.
 *
 * @param seed a number of the object's own, 32 bits
 */
export function pieceSum(bytes: Uint8Array, seed: number, index: number): number {
  return crc32(bytes, (seed + index) >>> 0);
}

/** The sum of all that is known of an object but its body. */
export function objectSum(
  object: { key: string; variant: string; length: number; seed: number; meta: string },
): number {
  const { key, variant, length, seed, meta } = object;
  return crc32(`${length} ${seed} ${key}\n${variant}\n${meta}`);
}
