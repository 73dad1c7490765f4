/**
 * What an exchange is called in answers of weir's own, and in the log line of such an answer. The numbers of exchanges
 * would tell a client how many exchanges others have made between two of its own; from these only the process that made
 * them can tell the number.
 */

import { KeyedHash } from "./identity/keyed_hash.ts";

/** Base 32 without letters that look like digits. */
const DIGITS = "0123456789abcdefghjkmnpqrstvwxyz";

const bytes = new DataView(new ArrayBuffer(8));
let hash: KeyedHash | null = null;

/** The reference of the exchange with this number: 8 digits and letters, others in each process. */
export function referenceOf(number: number): string {
  hash ??= new KeyedHash(crypto.getRandomValues(new Uint8Array(32)));
  bytes.setFloat64(0, number);
  const text = hash.of(new Uint8Array(bytes.buffer), 0, 8);
  let reference = "";
  // of the two bytes in each character five bits
  for (let i = 0; i < 8; i++) reference += DIGITS[text.charCodeAt(i) & 31];
  return reference;
}
