/** A stored response with its body: complete, or still coming. */

import { isSentAlways, omittedFrom } from "../../cache/answer.ts";
import { fieldOf } from "../../cache/field_lines.ts";
import type { Standable, Standing } from "../../cache/freshness.ts";
import { BYTES_OF_A_BUFFER } from "../../cache/memory_store.ts";
import type { FieldLine, StoredResponse } from "../../cache/stored_response.ts";
import { copyOf, decodeText, writeText } from "../../http/text.ts";
import type { ShelvedBody } from "./disk_shelf.ts";
import type { HotAnswer } from "./hot_answers.ts";
import { type Packable, PACKED_SHARE, type Page, roomFor, SMALL_THING } from "./packing.ts";
import type { Recording } from "./recording.ts";

/** What a variant costs beside its bytes: itself, and what is remembered of it while it is asked for. */
const BYTES_OF_A_VARIANT = 400;
const BYTES_OF_A_FIELD = 100;

/** Bodies up to this length are kept in one piece with their heads. */
const SHORT_BODY = 16 * 1024;
/** Bodies up to this length are kept in one piece, so that one write sends them. */
const ONE_PIECE = 128 * 1024;

export class Variant implements Standable, Packable {
  readonly status: number;
  readonly requestTime: number;
  readonly responseTime: number;
  readonly behind: number;
  readonly noEstimate: boolean;
  readonly vary: readonly FieldLine[];
  readonly length: number;
  readonly range: StoredResponse["range"];
  readonly contentType: string;
  readonly reason: string;
  readonly address: string;

  /** The head and behind it the body, if that is short: `extent` bytes from `start` on. */
  bytes: Uint8Array;
  start: number;
  page: Page | null = null;
  /** Its answer, if it is asked for several times a second, and the age at which it was asked for last. */
  hot: HotAnswer | null = null;
  lastAge = -1;
  /** Which one it is of those that were found on the disk; `null` when it came from elsewhere. */
  shelfNumber: number | null = null;
  #standing: Standing | null = null;
  /** How long the status line is with the fields that every answer has, and how long it is with all fields. */
  readonly #sentLength: number;
  readonly #headLength: number;
  /** The body that is not short. */
  readonly #body: readonly Uint8Array[] | Recording | ShelvedBody | null;

  /**
   * @param reason the origin's reason phrase
   * @param address where it came from: an address that may be reached by one client and not by another
   * @param body its pieces, or what they are being recorded by, or where they are read from
   * @param lengthKnown false while it is recorded without a length
   */
  constructor(
    head: StoredResponse,
    reason: string,
    address: string,
    body: readonly Uint8Array[] | Recording | ShelvedBody,
    readonly lengthKnown = true,
  ) {
    this.status = head.status;
    this.requestTime = head.requestTime;
    this.responseTime = head.responseTime;
    this.behind = head.behind ?? 0;
    this.noEstimate = head.noEstimate ?? false;
    this.vary = head.vary.length === 0 ? NO_LINES : head.vary.map(([name, value]) => [own(name), own(value)]);
    this.length = head.length;
    this.range = head.range;
    this.contentType = own(fieldOf(head.fields, "content-type"));
    this.reason = own(reason);
    this.address = own(address);

    const omitted = omittedFrom(head);
    let sent = `HTTP/1.1 ${head.status} ${reason}\r\n`;
    let others = "";
    for (const [name, value] of head.fields) {
      const line = `${name}: ${value}\r\n`;
      if (isSentAlways(head, name.toLowerCase(), omitted)) sent += line;
      else others += line;
    }
    this.#sentLength = sent.length;
    this.#headLength = sent.length + others.length;
    const pieces = body instanceof Array ? body : null;
    const bodyLength = pieces === null ? 0 : lengthOf(pieces);
    // pieces that are not all of it are those of a body that is elsewhere
    const short = pieces !== null && bodyLength <= SHORT_BODY && bodyLength === head.length &&
      !isReady(pieces);
    const extent = this.#headLength + (short ? bodyLength : 0);
    const small = short && extent <= SMALL_THING;
    const { bytes, start } = small ? roomFor(extent) : { bytes: new Uint8Array(extent), start: 0 };
    this.bytes = bytes;
    this.start = start;
    const bodyStart = writeText(others, bytes, writeText(sent, bytes, start));
    if (short) join(pieces, bytes, bodyStart);
    this.#body = short
      ? null
      : pieces !== null && pieces.length > 1 && bodyLength <= ONE_PIECE
      ? [join(pieces, new Uint8Array(bodyLength), 0)]
      : body;
  }

  get standing(): Standing | null {
    return this.#standing;
  }

  set standing(standing: Standing | null) {
    this.#standing = standing;
  }

  /** The same response with another head. */
  with(head: StoredResponse): Variant {
    return new Variant(head, this.reason, this.address, this.body);
  }

  get extent(): number {
    return this.#headLength + (this.#body === null ? this.length : 0);
  }

  /** Whether it is to be packed with others while it is stored. */
  get isSmall(): boolean {
    return this.#body === null && this.extent <= SMALL_THING;
  }

  /** The fields, those that every answer has before those that are made anew or left out. They are read each time. */
  get fields(): readonly FieldLine[] {
    const { bytes, start } = this;
    const end = start + this.#headLength;
    let bits = 0;
    for (let at = start; at < end; at++) bits |= bytes[at];
    const text = decodeText(bytes, start, end, bits >= 0x80);
    const lines: FieldLine[] = [];
    let at = text.indexOf("\r\n") + 2;
    while (at < text.length) {
      const colon = text.indexOf(": ", at);
      const lineEnd = text.indexOf("\r\n", colon);
      lines.push([text.slice(at, colon), text.slice(colon + 2, lineEnd)]);
      at = lineEnd + 2;
    }
    return lines;
  }

  /** Its pieces, or what they are being recorded by, or where they are read from. */
  get body(): readonly Uint8Array[] | Recording | ShelvedBody {
    if (this.#body !== null) return this.#body;
    if (this.length === 0) return NO_PIECES;
    const from = this.start + this.#headLength;
    return [this.bytes.subarray(from, from + this.length)];
  }

  /** The status line and the fields that every answer has, as they are sent. */
  get sent(): Uint8Array {
    return this.bytes.subarray(this.start, this.start + this.#sentLength);
  }

  /** The pieces of a complete response with a body, be it an empty one, that is in memory; else `null`. */
  get whole(): readonly Uint8Array[] | null {
    const { status } = this;
    if (this.range !== null || status === 204 || status === 206 || status === 304) return null;
    const { body } = this;
    return body instanceof Array ? body : null;
  }

  /** What it takes in memory, bytes. */
  get size(): number {
    let size = BYTES_OF_A_VARIANT;
    size += this.isSmall ? Math.ceil(this.extent * PACKED_SHARE) : BYTES_OF_A_BUFFER + this.extent;
    for (const [name, value] of this.vary) size += BYTES_OF_A_FIELD + name.length + value.length;
    const body = this.#body;
    if (body instanceof Array) size += this.length + body.length * BYTES_OF_A_BUFFER;
    return size;
  }
}

const NO_LINES: readonly FieldLine[] = [];
const NO_PIECES: readonly Uint8Array[] = [];

function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}

/** Whether a body is one piece as it has to be: to copy it beside its head would cost more than its buffer does. */
function isReady(pieces: readonly Uint8Array[]): boolean {
  return pieces.length === 1 && pieces[0].length > SMALL_THING &&
    pieces[0].length === pieces[0].buffer.byteLength;
}

function join(pieces: readonly Uint8Array[], into: Uint8Array, at: number): Uint8Array {
  for (const piece of pieces) {
    into.set(piece, at);
    at += piece.length;
  }
  return into;
}

/** Texts that many responses share: each is kept once. */
const shared = new Map<string, string>();
const MAX_SHARED = 1024;
const MAX_SHARED_LENGTH = 256;

/** The text in memory of its own, which it shares with those that are equal. */
function own(text: string): string {
  const known = shared.get(text);
  if (known !== undefined) return known;
  const copy = copyOf(text);
  if (copy.length <= MAX_SHARED_LENGTH) {
    if (shared.size >= MAX_SHARED) shared.clear();
    shared.set(copy, copy);
  }
  return copy;
}
