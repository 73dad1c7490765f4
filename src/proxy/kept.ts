/** Connections that were kept for whoever wants the same origin next. */

import type { Asker } from "./asker.ts";
import type { Exchange } from "./exchange.ts";
import { judgeAt, obey, passes } from "./judgement.ts";
import { poolKey, type Upstream, type Wanted } from "./upstream.ts";

/**
 * A kept connection, if there is one to an address that this request may reach: it was made for another one, maybe of
 * another client. Throws {@link HttpError} when the request's rates refuse it.
 */
export function takeKept(asker: Asker, exchange: Exchange, wanted: Wanted): Upstream | undefined {
  const { services: { pool, parents }, facts: { authority } } = asker;
  const key = poolKey(parents.firstWay(authority), wanted, authority);
  const kept = pool.take(key);
  if (kept === undefined) return undefined;
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
