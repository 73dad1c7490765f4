/**
 * Brings a response's body from its origin into a recording, at the pace of whoever reads it and of nobody in
 * particular: the client that asked first may leave, and the others go on.
 */

import type { BodyReader } from "../../http/body_reader.ts";
import { HttpError } from "../../http/error.ts";
import { Allowance } from "../../net/allowance.ts";
import { MEDIUM } from "../../net/buffers.ts";
import { type Connection, ENDED, FAILED } from "../../net/connection.ts";
import { BufferFit } from "../../net/relay.ts";
import type { Recording } from "./recording.ts";
import type { Services } from "../services.ts";
import type { Storing } from "./storing.ts";
import type { Variant } from "./variant.ts";

/** Bytes that are still fetched for the store when nobody waits for them any more. */
const WORTH_FINISHING = 1024 * 1024;
/** How long that may take, ms: nobody is there who would end it. */
const FINISHED_WITHIN = 10_000;

export class BodyFetch {
  /** Why the body was cut short. */
  error = "";
  details = "";

  readonly recording: Recording;

  /** When it is given up, on the clock's time, since nobody waits for it. */
  #until = Infinity;

  constructor(
    readonly services: Services,
    readonly up: Connection,
    /** May have taken a part of the body already, which stands in the connection's buffer. */
    readonly reader: BodyReader,
    readonly storing: Storing,
    /** What {@link Storing.record} has begun. */
    readonly variant: Variant,
    /** Whether it is fetched to its end even if nobody reads it. */
    readonly determined = false,
  ) {
    this.recording = variant.body as Recording;
  }

  /**
   * Reads to the end, and keeps what came if it may. True when the body is whole, and what follows it on the connection
   * is for the caller to judge. A fault of weir's own cuts the body short.
   */
  async run(): Promise<boolean> {
    const { services, recording } = this;
    services.fetches.add(this);
    recording.unwanted = () => {
      if (!this.#goesOnAlone) return this.up.close();
      if (!this.determined) this.#hurry();
    };
    let whole = false;
    try {
      whole = await this.#run();
    } catch (error) {
      if (error instanceof HttpError) this.#failed(error.error, error.message);
      else {
        this.#failed("proxy_internal_error", String(error));
        services.observer.notice("error", `a body was given up for a fault of weir's own: ${error}`);
      }
    }
    services.fetches.delete(this);
    recording.end(whole);
    this.storing.finished(this.variant);
    return whole;
  }

  /** Ends it at once. */
  stop(): void {
    this.up.close();
    this.recording.end(false);
  }

  /** Nobody waits any more: what comes from now on comes soon or not at all, unless somebody joins. */
  #hurry(): void {
    const { up, recording, services: { clock, settings } } = this;
    this.#until = clock.in(FINISHED_WITHIN);
    up.deadline = Math.min(up.deadline, this.#until);
    up.onExpire = () => {
      up.onExpire = null;
      if (recording.wanted && this.#until !== Infinity) {
        this.#until = Infinity;
        up.deadline = clock.in(settings.bodyTimeout);
      } else up.expire();
    };
  }

  async #run(): Promise<boolean> {
    const { up, reader, recording, services: { clock, settings } } = this;
    const fit = new BufferFit(up, MEDIUM);
    // an origin may drip while somebody waits who is free to leave
    const allowance = new Allowance(settings.bodyTimeout, this.determined ? settings.minBodyRate : 0);
    this.#record();
    while (!reader.done) {
      up.deadline = Infinity;
      for (let room; (room = recording.room()) !== null && !up.closed;) await room;
      if (up.closed) return this.#failed("", this.#whyClosed);
      if (!recording.wanted && !this.#goesOnAlone) return this.#failed("", "nobody waits for it any more");
      up.empty();
      if (recording.wanted) this.#until = Infinity;
      up.deadline = Math.min(clock.in(allowance.begin(clock.now)), this.#until);
      const count = await up.read();
      if (count === FAILED && up.closed && !up.expired) return this.#failed("", this.#whyClosed);
      if (count === FAILED) {
        return up.expired
          ? this.#stopped()
          : this.#failed("http_response_incomplete", "the origin closed the connection within the body");
      }
      if (count === ENDED) {
        if (reader.end()) break;
        return this.#failed("http_response_incomplete", "the origin closed the connection within the body");
      }
      reader.read(up.buffer, up.start, up.end);
      if (reader.odd.length > 0) this.storing.spoil();
      up.start = reader.consumed;
      allowance.end(clock.now, reader.dataEnd - reader.dataStart);
      if (allowance.isSpent && !reader.done) return this.#stopped();
      this.#record();
      if (!reader.done) {
        up.empty();
        fit.after(count);
      }
    }
    up.deadline = Infinity;
    up.onExpire = null;
    fit.reset();
    return true;
  }

  /** Records what the reader has taken. */
  #record(): void {
    const { dataStart, dataEnd } = this.reader;
    if (dataEnd > dataStart) this.recording.append(this.up.buffer.subarray(dataStart, dataEnd));
  }

  get #whyClosed(): string {
    return this.recording.wanted ? "the proxy was stopped" : "nobody waits for it any more";
  }

  /** Whether it is fetched on though nobody reads it: to keep it, if that is still possible. */
  get #goesOnAlone(): boolean {
    const { recording, reader: { framing } } = this;
    if (this.determined) return recording.complete;
    return recording.complete && framing > 0 && framing <= recording.keepable &&
      framing - recording.length <= WORTH_FINISHING;
  }

  #stopped(): false {
    return this.#failed("connection_read_timeout", "the origin's body stopped coming");
  }

  #failed(error: string, details: string): false {
    this.error = error;
    this.details = details;
    return false;
  }
}
