/** A stored response with its body: complete, or still coming. */

import { fieldOf } from "../cache/field_lines.ts";
import type { FieldLine, StoredResponse } from "../cache/stored_response.ts";
import type { ShelvedBody } from "./disk_shelf.ts";
import type { Recording } from "./recording.ts";

/** What a variant costs beside its texts and its body, bytes. */
const BYTES_OF_A_VARIANT = 400;
const BYTES_OF_A_FIELD = 100;
const BYTES_OF_A_PIECE = 120;

/** A whole answer as it went out last, to be sent again within the same second. */
export interface ReadyAnswer {
  readonly age: number;
  readonly bytes: Uint8Array;
  readonly headLength: number;
  /** What names weir in it: another one after a reload. */
  readonly by: unknown;
}

export class Variant implements StoredResponse {
  readonly status: number;
  readonly fields: readonly FieldLine[];
  readonly requestTime: number;
  readonly responseTime: number;
  readonly vary: readonly FieldLine[];
  readonly length: number;
  readonly range: StoredResponse["range"];
  readonly contentType: string;
  /** For a plain GET, kept since the most popular are asked for many times a second. */
  ready: ReadyAnswer | null = null;

  /**
   * @param reason the origin's reason phrase
   * @param address where it came from: an address that may be reached by one client and not by another
   * @param body its pieces, or what they are being recorded by, or where they are read from
   * @param lengthKnown false while it is recorded without a length
   */
  constructor(
    head: StoredResponse,
    readonly reason: string,
    readonly address: string,
    readonly body: readonly Uint8Array[] | Recording | ShelvedBody,
    readonly lengthKnown = true,
  ) {
    this.status = head.status;
    this.fields = head.fields;
    this.requestTime = head.requestTime;
    this.responseTime = head.responseTime;
    this.vary = head.vary;
    this.length = head.length;
    this.range = head.range;
    this.contentType = fieldOf(head.fields, "content-type");
  }

  /** The same response with another head. */
  with(head: StoredResponse): Variant {
    return new Variant(head, this.reason, this.address, this.body);
  }

  /** What it takes in memory, bytes. */
  get size(): number {
    const { body } = this;
    // what is on the disk takes nothing here
    const length = body instanceof Array ? this.length : 0;
    let size = BYTES_OF_A_VARIANT + length;
    for (const [name, value] of this.fields) size += BYTES_OF_A_FIELD + name.length + value.length;
    for (const [name, value] of this.vary) size += BYTES_OF_A_FIELD + name.length + value.length;
    if (body instanceof Array) size += body.length * BYTES_OF_A_PIECE;
    // of the answer that is ready, small bodies are the only ones that are kept twice
    return length <= READY_LENGTH ? size + length : size;
  }
}

/** Bodies up to this length are kept ready with their heads. */
export const READY_LENGTH = 16 * 1024;
