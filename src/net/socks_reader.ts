/**
 * The words of SOCKS: version 4 with the names of 4a, version 5 (RFC 1928) and its user and password (RFC 1929).
 * Bytes in, values out, and back. Whoever reads hands in all that has come of a message; nothing is kept here.
 */

/** The reply codes of version 5 (RFC 1928 §6). */
export const REPLY = {
  granted: 0,
  failure: 1,
  notAllowed: 2,
  networkUnreachable: 3,
  hostUnreachable: 4,
  refused: 5,
  timeOut: 6,
  noSuchCommand: 7,
  noSuchAddressType: 8,
} as const;

export type Reply = typeof REPLY[keyof typeof REPLY];

/** The ways to say who one is, and that none of those offered will do (RFC 1928 §3). */
export const METHOD = { none: 0x00, login: 0x02, unacceptable: 0xff } as const;

export type Method = typeof METHOD[keyof typeof METHOD];

export const COMMAND = { connect: 1, bind: 2, associate: 3 } as const;

/** What is no SOCKS, or none that is spoken here. */
export class SocksFault extends Error {
  override readonly name = "SocksFault";

  constructor(message: string, readonly reply: Reply = REPLY.failure) {
    super(message);
  }
}

/** A message that was read, and where what follows it begins. */
interface Read {
  readonly end: number;
}

export interface Greeting extends Read {
  /** The methods on offer, one a byte, in the client's order. */
  readonly methods: Uint8Array;
}

export interface Login extends Read {
  readonly user: Uint8Array;
  readonly password: Uint8Array;
}

export interface SocksRequest extends Read {
  readonly version: "socks4" | "socks4a" | "socks5";
  readonly command: number;
  /** The address, 4 or 16 bytes, or else the name; the other is `null`. */
  readonly address: Uint8Array | null;
  readonly name: Uint8Array | null;
  /** 0–65535. */
  readonly port: number;
}

/** A text of version 4 ends in a zero, and has to do so within so many bytes. */
const MAX_TEXT = 255;

const IPV4 = 1;
const NAME = 3;
const IPV6 = 4;

/**
 * Reads what a client of version 5 begins with; `null` when more has to come.
 *
 * @param bytes the message begins at `start`, and so much as has come of it ends at `end`
 * @throws {SocksFault}
 */
export function readGreeting(bytes: Uint8Array, start: number, end: number): Greeting | null {
  if (start < end) requireByte(bytes[start], 5, "a greeting of another version than SOCKS 5");
  if (end - start < 2) return null;
  const over = start + 2 + bytes[start + 1];
  return over > end ? null : { methods: bytes.slice(start + 2, over), end: over };
}

/**
 * Reads a user and a password (RFC 1929 §2); `null` when more has to come. Either may be empty: that is for those to
 * judge who know the users.
 *
 * @throws {SocksFault}
 */
export function readLogin(bytes: Uint8Array, start: number, end: number): Login | null {
  if (start < end) requireByte(bytes[start], 1, "a user and password of another version than 1");
  if (end - start < 2) return null;
  const userEnd = start + 2 + bytes[start + 1];
  if (userEnd >= end) return null;
  const over = userEnd + 1 + bytes[userEnd];
  if (over > end) return null;
  return {
    user: bytes.slice(start + 2, userEnd),
    password: bytes.slice(userEnd + 1, over),
    end: over,
  };
}

/**
 * Reads a request of version 5 (RFC 1928 §4); `null` when more has to come.
 *
 * @throws {SocksFault}
 */
export function readRequest5(bytes: Uint8Array, start: number, end: number): SocksRequest | null {
  if (start < end) requireByte(bytes[start], 5, "a request of another version than SOCKS 5");
  if (end - start < 3) return null;
  requireByte(bytes[start + 2], 0, "a reserved byte that is not zero");
  if (end - start < 5) return null;
  const type = bytes[start + 3];
  const first = bytes[start + 4];
  let at = start + 4;
  let length: number;
  if (type === IPV4) length = 4;
  else if (type === IPV6) length = 16;
  else if (type === NAME) {
    length = first;
    at++;
    if (length === 0) throw new SocksFault("a name without a letter");
  } else throw new SocksFault(`addresses of type ${type} are not known`, REPLY.noSuchAddressType);
  const over = at + length + 2;
  if (over > end) return null;
  const host = bytes.slice(at, at + length);
  return {
    version: "socks5",
    command: bytes[start + 1],
    address: type === NAME ? null : host,
    name: type === NAME ? host : null,
    port: bytes[over - 2] << 8 | bytes[over - 1],
    end: over,
  };
}

/**
 * Reads a request of version 4 or 4a; `null` when more has to come. The user that it names proves nothing, and is
 * passed over.
 *
 * @throws {SocksFault}
 */
export function readRequest4(bytes: Uint8Array, start: number, end: number): SocksRequest | null {
  if (start < end) requireByte(bytes[start], 4, "a request of another version than SOCKS 4");
  if (end - start < 9) return null;
  const userEnd = textEnd(bytes, start + 8, end, "a user");
  if (userEnd < 0) return null;
  const address = bytes.slice(start + 4, start + 8);
  const command = bytes[start + 1];
  const port = bytes[start + 2] << 8 | bytes[start + 3];
  // 0.0.0.x says that a name follows; 0.0.0.0 does not
  const named = address[0] === 0 && address[1] === 0 && address[2] === 0 && address[3] !== 0;
  if (!named) return { version: "socks4", command, address, name: null, port, end: userEnd + 1 };
  const nameEnd = textEnd(bytes, userEnd + 1, end, "a name");
  if (nameEnd < 0) return null;
  const name = bytes.slice(userEnd + 1, nameEnd);
  if (name.length === 0) throw new SocksFault("a name without a letter");
  return { version: "socks4a", command, address: null, name, port, end: nameEnd + 1 };
}

/** Where the zero behind a text is; -1 when it has to come yet. */
function textEnd(bytes: Uint8Array, start: number, end: number, what: string): number {
  const last = Math.min(end, start + MAX_TEXT + 1);
  for (let at = start; at < last; at++) if (bytes[at] === 0) return at;
  if (end - start > MAX_TEXT) throw new SocksFault(`${what} of more than ${MAX_TEXT} bytes`);
  return -1;
}

function requireByte(byte: number, wanted: number, fault: string): void {
  if (byte !== wanted) throw new SocksFault(fault);
}

/** The answer to a greeting. */
export function methodChosen(method: Method): Uint8Array {
  return Uint8Array.of(5, method);
}

/** The answer to a user and a password (RFC 1929 §2). */
export function loginAnswered(right: boolean): Uint8Array {
  return Uint8Array.of(1, right ? 0 : 1);
}

/**
 * The answer to a request.
 *
 * @param version of the request
 * @param address where the connection comes from that was made, 4 or 16 bytes; none when there is none to tell
 */
export function socksReply(
  version: SocksRequest["version"],
  reply: Reply,
  address: Uint8Array = new Uint8Array(4),
  port = 0,
): Uint8Array {
  if (version === "socks5") {
    return Uint8Array.of(
      ...[5, reply, 0, address.length === 4 ? IPV4 : IPV6],
      ...address,
      ...[port >> 8, port & 0xff],
    );
  }
  // version 4 has one word for all that may go wrong, and no place for an address of IPv6
  const ipv4 = address.length === 4 ? address : new Uint8Array(4);
  return Uint8Array.of(0, reply === REPLY.granted ? 90 : 91, port >> 8, port & 0xff, ...ipv4);
}
