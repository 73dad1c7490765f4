/** Telling the origin for whom a request is made: X-Forwarded-For, and Forwarded (RFC 7239) where it is used. */

import { Field } from "../http/field_names.ts";
import type { HeadReader } from "../http/head_reader.ts";
import type { HeadWriter } from "../http/head_writer.ts";

/**
 * Adds the client to what the head says already. A field of its own line is the same as one more member of the
 * list (RFC 9110 §5.3), so that nothing that came is touched. `Forwarded` is added only where somebody before used it.
 */
export function addForwardedFor(writer: HeadWriter, head: HeadReader, client: string): void {
  writer.addField("X-Forwarded-For", client);
  if ((head.seen & (1 << Field.Forwarded)) !== 0 && (writer.leaveOut & (1 << Field.Forwarded)) === 0) {
    writer.addField("Forwarded", client.includes(":") ? `for="[${client}]"` : `for=${client}`);
  }
}
