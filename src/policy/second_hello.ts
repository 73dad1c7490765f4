/**
 * The second ClientHello: a server may ask for it by a HelloRetryRequest (RFC 8446 §4.1.4), and a client may bring that
 * about. It has to name the same host as the first, but OpenSSL for one takes what it says and looks no further.
 */

const RECORD_HEADER = 5;
const MAJOR_VERSION = 0x03;
const CHANGE_CIPHER_SPEC = 0x14;
const ALERT = 0x15;
const HANDSHAKE = 0x16;
const APPLICATION_DATA = 0x17;
const ALERT_LENGTH = 2;
const WARNING = 1;
/** Encrypted records are longer than others (RFC 8446 §5.2). */
const MAX_ENCRYPTED = (1 << 14) + 256;

const HELLO_REQUEST = 0;
const SERVER_HELLO = 2;
const MESSAGE_HEADER = 4;
/** Where a ServerHello has its random value: behind its header and its version. */
const RANDOM_AT = MESSAGE_HEADER + 2;

/** The random value by which a ServerHello is a HelloRetryRequest (RFC 8446 §4.1.3). */
const RETRY = Uint8Array.fromHex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c");

/** Where a stream of records is: what was read of the header of the one under way, and what is left of its content. */
class Records {
  type = 0;
  /** How many bytes of its header were read; {@link RECORD_HEADER} within its content. */
  header = 0;
  left = 0;

  /** Reads a byte of a header. False when no record of such a kind is expected here. */
  readHeader(byte: number, most: (type: number) => number): boolean {
    switch (this.header++) {
      case 0:
        this.type = byte;
        return most(byte) > 0;
      case 1:
        return byte === MAJOR_VERSION;
      case 2:
        return true;
      case 3:
        this.left = byte << 8;
        return true;
      default:
        this.left |= byte;
        return this.left > 0 && this.left <= most(this.type);
    }
  }

  /** So many bytes of its content were read. */
  pass(count: number): void {
    this.left -= count;
    if (this.left === 0) this.header = 0;
  }
}

/** How long records may be that a server sends before and with its ServerHello. */
function mostOfServer(type: number): number {
  return type === CHANGE_CIPHER_SPEC ? 1 : type === ALERT ? ALERT_LENGTH : type === HANDSHAKE ? 1 << 14 : 0;
}

/**
 * The same of what a client may send between its two hellos: for old boxes on the way, early data (§4.2.10, §D.4), and
 * alerts when it gives up.
 */
function mostOfClient(type: number): number {
  if (type === APPLICATION_DATA) return MAX_ENCRYPTED;
  return type === CHANGE_CIPHER_SPEC ? 1 : type === ALERT ? ALERT_LENGTH : 0;
}

export class SecondHello {
  /** Whether the server has asked for one; `unknown` until it has said enough. */
  state: "unknown" | "asked" | "none" = "unknown";

  readonly #server = new Records();
  /** How many bytes of the server's message under way were read. */
  #heard = 0;
  readonly #client = new Records();
  /** What came is no record that may stand here. */
  #refused = false;

  /**
   * Hears what the server says, from its first byte on; nothing that comes after {@link state} is known matters. Alerts
   * and requests to begin (RFC 5246 §7.4.1.1) before its ServerHello say nothing, and its records may be of any length.
   */
  hear(bytes: Uint8Array, start: number, end: number): void {
    const records = this.#server;
    for (let at = start; at < end && this.state === "unknown"; at++) {
      const byte = bytes[at];
      if (records.header < RECORD_HEADER) {
        if (!records.readHeader(byte, mostOfServer)) this.state = "none";
        continue;
      }
      if (records.type === HANDSHAKE) this.#hearMessage(byte);
      else if (records.type === ALERT && records.left === ALERT_LENGTH && byte !== WARNING) {
        this.state = "none";
      }
      records.pass(1);
    }
  }

  #hearMessage(byte: number): void {
    const place = this.#heard++;
    if (place === 0 && byte === HELLO_REQUEST) {
      this.#heard = 1 - MESSAGE_HEADER;
    } else if (place < 0) {
      // a request to begin is empty
      if (byte !== 0) this.state = "none";
    } else if (place === 0 && byte !== SERVER_HELLO) this.state = "none";
    else if (place >= RANDOM_AT && byte !== RETRY[place - RANDOM_AT]) this.state = "none";
    else if (place === RANDOM_AT + RETRY.length - 1) this.state = "asked";
  }

  /**
   * How many of the client's bytes may come before a second ClientHello and are none of it: records of other kinds. The
   * next byte, if there is one, is the first that has to be of the ClientHello. Every byte is to be given once.
   */
  pass(bytes: Uint8Array, start: number, end: number): number {
    const records = this.#client;
    let at = start;
    while (at < end && !this.#refused) {
      if (records.header === RECORD_HEADER) {
        const count = Math.min(records.left, end - at);
        records.pass(count);
        at += count;
      } else if (records.readHeader(bytes[at], mostOfClient)) at++;
      else this.#refused = true;
    }
    return at - start;
  }
}
