/** Closing so that the peer can still read what it was sent. */

import { borrow, SMALL } from "./buffers.ts";
import type { Connection } from "./connection.ts";

/** What is still read of a peer that was answered before it had sent all, bytes, and for how long, ms. */
const LINGER_BYTES = 1024 * 1024;
export const LINGER_TIME = 2_000;

/**
 * Sends what there is to send, and reads on for a while before the connection is closed: closing while the peer's
 * bytes lie unread would reset the connection and take the last answer away (RFC 9112 §9.6). Not while a write is
 * under way. Never rejects.
 */
export async function lingeringClose(connection: Connection): Promise<void> {
  await connection.closeWrite();
  if (connection.bufferLost && !connection.reading) {
    // the system may still be sending from it to somebody else
    connection.empty();
    connection.swap(borrow(SMALL));
    connection.bufferLost = false;
  }
  connection.deadline = connection.clock.in(LINGER_TIME);
  const until = connection.received + LINGER_BYTES;
  while (!connection.closed && !connection.ended && connection.received < until) {
    if (!connection.reading) connection.empty();
    if (await connection.read() <= 0) break;
  }
  connection.close();
}
