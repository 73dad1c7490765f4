/** A response's head, what it says, and the head that is made of it. */

import { Field } from "../http/field_names.ts";
import { HeadWriter } from "../http/head_writer.ts";
import { ConnectionOptions } from "../http/hop_by_hop.ts";
import { ResponseReader } from "../http/response_reader.ts";
import { copyOf } from "../http/text.ts";

/** Room for most heads; a writer that has grown beyond it is not kept. */
const WRITER_SIZE = 4096;

const CONTENT_TYPE = 1 << Field.ContentType;

export class Response extends ResponseReader {
  readonly options = new ConnectionOptions();
  writer = new HeadWriter(WRITER_SIZE);

  #contentType = "";

  /** The media type as the origin wrote it, or `""`. The same few come again and again and are not made anew. */
  contentType(): string {
    const { head } = this;
    if ((head.seen & CONTENT_TYPE) === 0) return "";
    const index = head.find(Field.ContentType);
    const start = head.valueStart(index);
    const length = head.valueEnd(index) - start;
    const last = this.#contentType;
    let same = length === last.length ? 0 : -1;
    while (same >= 0 && same < length) {
      same = head.bytes[start + same] === last.charCodeAt(same) ? same + 1 : -1;
    }
    // a copy: a part of the head's text would keep all of it for as long as this is kept for the next exchange
    return same === length ? last : this.#contentType = copyOf(head.value(index));
  }

  /** Lets go of what belongs to the exchange, for the next one. False when it is not worth keeping. */
  release(): boolean {
    this.forget();
    return this.writer.bytes.length <= WRITER_SIZE * 4;
  }
}
