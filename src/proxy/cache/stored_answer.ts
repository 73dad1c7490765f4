/** A stored response on its way to a client. */

import { ageText, answerFrom } from "../../cache/answer.ts";
import { type CacheFacts, cacheStatus, cacheWords } from "../../cache/cache_status.ts";
import type { CacheRequest, FieldLine } from "../../cache/stored_response.ts";
import { Field } from "../../http/field_names.ts";
import { CHUNKED, type Framing, UNTIL_CLOSE } from "../../http/framing.ts";
import { bytesOf, writeText } from "../../http/text.ts";
import { borrow, giveBack, MEDIUM } from "../../net/buffers.ts";
import type { Verdict } from "../../policy/verdict.ts";
import type { Exchange } from "../exchange.ts";
import { ShelvedBody } from "./disk_shelf.ts";
import { keepHot } from "./hot_answers.ts";
import { judgeStored, obey, passes } from "../judgement.ts";
import { type BodySource, KeptBody, sendRecorded } from "./recorded_body.ts";
import { Recording } from "./recording.ts";
import type { Request } from "../request.ts";
import type { Session } from "../session.ts";
import type { Variant } from "./variant.ts";

/** Standard phrases for what is made of a stored 200. */
const PHRASES: Readonly<Record<number, string>> = {
  206: "Partial Content",
  304: "Not Modified",
  416: "Range Not Satisfiable",
};

/**
 * Sends what a stored response has to say to a request: whole, in part, or that it has not changed. Resolves with
 * whether the client's connection can go on; `null`, or resolves with it, and nothing was sent, when the origin has to
 * be asked after all, because only a part is there, or this client may not reach where it came from. Throws or rejects
 * with {@link HttpError}.
 *
 * @param validated whether the origin has just said that it holds for this request
 */
export function serveStored(
  session: Session,
  exchange: Exchange,
  request: Request,
  asked: CacheRequest,
  variant: Variant,
  age: number,
  facts: CacheFacts,
  validated: boolean,
): Promise<boolean | null> | null {
  // an answer from the store is one from where it came from
  const verdict = judgeStored(session, variant.address);
  if (verdict === null || !passes(verdict)) return null;
  const keepDown = request.minorVersion === 1 && !request.options.close && !session.services.draining;
  const plain = session.gateway === null && keepDown && !validated && request.method === "GET" &&
    facts.forward === null &&
    isUnconditional(request);
  const { hot } = variant;
  const { via } = session.services;
  if (plain && hot !== null && hot.age === age && hot.by === via && session.usage === null) {
    obey(session, exchange, verdict);
    tell(session, exchange, variant, variant.status, facts);
    // the first one of a user may have begun to count
    if (session.usage === null) return sendReady(session, exchange, hot.bytes, hot.headLength);
    return sendPlain(session, exchange, variant, variant.whole!, age, facts);
  }
  const pieces = plain ? variant.whole : null;
  if (pieces === null) {
    return serve(session, exchange, request, asked, variant, age, facts, validated, verdict, keepDown);
  }
  obey(session, exchange, verdict);
  tell(session, exchange, variant, variant.status, facts);
  return sendPlain(session, exchange, variant, pieces, age, facts);
}

/** What most requests get: all of a response that is in memory. */
async function sendPlain(
  session: Session,
  exchange: Exchange,
  variant: Variant,
  pieces: readonly Uint8Array[],
  age: number,
  facts: CacheFacts,
): Promise<boolean> {
  const { length, sent } = variant;
  const { pseudonym } = session.services.settings;
  const rest = `Content-Length: ${length}\r\nAge: ${ageText(age)}\r\nVia: 1.1 ${pseudonym}\r\n` +
    `Cache-Status: ${cacheStatus(pseudonym, facts)}\r\n\r\n`;
  const headLength = sent.length + rest.length;
  const whole = headLength + length;
  const short = whole <= MEDIUM && pieces.length <= 1 && session.usage === null;
  // asked for twice within a second: there may be many more
  const hot = short && variant.isSmall && variant.lastAge === age;
  variant.lastAge = age;
  const bytes = hot ? new Uint8Array(whole) : short ? borrow(MEDIUM) : new Uint8Array(headLength);
  bytes.set(sent);
  writeText(rest, bytes, sent.length);
  if (short) {
    if (length > 0) bytes.set(pieces[0], headLength);
    if (hot) keepHot(variant, { age, bytes, headLength, by: session.services.via });
    const went = await sendReady(session, exchange, bytes.subarray(0, whole), headLength);
    // what was not taken may still be read from there
    if (went && !hot) giveBack(bytes);
    return went;
  }
  const source = new KeptBody(pieces, 0, length);
  if (await sendRecorded(session, exchange, bytes, source, length)) return true;
  cut(session, exchange);
  return false;
}

async function serve(
  session: Session,
  exchange: Exchange,
  request: Request,
  asked: CacheRequest,
  variant: Variant,
  age: number,
  facts: CacheFacts,
  validated: boolean,
  verdict: Verdict,
  keepDown: boolean,
): Promise<boolean | null> {
  const { services } = session;
  const answer = answerFrom(variant, asked, age, validated);
  if (answer === null) return null;
  const { body } = variant;
  const open = body instanceof Recording;
  if (open && answer.status === 206) return null;
  // before anything is held that a refusal would have to give back
  obey(session, exchange, verdict);
  let source: BodySource | null = null;
  if (answer.body !== null) {
    const { first, end } = answer.body;
    if (open) source = body.reader();
    else if (body instanceof ShelvedBody) source = await body.open(first, end);
    else source = new KeptBody(body, first, end);
    if (source === null) return null;
  }
  tell(session, exchange, variant, answer.status, facts);
  const unknown = open && !variant.lengthKnown;
  const framing: Framing = source === null
    ? 0
    : !unknown
    ? answer.body!.end - answer.body!.first
    : request.minorVersion === 1
    ? CHUNKED
    : UNTIL_CLOSE;
  const status = cacheStatus(services.settings.pseudonym, facts);
  const reason = answer.status === variant.status ? variant.reason : PHRASES[answer.status] ?? "";
  const closes = !keepDown || framing === UNTIL_CLOSE;
  const head = headOf(session, answer.status, reason, answer.lines, status, {
    withoutLength: unknown,
    chunked: framing === CHUNKED,
    closes,
  });
  if (source === null) return await sendReady(session, exchange, head, head.length) && !closes;
  if (await sendRecorded(session, exchange, head, source, framing)) return !closes;
  cut(session, exchange);
  return false;
}

/** Whether a GET asks for nothing but the whole response. */
export function isUnconditional({ head }: Request): boolean {
  return head.find(Field.Range) < 0 && head.find(Field.IfNoneMatch) < 0 &&
    head.find(Field.IfModifiedSince) < 0 && head.find(Field.IfMatch) < 0 &&
    head.find(Field.IfUnmodifiedSince) < 0;
}

/** Writes into the record what is sent. */
function tell(
  session: Session,
  exchange: Exchange,
  variant: Variant,
  status: number,
  facts: CacheFacts,
): void {
  exchange.status = status;
  exchange.cache = cacheWords(facts);
  exchange.contentType = variant.contentType;
  exchange.responseAt = performance.now();
  if (exchange.originAddress === "") {
    exchange.originAddress = variant.address;
    exchange.originPort = session.facts.authority.port;
    exchange.reused = false;
  }
}

async function sendReady(
  session: Session,
  exchange: Exchange,
  bytes: Uint8Array,
  headLength: number,
): Promise<boolean> {
  const { down, services: { clock, settings } } = session;
  exchange.responseHeadBytes += headLength;
  exchange.responseBodyBytes += bytes.length - headLength;
  // what it has to wait for is made up for by the next
  session.usage?.down(bytes.length, clock.now);
  down.deadline = clock.in(settings.bodyTimeout);
  if (await down.write(bytes)) {
    down.deadline = Infinity;
    return true;
  }
  cut(session, exchange);
  return false;
}

/** What was not sent whole must not look so. */
function cut(session: Session, exchange: Exchange): void {
  const { down } = session;
  exchange.truncated = true;
  if (exchange.details === "") {
    exchange.details = down.expired
      ? "the client stopped reading"
      : down.error !== null || down.closed
      ? "the client went away"
      : "the response was not fetched to its end";
  }
  down.close();
}

interface HeadOptions {
  withoutLength: boolean;
  chunked: boolean;
  closes: boolean;
}

function headOf(
  session: Session,
  status: number,
  reason: string,
  lines: readonly FieldLine[],
  cache: string,
  { withoutLength, chunked, closes }: HeadOptions,
): Uint8Array {
  let text = `HTTP/1.1 ${status} ${reason}\r\n`;
  for (const [name, value] of lines) {
    if (withoutLength && name.toLowerCase() === "content-length") continue;
    text += `${name}: ${value}\r\n`;
  }
  text += `Via: 1.1 ${session.services.settings.pseudonym}\r\nCache-Status: ${cache}\r\n`;
  if (chunked) text += "Transfer-Encoding: chunked\r\n";
  if (closes) text += "Connection: close\r\n";
  const head = bytesOf(text + "\r\n");
  return session.gateway === null ? head : session.gateway.head(head);
}
