/**
 * What is stale and was sent all the same is validated behind the client's back (`stale-while-revalidate`,
 * RFC 5861 §3): an exchange without a client, with a line of its own in the log.
 */

import type { Finding } from "../../cache/find.ts";
import { BodyReader } from "../../http/body_reader.ts";
import { HttpError } from "../../http/error.ts";
import { UNTIL_CLOSE } from "../../http/framing.ts";
import { HeadWriter } from "../../http/head_writer.ts";
import { copyOf } from "../../http/text.ts";
import { cacheWords } from "../../cache/cache_status.ts";
import type { Facts } from "../../policy/facts.ts";
import type { Usage } from "../../policy/rates.ts";
import type { Verdict } from "../../policy/verdict.ts";
import type { Asker } from "../asker.ts";
import { BodyFetch } from "./body_fetch.ts";
import { urlOf } from "./cache_key.ts";
import type { Exchange } from "../exchange.ts";
import { copyOfFieldsSent, credentialsIn } from "./fields_sent.ts";
import type { HttpCache } from "./http_cache.ts";
import { MAX_INTERIM } from "../interim.ts";
import { leave, takeKept } from "../kept.ts";
import { beginsAnswer, NotAnswered, refuseNoAnswer } from "../no_answer.ts";
import { connect } from "../reach.ts";
import type { Request } from "../request.ts";
import type { Response } from "../response.ts";
import type { Services } from "../services.ts";
import type { Session } from "../session.ts";
import { Storing } from "./storing.ts";
import { addressToParent, viaForParent, writeRequestHead } from "../request_head.ts";
import type { Upstream } from "../upstream.ts";

/** Exchanges without a client at a time: nobody else bounds them. */
const MAX_BACKGROUNDS = 128;

/**
 * Begins to validate, unless somebody does already. What is needed of the request is copied at once: it may be over
 * before the origin has answered.
 */
export function revalidate(
  session: Session,
  request: Request,
  cache: HttpCache,
  key: string,
  finding: Finding,
): void {
  if (cache.flight(key) !== undefined || request.method !== "GET") return;
  const { backgrounds } = session.services;
  if (backgrounds.size >= MAX_BACKGROUNDS || session.services.draining) return;
  const now = cache.clock.now();
  if (!cache.maySendBackground(key, now)) return;
  const credentials = credentialsIn(session, request);
  const flight = credentials === "key" ? cache.beginAlone(key, now) : cache.begin(key, now) ??
    cache.beginAlone(key, now);
  const asked = { method: "GET", fields: copyOfFieldsSent(session, request), hasBody: false, credentials };
  const storing = new Storing(cache, copyOf(key), asked, finding);
  storing.flight = flight;
  // the session's own writer is still to be used for its answer
  const writer = new HeadWriter(4096);
  writeRequestHead(session, request, writer, storing);
  const background = new Revalidation(session, request, storing, writer.bytes.slice(0, writer.length));
  backgrounds.add(background);
  background.over = background.run();
}

/** An exchange without a client. */
export class Revalidation implements Asker {
  readonly services: Services;
  readonly local: string;
  readonly clientKey: string;
  readonly facts: Facts;
  gone = false;
  /** Resolves when it is over and recorded. */
  over: Promise<void> = Promise.resolve();
  reaching: { giveUp(): void } | null = null;
  verdict: Verdict | null = null;
  usage: Usage | null = null;
  countedOnly: Usage | null = null;
  counted = false;

  readonly #exchange: Exchange;
  readonly #scheme: "http" | "https";
  readonly #via: Uint8Array | null;
  #up: Upstream | null = null;

  constructor(session: Session, request: Request, readonly storing: Storing, readonly bytes: Uint8Array) {
    const { services } = session;
    this.services = services;
    this.local = session.local;
    this.clientKey = session.clientKey;
    this.facts = { ...session.facts };
    this.#scheme = request.target.scheme;
    this.#via = viaForParent(session, request);
    const exchange = this.#exchange = session.begin();
    exchange.kind = "forward";
    exchange.user = this.facts.user ?? "";
    exchange.method = "GET";
    const { authority } = this.facts;
    exchange.target = copyOf(urlOf(storing.key));
    exchange.scheme = this.#scheme;
    exchange.host = authority.host;
    exchange.port = authority.port;
    exchange.headAt = exchange.began;
  }

  /** Ends it at once. */
  stop(): void {
    this.gone = true;
    this.reaching?.giveUp();
    this.#up?.close();
  }

  /** Never rejects. */
  async run(): Promise<void> {
    const { services, storing } = this;
    const exchange = this.#exchange;
    try {
      await this.#fetch();
    } catch (error) {
      storing.failed(error);
      this.#rest();
      exchange.truncated = true;
      if (error instanceof HttpError) {
        exchange.error = error.error;
        exchange.details = error.message;
      } else if (!this.gone) exchange.details = String(error);
    } finally {
      this.usage?.end();
      this.countedOnly?.end();
      storing.land(null);
      services.backgrounds.delete(this);
      exchange.endedAt = performance.now();
      services.observer.finished(exchange);
    }
  }

  async #fetch(): Promise<void> {
    const { authority } = this.facts;
    const exchange = this.#exchange;
    const kept = await takeKept(this, exchange, this.#scheme, null, true);
    if (kept !== undefined) {
      exchange.reused = true;
      const before = kept.received;
      try {
        return await this.#ask(kept);
      } catch (error) {
        // nothing came back on a connection that was kept for too long (RFC 9112 §9.3.1)
        const unheard = kept.received === before || error instanceof NotAnswered;
        if (!unheard || kept.expired || this.gone) throw error;
        exchange.retries++;
        exchange.reused = false;
      }
    }
    await this.#ask(await connect(this, authority, this.#scheme, exchange));
  }

  async #ask(up: Upstream): Promise<void> {
    const { services, facts, storing } = this;
    const { clock, settings } = services;
    const exchange = this.#exchange;
    this.#up = up;
    exchange.parent = up.parent?.name ?? "";
    exchange.originAddress = up.address;
    exchange.originPort = facts.authority.port;
    exchange.connectedAt = performance.now();
    const response = services.borrowResponse();
    const sentBefore = up.sent;
    const receivedBefore = up.received;
    let keeps = false;
    try {
      up.deadline = clock.in(settings.responseTimeout);
      const writer = new HeadWriter(this.bytes.length);
      writer.add(this.bytes);
      if (up.asksParent) addressToParent(writer, facts.authority, up.parent!, this.#via);
      if (!await up.write(writer.bytes.subarray(0, writer.length))) throw lost(facts.authority.text);
      await this.#readHead(up, response);
      exchange.responseAt = performance.now();
      exchange.originStatus = exchange.status = response.status;
      exchange.contentType = response.contentType();
      const framing = response.framing("GET");
      const reader = new BodyReader("response", framing, settings, response.tolerant);
      const persistent = response.minorVersion === 1 && !response.options.close &&
        framing !== UNTIL_CLOSE && up.odd.length === 0;
      let reception = storing.receive(response, framing, up);
      if (reader.done) up.start = response.end;
      else {
        reader.read(up.buffer, response.end, up.end);
        up.start = reader.consumed;
      }
      if (reception === "record" && reader.odd.length > 0) reception = storing.decline();
      if (reception === "record") {
        if (reader.done) {
          storing.keepWhole(response, up.buffer.slice(reader.dataStart, reader.dataEnd), up.address);
        } else {
          const variant = storing.record(response, framing, up.address);
          const fetch = new BodyFetch(services, up, reader, storing, variant, true);
          exchange.truncated = !await fetch.run();
          if (exchange.truncated) this.#rest();
          exchange.error = fetch.error;
          exchange.details = fetch.details;
        }
      }
      // what is stored is no better than before
      if (reception !== "record" && !storing.facts.stored) this.#rest();
      exchange.cache = cacheWords({
        ...storing.facts,
        stored: storing.facts.stored || (reception === "record" && reader.odd.length === 0),
      });
      response.note(reader.odd);
      keeps = persistent && response.odd.length === 0 && reader.done;
    } finally {
      this.#up = null;
      if (response.odd.length > 0) exchange.odd = response.odd.join(", ");
      exchange.upstreamSentBytes += up.sent - sentBefore;
      exchange.upstreamReceivedBytes += up.received - receivedBefore;
      services.giveBackResponse(response);
      up.deadline = Infinity;
      leave(services, up, keeps && !this.gone);
    }
  }

  /** It is not tried again at once. */
  #rest(): void {
    const { cache, key } = this.storing;
    cache.rest(key, cache.clock.now());
  }

  async #readHead(up: Upstream, response: Response): Promise<void> {
    const { authority } = this.facts;
    const { reused } = this.#exchange;
    let begun = !reused;
    for (let interim = 0;;) {
      if (interim > MAX_INTERIM) throw lost(authority.text);
      if (up.start === up.end && !up.reading) up.empty();
      if (up.start === up.end && await up.read() <= 0) throw lost(authority.text);
      if (!begun && !beginsAnswer(up, response.tolerant)) continue;
      begun = true;
      response.begin(up.buffer, up.start);
      while (!response.read(up.end)) {
        if (!response.mayBecome(up.end)) throw lost(authority.text);
        if (up.room === 0) up.grow(response, this);
        if (await up.read() <= 0) throw lost(authority.text);
      }
      up.grown();
      response.options.read(response.head);
      refuseNoAnswer(response, up, authority, reused && interim === 0);
      if (response.status >= 200) return;
      if (response.status === 101) throw lost(authority.text);
      response.framing("GET");
      up.start = response.end;
      interim++;
    }
  }
}

function lost(authority: string): HttpError {
  return new HttpError(502, "http_response_incomplete", `${authority} gave no answer that could be used`);
}
