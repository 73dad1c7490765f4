/**
 * Connections to origins that a user may have authenticated (NTLM, Negotiate: RFC 4559): each belongs to the one client
 * connection that it was used for, as if the client had made it itself.
 */

import { asksToAuthenticateConnection, authenticatesConnection } from "../http/auth_scheme.ts";
import type { Authority } from "../http/authority.ts";
import type { Pool } from "../net/pool.ts";
import type { Request } from "./request.ts";
import type { Response } from "./response.ts";
import type { Session } from "./session.ts";
import type { Owner, Upstream, Wanted } from "./upstream.ts";

/** Origins to which one client connection has connections of its own; the oldest makes room. */
const MAX_ORIGINS = 8;

/** Tells the owners of a process apart. */
let owners = 0;

/**
 * The connections of one client connection. Between two requests they wait in the pool under keys that no other client
 * connection has, so that its limits and its watch hold for them too.
 */
export class OwnConnections implements Owner {
  over = false;
  /** Tells the cache for which client the origin answers, where no field of the request does. */
  readonly name = `connection ${++owners}`;
  /** Oldest first. */
  readonly #keys: string[] = [];

  /** @param user of the proxy for whom they are; another one on the same client connection does not get them */
  constructor(readonly pool: Pool<Upstream>, readonly user: string | null) {}

  /** What the pool knows one by: whatever way it takes, but for whether it leads to a parent itself. */
  key(asksParent: boolean, wanted: Wanted, { text }: Authority): string {
    return `${this.name}${asksParent ? "#" : ""} ${wanted === "https" ? "https:" : ""}${text}`;
  }

  /** Whether one waits for the next request to this origin. */
  has(wanted: Wanted, authority: Authority): boolean {
    return this.pool.has(this.key(false, wanted, authority)) ||
      this.pool.has(this.key(true, wanted, authority));
  }

  /** The connection is used for this client connection alone from now on. */
  claim(up: Upstream, wanted: Wanted, authority: Authority): void {
    up.owner = this;
    const key = up.key = this.key(up.asksParent, wanted, authority);
    const known = this.#keys.indexOf(key);
    if (known >= 0) this.#keys.splice(known, 1);
    if (this.#keys.push(key) > MAX_ORIGINS) this.pool.dropAll(this.#keys.shift()!);
  }

  /** Closes those that wait; what is under way is closed at its end. */
  end(): void {
    this.over = true;
    for (const key of this.#keys.splice(0)) this.pool.dropAll(key);
  }
}

/** The connections that this client connection has for the user of the exchange under way. */
export function ownOf(session: Session): OwnConnections | null {
  const { own } = session;
  if (own === null || own.user === session.facts.user) return own;
  own.end();
  return session.own = null;
}

/**
 * Whether the origin may know the user of this request by the connection: one that the user has authenticated, or
 * authenticates with this request. Its answer is not for other clients then.
 */
export function speaksByConnection(session: Session, { head, target }: Request): boolean {
  return authenticatesConnection(head) || (ownOf(session)?.has(target.scheme, target.authority!) ?? false);
}

/** Before a request goes out on `up`: one that may authenticate the connection takes it away from all other clients. */
export function claimForRequest(session: Session, request: Request, up: Upstream): void {
  if (authenticatesConnection(request.head)) claim(session, request, up);
}

/** When an answer has come on `up`: a client that is asked to authenticate the connection does so on this one. */
export function claimForResponse(session: Session, request: Request, response: Response, up: Upstream): void {
  if (response.status === 401 && asksToAuthenticateConnection(response.head)) claim(session, request, up);
}

function claim(session: Session, { target }: Request, up: Upstream): void {
  const own = ownOf(session) ?? (session.own = new OwnConnections(session.services.pool, session.facts.user));
  own.claim(up, target.scheme, target.authority!);
}
