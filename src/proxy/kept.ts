/** Connections that were kept for the next request to the same origin: which of them a request gets, and which stay. */

import type { Asker } from "./asker.ts";
import { ClientGone } from "./client_gone.ts";
import type { Exchange } from "./exchange.ts";
import { judgeAt, obey, passes } from "./judgement.ts";
import type { OwnConnections } from "./own_connections.ts";
import type { Services } from "./services.ts";
import { poolKey, type Upstream, type Wanted } from "./upstream.ts";

/** A kept connection, or `undefined` where there is none; a promise only where a request has to wait for it. */
export type Taken = Upstream | undefined | Promise<Upstream | undefined>;

/**
 * A kept connection, if there is one to an address that this request may reach, and to which its name still leads: it
 * was made for another one, maybe of another client. Throws {@link HttpError} when the request's rates refuse it, and
 * {@link ClientGone}.
 *
 * @param own those that belong to the client connection, which come before all others
 * @param shared whether one may be taken that is shared among clients
 */
export function takeKept(
  asker: Asker,
  exchange: Exchange,
  wanted: Wanted,
  own: OwnConnections | null,
  shared: boolean,
): Taken {
  const { services: { parents }, facts: { authority } } = asker;
  if (own !== null && own.has(wanted, authority)) return takeOwn(asker, exchange, wanted, own, shared);
  return shared
    ? takeBy(poolKey(parents.firstWay(authority), wanted, authority), asker, exchange)
    : undefined;
}

async function takeOwn(
  asker: Asker,
  exchange: Exchange,
  wanted: Wanted,
  own: OwnConnections,
  shared: boolean,
): Promise<Upstream | undefined> {
  const { services: { parents }, facts: { authority } } = asker;
  const ways = parents.waysTo(authority);
  for (const asksParent of wanted === "http" ? [true, false] : [false]) {
    const kept = await takeBy(own.key(asksParent, wanted, authority), asker, exchange);
    if (kept === undefined) continue;
    if (ways === null ? kept.parent === null : ways.includes(kept.parent)) return kept;
    // the routes are others by now
    kept.release();
  }
  return await takeKept(asker, exchange, wanted, null, shared);
}

/** One that the pool knows by this key. */
function takeBy(key: string, asker: Asker, exchange: Exchange): Taken {
  const { pool, clock } = asker.services;
  const kept = pool.take(key);
  if (kept === undefined) return undefined;
  const { named } = kept;
  if (named !== null && clock.now >= named.askFrom) {
    if (clock.now >= named.waitFrom) return takeNamed(key, asker, exchange, kept);
    if (!named.asking) askAbout(asker, kept);
  }
  return judged(key, asker, exchange, kept);
}

/** The first whose name still leads where it does. */
async function takeNamed(
  key: string,
  asker: Asker,
  exchange: Exchange,
  first: Upstream,
): Promise<Upstream | undefined> {
  const { pool, resolver } = asker.services;
  for (let kept: Upstream | undefined = first; kept !== undefined; kept = pool.take(key)) {
    const { named } = kept;
    if (named !== null) {
      asker.reaching = named;
      await named.ask(resolver, asker.facts.client);
      asker.reaching = null;
    }
    if (asker.gone) {
      leave(asker.services, kept, true);
      throw new ClientGone();
    }
    // the pool has not watched it meanwhile
    const { closed, ended, error, start, end } = kept;
    if (!named?.gone && !closed && !ended && error === null && start === end) {
      return judged(key, asker, exchange, kept);
    }
    kept.release();
  }
  return undefined;
}

/** Finds out whether the connection's name still leads there, beside the request that goes out on it. */
function askAbout({ services: { parents, resolver, pool }, facts }: Asker, up: Upstream): void {
  const named = up.named!;
  const asked = named.ask(resolver, facts.client).then(() => {
    if (named.gone) pool.drop(up);
  });
  parents.inBackground(asked, () => named.giveUp());
}

function judged(key: string, asker: Asker, exchange: Exchange, kept: Upstream): Upstream | undefined {
  const { pool } = asker.services;
  const verdict = judgeAt(asker, kept.address);
  if (passes(verdict)) {
    try {
      obey(asker, exchange, verdict);
      return kept;
    } catch (error) {
      // its rates refuse it: the connection is for who comes later
      pool.park(key, kept);
      throw error;
    }
  }
  pool.park(key, kept);
  // a new connection has all addresses of the name to choose from
  return undefined;
}

/**
 * What becomes of a connection when its exchange is over: the one place that decides whether it is used again, and that
 * by its owner alone where it has one.
 *
 * @param reusable whether the exchange has come to its end on both sides
 */
export function leave(services: Services, up: Upstream, reusable: boolean): void {
  const { owner, named, start, end, ended } = up;
  const wanted = reusable && start === end && !ended && !services.draining &&
    !(owner?.over ?? false) && !(named?.gone ?? false);
  if (wanted) services.pool.park(up.key, up);
  else up.release();
}
