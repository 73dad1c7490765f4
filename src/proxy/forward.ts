/**
 * A plain request: sent to its origin with a rewritten head, its response brought back. The stations `reach`,
 * `send` and `relay` of an exchange in absolute form.
 */

import { Field } from "../http/field_names.ts";
import { HeadWriter } from "../http/head_writer.ts";
import { admit } from "./admit.ts";
import { Caching } from "./cache/caching.ts";
import { ClientGone } from "./client_gone.ts";
import type { Exchange } from "./exchange.ts";
import { leave, takeKept } from "./kept.ts";
import { NotAnswered } from "./no_answer.ts";
import { answersLastForward } from "./max_forwards.ts";
import { answerLastForward } from "./own/own_resources.ts";
import { claimForRequest, ownOf } from "./own_connections.ts";
import { paceHead } from "./pacing.ts";
import type { Way } from "./parents/parent.ts";
import { connect } from "./reach.ts";
import { purge } from "./cache/purge.ts";
import type { Request } from "./request.ts";
import { addressToParent, viaForParent, writeRequestHead } from "./request_head.ts";
import { ResponseRelay } from "./response_relay.ts";
import type { Session } from "./session.ts";
import { Upload } from "./upload.ts";
import type { Upstream } from "./upstream.ts";

const MAX_FORWARDS = 1 << Field.MaxForwards;

/**
 * Carries one plain request out. True when the client's connection can go on. Throws {@link HttpError} for a
 * failure of which the client has not been told yet.
 */
export async function forward(session: Session, exchange: Exchange, request: Request): Promise<boolean> {
  const { services } = session;
  exchange.kind = "forward";
  const admitted = admit(session, exchange, request);
  if (admitted !== null) await admitted;
  if ((request.head.seen & MAX_FORWARDS) !== 0 && answersLastForward(request)) {
    return answerLastForward(session, exchange, request);
  }
  if (session.usage !== null) {
    // what is over a rate waits before others wait for it, and though nobody may have to be asked
    attend(session, request);
    await paceHead(session, session.usage, exchange);
  }
  const { cache } = services;
  // what changes something makes what is stored invalid, whatever else it asks for
  const keeps = cache !== null && !(request.asksUpgrade && request.method === "GET");
  if (!keeps) return await fetch(session, exchange, request, null);
  if (request.method === "PURGE") return await purge(session, exchange, request, cache);
  const caching = new Caching(session, exchange, request, cache);
  const stored = caching.fromStore();
  if (stored !== null) {
    const served = await stored;
    if (served !== null) return served;
  }
  const storing = caching.begin();
  try {
    return await fetch(session, exchange, request, caching);
  } catch (error) {
    if (storing.outlives(error)) return await caching.answer();
    storing.failed(error);
    throw error;
  } finally {
    storing.land(null);
  }
}

/** From here on it is noticed when the client goes away. */
function attend(session: Session, request: Request): void {
  if (request.framing !== 0) return;
  if (request.options.close || request.minorVersion === 0) session.watch.beginLater();
  else session.watch.begin();
}

/** Asks the origin. Throws {@link HttpError} for a failure of which the client has not been told yet. */
async function fetch(
  session: Session,
  exchange: Exchange,
  request: Request,
  caching: Caching | null,
): Promise<boolean> {
  const { services } = session;
  const { target } = request;
  const wanted = request.asksUpgrade && target.scheme === "http" ? "upgrade" : target.scheme;
  attend(session, request);
  const own = ownOf(session);
  // one that cannot be repeated is not entrusted to a connection that may just be closing (RFC 9110 §9.2.2), but where
  // that has been authenticated, which no other is
  const taken = takeKept(session, exchange, wanted, own, request.repeatable);
  let up = taken instanceof Promise ? await taken : taken;
  /** Parents that closed instead of answering. */
  const passedOver: Way[] = [];
  for (;;) {
    const kept = up !== undefined;
    up ??= await connect(session, target.authority!, wanted, exchange, passedOver);
    exchange.reused = kept;
    exchange.parent = up.parent?.name ?? "";
    exchange.originAddress = up.address;
    exchange.originPort = target.authority!.port;
    exchange.connectedAt = kept ? exchange.headAt : performance.now();
    claimForRequest(session, request, up);
    const relay = new ResponseRelay(session, exchange, request, up, services.borrowResponse(), caching);
    session.up = up;
    const sentBefore = up.sent;
    const receivedBefore = up.received;
    try {
      const { writer } = request;
      compose(session, request, up, relay, caching);
      up.deadline = services.clock.in(session.watch.patience(services.settings.responseTimeout));
      if (await up.write(writer.bytes.subarray(0, writer.length))) relay.upload?.start();
      // the system may still be reading from it; and an origin that answers before it closes is heard
      else request.writer = new HeadWriter(writer.bytes.length);
      await relay.run();
      if (!relay.again) return relay.keepDown;
    } catch (error) {
      relay.keepUp = false;
      const unheard = relay.silent || error instanceof NotAnswered;
      if (!unheard || !request.repeatable || up.expired || error instanceof ClientGone) throw error;
      // nothing came back on a connection that was kept for too long: the request was not heard (RFC 9112 §9.3.1);
      // on a new one it may have been, and another parent may fare better
      if (!kept) {
        if (!up.asksParent) throw error;
        passedOver.push(up.parent);
        if (!services.parents.waysTo(target.authority!, passedOver)?.length) throw error;
      }
      exchange.retries++;
    } finally {
      session.up = null;
      exchange.upstreamSentBytes += up.sent - sentBefore;
      exchange.upstreamReceivedBytes += up.received - receivedBefore;
      if (relay.upload !== null) {
        exchange.requestBodyBytes += relay.upload.taken;
        relay.upload.stop();
      }
      services.giveBackResponse(relay.response);
      // those that take a new connection each would otherwise leave one behind each
      if (relay.handedOver) {
        // it is another's, who knows when its body is over
      } else leave(services, up, relay.keepUp && (request.repeatable || !services.pool.has(up.key)));
    }
    up = undefined;
    if (relay.again && own !== null) up = await takeKept(session, exchange, wanted, own, false);
  }
}

/** Writes what goes out first: the head, and in one piece with it what there is of the body. */
function compose(
  session: Session,
  request: Request,
  up: Upstream,
  relay: ResponseRelay,
  caching: Caching | null,
): void {
  writeRequestHead(session, request, request.writer, caching?.storing ?? null);
  if (up.asksParent) {
    addressToParent(request.writer, request.target.authority!, up.parent!, viaForParent(session, request));
  }
  if (request.framing === 0) return;
  relay.upload = new Upload(session, request, up);
  relay.upload.takeFirst(request.writer);
}
