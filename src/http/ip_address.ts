/** IP addresses as text and as bytes. Nothing here reads a socket or a name server. */

/** An address as its 4 or 16 bytes, in network order. */
export interface IpAddress {
  readonly family: 4 | 6;
  readonly bytes: Uint8Array;
}

const DOT = 0x2e;
const COLON = 0x3a;
const ZERO = 0x30;
const NINE = 0x39;

/**
 * Reads an address. IPv4 is four decimal numbers without leading zeros and nothing else (the form that every
 * reader takes for the same address); IPv6 is the text of RFC 4291 §2.2 in any of its spellings, without
 * brackets and without a zone identifier.
 *
 * @returns `null` when the text is not such an address
 */
export function parseIp(text: string): IpAddress | null {
  if (text.includes(":")) {
    const bytes = parseIpv6(text);
    return bytes === null ? null : { family: 6, bytes };
  }
  const bytes = new Uint8Array(4);
  return readIpv4(text, 0, bytes, 0) ? { family: 4, bytes } : null;
}

/** Reads a dotted quad from `start` to the end of `text` into four bytes of `into` at `offset`. */
function readIpv4(text: string, start: number, into: Uint8Array, offset: number): boolean {
  const length = text.length;
  if (length - start < 7 || length - start > 15) return false;
  let part = 0;
  let value = 0;
  let digits = 0;
  for (let i = start; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code >= ZERO && code <= NINE) {
      // A leading zero means octal to some readers and nothing to others.
      if (digits > 0 && value === 0) return false;
      value = value * 10 + (code - ZERO);
      digits++;
      if (value > 255) return false;
    } else if (code === DOT) {
      if (digits === 0 || part === 3) return false;
      into[offset + part++] = value;
      value = 0;
      digits = 0;
    } else {
      return false;
    }
  }
  if (digits === 0 || part !== 3) return false;
  into[offset + 3] = value;
  return true;
}

function parseIpv6(text: string): Uint8Array | null {
  const length = text.length;
  if (length < 2 || length > 45) return null;
  const bytes = new Uint8Array(16);
  /** Bytes written so far, and where `::` stood among them. */
  let written = 0;
  let gap = -1;
  let i = 0;
  if (text.charCodeAt(0) === COLON) {
    if (text.charCodeAt(1) !== COLON) return null;
    gap = 0;
    i = 2;
  }
  while (i < length) {
    if (written === 16) return null;
    const start = i;
    let value = 0;
    let code = -1;
    for (; i < length; i++) {
      code = text.charCodeAt(i);
      const digit = hexDigit(code);
      if (digit < 0) break;
      if (i - start === 4) return null;
      value = value << 4 | digit;
    }
    if (i < length && code === DOT) {
      // The last 32 bits may be written as a dotted quad (RFC 4291 §2.2, form 3).
      if (written > 12 || !readIpv4(text, start, bytes, written)) return null;
      written += 4;
      break;
    }
    if (i === start) return null;
    bytes[written++] = value >> 8;
    bytes[written++] = value & 0xff;
    if (i === length) break;
    if (code !== COLON) return null;
    i++;
    if (i === length) return null;
    if (text.charCodeAt(i) === COLON) {
      if (gap >= 0) return null;
      gap = written;
      i++;
    }
  }
  if (gap < 0) return written === 16 ? bytes : null;
  // `::` stands for one group of zeros at least.
  if (written === 16) return null;
  bytes.copyWithin(16 - (written - gap), gap, written);
  bytes.fill(0, gap, 16 - (written - gap));
  return bytes;
}

function hexDigit(code: number): number {
  if (code >= ZERO && code <= NINE) return code - ZERO;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/**
 * The one canonical text of an address: a dotted quad, or RFC 5952 (lower case, the first of the longest runs of
 * zero groups as `::`, IPv4-mapped addresses with the dotted quad of §5).
 */
export function formatIp(ip: IpAddress): string {
  const bytes = ip.bytes;
  if (ip.family === 4) return formatIpv4(bytes, 0);
  if (isIpv4Mapped(bytes)) return `::ffff:${formatIpv4(bytes, 12)}`;

  let gap = -1;
  let gapLength = 1; // a single group of zeros is not shortened (RFC 5952 §4.2.2)
  for (let group = 0; group < 8;) {
    let end = group;
    while (end < 8 && bytes[end * 2] === 0 && bytes[end * 2 + 1] === 0) end++;
    if (end - group > gapLength) {
      gap = group;
      gapLength = end - group;
    }
    group = end + 1;
  }

  let text = "";
  for (let group = 0; group < 8; group++) {
    if (group === gap) {
      text += "::";
      group += gapLength - 1;
      continue;
    }
    if (group > 0 && !text.endsWith(":")) text += ":";
    text += (bytes[group * 2] << 8 | bytes[group * 2 + 1]).toString(16);
  }
  return text;
}

function formatIpv4(bytes: Uint8Array, offset: number): string {
  return `${bytes[offset]}.${bytes[offset + 1]}.${bytes[offset + 2]}.${bytes[offset + 3]}`;
}

/** Whether `bytes` from `from` up to `to` are all zero. */
function zeros(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i] !== 0) return false;
  return true;
}

/** Whether the 4 or 16 bytes are an IPv4-mapped address, `::ffff:0:0/96` (RFC 4291 §2.5.5.2). */
export function isIpv4Mapped(bytes: Uint8Array): boolean {
  return bytes.length === 16 && bytes[10] === 0xff && bytes[11] === 0xff && zeros(bytes, 0, 10);
}

/**
 * Every IPv4 address that an IPv6 address may lead to, most likely first; empty when it holds none. A rule that
 * forbids an IPv4 address forbids the IPv6 address when it forbids any of these.
 *
 * Known are IPv4-mapped and IPv4-compatible addresses (RFC 4291 §2.5.5), IPv4-translated `::ffff:0:0:0/96`
 * (RFC 2765), NAT64 `64:ff9b::/96` (RFC 6052), local NAT64 `64:ff9b:1::/48` (RFC 8215, in which the position
 * depends on a prefix length that only the network knows), 6to4 `2002::/16` (RFC 3056), Teredo `2001::/32`
 * (RFC 4380, server and client) and ISATAP (RFC 5214 §6.1).
 */
export function embeddedIpv4s(ip: IpAddress): IpAddress[] {
  if (ip.family === 4) return [];
  const b = ip.bytes;
  const found = embeddedByPrefix(b);
  // ISATAP's interface identifier, under any prefix: 0000:5efe or 0200:5efe, then the IPv4 address.
  if ((b[8] & 0xfd) === 0 && b[9] === 0 && b[10] === 0x5e && b[11] === 0xfe) {
    found.push(ipv4Of(b, 12, 13, 14, 15));
  }
  return found;
}

function ipv4Of(b: Uint8Array, i: number, j: number, k: number, l: number): IpAddress {
  return { family: 4, bytes: Uint8Array.of(b[i], b[j], b[k], b[l]) };
}

/** The IPv4 addresses that the first bits of an IPv6 address tell of. */
function embeddedByPrefix(b: Uint8Array): IpAddress[] {
  switch (b[0] << 8 | b[1]) {
    case 0x0000:
      if (isIpv4Mapped(b)) return [ipv4Of(b, 12, 13, 14, 15)];
      // `::` and `::1` are addresses of their own, not IPv4-compatible ones.
      if (zeros(b, 2, 12)) return zeros(b, 12, 15) && b[15] <= 1 ? [] : [ipv4Of(b, 12, 13, 14, 15)];
      if (zeros(b, 2, 8) && b[8] === 0xff && b[9] === 0xff && zeros(b, 10, 12)) {
        return [ipv4Of(b, 12, 13, 14, 15)];
      }
      return [];
    case 0x0064:
      if (b[2] !== 0xff || b[3] !== 0x9b) return [];
      if (zeros(b, 4, 12)) return [ipv4Of(b, 12, 13, 14, 15)];
      if (b[4] !== 0 || b[5] !== 1) return [];
      // RFC 6052 §2.2: prefixes of 96, 48, 56 and 64 bits; byte 8 is left out of the address.
      return [
        ipv4Of(b, 12, 13, 14, 15),
        ipv4Of(b, 6, 7, 9, 10),
        ipv4Of(b, 7, 9, 10, 11),
        ipv4Of(b, 9, 10, 11, 12),
      ];
    case 0x2002:
      return [ipv4Of(b, 2, 3, 4, 5)];
    case 0x2001: {
      if (b[2] !== 0 || b[3] !== 0) return [];
      const client = Uint8Array.of(b[12] ^ 0xff, b[13] ^ 0xff, b[14] ^ 0xff, b[15] ^ 0xff);
      return [{ family: 4, bytes: client }, ipv4Of(b, 4, 5, 6, 7)];
    }
  }
  return [];
}

/** The first of {@link embeddedIpv4s}, or `null`: where an IPv6 address that holds an IPv4 one most likely leads. */
export function embeddedIpv4(ip: IpAddress): IpAddress | null {
  return embeddedIpv4s(ip)[0] ?? null;
}

/**
 * Whether a host's last label is a number, decimal or `0x…`: a host that some programs would read as an IPv4
 * address (`127.1`, `0x7f.1`, `2130706433`, `0177.0.0.1`) and that no registered name looks like. This is the
 * WHATWG URL Standard's "ends in a number"; a final dot is passed over.
 */
export function looksLikeIpv4(host: string): boolean {
  let end = host.length;
  if (end > 1 && host.charCodeAt(end - 1) === DOT) end--;
  const start = host.lastIndexOf(".", end - 1) + 1;
  if (start >= end || end === 0) return false;
  let i = start;
  if (end - start >= 2 && host.charCodeAt(start) === ZERO && (host.charCodeAt(start + 1) | 0x20) === 0x78) {
    for (i = start + 2; i < end; i++) if (hexDigit(host.charCodeAt(i)) < 0) return false;
    return true;
  }
  for (; i < end; i++) {
    const code = host.charCodeAt(i);
    if (code < ZERO || code > NINE) return false;
  }
  return true;
}

/** `127.0.0.0/8` or `::1`. An IPv4 address inside an IPv6 one is not looked for: see {@link embeddedIpv4s}. */
export function isLoopback(ip: IpAddress): boolean {
  return ip.family === 4 ? ip.bytes[0] === 127 : ip.bytes[15] === 1 && zeros(ip.bytes, 0, 15);
}

/** `0.0.0.0` or `::`, which most systems connect to the machine itself. */
export function isUnspecified(ip: IpAddress): boolean {
  return zeros(ip.bytes, 0, ip.bytes.length);
}

/** Whether both are the same bytes of the same family. */
export function sameIp(a: IpAddress, b: IpAddress): boolean {
  if (a.family !== b.family) return false;
  for (let i = 0; i < a.bytes.length; i++) if (a.bytes[i] !== b.bytes[i]) return false;
  return true;
}
