/**
 * Lists of hosts as they are written: one a line, in the forms of rules (`example.com`, `*.example.com`,
 * `.example.com`, addresses, CIDR), of hosts files (`0.0.0.0 ads.example.com`) and of ad blockers (`||example.com^`).
 */

import { shown } from "../http/host_name.ts";
import { parseIp } from "../http/ip_address.ts";
import { HostList } from "./host_list.ts";
import { type HostPattern, parseHostPattern } from "./host_pattern.ts";
import { BELOW, ITSELF, NameTable } from "./name_table.ts";
import type { Network } from "./network.ts";
import { PatternError } from "./pattern_error.ts";

export interface HostListLimits {
  readonly maxNames: number;
  /** Bytes of all names together. */
  readonly maxBytes: number;
  readonly maxNetworks: number;
}

/** So many names take some 400 MB, so many networks up to 200 MB while they are read. */
export const HOST_LIST_LIMITS: HostListLimits = {
  maxNames: 10_000_000,
  maxBytes: 512 << 20,
  maxNetworks: 200_000,
};

/** A line that was not understood, and is not in the list. */
export interface HostListProblem {
  /** From 1. */
  readonly line: number;
  /** What is wrong with it and what to write. */
  readonly message: string;
}

export interface HostListReading {
  readonly list: HostList;
  /** The first of them, in order. */
  readonly problems: HostListProblem[];
  /** How many there are besides. */
  readonly more: number;
}

const MAX_PROBLEMS = 20;
const LONGEST_LINE = 4096;

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const BANG = 0x21;
const HASH = 0x23;
const DOT = 0x2e;

/** For a byte that a name may hold, that byte in lower case; else 0. */
const NAME_LOWER = new Uint8Array(256);
for (const character of "abcdefghijklmnopqrstuvwxyz0123456789-_.") {
  NAME_LOWER[character.charCodeAt(0)] = character.charCodeAt(0);
  NAME_LOWER[character.toUpperCase().charCodeAt(0)] = character.charCodeAt(0);
}

const BYTE_ORDER_MARK = Uint8Array.of(0xef, 0xbb, 0xbf);
/** `[Adblock`, with which the lists of ad blockers begin. */
const AD_BLOCK_HEADER = new TextEncoder().encode("[Adblock");

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const utf8Encoder = new TextEncoder();

/** Reads a list in pieces of any size. A line that cannot be understood is left out and said. */
export class HostListReader {
  readonly #limits: HostListLimits;
  readonly #names: NameTable;
  readonly #networks: Network[] = [];
  readonly #problems: HostListProblem[] = [];
  #more = 0;

  /** The number of the line that is being read. */
  #line = 1;
  /** What has come of a line that is cut, of one that is too long enough to see that. */
  readonly #begun = new Uint8Array(LONGEST_LINE + 2);
  #begunLength = 0;
  /** The name that is being read, in lower case. */
  readonly #name = new Uint8Array(LONGEST_LINE);
  /** The address of the last line of a hosts file: most have all the same. */
  #address: Uint8Array = new Uint8Array(0);

  /** @param keys see {@link NameTable} */
  constructor(limits: HostListLimits = HOST_LIST_LIMITS, keys?: Int32Array) {
    this.#limits = limits;
    this.#names = new NameTable(limits, keys);
  }

  /** Reads the next bytes, which may be used again afterwards. */
  read(chunk: Uint8Array): void {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(LF, start);
      if (end < 0) break;
      if (this.#begunLength === 0) {
        this.#readLine(chunk, start, end);
      } else {
        this.#keep(chunk, start, end);
        this.#readLine(this.#begun, 0, this.#begunLength);
        this.#begunLength = 0;
      }
      this.#line++;
      start = end + 1;
    }
    this.#keep(chunk, start, chunk.length);
  }

  /** The list, after the last bytes. The reader is not to be used again. */
  end(): HostListReading {
    if (this.#begunLength > 0) this.#readLine(this.#begun, 0, this.#begunLength);
    this.#begunLength = 0;
    this.#names.trim();
    return { list: new HostList(this.#names, this.#networks), problems: this.#problems, more: this.#more };
  }

  /** Keeps the beginning of a line until its end has come. */
  #keep(chunk: Uint8Array, start: number, end: number): void {
    const length = Math.min(end - start, this.#begun.length - this.#begunLength);
    if (length <= 0) return;
    this.#begun.set(chunk.subarray(start, start + length), this.#begunLength);
    this.#begunLength += length;
  }

  #problem(message: string): void {
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push({ line: this.#line, message });
    else this.#more++;
  }

  /** @param end without the line feed */
  #readLine(bytes: Uint8Array, start: number, end: number): void {
    if (end > start && bytes[end - 1] === CR) end--;
    if (end - start > LONGEST_LINE) {
      this.#problem(`the line is longer than ${LONGEST_LINE} bytes: write one host a line`);
      return;
    }
    if (this.#line === 1 && beginsWith(bytes, start, end, BYTE_ORDER_MARK)) start += BYTE_ORDER_MARK.length;
    while (start < end && isBlank(bytes[start])) start++;
    if (start === end || bytes[start] === HASH || bytes[start] === BANG) return;
    if (beginsWith(bytes, start, end, AD_BLOCK_HEADER)) return;
    // most lines are a name and nothing else
    if (!this.#readName(bytes, start, end)) this.#readWords(bytes, start, end);
  }

  /** Reads a line that is more than a name: with a comment, of a hosts file, or a word of another form. */
  #readWords(bytes: Uint8Array, start: number, end: number): void {
    const firstEnd = endOfWord(bytes, start, end);
    let next = startOfWord(bytes, firstEnd, end);
    if (next === end) {
      if (!this.#readName(bytes, start, firstEnd)) this.#readWord(bytes, start, firstEnd);
      return;
    }
    if (!this.#isAddress(bytes, start, firstEnd)) {
      const text = textOf(bytes, start, end);
      this.#problem(
        text === null
          ? NOT_UTF8
          : `${shown(text)} is more than one word: write one host a line, and comments behind a #`,
      );
      return;
    }
    while (next < end) {
      const wordEnd = endOfWord(bytes, next, end);
      if (!isOwnName(bytes, next, wordEnd) && !this.#readName(bytes, next, wordEnd)) {
        this.#readNamedByHosts(bytes, start, firstEnd, next, wordEnd);
      }
      next = startOfWord(bytes, wordEnd, end);
    }
  }

  /** Reads a word behind an address that is not plainly a name. */
  #readNamedByHosts(
    bytes: Uint8Array,
    address: number,
    addressEnd: number,
    start: number,
    end: number,
  ): void {
    // hosts files name `0.0.0.0 0.0.0.0`, too
    if (sameBytes(bytes.subarray(address, addressEnd), bytes, start, end)) return;
    if (this.#isAddress(bytes, start, end)) {
      this.#problem("the line has several addresses: write one a line");
    } else {
      this.#readWord(bytes, start, end);
    }
  }

  /** Whether a word is an address alone; a hosts file's may have a zone identifier. */
  #isAddress(bytes: Uint8Array, start: number, end: number): boolean {
    if (sameBytes(this.#address, bytes, start, end)) return true;
    if (end - start > 64) return false;
    let text = "";
    for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]);
    if (parseIp(text.replace(/%[0-9a-z._-]*$/i, "")) === null) return false;
    this.#address = bytes.slice(start, end);
    return true;
  }

  /**
   * Reads `bytes[start..end)` when it is plainly a name of ASCII, with `.` or `*.` before it or not.
   *
   * @returns false when it may be something else, and nothing was read
   */
  #readName(bytes: Uint8Array, start: number, end: number): boolean {
    let flags = ITSELF;
    let at = start;
    if (bytes[at] === DOT) {
      flags = ITSELF | BELOW;
      at++;
    } else if (bytes[at] === 0x2a && at + 1 < end && bytes[at + 1] === DOT) {
      flags = BELOW;
      at += 2;
    }
    const name = this.#name;
    let length = 0;
    let label = 0;
    for (; at < end; at++) {
      const lower = NAME_LOWER[bytes[at]];
      if (lower === 0) return false;
      if (lower === DOT) {
        if (length === label || length - label > 63) return false;
        label = length + 1;
      }
      name[length++] = lower;
    }
    if (length > 0 && name[length - 1] === DOT) {
      length--;
      label = name.lastIndexOf(DOT, length - 1) + 1;
    }
    if (length === label || length - label > 63 || length > 253) return false;
    // what ends in a number is an address, or refused
    if (name[label] >= 0x30 && name[label] <= 0x39) return false;
    this.#add(name, length, flags);
    return true;
  }

  #add(name: Uint8Array, length: number, flags: number): void {
    if (this.#names.add(name, 0, length, flags)) return;
    this.#problem("the list is full, and this name is not in it: write the domain that many names share");
  }

  /** Reads any word, by the rules' own reader. */
  #readWord(bytes: Uint8Array, start: number, end: number): void {
    const text = textOf(bytes, start, end);
    if (text === null) {
      this.#problem(NOT_UTF8);
      return;
    }
    try {
      this.#take(parseHostPattern(ofAdBlocker(text)), text);
    } catch (error) {
      if (!(error instanceof PatternError)) throw error;
      this.#problem(error.message);
    }
  }

  #take(host: HostPattern, text: string): void {
    switch (host.kind) {
      case "any":
        throw new PatternError(`${shown(text)} is any host: write hosts = ["*"] in the rule instead`);
      case "list":
        throw new PatternError(`${shown(text)} is another list: name both in hosts of the rule`);
      case "network":
        if (this.#networks.length === this.#limits.maxNetworks) {
          throw new PatternError("the list is full, and this address is not in it: write a network of many");
        }
        this.#networks.push(host.network);
        return;
    }
    const { written } = utf8Encoder.encodeInto(host.name, this.#name);
    this.#add(this.#name, written, FLAGS[host.kind]);
  }
}

const FLAGS = { name: ITSELF, subdomains: BELOW, domain: ITSELF | BELOW };

const NOT_UTF8 = "the line is not valid UTF-8: save the file as UTF-8";

/** `||example.com^` as a rule says it, and any other word as it is. */
function ofAdBlocker(text: string): string {
  if (/^@@|[|^$]/.test(text)) {
    const inner = /^\|\|([^|^$*/]+)\^$/.exec(text)?.[1];
    if (inner !== undefined) return parseIp(inner) === null ? `.${inner}` : inner;
    throw new PatternError(
      `${
        shown(text)
      } is a rule of ad blockers, of which ||example.com^ alone is understood: write .example.com`,
    );
  }
  return text;
}

function beginsWith(bytes: Uint8Array, start: number, end: number, beginning: Uint8Array): boolean {
  return end - start >= beginning.length &&
    sameBytes(beginning, bytes, start, start + beginning.length);
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}

/** Where the word ends that begins at `start`. */
function endOfWord(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && !isBlank(bytes[at])) at++;
  return at;
}

/** Where the next word begins behind the blanks at `at`; the end when there is only a comment. */
function startOfWord(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && isBlank(bytes[at])) at++;
  return at < end && bytes[at] === HASH ? end : at;
}

/** Whether it is a name that hosts files have for the machine itself and its networks: with an l, a b or an i. */
function isOwnName(bytes: Uint8Array, start: number, end: number): boolean {
  const letter = bytes[start] | 0x20;
  if (letter !== 0x6c && letter !== 0x62 && letter !== 0x69 || end - start > 32) return false;
  let text = "";
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]);
  return /^(?:local|localhost|localhost\.localdomain|localhost[46](?:\.localdomain[46])?|broadcasthost|ip6-.*)$/i
    .test(text);
}

function sameBytes(one: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (one.length !== end - start) return false;
  for (let i = 0; i < one.length; i++) if (one[i] !== bytes[start + i]) return false;
  return true;
}

/** `null` when the bytes are not valid UTF-8. */
function textOf(bytes: Uint8Array, start: number, end: number): string | null {
  try {
    return utf8.decode(bytes.subarray(start, end));
  } catch {
    return null;
  }
}
