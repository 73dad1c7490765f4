/**
 * The second ClientHello: a server may ask for it by a HelloRetryRequest (RFC 8446 §4.1.4), and a client may bring that
 * about. It has to name the same host as the first, but OpenSSL for one takes what it says and looks no further.
 */

const RECORD_HEADER = 5;
const HANDSHAKE_RECORD = 0x16;
const SERVER_HELLO = 2;
/** Where a ServerHello in the first record has its random value. */
const RANDOM_AT = RECORD_HEADER + 6;

/** The random value by which a ServerHello is a HelloRetryRequest (RFC 8446 §4.1.3). */
const RETRY = Uint8Array.fromHex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c");

export class SecondHello {
  /** Whether the server has asked for one; `unknown` until it has said enough. */
  state: "unknown" | "asked" | "none" = "unknown";

  /** How much of the server's first record was looked at. */
  #heard = 0;
  /** What is still to come of the record of the client's that is under way: bytes of its header, and behind that. */
  #header = RECORD_HEADER;
  #left = 0;

  /** Hears what the server says, from its first byte on; nothing that comes after {@link state} is known matters. */
  hear(bytes: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end && this.state === "unknown"; at++) {
      const place = this.#heard++;
      const expected = place === 0
        ? HANDSHAKE_RECORD
        : place === RECORD_HEADER
        ? SERVER_HELLO
        : place < RANDOM_AT
        ? bytes[at]
        : RETRY[place - RANDOM_AT];
      if (bytes[at] !== expected) this.state = "none";
      else if (place === RANDOM_AT + RETRY.length - 1) this.state = "asked";
    }
  }

  /**
   * How many of the client's bytes cannot be of a second ClientHello: they belong to records of other kinds, such as
   * early data. The next byte, if there is one, begins a handshake record. Every byte is to be given once.
   */
  pass(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end) {
      if (this.#header === 0) {
        const count = Math.min(this.#left, end - at);
        at += count;
        this.#left -= count;
        if (this.#left === 0) this.#header = RECORD_HEADER;
      } else if (this.#header === RECORD_HEADER && bytes[at] === HANDSHAKE_RECORD) break;
      else {
        this.#left = (this.#left << 8 | bytes[at++]) & 0xffff;
        this.#header--;
        if (this.#header === 0 && this.#left === 0) this.#header = RECORD_HEADER;
      }
    }
    return at - start;
  }
}
