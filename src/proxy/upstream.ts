/** A connection on which an origin is asked, and the way that it takes. */

import type { Authority } from "../http/authority.ts";
import type { Scheme } from "../http/target.ts";
import { borrow, giveBack, LARGE } from "../net/buffers.ts";
import { Connection } from "../net/connection.ts";
import type { NamedAddress } from "./named_address.ts";
import type { Parent, Way } from "./parents/parent.ts";

/** The owner of a connection that no other client may use. */
export interface Owner {
  /** Whether the owner has gone: the connection is of no use any more. */
  readonly over: boolean;
}

export class Upstream extends Connection {
  /** The parent through which it goes, or that it leads to. */
  parent: Parent | null = null;
  /** Whether it leads to the parent itself, which gets requests in absolute form. */
  asksParent = false;
  /** What was odd about the answer that opened its tunnel: such a connection serves one exchange and no more. */
  odd: readonly string[] = [];
  /** What the pool knows it by; `""` when it is no connection to be kept. */
  key = "";
  /** Set when a user may have authenticated it: no other client may use it from then on. */
  owner: Owner | null = null;
  /** The name that led to the address it was dialled at; `null` when that was asked for by address. */
  named: NamedAddress | null = null;
  /** Bytes of empty lines that came before answers. */
  skipped = 0;

  /** Goes on in a larger buffer with a head that does not fit. Not while a read is under way. */
  grow(head: { move(bytes: Uint8Array, delta: number): void }): void {
    const before = this.start;
    const { length } = this.buffer;
    giveBack(this.swap(length < LARGE ? borrow(LARGE) : new Uint8Array(length * 2)));
    head.move(this.buffer, this.start - before);
  }
}

/** How a request wants to go: as one to fetch, to tunnel, or to leave HTTP by an upgrade. */
export type Wanted = Scheme | "upgrade" | "tunnel";

/**
 * Whether requests go to the parent itself. An upgrade goes through a tunnel (RFC 6455 §4.1): many proxies drop one
 * that they are asked for.
 */
export function asksParent(way: Way, wanted: Wanted): boolean {
  return way !== null && way.speaksHttp && wanted === "http";
}

/** What the pool knows a connection by: the way, and the origin unless the parent finds that itself. */
export function poolKey(way: Way, wanted: Wanted, authority: Authority): string {
  const origin = wanted === "https" ? "https:" + authority.text : authority.text;
  if (way === null) return origin;
  return asksParent(way, wanted) ? `#${way.number}` : `${origin}#${way.number}`;
}
