/**
 * Writes the head that is sent on: the bytes that came, less the fields that do not pass, plus those that weir
 * adds. Order, case and odd bytes of everything else survive because they are copied as they are.
 */

import { CR, LF, SP } from "./characters.ts";
import { Field } from "./field_names.ts";
import type { HeadReader } from "./head_reader.ts";
import { type ConnectionOptions, REMOVED, REMOVED_BITS } from "./hop_by_hop.ts";
import { overridesTarget } from "./override_fields.ts";
import type { RequestLine, StatusLine } from "./start_line.ts";
import { DEFAULT_PORTS, type Target } from "./target.ts";
import { bytesOf, writeText } from "./text.ts";

const QUERY = 0x3f;
/** Bytes that a head may grow by, besides its additions. */
const START_LINE_ROOM = 300;

const VERSION_AND_LINE_END = bytesOf(" HTTP/1.1\r\n");
const VERSION = bytesOf("HTTP/1.1 ");
const HOST = bytesOf("Host: ");

export const TRANSFER_ENCODING_CHUNKED: Uint8Array = bytesOf("Transfer-Encoding: chunked\r\n");
export const CONNECTION_CLOSE: Uint8Array = bytesOf("Connection: close\r\n");
export const CONNECTION_UPGRADE: Uint8Array = bytesOf("Connection: Upgrade\r\n");
/** An offer of trailers counts for this connection alone and is named so (RFC 9110 §10.1.4). */
export const TE_TRAILERS: Uint8Array = bytesOf("TE: trailers\r\nConnection: TE\r\n");

/** The line `name: value` as it is written into a head. Throws RangeError on a character above 0xFF. */
export function fieldLine(name: string, value: string): Uint8Array {
  return bytesOf(`${name}: ${value}\r\n`);
}

const NOTHING = new Uint8Array();

export class HeadWriter {
  /** The head is `bytes[0..length)` when it is whole. */
  bytes: Uint8Array = NOTHING;
  length = 0;
  /** Fields that are left out besides the hop-by-hop ones: bits of {@link HeadReader.seen}. */
  leaveOut = 0;
  /** Further fields that are left out, by number; `null` for none. */
  leaveOutAlso: ReadonlySet<number> | null = null;
  /** Whether fields are left out that mean another method or path than the request line. */
  leaveOutOverrides = false;
  /** Whether Upgrade is one of this hop's and passes (RFC 9110 §7.8). */
  upgrading = false;

  /** @param size bytes of the room for most heads, which is made when the first is written */
  constructor(readonly size: number) {}

  /** Starts anew, with room for a copy of `head`. */
  begin(head: HeadReader): void {
    this.length = 0;
    this.leaveOut = 0;
    this.leaveOutAlso = null;
    this.leaveOutOverrides = false;
    this.upgrading = false;
    this.#reserve(head.end - head.start + START_LINE_ROOM);
  }

  /** The request line for an origin: the path alone (RFC 9112 §3.2.1), or `*` (§3.2.4). */
  requestLine(head: HeadReader, line: RequestLine, target: Target, method: string): void {
    const { bytes: from } = head;
    const { bytes } = this;
    let at = this.length;
    for (let i = head.start; i <= line.methodEnd; i++) bytes[at++] = from[i];
    const { pathStart, pathEnd } = target;
    if (pathStart === pathEnd) {
      bytes[at++] = method === "OPTIONS" ? 0x2a : 0x2f;
    } else {
      if (from[pathStart] === QUERY) bytes[at++] = 0x2f; // the path itself is empty
      bytes.set(from.subarray(pathStart, pathEnd), at);
      at += pathEnd - pathStart;
    }
    bytes.set(VERSION_AND_LINE_END, at);
    this.length = at + VERSION_AND_LINE_END.length;
  }

  /** The status line, with weir's own version (RFC 9110 §2.5) and the origin's reason phrase. */
  statusLine(head: HeadReader, line: StatusLine): void {
    const { bytes: from, startLineEnd } = head;
    const { bytes } = this;
    bytes.set(VERSION, this.length);
    let at = this.length + VERSION.length;
    const status = head.start + 9;
    bytes[at++] = from[status];
    bytes[at++] = from[status + 1];
    bytes[at++] = from[status + 2];
    bytes[at++] = SP;
    for (let i = line.reasonStart; i < startLineEnd; i++) bytes[at++] = from[i];
    bytes[at++] = CR;
    bytes[at++] = LF;
    this.length = at;
  }

  /**
   * The fields that pass, in runs as long as possible. Where `target` is given, what is sent as Host is made from
   * it (RFC 9112 §3.2.2), in the place where Host stood.
   */
  fields(head: HeadReader, options: ConnectionOptions, target: Target | null): void {
    const { count } = head;
    let hostWritten = target === null;
    let runStart = head.lineStart(0);
    const skip = REMOVED_BITS | this.leaveOut;
    const plain = options.named.size === 0 && (head.seen & skip) === 0 && this.leaveOutAlso === null &&
      !this.leaveOutOverrides;
    if (plain && target === null) {
      this.#copy(head.bytes, runStart, head.lineStart(count));
      return;
    }
    for (let index = 0; index < count; index++) {
      const number = head.number(index);
      if (number === Field.Host && target !== null) {
        if (!hostWritten && hostIs(head, index, target)) {
          hostWritten = true;
          continue;
        }
        this.#copy(head.bytes, runStart, head.lineStart(index));
        if (!hostWritten) this.#host(target);
        hostWritten = true;
      } else if (!plain && this.#leavesOut(head, index, number, options)) {
        this.#copy(head.bytes, runStart, head.lineStart(index));
      } else continue;
      runStart = head.lineStart(index + 1);
    }
    this.#copy(head.bytes, runStart, head.lineStart(count));
    if (!hostWritten) this.#host(target!);
  }

  #leavesOut(head: HeadReader, index: number, number: number, options: ConnectionOptions): boolean {
    if (number === 0) {
      return options.removes(head, index) || this.leaveOutOverrides && overridesTarget(head, index);
    }
    if (number === Field.Upgrade && this.upgrading) return false;
    if (number < 32 && (this.leaveOut & (1 << number)) !== 0) return true;
    if (this.leaveOutAlso !== null && this.leaveOutAlso.has(number)) return true;
    return REMOVED[number] === 1 || options.removes(head, index);
  }

  /** Puts `bytes` in at `at`, in place of as many as `instead`. */
  insert(at: number, bytes: Uint8Array, instead = 0): void {
    this.#reserve(bytes.length);
    this.bytes.copyWithin(at + bytes.length, at + instead, this.length);
    this.bytes.set(bytes, at);
    this.length += bytes.length - instead;
  }

  /** Adds whole lines, each with its CRLF. */
  add(lines: Uint8Array): void {
    this.#reserve(lines.length);
    this.bytes.set(lines, this.length);
    this.length += lines.length;
  }

  /** Adds the line `name: value`. */
  addField(name: string, value: string): void {
    this.#reserve(name.length + value.length + 4);
    this.length = writeText(`${name}: ${value}\r\n`, this.bytes, this.length);
  }

  /** The empty line that ends a head. */
  end(): void {
    this.#reserve(2);
    this.bytes[this.length++] = CR;
    this.bytes[this.length++] = LF;
  }

  #host(target: Target): void {
    this.add(HOST);
    const value = target.authority!.hostField(DEFAULT_PORTS[target.scheme]);
    this.length = writeText(value + "\r\n", this.bytes, this.length);
  }

  #copy(from: Uint8Array, start: number, end: number): void {
    if (start === end) return;
    this.#reserve(end - start);
    this.bytes.set(from.subarray(start, end), this.length);
    this.length += end - start;
  }

  /** Makes sure of `more` bytes and some to spare for a Host. */
  #reserve(more: number): void {
    const needed = this.length + more + START_LINE_ROOM;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2, this.size));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }
}

/** Whether field `index` says, byte for byte, what would be written as Host for the target. */
export function hostIs(head: HeadReader, index: number, target: Target): boolean {
  const { authority } = target;
  if (authority === null) return false;
  const { text } = authority;
  const { bytes } = head;
  const start = head.valueStart(index);
  const length = head.valueEnd(index) - start;
  const wanted = authority.port === DEFAULT_PORTS[target.scheme] ? text.lastIndexOf(":") : text.length;
  if (length !== wanted) return false;
  for (let i = 0; i < length; i++) {
    if (bytes[start + i] !== text.charCodeAt(i)) return false;
  }
  return true;
}
