/**
 * The station `find` of one exchange: what the cache has to say before the origin is asked, and what it sends in the
 * place of the origin's response.
 */

import { requestDirectivesOf } from "../../cache/cache_control.ts";
import { NO_FACTS } from "../../cache/cache_status.ts";
import { find, type Finding } from "../../cache/find.ts";
import { ageOf } from "../../cache/freshness.ts";
import type { CacheFacts } from "../../cache/cache_status.ts";
import { mayTake } from "../../cache/sharing.ts";
import type { CacheRequest, Credentials } from "../../cache/stored_response.ts";
import { HttpError } from "../../http/error.ts";
import { Field } from "../../http/field_names.ts";
import type { Clock, Deadlined } from "../../net/clock.ts";
import { UNLISTED } from "../../net/roster.ts";
import { keyOf } from "./cache_key.ts";
import { ClientGone } from "../client_gone.ts";
import type { Exchange } from "../exchange.ts";
import { credentialsIn, fieldsSent, takesUncoded } from "./fields_sent.ts";
import type { Flight } from "./flight.ts";
import type { HttpCache } from "./http_cache.ts";
import { judgeStored, passes } from "../judgement.ts";
import type { Request } from "../request.ts";
import { speaksByConnection } from "../own_connections.ts";
import { revalidate } from "./revalidation.ts";
import type { Session } from "../session.ts";
import { factsOf, Storing } from "./storing.ts";
import { isUnconditional, serveStored } from "./stored_answer.ts";
import { tellOf } from "./told.ts";
import type { Variant } from "./variant.ts";

export class Caching {
  /** What is done about the origin's response; there once it is to be asked. */
  storing!: Storing;

  #finding!: Finding;
  readonly #asked: CacheRequest & { credentials: Credentials | undefined };
  readonly #key: string;
  /** What others will be told who wait for this exchange. */
  #flight: Flight | null = null;
  /** Until when it may wait for others, on the cache's clock; 0 before it does. */
  #waitsUntil = 0;

  constructor(
    readonly session: Session,
    readonly exchange: Exchange,
    readonly request: Request,
    readonly cache: HttpCache,
  ) {
    const { method, framing } = request;
    this.#asked = {
      method,
      fields: fieldsSent(session, request),
      hasBody: framing !== 0,
      // a hit does not depend on them
      credentials: undefined,
      takesUncoded: takesUncoded(request.head),
    };
    this.#key = keyOf(session, exchange, request);
    this.#look();
  }

  #look(): void {
    this.#finding = find(this.cache.variants(this.#key), this.#asked, this.cache.clock.now());
  }

  /**
   * Answers from the store if it may, or with what another exchange is fetching: resolves with whether the client's
   * connection can go on, or with `null` when the origin has to be asked; `null` at once when that is clear.
   * Throws {@link HttpError}.
   */
  fromStore(): Promise<boolean | null> | null {
    const { cache } = this;
    const finding = this.#finding;
    const key = this.#key;
    if (finding.kind === "hit" || finding.kind === "stale") return this.#serveFound();
    if (finding.kind === "unsatisfiable") {
      throw this.#unsatisfiable();
    }
    this.#asked.credentials = credentialsIn(this.session, this.request);
    if (this.#shares()) {
      const now = cache.clock.now();
      const flight = cache.flight(key);
      if (flight === undefined || !flight.takes(now)) this.#flight = cache.begin(key, now);
      else if (this.#waits) return this.#join(flight);
    }
    return null;
  }

  #unsatisfiable(): HttpError {
    this.exchange.cache = "unsatisfiable";
    const why = "nothing that is stored answers this, and the request is only-if-cached";
    return new HttpError(504, "http_request_denied", why);
  }

  /** The origin is going to be asked. Throws {@link HttpError} where the request does not want that. */
  begin(): Storing {
    // that something is there for others is told nobody
    if (requestDirectivesOf(this.#asked.fields).onlyIfCached) throw this.#unsatisfiable();
    this.#lookAtPermitted();
    this.#asked.credentials ??= credentialsIn(this.session, this.request);
    this.storing = new Storing(this.cache, this.#key, this.#asked, this.#finding);
    this.storing.flight = this.#flight;
    return this.storing;
  }

  /** What came from where this client may not reach is as good as not there: neither its words nor its bytes. */
  #lookAtPermitted(): void {
    const variants = this.cache.variants(this.#key);
    const permitted = variants.filter(({ address }) => {
      const verdict = judgeStored(this.session, address);
      return verdict !== null && passes(verdict);
    });
    if (permitted.length < variants.length) {
      this.#finding = find(permitted, this.#asked, this.cache.clock.now());
    }
  }

  /** Whether others may wait for what this exchange fetches, and it for them. */
  #shares(): boolean {
    const { method, head } = this.request;
    const { kind } = this.#finding;
    // a part is nobody else's wish, and HEAD brings nothing that others could use
    if (method !== "GET" || kind !== "miss" && kind !== "validate" || head.find(Field.Range) >= 0) {
      return false;
    }
    // what is fetched with a client's key is that client's, and a stream of events has no end
    const { credentials } = this.#asked;
    if (credentials === "key" || head.values(Field.Accept).includes("text/event-stream")) return false;
    // nor is it known of a page that is asked for with cookies, unless it was stored before
    return credentials === "none" || this.cache.variants(this.#key).length > 0;
  }

  /** Whether it may wait for others: a reload wants to see for itself. */
  get #waits(): boolean {
    const { head } = this.request;
    return head.find(Field.Pragma) < 0 && !requestDirectivesOf(head).noCache;
  }

  #serveFound(): Promise<boolean | null> | null {
    const finding = this.#finding;
    if (finding.kind !== "hit" && finding.kind !== "stale") return null;
    // in the background there is no connection that is the client's own
    if (finding.kind === "stale" && !speaksByConnection(this.session, this.request)) {
      revalidate(this.session, this.request, this.cache, this.#key, finding);
    }
    const { age, ttl } = finding;
    return this.#serve(finding.stored as Variant, age, { ...NO_FACTS, ttl }, false);
  }

  #serve(variant: Variant, age: number, facts: CacheFacts, validated: boolean) {
    const { session, exchange, request } = this;
    const served = serveStored(session, exchange, request, this.#asked, variant, age, facts, validated);
    if (served !== null && !facts.collapsed) this.cache.used(this.#key, variant);
    return served;
  }

  /**
   * Waits for another exchange's response, and is answered with it if it is for this request too. If that exchange
   * ends for reasons of its own, another one that waits takes its place. One that takes too long is not waited for: the
   * first who has waited in vain leads those who come from then on.
   */
  async #join(flight: Flight): Promise<boolean | null> {
    const { cache } = this;
    this.#waitsUntil = cache.clock.now() + cache.longestWait;
    for (;;) {
      const served = await this.#wait(flight);
      if (served !== null) return served;
      this.#look();
      const found = await this.#serveFound();
      const late = !flight.landed;
      // those that have conditions too would be told one after the other that nothing has changed
      const another = late || flight.abandoned || flight.unmodified && isUnconditional(this.request);
      if (found !== null || !another || !this.#shares()) return found;
      const now = cache.clock.now();
      const next = cache.flight(this.#key);
      if (next === undefined || !next.takes(now)) {
        this.#flight = cache.begin(this.#key, now);
        return null;
      }
      if (late || now >= this.#waitsUntil) return null;
      flight = next;
    }
  }

  async #wait(flight: Flight): Promise<boolean | null> {
    const { session, cache } = this;
    const { clock } = session.services;
    const before = this.#finding;
    const { forward } = factsOf(before);
    const early = !flight.landed;
    const { promise: over, resolve: giveUp } = Promise.withResolvers<void>();
    flight.join(giveUp);
    session.reaching = { giveUp };
    const left = Math.min(flight.until, this.#waitsUntil) - cache.clock.now();
    const limit = early ? new Limit(clock, clock.in(Math.max(left, 0)), giveUp) : null;
    try {
      await session.watch.waitFor(over);
    } finally {
      limit?.lift();
      session.reaching = null;
      flight.leave(giveUp);
    }
    if (session.gone) throw new ClientGone();
    const { variant, trouble } = flight;
    if (variant !== null) {
      const finding = find([variant], this.#asked, cache.clock.now());
      if (mayTake(finding, this.#asked, early)) {
        const facts = { ...NO_FACTS, forward, collapsed: true, ttl: finding.ttl };
        return await this.#serve(variant, finding.age, facts, false);
      }
    }
    if (before.kind !== "validate") return null;
    // an origin that is in trouble is not asked by each of many
    const outlives = trouble !== "" && before.staleIfError ||
      trouble === "disconnected" && before.staleIfDisconnected;
    if (!outlives) return null;
    const facts = { ...NO_FACTS, forward, collapsed: true, fallback: true, ttl: before.ttl };
    return await this.#serve(before.stored as Variant, before.age, facts, false);
  }

  /** Sends what is stored in the place of the origin's response. Throws {@link HttpError}. */
  async answer(): Promise<boolean> {
    const { chosen, facts } = this.storing;
    const served = await this.#serve(chosen!, ageOf(chosen!, this.cache.clock.now()), facts, !facts.fallback);
    if (served !== null) return served;
    throw new HttpError(502, "http_protocol_error", "what is stored does not answer this request after all");
  }

  /** The line that says what the cache had to do with a response that is relayed; the word for the log too. */
  status(stored: boolean): Uint8Array {
    const { facts } = this.storing;
    const told = tellOf(this.session.services.settings.pseudonym, stored ? { ...facts, stored } : facts);
    this.exchange.cache = told.words;
    return told.line;
  }
}

/** Ends a wait that takes too long. */
class Limit implements Deadlined {
  place = UNLISTED;

  /** @param deadline on the clock's time */
  constructor(readonly clock: Clock, public deadline: number, readonly over: () => void) {
    clock.watch(this);
  }

  expire(): void {
    this.over();
  }

  /** It is not needed any more. */
  lift(): void {
    this.clock.unwatch(this);
  }
}
