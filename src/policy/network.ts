/** Networks as people write them: addresses, CIDR blocks, and words for well-known ones. */

/** All addresses that begin with the first `bits` bits of `bytes`. */
export interface Network {
  /** As it was written, for messages. */
  readonly text: string;
  readonly family: 4 | 6;
  readonly bytes: Uint8Array;
  readonly bits: number;
}
