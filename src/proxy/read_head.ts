/** The station `read`: a request's head that has not come in one piece, and the room that it needs. */

import { HttpError } from "../http/error.ts";
import { borrow, giveBack, sizeFor, SMALL } from "../net/buffers.ts";
import type { Connection } from "../net/connection.ts";
import { LINGER_TIME } from "../net/lingering_close.ts";
import { TOO_MANY_UNFINISHED, type Unfinished } from "../net/unfinished.ts";
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
  const unfinished: Unfinished = {
    clientKey: session.clientKey,
    giveUp() {
      told ??= tell(session, exchange, new HttpError(503, "connection_limit_reached", TOO_MANY_UNFINISHED));
    },
  };
  down.deadline = services.clock.in(services.settings.headTimeout);
  down.onExpire = () => {
    down.expired = true;
    if (head.begun) told = tell(session, exchange, new HttpError(408, "http_request_error", TOO_LATE));
    else down.close();
  };
  try {
    do {
      if (down.room === 0) {
        const before = down.start;
        giveBack(down.swap(bufferFor(down.end - down.start + 1)));
        head.move(down.buffer, down.start - before);
        const { length } = down.buffer;
        if (length > SMALL) services.unfinished.hold(unfinished, length, services.settings.maxUnfinished);
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
    services.unfinished.letGo(unfinished);
    down.onExpire = null;
  }
}

/** Leaves the head where it is and goes on reading into another buffer; returns the head's. */
export function keepHead(down: Connection): Uint8Array {
  return down.swap(bufferFor(down.end - down.start));
}

/** The smallest buffer that can hold so many bytes. */
function bufferFor(bytes: number): Uint8Array {
  return borrow(sizeFor(bytes + REQUEST_BASE + 16));
}

const TOO_LATE = "the request's head took too long";

/**
 * A head that was begun is not waited for: its time is over (408, RFC 9110 §15.5.9), or there is no room for it (503).
 * That is the end of the connection.
 */
async function tell({ down, services }: Session, exchange: Exchange, error: HttpError): Promise<void> {
  const { bytes, bodyLength } = answerTo(error, services.settings, {
    kind: "text",
    reference: exchange.reference,
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
