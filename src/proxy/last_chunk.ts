/** The end of a chunked body: the last chunk, and the trailers that may be sent on (RFC 9112 §7.1.2). */

import type { HeadReader } from "../http/head_reader.ts";
import { allowedInTrailers, type ConnectionOptions } from "../http/hop_by_hop.ts";
import { bytesOf } from "../http/text.ts";

export const LAST_CHUNK: Uint8Array = bytesOf("0\r\n\r\n");

/**
 * The last chunk with these trailers; {@link LAST_CHUNK} itself when there are none.
 *
 * @param options what the Connection of the message's head says, which counts for its trailers too
 */
export function writeLastChunk(trailers: HeadReader | null, options: ConnectionOptions): Uint8Array {
  if (trailers === null) return LAST_CHUNK;
  let text = "0\r\n";
  for (let index = 0; index < trailers.count; index++) {
    if (allowedInTrailers(trailers, index, options)) {
      text += trailers.name(index) + ": " + trailers.value(index) + "\r\n";
    }
  }
  return bytesOf(text + "\r\n");
}
