/** A body that was recorded, or still is, on its way to a client. */

import { wrapChunk } from "../../http/chunked.ts";
import { CHUNKED, type Framing } from "../../http/framing.ts";
import { borrow, giveBack, LARGE, MEDIUM, WHOLE } from "../../net/buffers.ts";
import type { Exchange } from "../exchange.ts";
import { LAST_CHUNK } from "../last_chunk.ts";
import { Pause } from "../pacing.ts";
import { BODY_DONE, BODY_LOST } from "./recording.ts";
import type { Session } from "../session.ts";

/** Room before a chunk's data for its size, and behind it for the line end and the last chunk. */
const BEFORE_CHUNK = 16;
const AFTER_CHUNK = 16;

/** Where a body is read from. */
export interface BodySource {
  next(): Uint8Array | Promise<void> | typeof BODY_DONE | typeof BODY_LOST;
  took(bytes: number): void;
  leave(): void;
}

/** A part of a body that is there as a whole. */
export class KeptBody implements BodySource {
  #index = 0;
  #offset: number;
  #left: number;

  constructor(readonly pieces: readonly Uint8Array[], first: number, end: number) {
    this.#left = end - first;
    while (this.#left > 0 && first >= pieces[this.#index].length) first -= pieces[this.#index++].length;
    this.#offset = first;
  }

  next(): Uint8Array | typeof BODY_DONE {
    if (this.#left === 0) return BODY_DONE;
    const piece = this.pieces[this.#index];
    return piece.subarray(this.#offset, Math.min(piece.length, this.#offset + this.#left));
  }

  took(bytes: number): void {
    this.#left -= bytes;
    this.#offset += bytes;
    if (this.#offset < this.pieces[this.#index].length) return;
    this.#offset = 0;
    this.#index++;
  }

  leave(): void {}
}

/**
 * Sends a head and the body behind it. True when all of it went out; false when the client has gone, or the body was
 * not recorded to its end: then the connection must not look as if it was.
 *
 * @param head with its empty line
 * @param lastChunk what a chunked body ends with, once it is whole
 */
export async function sendRecorded(
  session: Session,
  exchange: Exchange,
  head: Uint8Array,
  source: BodySource,
  framing: Framing,
  lastChunk = () => LAST_CHUNK,
): Promise<boolean> {
  const { down, services: { clock, settings } } = session;
  const chunked = framing === CHUNKED;
  let owed: Uint8Array | null = head;
  exchange.responseHeadBytes += head.length;
  // an abort or a client that has gone ends the wait for more
  session.reaching = { giveUp: () => source.leave() };
  try {
    for (;;) {
      const piece = source.next();
      if (piece === BODY_LOST || session.gone) return false;
      if (piece === BODY_DONE) {
        down.deadline = clock.in(settings.bodyTimeout);
        if (owed !== null && !await down.write(owed)) return false;
        if (!chunked) return true;
        const last = lastChunk();
        exchange.responseBodyBytes += last.length;
        return await down.write(last);
      }
      if (piece instanceof Promise) {
        down.deadline = clock.in(settings.bodyTimeout);
        if (owed !== null && !await down.write(owed)) return false;
        owed = null;
        down.deadline = Infinity;
        await session.watch.waitFor(piece);
        continue;
      }
      const most = Math.min(session.usage?.downRead ?? Infinity, LARGE - BEFORE_CHUNK - AFTER_CHUNK);
      const bytes = piece.length > most ? piece.subarray(0, most) : piece;
      if (session.usage !== null) {
        const wait = session.usage.down(bytes.length + (owed?.length ?? 0), clock.now);
        if (wait > 0) await pause(session, wait);
      }
      down.deadline = clock.in(settings.bodyTimeout);
      if (!await sendPiece(session, exchange, owed, bytes, chunked)) return false;
      owed = null;
      source.took(bytes.length);
    }
  } finally {
    session.reaching = null;
    down.deadline = Infinity;
    source.leave();
  }
}

async function sendPiece(
  session: Session,
  exchange: Exchange,
  head: Uint8Array | null,
  bytes: Uint8Array,
  chunked: boolean,
): Promise<boolean> {
  const { down } = session;
  if (!chunked && head === null) {
    exchange.responseBodyBytes += bytes.length;
    return await down.write(bytes);
  }
  const needed = (head?.length ?? 0) + BEFORE_CHUNK + bytes.length + AFTER_CHUNK;
  if (needed > LARGE && head !== null) {
    return await down.write(head) && await sendPiece(session, exchange, null, bytes, chunked);
  }
  const buffer = borrow(needed <= MEDIUM ? MEDIUM : needed <= WHOLE ? WHOLE : LARGE);
  let start = (head?.length ?? 0) + BEFORE_CHUNK;
  let end = start + bytes.length;
  buffer.set(bytes, start);
  if (chunked) {
    start = wrapChunk(buffer, start, end);
    end += 2;
  }
  exchange.responseBodyBytes += end - start;
  if (head !== null) buffer.set(head, start -= head.length);
  const written = await down.write(buffer.subarray(start, end));
  // what was not taken may still be read from there
  if (written) giveBack(buffer);
  return written;
}

async function pause(session: Session, milliseconds: number): Promise<void> {
  const { down, services: { clock, settings } } = session;
  down.deadline = Infinity;
  session.watch.beginLater();
  await new Pause(clock, milliseconds, down, down, settings.halfClosedTimeout, () => {}).over;
  session.watch.answered();
}
