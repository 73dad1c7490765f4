/** What a TLS client says first (RFC 8446 §4.1.2): which host it wants, read from its first bytes as they come. */

import { canonicalName, shown } from "../http/host_name.ts";

/** What there is to a client's first bytes, as far as they are there. */
export interface ClientHello {
  /**
   * - `more`: nothing can be said yet
   * - `done`: a whole ClientHello
   * - `not_tls`: another protocol, by its first byte
   * - `invalid`: it begins as TLS and is no ClientHello that all servers would read in one way; see {@link fault}
   */
  readonly state: "more" | "done" | "not_tls" | "invalid";
  /**
   * Whether it is `invalid` by its first two or three bytes alone, with which other protocols may begin too: packets of
   * MySQL begin with their length, say. With `more`: whether it may yet be that, or no TLS.
   */
  readonly mayBeOther: boolean;
  /** Whether at least one byte is there. */
  readonly begun: boolean;
  /** The host that is asked for, in its canonical form; `null` when none is. */
  readonly serverName: string | null;
  /**
   * Whether there is an encrypted ClientHello (RFC 9849), in which another name may stand. Browsers send one that
   * means nothing to every server, so that nothing follows from it (§6.2 there); {@link serverName} is the outer name.
   */
  readonly hasEncryptedClientHello: boolean;
  /** What is wrong with an `invalid` one, as the end of a sentence. */
  readonly fault: string;
}

/** Bytes of a ClientHello together with the headers of its records. Those of browsers have about 2,000. */
export const MAX_CLIENT_HELLO = 64 * 1024;

const RECORD_HEADER = 5;
const MESSAGE_HEADER = 4;
/** RFC 8446 §5.1. */
const MAX_RECORD = 1 << 14;

/** The kinds of records: change_cipher_spec, alert, handshake, application_data, heartbeat. */
const FIRST_RECORD = 0x14;
const HANDSHAKE_RECORD = 0x16;
const LAST_RECORD = 0x18;
/** A record of SSL 2.0 begins with two bytes of its length, of which the first has this bit; then comes the message. */
const SSL2 = 0x80;
const SSL2_TYPE = 2;
const MAJOR_VERSION = 0x03;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const ENCRYPTED_CLIENT_HELLO = 0xfe0d;
const HOST_NAME = 0;
/** A name and a final dot. */
const MAX_NAME = 254;

/**
 * Reads a ClientHello, however it is split. What different servers may read in different ways is `invalid`:
 *
 * - another kind of record before it, an empty one too; a record of another major version; a ClientHello of SSL 2.0,
 * which can name no host
 * - records that are empty, too long, of another kind within the ClientHello, or that go on behind it (RFC 8446 §5.1)
 * - more than {@link MAX_CLIENT_HELLO} bytes
 * - lengths that do not fit into each other, bytes behind the last extension
 * - an extension that is there twice (RFC 8446 §4.2)
 * - a server name list that is empty, holds two names or one of another type than a host name (RFC 6066 §3)
 * - a server name that no host has: empty, too long, not ASCII (which a U-label is not), with NUL or another
 *   character that no name has
 *
 * A name in capitals or with a final dot is the same name without. The text of an IPv4 address, which RFC 6066 §3
 * forbids, is taken for a name like any other; the text of an IPv6 address is none.
 *
 * The minor version of a record is all the same, be it one that does not exist: servers look no closer (RFC 8446
 * §5.1 has them ignore it). What some servers pass over before a ClientHello or do not look at is a list without end:
 * whatever begins as a record and not as a ClientHello is `invalid`, by its first byte or two, and a ClientHello of
 * SSL 2.0 by its third: messages of MongoDB begin with their length, and Thrift's with 0x80, too. Where a second
 * ClientHello may begin is for `SecondHello` to say.
 */
export class ClientHelloReader implements ClientHello {
  state: ClientHello["state"] = "more";
  begun = false;
  mayBeOther = false;
  serverName: string | null = null;
  hasEncryptedClientHello = false;
  fault = "";

  /** How many bytes it takes with the headers of its records, once it is `done`. */
  get size(): number {
    return this.#record;
  }

  /** Where the header of the record begins that is not read yet, counted from the first byte of all. */
  #record = 0;
  /** Where the bytes of the message lie in the records that are read: from, to, from, to, … */
  #pieces: number[] = [];
  /** How many bytes of the message lie in those. */
  #collected = 0;
  /** How many bytes of the message's header were read, and the length that they say, which is without them. */
  #headerBytes = 0;
  #length = 0;

  /**
   * Reads on. No byte is looked at twice but the few before those of the record that is under way.
   *
   * @param bytes holds all that has come so far at `start..end`, which may have been moved since the last call
   */
  read(bytes: Uint8Array, start: number, end: number): ClientHello["state"] {
    if (this.state !== "more") return this.state;
    this.begun ||= end > start;
    try {
      this.state = this.#readRecords(bytes, start, end);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.state = "invalid";
      this.mayBeOther = error instanceof FirstBytesFault;
      this.serverName = null;
      this.fault = error.message;
    }
    if (this.state !== "more") this.#pieces = [];
    return this.state;
  }

  #readRecords(bytes: Uint8Array, start: number, end: number): ClientHello["state"] {
    for (;;) {
      const header = start + this.#record;
      const there = end - header;
      if (this.#record === 0) {
        if (there > 0 && bytes[header] >= SSL2) return this.#readSsl2(bytes, header, there);
        if (there > 0 && !beginsAsRecord(bytes[header])) return "not_tls";
        checkFirstRecord(bytes, header, there);
      } else if (!isHandshake(bytes, header, there)) throw new Fault("something else comes before its end");
      if (there < RECORD_HEADER) return "more";
      const size = bytes[header + 3] << 8 | bytes[header + 4];
      if (size === 0) throw new Fault("one of its records is empty");
      if (size > MAX_RECORD) throw new Fault(`one of its records has more than ${MAX_RECORD} bytes`);
      const from = header + RECORD_HEADER;
      const to = from + size;
      if (to - start > MAX_CLIENT_HELLO) throw tooLong();
      this.#readMessageHeader(bytes, from, Math.min(to, end));
      const length = this.#headerBytes < MESSAGE_HEADER ? Infinity : MESSAGE_HEADER + this.#length;
      if (length !== Infinity && RECORD_HEADER + length > MAX_CLIENT_HELLO) throw tooLong();
      if (this.#collected + size > length) throw new Fault("its record goes on behind it");
      if (to > end) return "more";
      this.#pieces.push(from - start, to - start);
      this.#collected += size;
      this.#record = to - start;
      if (this.#collected === length) {
        this.#readMessage(bytes, start);
        return "done";
      }
    }
  }

  /** What may be the record of SSL 2.0: by its third byte it is a ClientHello, or nothing of TLS. */
  #readSsl2(bytes: Uint8Array, at: number, there: number): ClientHello["state"] {
    this.mayBeOther = true;
    if (there <= SSL2_TYPE) return "more";
    if (bytes[at + SSL2_TYPE] === CLIENT_HELLO) throw new FirstBytesFault("it begins as one of SSL 2.0");
    this.mayBeOther = false;
    return "not_tls";
  }

  /** Reads what there is of the type and the length, which may lie in several records. */
  #readMessageHeader(bytes: Uint8Array, from: number, end: number): void {
    while (this.#headerBytes < MESSAGE_HEADER) {
      const at = from + this.#headerBytes - this.#collected;
      if (at >= end) return;
      if (this.#headerBytes > 0) this.#length = this.#length << 8 | bytes[at];
      else if (bytes[at] !== CLIENT_HELLO) throw new Fault("it is another message");
      this.#headerBytes++;
    }
  }

  /** Reads the whole message: where it lies when that is in one piece, else from a copy. */
  #readMessage(bytes: Uint8Array, start: number): void {
    const pieces = this.#pieces;
    if (pieces.length === 2) {
      return this.#readHello(new Fields(bytes, start + pieces[0] + MESSAGE_HEADER, start + pieces[1]));
    }
    const message = new Uint8Array(this.#collected);
    let length = 0;
    for (let i = 0; i < pieces.length; i += 2) {
      message.set(bytes.subarray(start + pieces[i], start + pieces[i + 1]), length);
      length += pieces[i + 1] - pieces[i];
    }
    this.#readHello(new Fields(message, MESSAGE_HEADER, length));
  }

  /** The fields of a ClientHello in their order (RFC 8446 §4.1.2). */
  #readHello(fields: Fields): void {
    const version = fields.number(2);
    if (version >> 8 !== MAJOR_VERSION) throw new Fault("its version is none of TLS");
    fields.skip(32, "random number");
    const session = fields.vector(1, "session identifier");
    if (session.left > 32) throw new Fault("its session identifier is too long");
    const suites = fields.vector(2, "list of cipher suites");
    if (suites.left < 2 || suites.left % 2 !== 0) {
      throw new Fault("its list of cipher suites has no such length");
    }
    if (fields.vector(1, "list of compression methods").left === 0) {
      throw new Fault("it has no compression method");
    }
    // up to TLS 1.2 there need not be any
    if (fields.left === 0) return;
    const extensions = fields.vector(2, "list of extensions");
    if (fields.left > 0) throw new Fault("something follows its extensions");
    const seen = new Set<number>();
    while (extensions.left > 0) {
      const type = extensions.number(2);
      const content = extensions.vector(2, "extension");
      if (seen.has(type)) throw new Fault(`its extension ${type} is there twice`);
      seen.add(type);
      if (type === SERVER_NAME) this.serverName = readServerName(content);
      else if (type === ENCRYPTED_CLIENT_HELLO) this.hasEncryptedClientHello = true;
    }
  }
}

/** Whether a first byte is one with which some server's TLS may begin. */
function beginsAsRecord(byte: number): boolean {
  return byte >= FIRST_RECORD && byte <= LAST_RECORD;
}

/** Throws {@link FirstBytesFault} for what begins as a record and is not the first of a ClientHello. */
function checkFirstRecord(bytes: Uint8Array, at: number, there: number): void {
  if (there > 0 && bytes[at] !== HANDSHAKE_RECORD) {
    throw new FirstBytesFault("a record of another kind comes before it");
  }
  if (there > 1 && bytes[at + 1] !== MAJOR_VERSION) {
    throw new FirstBytesFault("the version of its record is none of TLS");
  }
}

/** Whether as many bytes of a record's header as are there are those of a handshake. */
function isHandshake(bytes: Uint8Array, at: number, there: number): boolean {
  if (there > 0 && bytes[at] !== HANDSHAKE_RECORD) return false;
  return there <= 1 || bytes[at + 1] === MAJOR_VERSION;
}

/** Reads the extension `server_name` (RFC 6066 §3). Throws {@link Fault}. */
function readServerName(content: Fields): string {
  const list = content.vector(2, "list of server names");
  if (content.left > 0) throw new Fault("something follows its list of server names");
  if (list.left === 0) throw new Fault("its list of server names is empty");
  // What other types look like is not defined, and programs differ on whether they look for a second name.
  if (list.number(1) !== HOST_NAME) throw new Fault("its server name is not that of a host");
  const name = list.vector(2, "server name");
  if (list.left > 0) throw new Fault("it names more than one server");
  if (name.left === 0) throw new Fault("its server name is empty");
  if (name.left > MAX_NAME) throw new Fault("its server name is longer than any host's");
  const text = name.text();
  try {
    // ASCII is looked at first: bytes beyond it would be taken for Latin letters, and mapped
    if (!/[\x80-\xff]/.test(text)) return canonicalName(text);
  } catch {
    // that it is none says all
  }
  throw new Fault(`its server name ${shown(text)} is not the name of a host`);
}

function tooLong(): Fault {
  return new Fault(`it has more than ${MAX_CLIENT_HELLO} bytes`);
}

/** What is wrong with a ClientHello. */
class Fault extends Error {}

/** The same, seen by the first bytes of all. */
class FirstBytesFault extends Fault {}

/** What stands in a message, one after the other (RFC 8446 §3). */
class Fields {
  constructor(readonly bytes: Uint8Array, public at: number, readonly end: number) {}

  get left(): number {
    return this.end - this.at;
  }

  /** A number of so many bytes, the highest first. */
  number(width: number): number {
    if (width > this.left) throw new Fault("it breaks off within a number");
    let number = 0;
    for (const end = this.at + width; this.at < end; this.at++) number = number << 8 | this.bytes[this.at];
    return number;
  }

  skip(count: number, what: string): void {
    this.#need(count, what);
    this.at += count;
  }

  /** What stands behind a length of so many bytes. */
  vector(width: number, what: string): Fields {
    const length = this.number(width);
    this.#need(length, what);
    const content = new Fields(this.bytes, this.at, this.at + length);
    this.at += length;
    return content;
  }

  /** The rest, each byte a character. Not for more than a few. */
  text(): string {
    return String.fromCharCode(...this.bytes.subarray(this.at, this.end));
  }

  #need(count: number, what: string): void {
    if (count > this.left) throw new Fault(`its ${what} is longer than what holds it`);
  }
}
