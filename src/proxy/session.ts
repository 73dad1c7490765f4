/** One client connection: its requests one after the other, and what each is handed to. */

import { Authority } from "../http/authority.ts";
import { HttpError } from "../http/error.ts";
import { type IpAddress, parseIp } from "../http/ip_address.ts";
import { borrow, giveBack, LARGE, MEDIUM, SMALL } from "../net/buffers.ts";
import type { Connection } from "../net/connection.ts";
import type { Facts } from "../policy/facts.ts";
import type { Usage } from "../policy/rates.ts";
import type { Verdict } from "../policy/verdict.ts";
import { type Arrival, REQUEST_BASE } from "./arrival.ts";
import { type Answer, answerTo, pageKind, withBody } from "./answer.ts";
import { ClientGone } from "./client_gone.ts";
import { Exchange, NO_FIELDS } from "./exchange.ts";
import { forward } from "./forward.ts";
import { answerGatewayPage, enterGateway, type Gateway, gatewayError } from "./gateway.ts";
import { ownAnswer } from "./own_resources.ts";
import { Request } from "./request.ts";
import type { Services } from "./services.ts";
import { socks } from "./socks.ts";
import { tunnel } from "./tunnel.ts";

/** What is still read of a client that was answered before its request was whole: bytes and ms. */
const LINGER_BYTES = 1024 * 1024;
const LINGER_TIME = 2_000;

/** A client whose address nobody can read is trusted with nothing. */
const NOWHERE: IpAddress = { family: 4, bytes: Uint8Array.of(255, 255, 255, 255) };
const NO_AUTHORITY = new Authority("", 0, null, "");

const TLS_HANDSHAKE = 0x16;
const SOCKS_4 = 0x04;
const SOCKS_5 = 0x05;

/** The facts of the exchange under way; what was of the last one is overwritten. */
type OwnFacts = { -readonly [Fact in keyof Facts]: Facts[Fact] };

export class Session {
  /** The client's connection. */
  readonly down: Connection;
  /** What the policy is asked about, and what it last said. */
  readonly facts: OwnFacts;
  verdict: Verdict | null = null;
  /** What the exchange under way takes of the rates, where there are any, and whether it is counted yet. */
  usage: Usage | null = null;
  counted = false;
  /** The same where nothing is refused and nothing waits: its bytes are counted at the end. */
  countedOnly: Usage | null = null;
  /** What the answers of the exchange under way are rewritten by; `null` where they are not. */
  gateway: Gateway | null = null;
  /** Whether no exchange is under way. */
  idle = true;
  /** The connection to the origin of the exchange under way, and before there is one what makes it. */
  up: Connection | null = null;
  reaching: { giveUp(): void } | null = null;
  /** Whether the client is given time to read its last answer before the connection is closed. */
  lingers = false;

  #begun = false;
  /** The answer to a head that took too long, until it has gone out. */
  #late: Promise<void> | null = null;
  #aborted = false;
  /** An exchange waits for another one. */
  #waits = false;

  /** The client's address. */
  readonly client: string;
  readonly clientPort: number;
  /** The address on which it came in, without brackets. */
  readonly local: string;
  readonly listener: string;

  constructor(readonly services: Services, down: Connection, readonly arrival: Arrival) {
    this.down = down;
    const { client } = arrival;
    this.client = client;
    this.clientPort = arrival.clientPort;
    this.local = arrival.local;
    this.listener = arrival.listener;
    const clientIp = parseIp(client) ?? NOWHERE;
    this.facts = { client, clientIp, user: null, method: "", authority: NO_AUTHORITY, path: null };
  }

  /** Serves the connection until it is over. Never rejects. */
  async run(): Promise<void> {
    try {
      while (await this.#next());
      if (this.lingers) await this.#linger();
    } catch (error) {
      const { stack, message } = error as Error;
      this.services.observer.notice(
        "error",
        `a connection was given up for a fault of weir's own: ${stack ?? message}`,
      );
    } finally {
      this.down.onSettled = this.down.onExpire = null;
      this.down.release();
    }
  }

  /** Ends an idle session, which waits for a request that is not wanted any more. */
  endIfIdle(): void {
    if (this.idle) this.down.close();
  }

  /** Ends the session at once, whatever it is doing. */
  abort(): void {
    this.#aborted = true;
    this.reaching?.giveUp();
    this.up?.close();
    this.down.close();
  }

  /** Whether nobody is there any more who could read an answer. */
  get gone(): boolean {
    return this.down.closed || this.down.error !== null;
  }

  /** One exchange. True when another may follow. */
  async #next(): Promise<boolean> {
    const { down, services } = this;
    if (down.start === down.end) {
      if (services.draining) return false;
      if (!down.reading) down.empty();
      const { keepAliveTimeout, headTimeout } = services.settings;
      down.deadline = services.clock.in(this.#begun ? keepAliveTimeout : headTimeout);
      if (await down.read() <= 0) return false;
    }
    this.idle = false;
    const first = !this.#begun;
    this.#begun = true;
    if (first && isSocks(down.buffer[down.start]) && services.settings.socks && !this.arrival.gateway) {
      await socks(this);
      return false;
    }
    const exchange = this.begin();
    const request = services.borrowRequest();
    let buffer: Uint8Array | null = null;
    let understood = false;
    try {
      const { head } = request;
      head.begin(down.buffer, down.start);
      if (head.read(down.end)) {
        exchange.headAt = exchange.began;
      } else if (await this.#readHead(exchange, request)) {
        exchange.headAt = performance.now();
      } else {
        // a client that has said nothing but empty lines has not asked for anything
        if (head.begun) {
          this.#finish(exchange, request, "http_request_error", "the client went away within its head");
        }
        return false;
      }
      exchange.fields = head;
      down.deadline = Infinity;
      down.start = head.end;
      buffer = this.#keepHead();
      if (this.arrival.gateway) this.gateway = enterGateway(this, exchange, request);
      request.understand(exchange);
      understood = true;
      const again = await this.#dispatch(exchange, request);
      this.idle = again;
      this.#finish(exchange, request);
      return again;
    } catch (error) {
      if (error instanceof ClientGone) {
        exchange.truncated = true;
        exchange.details = error.message;
        this.#finish(exchange, request);
        return false;
      }
      if (!(error instanceof HttpError)) {
        this.#finish(exchange, request, "proxy_internal_error", String(error));
        throw error;
      }
      if (!request.head.begun) this.#recognise(down.buffer[down.start]);
      // before the head was understood nobody knows where the next request would begin
      const again = await this.answer(exchange, request, error, !understood);
      this.idle = again;
      this.#finish(exchange, request);
      return again;
    } finally {
      this.letGo(exchange);
      services.giveBackRequest(request);
      if (buffer !== null) giveBack(buffer);
    }
  }

  /** The record of an exchange that begins. */
  begin(): Exchange {
    const exchange = new Exchange(this.services.nextNumber(), Date.now(), performance.now());
    exchange.clientAddress = this.client;
    exchange.clientPort = this.clientPort;
    exchange.through = this.arrival.through;
    exchange.listener = this.listener;
    return exchange;
  }

  /** Lets go of what an exchange had that is over. */
  letGo(exchange: Exchange): void {
    this.up = null;
    this.gateway = null;
    this.verdict = null;
    this.usage?.end();
    if (this.countedOnly !== null) this.#countAtEnd(exchange, this.countedOnly);
    this.usage = this.countedOnly = null;
    this.counted = false;
  }

  #dispatch(exchange: Exchange, request: Request): Promise<boolean> {
    switch (request.target.form) {
      case "authority":
        return tunnel(this, exchange, request);
      case "absolute":
        return forward(this, exchange, request);
      default:
        return this.arrival.gateway
          ? answerGatewayPage(this, exchange, request)
          : ownAnswer(this, exchange, request);
    }
  }

  #countAtEnd(exchange: Exchange, usage: Usage): void {
    const { now } = this.services.clock;
    usage.up(exchange.requestHeadBytes + exchange.requestBodyBytes, now);
    usage.down(exchange.responseHeadBytes + exchange.responseBodyBytes, now);
    usage.end();
  }

  /** Reads until the head is whole. False when the client has gone or has taken too long. */
  async #readHead(exchange: Exchange, request: Request): Promise<boolean> {
    const { down, services } = this;
    const { head } = request;
    down.deadline = services.clock.in(services.settings.headTimeout);
    down.onExpire = () => this.#headIsLate(exchange, request);
    try {
      do {
        if (down.room === 0) {
          const before = down.start;
          giveBack(down.swap(this.#bufferFor(down.end - down.start + 1)));
          head.move(down.buffer, down.start - before);
        }
        const count = await down.read();
        if (this.#late !== null) {
          // bytes may have come at the same time as the end of it: the answer still has to go out
          await this.#late;
          return false;
        }
        if (count <= 0) return false;
      } while (!head.read(down.end));
      return true;
    } finally {
      down.onExpire = null;
    }
  }

  /** The smallest buffer that can hold so many bytes. */
  #bufferFor(bytes: number): Uint8Array {
    const needed = bytes + REQUEST_BASE + 16;
    if (needed <= SMALL) return borrow(SMALL);
    if (needed <= MEDIUM) return borrow(MEDIUM);
    return needed <= LARGE ? borrow(LARGE) : new Uint8Array(needed * 2);
  }

  /** Leaves the head where it is and goes on reading into another buffer; returns the head's. */
  #keepHead(): Uint8Array {
    const { down } = this;
    return down.swap(this.#bufferFor(down.end - down.start));
  }

  /** The time for a head is over: 408 for one that was begun (RFC 9110 §15.5.9), silence for none. */
  #headIsLate(exchange: Exchange, request: Request): void {
    const { down, services } = this;
    down.expired = true;
    if (!request.head.begun) return down.close();
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
    // a client that reads nothing either has had its time
    down.onExpire = null;
    down.deadline = services.clock.in(LINGER_TIME);
    exchange.responseHeadBytes = bytes.length - bodyLength;
    exchange.responseBodyBytes = bodyLength;
    this.#late = down.write(bytes).then(() => down.close());
  }

  /** Tells the operator of a client that speaks another protocol. */
  #recognise(first: number): void {
    if (this.arrival.gateway) return;
    const { observer } = this.services;
    if (first === TLS_HANDSHAKE) {
      observer.notice(
        "warning",
        `${this.client} began with TLS: give it http://${this.listener} as its proxy, not https://`,
      );
    } else if (isSocks(first)) {
      observer.notice(
        "warning",
        `${this.client} spoke SOCKS, which --no-socks has turned off: set ${this.listener} as its HTTP proxy instead`,
      );
    }
  }

  /**
   * Reads on while an exchange waits for its origin, so that a client that goes away is noticed. What it sends
   * stays in the buffer for the next exchange. Not while a body is to be read.
   */
  watch(): void {
    const { down } = this;
    if (down.start !== down.end || down.ended || down.reading) return;
    down.empty();
    down.onSettled = this.#onClient;
    down.read();
  }

  /**
   * The same for a client that sends nothing more, and an exchange that may be over at once: a read that is cut off
   * costs more than the rest of a short connection, so that it begins only when the origin takes its time.
   */
  watchLater(): void {
    const { down, services } = this;
    if (down.start !== down.end || down.ended || down.reading) return;
    down.onExpire = this.#onLater;
    down.deadline = services.clock.now;
  }

  readonly #onLater = (down: Connection): void => {
    down.onExpire = null;
    this.watch();
  };

  /** The origin has answered: the client's deadlines are those of reading the answer. */
  answered(): void {
    const { down } = this;
    if (down.onExpire !== this.#onLater) return;
    down.onExpire = null;
    down.deadline = Infinity;
  }

  readonly #onClient = (down: Connection): void => {
    down.onSettled = null;
    const { up } = this;
    // a reset says that nobody reads the answer any more; an end may come from one that still does
    if (down.error !== null) {
      this.reaching?.giveUp();
      up?.close();
    } else if (down.ended) {
      if (up !== null) up.deadline = Math.min(up.deadline, this.services.clock.in(this.patience(Infinity)));
      else if (this.#waits) this.#waitNoLonger();
    }
  };

  /**
   * Waits for what another exchange brings, which must settle when `reaching` is given up. A client that goes away
   * meanwhile is noticed; one that has closed its sending side is given as long as anywhere else.
   */
  async waitFor(promise: Promise<unknown>): Promise<void> {
    const { down } = this;
    this.#waits = true;
    if (down.ended) this.#waitNoLonger();
    else this.watchLater();
    try {
      await promise;
    } finally {
      this.#waits = false;
      this.answered();
      if (down.onExpire === this.#onPatienceOver) {
        down.onExpire = null;
        down.deadline = Infinity;
      }
    }
  }

  #waitNoLonger(): void {
    const { down, services } = this;
    down.onExpire = this.#onPatienceOver;
    down.deadline = services.clock.in(services.settings.halfClosedTimeout);
  }

  readonly #onPatienceOver = (down: Connection): void => {
    down.onExpire = null;
    down.error ??= new Error("the client went away");
    this.reaching?.giveUp();
    down.close();
  };

  /** How long the exchange under way may stand still: less when the client seems to have gone. */
  patience(milliseconds: number): number {
    return this.down.ended ? Math.min(milliseconds, this.services.settings.halfClosedTimeout) : milliseconds;
  }

  /** Sends an own answer. True when the connection can go on. */
  answer(exchange: Exchange, request: Request, error: HttpError, close: boolean): Promise<boolean> {
    if (this.arrival.gateway) error = gatewayError(error);
    exchange.error = error.error;
    exchange.details = error.message;
    const closing = this.#closes(request, close);
    const answer = answerTo(error, this.services.settings, {
      kind: pageKind(request.head.complete ? request.head.field("accept") : ""),
      number: exchange.number,
      withoutBody: request.method === "HEAD",
      close: closing,
    });
    return this.#send(exchange, error.status, answer, closing);
  }

  /** Sends an own answer that is no error. True when the connection can go on. */
  answerWith(exchange: Exchange, request: Request, fields: string[], body: Uint8Array): Promise<boolean> {
    const closing = this.#closes(request, false);
    const answer = withBody([...fields, ...(closing ? ["Connection: close"] : [])], body);
    return this.#send(exchange, Number(fields[0].slice(9, 12)), answer, closing);
  }

  /**
   * Whether the connection ends after an own answer: unread bodies are not waited for, and what follows a CONNECT
   * that is refused may have been meant for the tunnel.
   */
  #closes(request: Request, close: boolean): boolean {
    return close || request.framing !== 0 || request.minorVersion === 0 || request.options.close ||
      request.method === "CONNECT" || this.services.draining;
  }

  async #send(exchange: Exchange, status: number, answer: Answer, close: boolean): Promise<boolean> {
    const { down, services } = this;
    const { bytes, bodyLength } = answer;
    exchange.status = status;
    exchange.ownAnswer = true;
    this.answered();
    down.deadline = services.clock.in(services.settings.bodyTimeout);
    const written = await down.write(bytes);
    if (written) {
      exchange.responseHeadBytes = bytes.length - bodyLength;
      exchange.responseBodyBytes = bodyLength;
    } else exchange.truncated = true;
    this.lingers = written && close;
    return written && !close;
  }

  /**
   * Closes so that the client can still read what it was sent: closing while its bytes lie unread would reset the
   * connection and take the answer away (RFC 9112 §9.6).
   */
  async #linger(): Promise<void> {
    const { down, services } = this;
    await down.closeWrite();
    if (down.bufferLost && !down.reading) {
      // the system may still be sending from it to the origin
      down.empty();
      down.swap(borrow(SMALL));
      down.bufferLost = false;
    }
    down.deadline = services.clock.in(LINGER_TIME);
    const until = down.received + LINGER_BYTES;
    while (!down.closed && !down.ended && down.received < until) {
      if (!down.reading) down.empty();
      if (await down.read() <= 0) break;
    }
    down.close();
  }

  #finish(exchange: Exchange, request: Request, error = "", details = ""): void {
    this.finish(exchange, error, details);
    request.head.release();
  }

  /**
   * Gives the record of an exchange that is over to the observer.
   *
   * @param error why it is over and did not end well, unless that has been said, an RFC 9209 type, and in words
   */
  finish(exchange: Exchange, error = "", details = ""): void {
    if (error !== "" && exchange.error === "") {
      exchange.error = error;
      exchange.details = details;
      exchange.truncated = true;
    }
    if (this.#aborted && exchange.truncated) {
      exchange.error = "";
      exchange.details = "the proxy was stopped";
    }
    exchange.endedAt = performance.now();
    this.services.observer.finished(exchange);
    exchange.fields = NO_FIELDS;
  }
}

/** Whether a connection that begins so is one of SOCKS, which no method of HTTP begins with. */
function isSocks(first: number): boolean {
  return first === SOCKS_4 || first === SOCKS_5;
}
