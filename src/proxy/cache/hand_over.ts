/**
 * A response that is stored while it comes: its body is fetched for as many as want it, and the client whose request
 * it answers is one of them. Both connections go on without each other.
 */

import type { BodyReader } from "../../http/body_reader.ts";
import type { Framing } from "../../http/framing.ts";
import { BodyFetch } from "./body_fetch.ts";
import type { Exchange } from "../exchange.ts";
import { leave } from "../kept.ts";
import { writeLastChunk } from "../last_chunk.ts";
import { type BodySource, sendRecorded } from "./recorded_body.ts";
import type { Response } from "../response.ts";
import type { Session } from "../session.ts";
import type { Storing } from "./storing.ts";
import type { Upstream } from "../upstream.ts";

export class HandOver {
  readonly #fetch: BodyFetch;
  readonly #source: BodySource;

  /**
   * Begins to record.
   *
   * @param response whose head has been written
   * @param reader what it has taken of the body stands in the connection's buffer
   */
  constructor(
    readonly session: Session,
    readonly exchange: Exchange,
    readonly response: Response,
    readonly up: Upstream,
    readonly reader: BodyReader,
    storing: Storing,
  ) {
    const variant = storing.record(response, reader.framing, up.address);
    const fetch = this.#fetch = new BodyFetch(session.services, up, reader, storing, variant);
    // who reads from the start has to be there before anything can be let go
    this.#source = fetch.recording.reader()!;
  }

  /**
   * Fetches the body and sends it. The connection to the origin is not the caller's any more. True when the client has
   * got all of it; false when it did not, or there was no more: then its connection is closed.
   *
   * @param framing of the body for the client
   * @param persistent whether the connection to the origin can be used again behind a whole body
   */
  async run(framing: Framing, persistent: boolean): Promise<boolean> {
    const { session, exchange, response, reader } = this;
    const fetch = this.#fetch;
    const { writer } = response;
    const head = writer.bytes.slice(0, writer.length);
    session.up = null;
    const fetched = fetch.run().then((whole) =>
      leave(session.services, this.up, whole && persistent && reader.odd.length === 0)
    );
    // trailers are not kept, but who brought them here gets them
    const lastChunk = () => writeLastChunk(reader.trailers, response.options);
    if (await sendRecorded(session, exchange, head, this.#source, framing, lastChunk)) {
      // the record counts what the origin has sent
      await fetched;
      return true;
    }
    exchange.truncated = true;
    exchange.error = fetch.error;
    exchange.details = fetch.details ||
      (session.down.expired ? "the client stopped reading" : "the client went away");
    session.down.close();
    return false;
  }
}
