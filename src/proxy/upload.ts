/** A request's body on its way to the origin, beside the response that may already be coming back. */

import { BodyReader } from "../http/body_reader.ts";
import { wrapChunk } from "../http/chunked.ts";
import { HttpError } from "../http/error.ts";
import { CHUNKED } from "../http/framing.ts";
import type { HeadWriter } from "../http/head_writer.ts";
import type { ConnectionOptions } from "../http/hop_by_hop.ts";
import { Allowance } from "../net/allowance.ts";
import { type Connection, FAILED } from "../net/connection.ts";
import { BufferFit } from "../net/relay.ts";
import type { Deadlined } from "../net/clock.ts";
import { UNLISTED } from "../net/roster.ts";
import { Pause } from "./pacing.ts";
import type { Request } from "./request.ts";
import type { Session } from "./session.ts";
import { LAST_CHUNK, writeLastChunk } from "./last_chunk.ts";

/** How long the body of a request with `Expect: 100-continue` waits for the origin's word (RFC 9110 §10.1.1), ms. */
const CONTINUE_TIME = 1_000;

export class Upload {
  /** Bytes of the body that came from the client, framing included. */
  taken = 0;
  /** The whole body has gone to the origin. */
  done = false;
  /** What the client is to be told: its body was not valid, too large or too slow. */
  failure: HttpError | null = null;
  /** The client went away within its body. */
  clientGone = false;

  /** Bytes of the body itself, without its framing. */
  #size = 0;
  readonly #reader: BodyReader;
  readonly #options: ConnectionOptions;
  readonly #settings;
  #stopped = false;
  readonly #gate: ContinueGate | null;
  /** Settles when nothing more of the body is going to be sent. */
  #sending: Promise<void> | null = null;
  /** The client's time for what it sends; what weir and the origin take is not counted. */
  readonly #allowance: Allowance;
  /** Until what was read may go on. */
  #pause: Pause | null = null;

  constructor(readonly session: Session, request: Request, readonly up: Connection) {
    const { services } = session;
    this.#settings = services.settings;
    this.#options = request.options;
    this.#reader = new BodyReader("request", request.framing, services.settings);
    this.#allowance = new Allowance(this.#settings.bodyTimeout, this.#settings.minBodyRate);
    this.#gate = request.expectsContinue ? new ContinueGate(session) : null;
  }

  /** Puts what has come of the body behind the head, so that both go out at once. Throws {@link HttpError}. */
  takeFirst(writer: HeadWriter): void {
    const { down } = this.session;
    if (this.#gate !== null || down.start === down.end) return;
    const reader = this.#reader;
    this.#take();
    // it goes out with the head, and what follows waits for it
    this.session.usage?.up(this.taken, this.session.services.clock.now);
    const { dataStart, dataEnd } = reader;
    if (reader.framing === CHUNKED) {
      if (dataEnd > dataStart) {
        writer.add(new TextEncoder().encode((dataEnd - dataStart).toString(16) + "\r\n"));
      }
      writer.add(down.buffer.subarray(dataStart, dataEnd));
      if (dataEnd > dataStart) writer.add(LINE_END);
      if (reader.done) writer.add(writeLastChunk(reader.trailers, this.#options));
    } else {
      writer.add(down.buffer.subarray(dataStart, dataEnd));
    }
  }

  /** Sends the rest, if any, until it is whole or {@link stop} is called. */
  start(): void {
    if (this.#reader.done) return this.#finish();
    this.#sending = this.#run().catch((error) => {
      this.failure = error instanceof HttpError
        ? error
        : new HttpError(500, "proxy_internal_error", String(error));
      // what the origin has got must not look like a whole body
      this.up.close();
    });
  }

  /** Waits until nothing more of the body is going to be sent; whether all of it was. */
  async whole(): Promise<boolean> {
    await this.#sending;
    return this.done;
  }

  /** The origin wants the body. */
  proceed(): void {
    this.#gate?.open();
  }

  /** Sends nothing more. What the client still sends is left to whoever reads on. */
  stop(): void {
    this.#stopped = true;
    this.#gate?.open();
    this.#pause?.end();
    this.session.down.readLimit = Infinity;
    if (!this.done) this.session.down.onExpire = null;
  }

  async #run(): Promise<void> {
    const { session, up } = this;
    const { down, services, usage } = session;
    const { clock } = services;
    const fit = new BufferFit(down);
    if (this.#gate !== null) await this.#gate.opened;
    if (this.#stopped) return;
    down.onExpire = () => this.#clientIsSilent();
    while (!this.#stopped) {
      if (down.start === down.end) {
        up.deadline = Infinity;
        down.deadline = clock.in(this.#allowance.begin(clock.now));
        if (!down.reading) down.empty();
        if (usage !== null) down.readLimit = usage.upRead;
        const count = await down.read();
        if (this.#stopped) return;
        if (count <= 0) return this.#clientHasGone(count);
        down.deadline = Infinity;
      } else this.#allowance.begin(clock.now);
      const count = down.end - down.start;
      const before = this.taken;
      this.#take();
      this.#allowance.end(clock.now, this.#reader.dataEnd > this.#reader.dataStart ? this.taken - before : 0);
      if (this.#allowance.isSpent && !this.#reader.done) return this.#clientIsSilent();
      if (usage !== null) {
        const wait = usage.up(this.taken - before, clock.now);
        if (wait > 0 && !await this.#goOnAfter(wait)) return;
      }
      up.deadline = clock.in(this.#settings.bodyTimeout);
      const sent = await this.#send();
      // the response has come to its end meanwhile, and the deadlines are not this upload's any more
      if (this.#stopped) return;
      if (!sent) {
        // an origin that refuses a body may have said why before it closed
        up.deadline = clock.in(this.#settings.responseTimeout);
        return;
      }
      if (this.#reader.done) {
        fit.reset();
        return this.#finish();
      }
      down.empty();
      fit.after(count);
    }
  }

  /** Waits, since the rate wants it. False when the upload was stopped meanwhile. */
  async #goOnAfter(milliseconds: number): Promise<boolean> {
    const { session, up } = this;
    this.#pause = new Pause(session.services.clock, milliseconds, session.down, up, Infinity, () => {
      up.deadline = Infinity;
    });
    await this.#pause.over;
    this.#pause = null;
    return !this.#stopped;
  }

  /** Reads what is in the client's buffer as body. Throws {@link HttpError}. */
  #take(): void {
    const { down } = this.session;
    const reader = this.#reader;
    reader.read(down.buffer, down.start, down.end);
    this.taken += reader.consumed - down.start;
    this.#size += reader.dataEnd - reader.dataStart;
    down.start = reader.consumed;
    const { maxBodySize } = this.#settings;
    if (maxBodySize > 0 && this.#size > maxBodySize) {
      throw new HttpError(413, "http_request_error", `a body of more than ${maxBodySize} bytes`);
    }
  }

  async #send(): Promise<boolean> {
    const { session: { down }, up } = this;
    const reader = this.#reader;
    let { dataStart: start, dataEnd: end } = reader;
    let last: Uint8Array | null = null;
    if (reader.framing === CHUNKED) {
      if (end > start) {
        start = wrapChunk(down.buffer, start, end);
        end += 2;
      }
      if (reader.done) {
        last = writeLastChunk(reader.trailers, this.#options);
        // the bytes of the last chunk that came make room for the one that goes
        if (last === LAST_CHUNK && end > start) {
          down.buffer.set(LAST_CHUNK, end);
          end += LAST_CHUNK.length;
          last = null;
        }
      }
    }
    if (end > start && !await up.write(down.buffer.subarray(start, end))) {
      down.bufferLost = true;
      return false;
    }
    return last === null || await up.write(last);
  }

  #finish(): void {
    const { session, up } = this;
    this.done = true;
    session.down.onExpire = null;
    session.down.deadline = Infinity;
    session.down.readLimit = Infinity;
    up.deadline = session.services.clock.in(this.#settings.responseTimeout);
    session.watch.begin();
  }

  #clientHasGone(count: number): void {
    this.clientGone = true;
    if (count === FAILED) this.session.down.close();
    this.up.close();
  }

  #clientIsSilent(): void {
    const how = this.#allowance.isReduced ? "came too slowly" : "stopped coming";
    this.failure = new HttpError(408, "http_request_error", `the request's body ${how}`);
    this.#stopped = true;
    this.up.close();
  }
}

const LINE_END = new Uint8Array([0x0d, 0x0a]);

/** Opens when the origin says `100 Continue`, or has said nothing for a second. */
class ContinueGate implements Deadlined {
  place = UNLISTED;
  readonly opened: Promise<void>;
  deadline: number;
  readonly #resolve: () => void;

  constructor(readonly session: Session) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.opened = promise;
    this.#resolve = resolve;
    const { clock } = session.services;
    clock.watch(this);
    this.deadline = clock.now + CONTINUE_TIME;
  }

  expire(): void {
    this.open();
  }

  open(): void {
    this.session.services.clock.unwatch(this);
    this.#resolve();
  }
}
