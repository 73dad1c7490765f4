/**
 * The PROXY protocol of HAProxy, versions 1 and 2: how a balancer tells whom it connects for, in a header before the
 * first byte of a connection. Bytes in, values out, and back; how addresses are written is handed in.
 */

/** An address as bytes: four, or sixteen. */
export interface HeaderIp {
  readonly family: 4 | 6;
  readonly bytes: Uint8Array;
}

export interface Endpoint {
  readonly ip: HeaderIp;
  /** 0–65535. */
  readonly port: number;
}

/** Whom a connection is made for: both ends of the connection that the balancer took. */
export interface ProxiedAddresses {
  readonly source: Endpoint;
  readonly destination: Endpoint;
}

/** A line of version 1 with its CRLF has so many bytes at most, by the protocol's own count. */
const MAX_LINE = 107;
/** What follows the fixed part of version 2, addresses and all that is told besides, has so many at most. */
const MAX_LENGTH = 2048;

const LINE_START = Uint8Array.from("PROXY ", (letter) => letter.charCodeAt(0));
const SIGNATURE = Uint8Array.of(13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10);
/** Signature, version and command, family and transport, length. */
const FIXED = 16;
const VERSION_2 = 0x20;
const LOCAL = 0;
const PROXY = 1;

/** By the upper four bits of its byte: how many bytes the addresses of a family take. */
const FAMILY_SIZES = [0, 12, 36, 216];
const IPV4 = 1;
const IPV6 = 2;
const STREAM = 1;
const DATAGRAM = 2;

const CR = 13;
const LF = 10;

const LINE = /^PROXY (?:UNKNOWN(?: .*)?|(TCP4|TCP6) (\S+) (\S+) (0|[1-9][0-9]{0,4}) (0|[1-9][0-9]{0,4}))$/;

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/**
 * Reads the one header that a connection begins with, in whatever pieces it comes. Strict: what is not exactly a
 * header of either version is a fault at the first byte that shows it. No header takes more than 2,064 bytes.
 */
export class ProxyHeaderReader {
  state: "more" | "done" | "invalid" = "more";
  /** What is wrong with an invalid one, in printable words, else `""`. */
  fault = "";
  /** Whom the connection is for; `null` when the header says that it is the balancer's own, or does not say. */
  addresses: ProxiedAddresses | null = null;

  readonly #parseIp: (text: string) => HeaderIp | null;
  /** A whole line, or of version 2 the fixed part and the addresses of IPv6, the longest that are looked at. */
  readonly #kept = new Uint8Array(MAX_LINE);
  #count = 0;
  /** Version 2: where the header ends, and in it the addresses, once that is known. */
  #size = Infinity;
  #addressesEnd = Infinity;
  /** Bytes that are left of the item under way behind the addresses, and of its own header of three. */
  #itemLeft = 0;
  #itemHeader = 0;
  #itemSize = 0;

  /** @param parseIp reads an address as it stands in a text, strictly; `null` for what is none */
  constructor(parseIp: (text: string) => HeaderIp | null) {
    this.#parseIp = parseIp;
  }

  /**
   * Takes what belongs to the header from the front of `bytes[start..end)`; what follows it is the connection's own.
   *
   * @returns where what it did not take begins
   */
  read(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end && this.state === "more") this.#take(bytes[at++]);
    return at;
  }

  #take(byte: number): void {
    const place = this.#count++;
    if (place < MAX_LINE) this.#kept[place] = byte;
    if (this.#kept[0] === LINE_START[0]) this.#takeOfLine(place, byte);
    else if (place < SIGNATURE.length) {
      if (byte !== SIGNATURE[place]) this.#fail("no PROXY protocol header");
    } else this.#takeOfBinary(place, byte);
  }

  #takeOfLine(place: number, byte: number): void {
    if (place < LINE_START.length) {
      if (byte !== LINE_START[place]) this.#fail("no PROXY protocol header");
    } else if (byte === LF) {
      if (this.#kept[place - 1] === CR) this.#endLine(decoder.decode(this.#kept.subarray(0, place - 1)));
      else this.#fail("a line that does not end in CR LF");
    } else if (this.#kept[place - 1] === CR || byte !== CR && (byte < 0x20 || byte > 0x7e)) {
      this.#fail("a byte that no line may hold");
    } else if (place + 1 >= MAX_LINE) this.#fail(`a line of more than ${MAX_LINE} bytes`);
  }

  #endLine(line: string): void {
    const match = LINE.exec(line);
    if (match === null) return this.#fail("a line that is not as the protocol has it");
    const [, transport, from, to, fromPort, toPort] = match;
    if (transport !== undefined) {
      const family = transport === "TCP4" ? 4 : 6;
      const source = this.#endpoint(family, from, fromPort);
      const destination = this.#endpoint(family, to, toPort);
      if (source === null || destination === null) {
        return this.#fail(`addresses or ports that are none of ${transport}`);
      }
      this.addresses = { source, destination };
    }
    this.state = "done";
  }

  #endpoint(family: 4 | 6, text: string, digits: string): Endpoint | null {
    const ip = this.#parseIp(text);
    const port = Number(digits);
    return ip === null || ip.family !== family || port > 65535 ? null : { ip, port };
  }

  #takeOfBinary(place: number, byte: number): void {
    const kept = this.#kept;
    if (place === 12) {
      if ((byte & 0xf0) !== VERSION_2) this.#fail(`version ${byte >> 4}`);
      else if ((byte & 0x0f) > PROXY) this.#fail(`command ${byte & 0x0f}`);
    } else if (place === 13) {
      if (byte >> 4 >= FAMILY_SIZES.length || (byte & 0x0f) > DATAGRAM) {
        this.#fail(`family and transport 0x${byte.toString(16).padStart(2, "0")}`);
      } else if (this.#isProxied && byte !== 0 && (byte & 0x0f) !== STREAM) {
        this.#fail("another transport than TCP");
      }
    } else if (place === FIXED - 1) this.#measure(kept[14] << 8 | byte);
    else if (place >= this.#addressesEnd && this.#isIp) this.#takeOfItem(byte);
    if (place + 1 === this.#size && this.state === "more") this.#endBinary();
  }

  get #isProxied(): boolean {
    return (this.#kept[12] & 0x0f) !== LOCAL;
  }

  /** Whether it holds addresses that are worth looking at; what is behind others is not looked at either. */
  get #isIp(): boolean {
    const family = this.#kept[13] >> 4;
    return this.#isProxied && (family === IPV4 || family === IPV6);
  }

  #measure(length: number): void {
    const addresses = FAMILY_SIZES[this.#kept[13] >> 4];
    if (length > MAX_LENGTH) return this.#fail(`a header of more than ${FIXED + MAX_LENGTH} bytes`);
    if (this.#isProxied && length < addresses) return this.#fail("less bytes than the addresses take");
    this.#size = FIXED + length;
    this.#addressesEnd = FIXED + addresses;
  }

  /** Behind the addresses stand items, each with a type, a length in two bytes, and as many bytes. */
  #takeOfItem(byte: number): void {
    if (this.#itemLeft > 0) {
      this.#itemLeft--;
      return;
    }
    this.#itemHeader++;
    if (this.#itemHeader === 2) this.#itemSize = byte << 8;
    if (this.#itemHeader < 3) return;
    this.#itemHeader = 0;
    this.#itemLeft = this.#itemSize | byte;
    if (this.#count + this.#itemLeft > this.#size) this.#fail("an item that is longer than the header");
  }

  #endBinary(): void {
    if (this.#itemHeader > 0) return this.#fail("an item that is cut off");
    if (this.#isIp) {
      const kept = this.#kept;
      const family = kept[13] >> 4 === IPV4 ? 4 : 6;
      const width = family === 4 ? 4 : 16;
      const ports = FIXED + 2 * width;
      const endpoint = (at: number, port: number): Endpoint => ({
        ip: { family, bytes: kept.slice(at, at + width) },
        port: kept[port] << 8 | kept[port + 1],
      });
      this.addresses = { source: endpoint(FIXED, ports), destination: endpoint(FIXED + width, ports + 2) };
    }
    this.state = "done";
  }

  #fail(fault: string): void {
    this.fault = fault;
    this.state = "invalid";
  }
}

/**
 * Writes the header that goes before the first byte of a connection. Ends of different families are both written as
 * IPv6 (RFC 4291 §2.5.5.2).
 *
 * @param addresses whom the connection is for; `null` for one that is made for nobody, such as a check
 * @param formatIp writes an address as a text, IPv6 without brackets
 */
export function proxyHeader(
  version: 1 | 2,
  addresses: ProxiedAddresses | null,
  formatIp: (ip: HeaderIp) => string,
): Uint8Array {
  if (addresses === null) {
    return version === 1
      ? encoder.encode("PROXY UNKNOWN\r\n")
      : Uint8Array.of(...SIGNATURE, VERSION_2 | LOCAL, 0, 0, 0);
  }
  const { source, destination } = addresses;
  const family = source.ip.family === destination.ip.family ? source.ip.family : 6;
  const from = family === 6 ? asIpv6(source.ip) : source.ip;
  const to = family === 6 ? asIpv6(destination.ip) : destination.ip;
  if (version === 1) {
    const ends = `${formatIp(from)} ${formatIp(to)} ${source.port} ${destination.port}`;
    return encoder.encode(`PROXY TCP${family} ${ends}\r\n`);
  }
  const [what, width] = family === 4 ? [IPV4 << 4 | STREAM, 4] : [IPV6 << 4 | STREAM, 16];
  const header = new Uint8Array(FIXED + 2 * width + 4);
  header.set(SIGNATURE);
  header.set([VERSION_2 | PROXY, what, 0, 2 * width + 4], 12);
  header.set(from.bytes, FIXED);
  header.set(to.bytes, FIXED + width);
  const ports = new DataView(header.buffer, FIXED + 2 * width);
  ports.setUint16(0, source.port);
  ports.setUint16(2, destination.port);
  return header;
}

function asIpv6({ family, bytes }: HeaderIp): HeaderIp {
  if (family === 6) return { family, bytes };
  const mapped = new Uint8Array(16);
  mapped.fill(0xff, 10, 12);
  mapped.set(bytes, 12);
  return { family: 6, bytes: mapped };
}
