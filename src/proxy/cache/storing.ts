/**
 * The station `store` of one exchange: what the cache makes of the response that its origin gives, and who else is
 * told.
 */

import { type CacheFacts, NO_FACTS } from "../../cache/cache_status.ts";
import { credentialsOf, hasCredentialParameter, withoutCredentials } from "../../cache/credential_fields.ts";
import { fieldsOf } from "../../cache/field_lines.ts";
import type { Finding } from "../../cache/find.ts";
import { freshen, selectedBy, updateByHead } from "../../cache/freshen.ts";
import { ageOf, lifetime, lifetimeOf } from "../../cache/freshness.ts";
import { invalidates } from "../../cache/invalidation.ts";
import { mayHandOn } from "../../cache/sharing.ts";
import {
  isOfOneRequest,
  isPersonal,
  mayStore,
  partOf,
  storedLines,
  updatedLines,
} from "../../cache/storability.ts";
import type { CacheRequest, FieldLine, StoredResponse } from "../../cache/stored_response.ts";
import { matches, varyOf } from "../../cache/vary.ts";
import { HttpError } from "../../http/error.ts";
import { Field } from "../../http/field_names.ts";
import { CHUNKED, type Framing } from "../../http/framing.ts";
import type { HeadWriter } from "../../http/head_writer.ts";
import { copyOf } from "../../http/text.ts";
import { isParentsOwn } from "../parents/parent_answer.ts";
import type { Upstream } from "../upstream.ts";
import { addressIn, ownerOf, urlOf } from "./cache_key.ts";
import { ClientGone } from "../client_gone.ts";
import type { ShelfWriter } from "./disk_shelf.ts";
import type { Failure, Flight, Trouble } from "./flight.ts";
import type { HttpCache } from "./http_cache.ts";
import { Recording } from "./recording.ts";
import { linesOf, reasonOf } from "./response_lines.ts";
import type { Response } from "../response.ts";
import { Variant } from "./variant.ts";

/** The client's own conditions, which weir's take the place of, and its wish for a part of what is to be validated. */
const CONDITIONS: ReadonlySet<number> = new Set([
  Field.IfNoneMatch,
  Field.IfModifiedSince,
  Field.IfRange,
  Field.Range,
]);
/** Those of them that a 304 may answer: it must be about what weir has, not the client. */
const PRECONDITIONS: ReadonlySet<number> = new Set([Field.IfNoneMatch, Field.IfModifiedSince]);
/** Answers that say that the origin is in trouble (RFC 5861 §4). */
const TROUBLE: ReadonlySet<number> = new Set([500, 502, 503, 504]);
/** A body whose length is not known is taken for this long when there has to be room for it, bytes. */
const USUAL_LENGTH = 64 * 1024;

/**
 * What becomes of an origin's response: it goes to the client, or is recorded on its way; something stored is to be
 * sent in its place; or it is of no use, and the origin is asked again without conditions.
 */
export type Reception = "relay" | "record" | "answer" | "again";

export class Storing {
  facts: CacheFacts;
  /** What is to be sent in the place of the response that came. */
  chosen: Variant | null = null;
  /** Others who wait for the response. */
  flight: Flight | null = null;

  #generation: number;
  /** Conditions of weir's own that the request carries. */
  #conditions: readonly FieldLine[] = [];
  /** They were in vain. */
  #again = false;
  #requestTime = 0;
  /** Why the response is not stored unless it says for how long. */
  #noGuess = "";
  /** Whether what comes next for the key will be no more for others than what has come. */
  #lasting = true;
  /** Writes to the disk what is recorded. */
  #shelfWriter: ShelfWriter | null = null;
  /** Others may still join while the body is recorded. */
  #recordedFor: Flight | null = null;
  #spoiled = false;
  /** The head of what is recorded. */
  #recorded: StoredResponse | null = null;

  /** @param key by `keyOf` */
  constructor(
    readonly cache: HttpCache,
    readonly key: string,
    readonly asked: CacheRequest,
    readonly finding: Finding,
  ) {
    this.#generation = cache.generation;
    this.facts = factsOf(finding);
  }

  /** Before the request's head is written: the client's conditions make room for weir's. */
  prepare(writer: HeadWriter): void {
    this.#requestTime = this.cache.clock.now();
    const { finding } = this;
    const asks = finding.kind === "validate" || finding.kind === "stale" || finding.kind === "miss";
    this.#conditions = asks && !this.#again ? finding.fields : [];
    // what is fetched behind the client's back is what others want too, whatever this client has already
    if (this.#conditions.length > 0 || finding.kind === "stale") {
      // a part that is validated is asked for as it was
      const part = "stored" in finding && finding.stored.range !== null;
      writer.leaveOutAlso = part ? PRECONDITIONS : CONDITIONS;
    }
  }

  /** Adds them. */
  addConditions(writer: HeadWriter): void {
    for (const [name, value] of this.#conditions) writer.addField(name, value);
  }

  /**
   * Hears of the origin's response when its head is whole.
   *
   * @param framing of its body
   * @param up where it came from
   */
  receive(response: Response, framing: Framing, up: Upstream): Reception {
    const { cache, key, finding, asked } = this;
    const { status, head } = response;
    const now = cache.clock.now();
    this.facts = { ...this.facts, forwardStatus: status };
    this.#lasting = status !== 304 && status < 500;
    if (isParentsOwn(up, response)) return this.#receiveFromParent(status);
    // a connection to a parent is one for all hosts: of this one it is known what it is if it is named by its address
    const address = up.asksParent ? addressIn(this.#url) : up.address;
    this.#noGuess = cache.mayEstimate(address)
      ? hasCredentialParameter(this.#url) ? "credentials" : ""
      : "no freshness";
    if (finding.kind === "bypass" && finding.forward === "method") {
      for (const url of invalidates(asked.method, status, this.#url, head)) cache.drop(url, ownerOf(key));
      // what it brings itself is newer than that
      this.#generation = cache.generation;
    }
    const isOdd = response.odd.length > 0;
    if (status === 304 && this.#conditions.length > 0) {
      if (!isOdd && this.#freshen(response, now)) return "answer";
      this.#again = true;
      return "again";
    }
    if (finding.kind === "validate" && finding.staleIfError && TROUBLE.has(status)) {
      this.#fallBack(finding.stored as Variant, finding.ttl, "error");
      return "answer";
    }
    if (asked.method === "HEAD" && !isOdd) this.#updateByHead(response, now);
    const reason = this.#judge(response, framing, now);
    if (reason === null) {
      this.facts = { ...this.facts, bypassed: false, reason: "" };
      return "record";
    }
    this.facts = { ...this.facts, reason: this.facts.reason || reason };
    // what the origin does not want to have kept takes the place of what was, if it speaks of that; what HEAD brings
    // has been held against what is stored, unless it was odd
    const compared = asked.method === "HEAD" && status === 200 && response.odd.length === 0;
    const speaks = status < 500 && !isOfOneRequest(status) && !compared;
    if ((finding.kind === "validate" || finding.kind === "stale") && speaks) {
      cache.remove(key, finding.stored as Variant);
    }
    if (this.flight !== null) this.flight.unmodified = status === 304;
    this.land(null);
    return "relay";
  }

  /** What {@link receive} wanted to record turns out to be odd before anybody has heard of it. */
  decline(): Reception {
    this.facts = { ...this.facts, reason: "odd" };
    this.land(null);
    return "relay";
  }

  /** What a parent has made itself is as if the origin had not been reached: what is stored stays as it is. */
  #receiveFromParent(status: number): Reception {
    const { finding } = this;
    if (finding.kind === "validate" && finding.staleIfDisconnected && TROUBLE.has(status)) {
      this.#fallBack(finding.stored as Variant, finding.ttl, "disconnected");
      return "answer";
    }
    this.facts = { ...this.facts, reason: this.facts.reason || "parent" };
    this.#lasting = false;
    this.land(null);
    return "relay";
  }

  /** What is being recorded turns out to be odd: those who read it go on, but no others join, and it is not kept. */
  spoil(): void {
    this.#spoiled = true;
    this.facts = { ...this.facts, reason: "odd" };
    if (this.#recordedFor !== null) this.cache.end(this.key, this.#recordedFor);
    this.#recordedFor = null;
  }

  get #url(): string {
    return urlOf(this.key);
  }

  /** Makes a head of a response that may be stored. The reason why it may not, else `null`. */
  #judge(response: Response, framing: Framing, now: number): string | null {
    const { cache, finding, asked } = this;
    const { behind } = cache.clock;
    // the response to a POST may say of itself that it is what a GET would bring (RFC 9110 §9.3.3)
    const posted = finding.kind === "bypass" && asked.method === "POST";
    if (finding.kind === "bypass" && !posted) return finding.reason;
    // others would have to understand it in the same way (RFC 9112 §11)
    if (response.odd.length > 0) return "odd";
    const { status, head } = response;
    const came = { status, fields: head };
    const judged = mayStore(asked, came, now - behind, posted ? this.#url : null, this.#noGuess);
    if (!judged.store) return finding.kind === "bypass" ? finding.reason : judged.reason;
    // HTTP/1.0 has no chunks: who writes them may mean something else (RFC 9112 §6.1)
    if (framing === CHUNKED && response.minorVersion === 0) return "framing";
    const vary = varyOf(asked, came);
    if (vary === null) return "vary";
    const length = Math.max(framing, 0);
    if (length > cache.longest) return "too large";
    const { budget } = cache;
    const needed = framing < 0 ? USUAL_LENGTH : Math.min(length, cache.keepable);
    if (budget.used + needed > budget.limit) return "no room";
    this.#recorded = {
      status,
      fields: storedLines(linesOf(response, now - behind)),
      requestTime: this.#requestTime,
      responseTime: now,
      behind,
      noEstimate: isPersonal(asked),
      vary,
      length,
      range: partOf(asked, came),
    };
    return null;
  }

  /** A 304 to weir's own conditions (RFC 9111 §4.3.4). False when it is of nothing that is stored. */
  #freshen(response: Response, now: number): boolean {
    const { cache, key, finding, asked } = this;
    const { behind } = cache.clock;
    let variants = cache.variants(key);
    if ("stored" in finding) {
      const selected = finding.stored as Variant;
      // it may have been evicted meanwhile
      variants = [selected, ...variants.filter((each) => each !== selected)];
    }
    const sent = this.#conditions.find(([name]) => name === "If-None-Match")?.[1] ?? "";
    const lines = linesOf(response, now - behind);
    const selected = variants[selectedBy(variants, sent, lines)];
    if (selected === undefined) return false;
    const head = freshen(selected, lines, this.#requestTime, now, sent, behind);
    if (head === null) return false;
    const next = selected.with({ ...head, fields: updatedLines(head.fields, lines) });
    const kept = selected.with({ ...head, fields: storedLines(head.fields) });
    // one that was stored for another request has turned out to be right for this one too
    const vary = varyOf(asked, { status: next.status, fields: fieldsOf(next.fields) });
    const also = vary === null || matches(next, asked)
      ? null
      : selected.with({ ...kept, fields: kept.fields, vary });
    const use = this.#useOf(head.status, head, now - behind);
    if (use === "forget") cache.remove(key, selected);
    if (use === "keep" && cache.isCurrent(key, this.#generation)) {
      cache.replace(key, selected, kept);
      if (also !== null) cache.keep(copyOf(key), also);
    }
    this.chosen = next;
    const stored = use === "keep";
    this.facts = { ...this.facts, stored, ttl: lifetimeOf(next).seconds - ageOf(next, now) };
    this.land(stored ? kept : null);
    return true;
  }

  /** A response to HEAD updates what is stored of GET, or makes it invalid (RFC 9111 §4.3.5). */
  #updateByHead(response: Response, now: number): void {
    const { cache, key, asked, finding } = this;
    if (finding.kind === "bypass" || !cache.isCurrent(key, this.#generation)) return;
    const { behind } = cache.clock;
    const lines = linesOf(response, now - behind);
    for (const variant of cache.variants(key)) {
      // it says nothing of what other requests get
      if (!matches(variant, asked)) continue;
      const head = updateByHead(variant, response.status, lines, this.#requestTime, now, behind);
      if (head === null) {
        if (response.status === 200) cache.remove(key, variant);
        continue;
      }
      const use = this.#useOf(200, head, now - behind);
      if (use === "keep") {
        cache.replace(key, variant, variant.with({ ...head, fields: storedLines(head.fields) }));
      } else if (use === "forget") cache.remove(key, variant);
    }
  }

  /**
   * Whether what is stored is updated. An update may bring what forbids to keep it any longer. One that came for
   * somebody's credentials, and as a response of its own would not be stored for others, says nothing to them: neither
   * its fields, nor that they may still have what is stored (RFC 9111 §3.5).
   */
  #useOf(
    status: number,
    { fields, noEstimate }: StoredResponse,
    received: number,
  ): "keep" | "leave" | "forget" {
    const updated = { status, fields: fieldsOf(fields) };
    const asked = { ...this.asked, method: "GET" };
    const { seconds, heuristic } = lifetime(status, updated.fields.field, received, noEstimate);
    const isGuess = isPersonal(asked) && heuristic && seconds > 0;
    if (!isGuess && mayStore(asked, updated, received, null, this.#noGuess).store) return "keep";
    const anybody = mayStore(withoutCredentials(asked), updated, received, null, this.#noGuess);
    return anybody.store ? "leave" : "forget";
  }

  #fallBack(variant: Variant, ttl: number, trouble: Trouble): void {
    this.chosen = variant;
    this.facts = { ...this.facts, fallback: true, ttl };
    this.#fail({ trouble });
  }

  /** The exchange has failed: tells all who wait for it, and one of them goes on if it is not the origin's fault. */
  failed(error: unknown): void {
    const own = error instanceof ClientGone ||
      error instanceof HttpError && error.error === "http_request_denied";
    this.#fail({ abandoned: own });
  }

  #fail(failure: Failure): void {
    const { flight } = this;
    this.flight = null;
    // that it fails for one client's credentials says nothing of the others
    const own = credentialsOf(this.asked) !== "none";
    if (flight !== null) this.cache.fail(this.key, flight, own ? { abandoned: true } : failure);
  }

  /** Whether what is stored may be sent although the origin gave no answer (RFC 9111 §4.2.4). */
  outlives(error: unknown): boolean {
    const { finding } = this;
    if (finding.kind !== "validate" || !finding.staleIfDisconnected) return false;
    if (!(error instanceof HttpError) || (error.status !== 502 && error.status !== 504)) return false;
    if (error.error === "proxy_loop_detected") return false;
    this.#fallBack(finding.stored as Variant, finding.ttl, "disconnected");
    return true;
  }

  /** Begins to record the body of the response that may be stored. */
  record(response: Response, framing: Framing, address: string): Variant {
    const { cache } = this;
    const recording = new Recording(cache.budget, cache.keepable);
    const variant = new Variant(this.#recorded!, reasonOf(response), address, recording, framing >= 0);
    const writer = this.#shelfWriter = cache.shelf?.writer(copyOf(this.key), variant) ?? null;
    if (writer !== null) recording.tee = (bytes) => writer.append(bytes);
    this.land(variant);
    return variant;
  }

  /** The body was there with the head: the response is kept at once. */
  keepWhole(response: Response, body: Uint8Array, address: string): void {
    const variant = new Variant({ ...this.#recorded!, length: body.length }, reasonOf(response), address, [
      body,
    ]);
    this.#keep(variant);
    this.land(variant);
  }

  /** The recording of a body is over: what is whole is kept. */
  finished(variant: Variant): void {
    const recording = variant.body as Recording;
    const writer = this.#shelfWriter;
    if (recording.state === "whole" && !this.#spoiled && this.cache.isCurrent(this.key, this.#generation)) {
      const head = { ...variant, fields: variant.fields, length: recording.length };
      const pieces = recording.complete ? recording.take() : [];
      const whole = new Variant(head, variant.reason, variant.address, pieces);
      if (recording.complete) this.#keep(whole, writer);
      // what is too long for memory was written as it came
      else if (this.#fits(head)) writer?.finish(whole);
    }
    writer?.abort();
    recording.release();
    if (this.#recordedFor !== null) this.cache.end(this.key, this.#recordedFor);
  }

  #keep(variant: Variant, writer: ShelfWriter | null = null): void {
    const { cache, key } = this;
    if (this.#fits(variant) && cache.isCurrent(key, this.#generation)) {
      cache.keep(copyOf(key), variant, writer);
    }
  }

  /** Whether a part is as long as it says. */
  #fits({ range, length }: StoredResponse): boolean {
    return range === null || length === range.last - range.first + 1;
  }

  /** Tells all who wait for this exchange's response what they may have of it: nothing that the store would not give. */
  land(variant: Variant | null): void {
    const { flight, asked, cache } = this;
    if (flight === null) return;
    this.flight = null;
    const now = cache.clock.now();
    const handedOn = variant !== null && mayHandOn(variant, asked, now) ? variant : null;
    if (handedOn !== null && handedOn.body instanceof Recording) this.#recordedFor = flight;
    // what is stored is no reason to have others ask at once before one has waited in vain, and may be handed on when
    // it is another one who leads
    const lasting = variant === null
      ? this.#lasting
      : flight.waiting > 0 && !mayHandOn(variant, { ...asked, credentials: "none" }, now);
    cache.land(copyOf(this.key), flight, handedOn, now, lasting);
  }
}

/** What is known before the origin is asked. */
export function factsOf(finding: Finding): CacheFacts {
  switch (finding.kind) {
    case "bypass":
      return { ...NO_FACTS, forward: finding.forward, bypassed: true, reason: finding.reason };
    case "miss":
    case "validate":
      return { ...NO_FACTS, forward: finding.reason };
    case "stale":
      return { ...NO_FACTS, forward: "stale" };
    default:
      // nothing that is there answers it after all
      return { ...NO_FACTS, forward: "miss" };
  }
}
