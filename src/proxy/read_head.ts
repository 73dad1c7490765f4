/** The station `read`: a request's head that has not come in one piece, and the room that it needs. */

import { HttpError } from "../http/error.ts";
import { borrow, giveBack, LARGE, MEDIUM, SMALL } from "../net/buffers.ts";
import type { Connection } from "../net/connection.ts";
import { LINGER_TIME } from "../net/lingering_close.ts";
import { answerTo } from "./own/answer.ts";
import { REQUEST_BASE } from "./arrival.ts";
import type { Exchange } from "./exchange.ts";
import type { Request } from "./request.ts";
import type { Session } from "./session.ts";

/**
 * Reads until the head is whole. False when the client has gone, or has taken too long and was told so. Throws
 * {@link HttpError} for a head that is none.
 */
export async function readHead(session: Session, exchange: Exchange, request: Request): Promise<boolean> {
  const { down, services } = session;
  const { head } = request;
  let told = null as Promise<void> | null;
  down.deadline = services.clock.in(services.settings.headTimeout);
  down.onExpire = () => {
    down.expired = true;
    if (head.begun) told = tellLate(session, exchange);
    else down.close();
  };
  try {
    do {
      if (down.room === 0) {
        const before = down.start;
        giveBack(down.swap(bufferFor(down.end - down.start + 1)));
        head.move(down.buffer, down.start - before);
      }
      const count = await down.read();
      if (told !== null) {
        // bytes may have come at the same time as the end of it: the answer still has to go out
        await told;
        return false;
      }
      if (count <= 0) return false;
    } while (!head.read(down.end));
    return true;
  } finally {
    down.onExpire = null;
  }
}

/** Leaves the head where it is and goes on reading into another buffer; returns the head's. */
export function keepHead(down: Connection): Uint8Array {
  return down.swap(bufferFor(down.end - down.start));
}

/** The smallest buffer that can hold so many bytes. */
function bufferFor(bytes: number): Uint8Array {
  const needed = bytes + REQUEST_BASE + 16;
  if (needed <= SMALL) return borrow(SMALL);
  if (needed <= MEDIUM) return borrow(MEDIUM);
  return needed <= LARGE ? borrow(LARGE) : new Uint8Array(needed * 2);
}

/** The time for a head that was begun is over: 408 (RFC 9110 §15.5.9), and the end of the connection. */
async function tellLate({ down, services }: Session, exchange: Exchange): Promise<void> {
  const error = new HttpError(408, "http_request_error", "the request's head took too long");
  const { bytes, bodyLength } = answerTo(error, services.settings, {
    kind: "text",
    number: exchange.number,
    withoutBody: false,
    close: true,
  });
  exchange.status = error.status;
  exchange.ownAnswer = true;
  exchange.error = error.error;
  exchange.details = error.message;
  exchange.truncated = true;
  exchange.responseHeadBytes = bytes.length - bodyLength;
  exchange.responseBodyBytes = bodyLength;
  // a client that reads nothing either has had its time
  down.onExpire = null;
  down.deadline = services.clock.in(LINGER_TIME);
  await down.write(bytes);
  down.close();
}
