/** A connection on which an origin is asked, and the way that it takes. */

import type { Authority } from "../http/authority.ts";
import type { Scheme } from "../http/target.ts";
import { borrow, giveBack, sizeFor } from "../net/buffers.ts";
import { Connection } from "../net/connection.ts";
import type { Unfinished, UnfinishedMessages } from "../net/unfinished.ts";
import type { Asker } from "./asker.ts";
import type { NamedAddress } from "./named_address.ts";
import type { Parent, Way } from "./parents/parent.ts";

/** The owner of a connection that no other client may use. */
export interface Owner {
  /** Whether the owner has gone: the connection is of no use any more. */
  readonly over: boolean;
}

export class Upstream extends Connection implements Unfinished {
  /** For which client its answer comes, by what it is counted as, while the answer's head is larger than most. */
  clientKey = "";
  /** It was closed since there was no room for its answer's head. */
  givenUp = false;
  #unfinished: UnfinishedMessages | null = null;
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

  /**
   * Goes on in a larger buffer with a head that does not fit, which may be too much: then it is closed. Not while a
   * read is under way.
   *
   * @param asker for whom the head comes; `null` for what a parent says, which is the operator's choice
   */
  grow(head: { move(bytes: Uint8Array, delta: number): void }, asker: Asker | null): void {
    const before = this.start;
    giveBack(this.swap(borrow(sizeFor(this.buffer.length + 1))));
    head.move(this.buffer, this.start - before);
    if (asker === null) return;
    const { services: { unfinished, settings }, clientKey } = asker;
    if (this.#unfinished === null) this.clientKey = clientKey;
    this.#unfinished = unfinished;
    unfinished.hold(this, this.buffer.length, settings.maxUnfinished);
  }

  /** The head is whole, however large it was. */
  grown(): void {
    this.#unfinished?.letGo(this);
    this.#unfinished = null;
  }

  giveUp(): void {
    this.#unfinished = null;
    this.givenUp = true;
    this.close();
  }

  override close(): void {
    this.grown();
    super.close();
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
