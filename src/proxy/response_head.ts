/** The head that goes to a client in the place of the one that came from an origin. */

import { Field } from "../http/field_names.ts";
import { CHUNKED, type Framing, unpaddedLength } from "../http/framing.ts";
import {
  CONNECTION_CLOSE,
  CONNECTION_UPGRADE,
  HeadWriter,
  TRANSFER_ENCODING_CHUNKED,
} from "../http/head_writer.ts";
import type { Connection } from "../net/connection.ts";
import type { Response } from "./response.ts";
import type { Session } from "./session.ts";

const DATE = 1 << Field.Date;
const CONTENT_LENGTH = 1 << Field.ContentLength;

/**
 * Writes the head of a final response.
 *
 * @param cacheStatus what the cache had to do with it, as a line, if anything
 * @param framing of its body for the client
 * @param persistent whether the client's connection goes on after it
 */
export function writeResponseHead(
  { services, gateway }: Session,
  response: Response,
  cacheStatus: Uint8Array | null,
  framing: Framing,
  persistent: boolean,
): void {
  const { head, writer, status } = response;
  writer.begin(head);
  // a length has no place where there can be no body (RFC 9110 §8.6)
  const length = status === 204 || response.framesNothing ? null : unpaddedLength(head);
  if (status === 204 || length !== null || response.framesNothing) writer.leaveOut = CONTENT_LENGTH;
  writer.statusLine(head, response);
  writer.fields(head, response.options, null);
  if (length !== null) writer.addField("Content-Length", length);
  if ((head.seen & DATE) === 0) writer.add(services.dateLine());
  writer.add(services.via[response.minorVersion]);
  if (cacheStatus !== null) writer.add(cacheStatus);
  if (framing === CHUNKED) writer.add(TRANSFER_ENCODING_CHUNKED);
  if (!persistent) writer.add(CONNECTION_CLOSE);
  writer.end();
  if (gateway === null) return;
  const rewritten = gateway.head(writer.bytes.subarray(0, writer.length));
  writer.length = 0;
  writer.add(rewritten);
}

/** Writes the head of an interim response, which is all of it. */
export function writeInterimHead({ services }: Session, response: Response): void {
  const { head, writer } = response;
  writer.begin(head);
  const upgrading = writer.upgrading = response.status === 101;
  writer.leaveOut = CONTENT_LENGTH;
  writer.statusLine(head, response);
  writer.fields(head, response.options, null);
  if (upgrading) writer.add(CONNECTION_UPGRADE);
  writer.add(services.via[response.minorVersion]);
  writer.end();
}

/** Sends the head that was written. False when the client did not take it. */
export async function sendHead(down: Connection, response: Response): Promise<boolean> {
  const { writer } = response;
  const written = await down.write(writer.bytes.subarray(0, writer.length));
  // the system may still be reading from the old one
  if (!written) response.writer = new HeadWriter(4096);
  return written;
}
