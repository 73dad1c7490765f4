/** Networks as people write them: addresses, CIDR blocks, and words for well-known ones. */

import { shown } from "../http/host_name.ts";
import { formatIp, type IpAddress, isIpv4Mapped, parseIp } from "../http/ip_address.ts";
import { PatternError } from "./pattern_error.ts";

/** All addresses that begin with the first `bits` bits of `bytes`. */
export interface Network {
  /** As it was written, for messages. */
  readonly text: string;
  readonly family: 4 | 6;
  readonly bytes: Uint8Array;
  readonly bits: number;
}

/** What the words stand for. `link-local` and `private` are the ranges that machines are given such addresses from. */
const WORDS: ReadonlyMap<string, readonly string[]> = new Map([
  ["loopback", ["127.0.0.0/8", "::1"]],
  ["private", ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fec0::/10"]],
  ["link-local", ["169.254.0.0/16", "fe80::/10"]],
  ["all", ["0.0.0.0/0", "::/0"]],
]);

/**
 * Reads an address (`192.0.2.1`, `2001:db8::1`), a CIDR block (`10.0.0.0/8`, `[2001:db8::]/32`; brackets may stand
 * or not), or one of the words `loopback`, `private`, `link-local` and `all`, which are several networks. An
 * IPv4-mapped network is the IPv4 network inside it.
 *
 * @throws {PatternError} with what is wrong and what to write
 */
export function parseNetworks(text: string): Network[] {
  const meant = WORDS.get(text);
  if (meant === undefined) return [parseNetwork(text)];
  return meant.map((written) => ({ ...parseNetwork(written), text }));
}

/** Reads one address or CIDR block, as {@link parseNetworks} does. */
function parseNetwork(text: string): Network {
  const slash = text.indexOf("/");
  const written = slash < 0 ? text : text.slice(0, slash);
  const bracketed = written.startsWith("[") && written.endsWith("]");
  const ip = parseIp(bracketed ? written.slice(1, -1) : written);
  if (ip === null || bracketed && ip.family === 4) throw noNetwork(text);
  const width = ip.bytes.length * 8;
  const bits = slash < 0 ? width : readBits(text.slice(slash + 1), width, text);

  const first = masked(ip, bits);
  if (formatIp(first) !== formatIp(ip)) {
    const block = `${formatIp(first)}/${bits}`;
    throw new PatternError(
      `${shown(text)} goes on after its first ${bits} bits: write ${block}, or ${
        formatIp(ip)
      } for the one address`,
    );
  }
  if (bits >= 96 && isIpv4Mapped(ip.bytes)) {
    return { text, family: 4, bytes: ip.bytes.slice(12), bits: bits - 96 };
  }
  return { text, family: ip.family, bytes: ip.bytes, bits };
}

function readBits(digits: string, width: number, text: string): number {
  const bits = /^(?:0|[1-9][0-9]{0,2})$/.test(digits) ? Number(digits) : Infinity;
  if (bits <= width) return bits;
  throw new PatternError(
    `${shown(text)} has no valid number of bits after the slash: write 0 to ${width}, as in ` +
      (width === 32 ? "10.0.0.0/8" : "2001:db8::/32"),
  );
}

function noNetwork(text: string): PatternError {
  if (text.includes("%")) {
    return new PatternError(
      `${shown(text)} has a zone identifier, which means nothing beyond one machine: leave it out`,
    );
  }
  return new PatternError(
    `${shown(text)} is no network: write an address, a block as 10.0.0.0/8 or 2001:db8::/32, ` +
      "or one of the words loopback, private, link-local, all",
  );
}

/** `ip` with all bits after the first `bits` cleared. */
function masked(ip: IpAddress, bits: number): IpAddress {
  const bytes = ip.bytes.slice();
  for (let i = 0; i < bytes.length; i++) {
    const kept = Math.max(0, Math.min(8, bits - i * 8));
    bytes[i] &= 0xff << (8 - kept);
  }
  return { family: ip.family, bytes };
}

/** Whether the `bits` bits from `at` in `start` are those from `offset` in `bytes`. */
function samePrefix(start: Uint8Array, at: number, bytes: Uint8Array, offset: number, bits: number): boolean {
  const whole = bits >> 3;
  for (let i = 0; i < whole; i++) if (start[at + i] !== bytes[offset + i]) return false;
  const rest = bits & 7;
  return rest === 0 || (start[at + whole] ^ bytes[offset + whole]) >> (8 - rest) === 0;
}

/**
 * Whether `ip` lies in `network`. An IPv4-mapped address is the IPv4 address and no other; IPv4 addresses that are put
 * into IPv6 ones in other ways are not looked for.
 */
export function networkContains(network: Network, ip: IpAddress): boolean {
  const offset = isIpv4Mapped(ip.bytes) ? 12 : 0;
  if (network.bytes.length !== ip.bytes.length - offset) return false;
  return samePrefix(network.bytes, 0, ip.bytes, offset, network.bits);
}

/** Whether a network is a single address. */
export function isSingleAddress(network: Network): boolean {
  return network.bits === network.bytes.length * 8;
}

/** Many networks, in which an address is looked up in a number of steps that grows with their logarithm. */
export class Networks {
  readonly #ipv4: Blocks;
  readonly #ipv6: Blocks;

  constructor(networks: Iterable<Network>) {
    const all = [...networks];
    this.#ipv4 = new Blocks(4, all.filter(({ family }) => family === 4));
    this.#ipv6 = new Blocks(16, all.filter(({ family }) => family === 6));
  }

  /** How many there are, those that lie in another not counted. */
  get size(): number {
    return this.#ipv4.count + this.#ipv6.count;
  }

  /** Whether any of the networks holds `ip`, as {@link networkContains} says. */
  includes(ip: IpAddress): boolean {
    const { bytes } = ip;
    if (bytes.length === 4) return this.#ipv4.include(bytes, 0);
    return isIpv4Mapped(bytes) ? this.#ipv4.include(bytes, 12) : this.#ipv6.include(bytes, 0);
  }
}

/** Blocks of one family, in order and without those that lie in another: at most one can hold an address. */
class Blocks {
  readonly count: number;
  readonly #width: number;
  readonly #starts: Uint8Array;
  readonly #bits: Uint8Array;

  /** @param width bytes of an address */
  constructor(width: number, networks: readonly Network[]) {
    const sorted = networks.toSorted((a, b) => compare(a.bytes, 0, b.bytes, 0, width) || a.bits - b.bits);
    const kept: Network[] = [];
    for (const network of sorted) {
      const last = kept.at(-1);
      if (last === undefined || !samePrefix(last.bytes, 0, network.bytes, 0, last.bits)) kept.push(network);
    }
    this.count = kept.length;
    this.#width = width;
    this.#starts = new Uint8Array(kept.length * width);
    this.#bits = new Uint8Array(kept.length);
    kept.forEach(({ bytes, bits }, index) => {
      this.#starts.set(bytes, index * width);
      this.#bits[index] = bits;
    });
  }

  /** Whether a block holds the address that stands at `offset` in `bytes`. */
  include(bytes: Uint8Array, offset: number): boolean {
    const width = this.#width;
    // The last block that begins at the address or before it is the only one that can hold it.
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compare(this.#starts, middle * width, bytes, offset, width) <= 0) low = middle + 1;
      else high = middle;
    }
    return low > 0 && samePrefix(this.#starts, (low - 1) * width, bytes, offset, this.#bits[low - 1]);
  }
}

function compare(a: Uint8Array, atA: number, b: Uint8Array, atB: number, width: number): number {
  for (let i = 0; i < width; i++) {
    const difference = a[atA + i] - b[atB + i];
    if (difference !== 0) return difference;
  }
  return 0;
}
