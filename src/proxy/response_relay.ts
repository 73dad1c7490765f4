/** The origin's response on its way to the client: its head, and its body as it comes. */

import { BodyReader } from "../http/body_reader.ts";
import { wrapChunk } from "../http/chunked.ts";
import { badResponse, HttpError } from "../http/error.ts";
import { CHUNKED, type Framing, UNTIL_CLOSE } from "../http/framing.ts";
import { MEDIUM } from "../net/buffers.ts";
import { Allowance } from "../net/allowance.ts";
import { ENDED, FAILED } from "../net/connection.ts";
import { BufferFit } from "../net/relay.ts";
import { TOO_MANY_UNFINISHED } from "../net/unfinished.ts";
import type { Caching } from "./cache/caching.ts";
import { ClientGone } from "./client_gone.ts";
import type { Usage } from "../policy/rates.ts";
import type { Exchange } from "./exchange.ts";
import { HandOver } from "./cache/hand_over.ts";
import { MAX_INTERIM, passInterim, switchProtocols } from "./interim.ts";
import { LAST_CHUNK, writeLastChunk } from "./last_chunk.ts";
import { Pause } from "./pacing.ts";
import { beginsAnswer, refuseNoAnswer } from "./no_answer.ts";
import { claimForResponse } from "./own_connections.ts";
import { called } from "./parents/parent_error.ts";
import type { Request } from "./request.ts";
import type { Response } from "./response.ts";
import { sendHead, writeResponseHead } from "./response_head.ts";
import type { Session } from "./session.ts";
import type { Reception } from "./cache/storing.ts";
import type { Upload } from "./upload.ts";
import type { Upstream } from "./upstream.ts";

export class ResponseRelay {
  upload: Upload | null = null;
  /** Whether the upstream and the client's connection can be used again; valid after {@link run}. */
  keepUp = false;
  keepDown = false;
  /** Whether not a byte of an answer has come from the origin. */
  silent = true;
  /** The response was about something that is not stored any more: the origin has to be asked anew. */
  again = false;
  /** The upstream connection belongs to who fetches the body from it. */
  handedOver = false;

  #interim = 0;
  #framing: Framing = 0;
  /** How the body is framed for the client. */
  #downFraming: Framing = 0;
  #reader: BodyReader | null = null;
  #persistent = false;
  /** What stands framed in the upstream buffer, and whether the last chunk has still to follow it. */
  framedStart = 0;
  framedEnd = 0;
  #owesLast = false;

  constructor(
    readonly session: Session,
    readonly exchange: Exchange,
    readonly request: Request,
    readonly up: Upstream,
    readonly response: Response,
    readonly caching: Caching | null,
  ) {}

  /**
   * Brings the response to the client. Throws {@link HttpError} for a failure of which the client has not been
   * told; one after its head has been sent ends both connections, so that the client sees that it is not whole.
   */
  async run(): Promise<void> {
    const { up, request, response, session, exchange, upload, caching } = this;
    const { down } = session;
    for (;;) {
      if (up.start === up.end && await this.#more() <= 0) throw this.#lost();
      if (this.silent && exchange.reused && !beginsAnswer(up, response.tolerant)) continue;
      this.silent = false;
      response.begin(up.buffer, up.start);
      while (!response.read(up.end)) {
        if (!response.mayBecome(up.end)) throw badResponse("the origin sent what is no HTTP/1.1");
        if (up.room === 0) up.grow(response, session);
        if (await this.#more() <= 0) throw this.#lost();
      }
      up.grown();
      if (response.odd.length > 0) exchange.odd = response.odd.join(", ");
      response.options.read(response.head);
      if (response.status >= 200) break;
      session.watch.answered();
      if (response.status === 101) {
        if (!await switchProtocols(session, exchange, request, response, up, upload)) this.#cut();
        return;
      }
      await this.#interimResponse();
    }
    session.watch.answered();
    exchange.originStatus = response.status;
    refuseNoAnswer(
      response,
      up,
      request.target.authority!,
      exchange.reused && request.repeatable && this.#interim === 0,
    );
    claimForResponse(session, request, response, up);
    // from here on each step that can do without is no async function of its own: most responses are one read and
    // one write, and every promise between the two costs as much as reading the head
    const reception = this.#begin();
    if (reception === "answer" || reception === "again") return await this.#withdraw(reception);
    const reader = this.#reader!;
    if (reception === "record" && !reader.done) {
      const whole = await this.#handOver();
      if (!whole) this.keepDown = false;
      if (reader.odd.length > 0) {
        this.#quarantine();
        // the record tells what has become of it in the end
        caching!.storing.spoil();
        caching!.status(false);
        session.lingers = whole && down.start !== down.end;
      }
      return;
    }
    down.deadline = session.services.clock.in(session.services.settings.bodyTimeout);
    if (!await this.#sendHead()) return this.#cut();
    if (!reader.done && !await this.#sendRest()) return this.#cut();
    down.deadline = Infinity;
    if (reader.odd.length > 0) this.#quarantine();
    // what follows a complete response is none (RFC 9112 §6.3): such a connection is not used again
    this.keepUp = this.#persistent && up.start === up.end && !up.ended;
    // the client is still sending what nobody reads
    session.lingers = !this.keepDown && (down.start !== down.end || (upload !== null && !upload.done));
  }

  #more(): Promise<number> {
    const { up } = this;
    if (up.start === up.end && !up.reading) up.empty();
    return up.read();
  }

  /** Takes note of an interim response, and sends it on. */
  async #interimResponse(): Promise<void> {
    const { session, exchange, request, response, up, upload } = this;
    if (++this.#interim > MAX_INTERIM) {
      throw badResponse("the origin sent more interim responses than anybody needs");
    }
    response.framing(request.method);
    if (response.status === 100) upload?.proceed();
    if (!await passInterim(session, exchange, request, response)) throw this.#lost();
    if (upload === null) session.watch.beginLater();
    up.start = response.end;
  }

  /** Both connections end after a response that was odd, and the record says how (RFC 9112 §11). */
  #quarantine(): void {
    const { response } = this;
    response.note(this.#reader!.odd);
    this.exchange.odd = response.odd.join(", ");
    this.keepUp = this.keepDown = this.#persistent = false;
  }

  /**
   * Decides how the final response goes on, takes what came of its body, and writes its head. Throws
   * {@link HttpError}.
   */
  #begin(): Reception {
    const { session, request, response, up, upload, exchange, caching } = this;
    exchange.responseAt = performance.now();
    exchange.contentType = response.contentType();
    this.#framing = response.framing(request.method);
    const reader = this.#reader = new BodyReader(
      "response",
      this.#framing,
      session.services.settings,
      response.tolerant,
    );
    this.#downFraming = this.#framing;
    if (this.#framing < 0) this.#downFraming = request.minorVersion === 1 ? CHUNKED : UNTIL_CLOSE;
    const uploaded = upload === null || upload.done;
    // a body whose rest the client still wants to send would be taken for the next request
    this.keepDown = uploaded && request.minorVersion === 1 && !request.options.close &&
      !session.services.draining;
    this.#persistent = uploaded && response.minorVersion === 1 && !response.options.close &&
      this.#framing !== UNTIL_CLOSE && up.odd.length === 0;
    if (response.odd.length > 0) this.#quarantine();
    let reception = caching === null ? "relay" : caching.storing.receive(response, this.#framing, up);
    // may throw: nothing has been sent yet
    if (reader.done) up.start = response.end;
    else this.#take(response.end);
    upload?.stop();
    if (reader.odd.length > 0) {
      this.#quarantine();
      if (reception === "record") reception = caching!.storing.decline();
    }
    if (reception === "answer" || reception === "again") return reception;
    const stores = reception === "record";
    if (stores && reader.done) {
      caching!.storing.keepWhole(response, up.buffer.slice(reader.dataStart, reader.dataEnd), up.address);
    }
    const cacheStatus = caching === null ? null : caching.status(stores);
    writeResponseHead(session, response, cacheStatus, this.#downFraming, this.keepDown);
    exchange.status = response.status;
    return reception;
  }

  /** The response is not what the client gets; what is left of it is not waited for. */
  async #withdraw(reception: "answer" | "again"): Promise<void> {
    const { up, session } = this;
    this.keepUp = this.#persistent && this.#reader!.done && up.start === up.end && !up.ended;
    if (reception === "again") this.again = true;
    else {
      session.up = null;
      this.keepDown = await this.caching!.answer();
    }
  }

  /** From here on the body is fetched for as many as want it. True when this client has got all of it. */
  #handOver(): Promise<boolean> {
    const { session, exchange, response, up, caching } = this;
    const handOver = new HandOver(session, exchange, response, up, this.#reader!, caching!.storing);
    this.handedOver = true;
    return handOver.run(this.#downFraming, this.#persistent);
  }

  /** Sends the head and, in the same write, the first bytes of the body, which stand behind it in the buffer. */
  #sendHead(): Promise<boolean> {
    const { response, exchange } = this;
    const { length } = response.writer;
    const reader = this.#reader!;
    if (reader.framing !== 0) this.#frame();
    const { framedStart: start, framedEnd: end } = this;
    exchange.responseHeadBytes += length;
    exchange.responseBodyBytes += end - start;
    if (this.session.usage !== null) return this.#sendPaced(this.session.usage, start, end);
    return this.#sendFirst(start, end);
  }

  /** The head and what of the body stands there framed. */
  #sendFirst(start: number, end: number): Promise<boolean> {
    const { up, response: { writer } } = this;
    const { length } = writer;
    if (start < length || this.#owesLast) return this.#sendInPieces(start, end);
    up.buffer.set(writer.bytes.subarray(0, length), start - length);
    return this.#writeBuffer(start - length, end);
  }

  /** The same as soon as the client's rate lets it. */
  async #sendPaced(usage: Usage, start: number, end: number): Promise<boolean> {
    const wait = usage.down(this.response.writer.length + end - start, this.session.services.clock.now);
    if (wait > 0) await this.#pause(wait);
    return this.#sendFirst(start, end);
  }

  /** The same where head and body cannot go out at once. */
  async #sendInPieces(start: number, end: number): Promise<boolean> {
    if (!await sendHead(this.session.down, this.response)) return false;
    if (end > start && !await this.#writeBuffer(start, end)) return false;
    return !this.#owesLast || await this.#sendLast();
  }

  /** Sends what is still to come of the body. False when it was cut short. */
  async #sendRest(): Promise<boolean> {
    const { session, up, upload, exchange } = this;
    const { usage, services: { clock, settings } } = session;
    const reader = this.#reader!;
    const fit = new BufferFit(up, MEDIUM);
    // an origin may drip, as event streams do: its client is free to leave
    const allowance = new Allowance(settings.bodyTimeout, 0);
    while (!reader.done) {
      up.empty();
      if (usage !== null) up.readLimit = usage.downRead;
      session.down.deadline = Infinity;
      // while the rest of an upload lies there that nobody reads, the client is heard when it is written to
      if (upload === null || upload.done) session.watch.beginLater();
      up.deadline = clock.in(session.watch.patience(allowance.begin(clock.now)));
      const count = await up.read();
      session.watch.answered();
      if (count === FAILED) return false;
      if (count === ENDED) {
        if (!reader.end()) return false;
        return this.#downFraming !== CHUNKED || await this.#sendLast();
      }
      up.deadline = Infinity;
      session.down.deadline = clock.in(settings.bodyTimeout);
      try {
        this.#take(up.start);
      } catch (error) {
        exchange.error = (error as HttpError).error;
        exchange.details = (error as HttpError).message;
        return false;
      }
      allowance.end(clock.now, reader.dataEnd - reader.dataStart);
      if (allowance.isSpent && !reader.done) {
        up.expire();
        return false;
      }
      this.#frame();
      const { framedStart: start, framedEnd: end } = this;
      exchange.responseBodyBytes += end - start;
      if (usage !== null) {
        const wait = usage.down(end - start, clock.now);
        if (wait > 0) await this.#pause(wait);
      }
      if (end > start && !await this.#writeBuffer(start, end)) return false;
      if (this.#owesLast && !await this.#sendLast()) return false;
      if (!reader.done) {
        up.empty();
        fit.after(count);
      }
    }
    fit.reset();
    up.readLimit = Infinity;
    return true;
  }

  /** Waits, since the client's rate wants it. A client that goes away is noticed, and the origin may rest. */
  async #pause(milliseconds: number): Promise<void> {
    const { session, up, upload } = this;
    const { down, services: { clock, settings } } = session;
    down.deadline = Infinity;
    if (upload === null || upload.done) session.watch.beginLater();
    await new Pause(clock, milliseconds, down, up, settings.halfClosedTimeout, () => {
      up.deadline = Infinity;
    }).over;
    session.watch.answered();
    down.deadline = clock.in(settings.bodyTimeout);
  }

  /** Reads the bytes from `from` as body. Throws {@link HttpError}. */
  #take(from: number): void {
    const { up } = this;
    const reader = this.#reader!;
    reader.read(up.buffer, from, up.end);
    up.start = reader.consumed;
  }

  /** Frames the data that was taken for the client, in place. */
  #frame(): void {
    const { dataStart, dataEnd, done, trailers, framing } = this.#reader!;
    this.framedStart = dataStart;
    this.framedEnd = dataEnd;
    if (this.#downFraming !== CHUNKED) return;
    this.#owesLast = done;
    if (dataEnd === dataStart) return;
    this.framedStart = wrapChunk(this.up.buffer, dataStart, dataEnd);
    this.framedEnd = dataEnd + 2;
    if (!done || trailers !== null || framing !== CHUNKED) return;
    // where the last chunk stood that came is room for the one that goes
    this.up.buffer.set(LAST_CHUNK, this.framedEnd);
    this.framedEnd += LAST_CHUNK.length;
    this.#owesLast = false;
  }

  /** Sends the last chunk of a body that is done, which did not go with its data. */
  #sendLast(): Promise<boolean> {
    const last = writeLastChunk(this.#reader!.trailers, this.response.options);
    this.exchange.responseBodyBytes += last.length;
    this.session.usage?.down(last.length, this.session.services.clock.now);
    return this.session.down.write(last);
  }

  /** Sends a part of the upstream buffer. Whoever is told that it failed has to call {@link #cut}. */
  #writeBuffer(start: number, end: number): Promise<boolean> {
    return this.session.down.write(this.up.buffer.subarray(start, end));
  }

  /** The response cannot be brought to its end: both connections end, so that nobody takes it for whole. */
  #cut(): void {
    const { session: { down }, up, exchange } = this;
    if (this.#reader !== null && this.#reader.odd.length > 0) this.#quarantine();
    exchange.truncated = true;
    if (exchange.error === "") {
      if (down.expired) exchange.details = "the client stopped reading";
      else if (down.error !== null) exchange.details = "the client went away";
      else if (up.expired) {
        exchange.error = "connection_read_timeout";
        exchange.details = "the origin's body stopped coming";
      } else {
        exchange.error = "http_response_incomplete";
        exchange.details = "the origin closed the connection within the body";
      }
    }
    this.keepUp = this.keepDown = false;
    // a write that was given up may still take its bytes from there
    up.bufferLost = true;
    up.close();
    down.close();
  }

  /** What to say when the origin's connection is gone before its answer was there. */
  #lost(): HttpError | ClientGone {
    const { session: { down }, upload, up } = this;
    if (upload?.failure) return upload.failure;
    if (up.givenUp) return new HttpError(503, "connection_limit_reached", TOO_MANY_UNFINISHED);
    if (down.error !== null || down.closed || upload?.clientGone) return new ClientGone();
    if (up.expired && down.ended) return new ClientGone();
    const who = up.asksParent ? called(up.parent!) : this.request.target.authority!.text;
    if (up.expired) {
      return new HttpError(504, "http_response_timeout", `${who} sent no answer in time`);
    }
    const how = this.silent ? "without an answer" : "within the head of its answer";
    return new HttpError(502, "connection_terminated", `${who} closed the connection ${how}`);
  }
}
