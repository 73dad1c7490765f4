/** One client connection: its requests one after the other, and what each is handed to. */

import { Authority } from "../http/authority.ts";
import { HttpError } from "../http/error.ts";
import { type IpAddress, parseIp } from "../http/ip_address.ts";
import { giveBack } from "../net/buffers.ts";
import type { Connection } from "../net/connection.ts";
import { lingeringClose } from "../net/lingering_close.ts";
import { UNLISTED } from "../net/roster.ts";
import type { Facts } from "../policy/facts.ts";
import type { Usage } from "../policy/rates.ts";
import type { Verdict } from "../policy/verdict.ts";
import type { Arrival } from "./arrival.ts";
import { ClientGone } from "./client_gone.ts";
import { ClientWatch } from "./client_watch.ts";
import { Exchange, NO_FIELDS } from "./exchange.ts";
import { isSocks, noticeProtocol } from "./first_byte.ts";
import { forward } from "./forward.ts";
import { answerInGateway, enterGateway, type Gateway, sendGatewayError } from "./gateway.ts";
import { ownAnswer } from "./own/own_resources.ts";
import type { OwnConnections } from "./own_connections.ts";
import { keepHead, readHead } from "./read_head.ts";
import type { Request } from "./request.ts";
import { sendError } from "./own/send_answer.ts";
import type { Services } from "./services.ts";
import { socks } from "./socks.ts";
import { tunnel } from "./tunnel.ts";

/** A client whose address nobody can read is trusted with nothing. */
const NOWHERE: IpAddress = { family: 4, bytes: Uint8Array.of(255, 255, 255, 255) };
/** How long a new connection is taken for one whose request is on its way, ms. */
const REQUEST_ON_ITS_WAY = 1_000;
const NO_AUTHORITY = new Authority("", 0, null, "");

/** The facts of the exchange under way; what was of the last one is overwritten. */
type OwnFacts = { -readonly [Fact in keyof Facts]: Facts[Fact] };

export class Session {
  /** Among those of all clients. */
  place = UNLISTED;
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
  /** Of the exchange under way, if it came to a gateway and is not for the gateway's own page. */
  gateway: Gateway | null = null;
  /** Whether no exchange is under way. */
  idle = true;
  /** The connection to the origin of the exchange under way, and before there is one what makes it. */
  up: Connection | null = null;
  reaching: { giveUp(): void } | null = null;
  /** Connections to origins that no other client gets; `null` until there is one. */
  own: OwnConnections | null = null;
  /** Notices when the client goes away meanwhile. */
  readonly watch = new ClientWatch(this);
  /** Whether the client is given time to read its last answer before the connection is closed. */
  lingers = false;

  /** When it began, on the clock's time. */
  readonly #since: number;
  #begun = false;
  #aborted = false;

  /** The client's address. */
  readonly client: string;
  readonly clientPort: number;
  /** What it is counted as. */
  readonly clientKey: string;
  /** The address on which it came in, without brackets. */
  readonly local: string;
  readonly listener: string;

  constructor(readonly services: Services, down: Connection, readonly arrival: Arrival) {
    this.down = down;
    const { client } = arrival;
    this.#since = services.clock.now;
    this.client = client;
    this.clientKey = arrival.clientKey;
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
      if (this.lingers) await lingeringClose(this.down);
    } catch (error) {
      const { stack, message } = error as Error;
      this.services.observer.notice(
        "error",
        `a connection was given up for a fault of weir's own: ${stack ?? message}`,
      );
    } finally {
      this.down.onSettled = this.down.onExpire = null;
      this.own?.end();
      this.down.release();
    }
  }

  /** Whether it is so new that its first request may be on its way. */
  get isNew(): boolean {
    return !this.#begun && this.services.clock.now - this.#since < REQUEST_ON_ITS_WAY;
  }

  /** When it would be ended for its silence; Infinity while an exchange is under way. */
  get idleUntil(): number {
    return this.idle && this.down.start === this.down.end ? this.down.deadline : Infinity;
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
      } else if (await readHead(this, exchange, request)) {
        exchange.headAt = performance.now();
      } else {
        // a client that has said nothing but empty lines has not asked for anything; but no number may be missing
        if (head.begun || !services.takeBack(exchange.number)) {
          this.#finish(exchange, request, "http_request_error", "the client went away within its head");
        }
        return false;
      }
      exchange.fields = head;
      down.deadline = Infinity;
      down.start = head.end;
      buffer = keepHead(down);
      if (this.arrival.gateway) this.gateway = enterGateway(this, exchange, request);
      request.understand(exchange);
      understood = true;
      const again = this.idle = await this.#dispatch(exchange, request);
      this.#finish(exchange, request);
      return again;
    } catch (error) {
      return await this.#failed(exchange, request, error, understood);
    } finally {
      this.letGo(exchange);
      services.giveBackRequest(request);
      if (buffer !== null) giveBack(buffer);
    }
  }

  #dispatch(exchange: Exchange, request: Request): Promise<boolean> {
    switch (request.target.form) {
      case "authority":
        return tunnel(this, exchange, request);
      case "absolute":
        return forward(this, exchange, request);
      default:
        return this.arrival.gateway
          ? answerInGateway(this, exchange, request)
          : ownAnswer(this, exchange, request);
    }
  }

  /**
   * Ends an exchange that went wrong, and tells the client why if it is there. True when another may follow. Throws
   * what is a fault of weir's own.
   *
   * @param understood whether the request's head was
   */
  async #failed(exchange: Exchange, request: Request, error: unknown, understood: boolean): Promise<boolean> {
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
    const { down, arrival: { gateway } } = this;
    if (!request.head.begun && !gateway) noticeProtocol(this, down.buffer[down.start]);
    const send = gateway ? sendGatewayError : sendError;
    // before the head was understood nobody knows where the next request would begin
    const again = this.idle = await send(this, exchange, request, error, !understood);
    this.#finish(exchange, request);
    return again;
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
    // parts of the head's text, which would keep all of it while the connection is idle
    this.facts.method = "";
    this.facts.path = null;
  }

  #countAtEnd(exchange: Exchange, usage: Usage): void {
    const { now } = this.services.clock;
    usage.up(exchange.requestHeadBytes + exchange.requestBodyBytes, now);
    usage.down(exchange.responseHeadBytes + exchange.responseBodyBytes, now);
    usage.end();
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
