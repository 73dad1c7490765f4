/**
 * Which fields of a message belong to one connection alone and are not sent on (RFC 9110 §7.6.1).
 */

import { TOKEN_LOWER } from "./characters.ts";
import { Field, fieldNumberOf } from "./field_names.ts";
import { eachMember } from "./framing.ts";
import type { HeadReader } from "./head_reader.ts";
import { bytesOf } from "./text.ts";

/** Fields that never pass, by number: what replaces some of them is written by the {@link HeadWriter}. */
const HOP_BY_HOP: ReadonlySet<number> = new Set([
  Field.Connection,
  Field.ProxyConnection,
  Field.KeepAlive,
  Field.TE,
  Field.TransferEncoding,
  Field.Upgrade,
  Field.ProxyAuthorization,
  Field.ProxyAuthenticate,
  Field.ProxyAuthenticationInfo,
  Field.Http2Settings,
]);

/** 1 at the number of each field that never passes. */
export const REMOVED: Uint8Array = new Uint8Array(64);
/** The same as bits of {@link HeadReader.seen}. */
export let REMOVED_BITS = 0;
for (const number of HOP_BY_HOP) {
  REMOVED[number] = 1;
  REMOVED_BITS |= 1 << number;
}

/**
 * Fields that a Connection field has no business naming: they frame, route, authenticate or rule caching for the
 * whole way, and dropping one of them would change what the message means.
 */
const END_TO_END: ReadonlySet<number> = new Set([
  Field.Host,
  Field.ContentLength,
  Field.ContentType,
  Field.ContentEncoding,
  Field.ContentRange,
  Field.ContentLocation,
  Field.CacheControl,
  Field.Pragma,
  Field.Authorization,
  Field.WwwAuthenticate,
  Field.Cookie,
  Field.SetCookie,
  Field.Via,
  Field.Date,
  Field.Age,
  Field.Expires,
  Field.ETag,
  Field.LastModified,
  Field.Vary,
  Field.Location,
  Field.Range,
  Field.IfMatch,
  Field.IfNoneMatch,
  Field.IfModifiedSince,
  Field.IfUnmodifiedSince,
  Field.IfRange,
  Field.Expect,
  Field.MaxForwards,
  Field.Trailer,
  Field.Forwarded,
  Field.XForwardedFor,
  Field.ProxyStatus,
  Field.CacheStatus,
]);

const KEEP_ALIVE = bytesOf("keep-alive");
const CLOSE = bytesOf("close");
const UPGRADE = bytesOf("upgrade");

/** Whether `bytes[start..end)` is a token in any case, given in lower case. */
function isWord(bytes: Uint8Array, start: number, end: number, word: Uint8Array): boolean {
  if (end - start !== word.length) return false;
  for (let i = 0; i < word.length; i++) if (TOKEN_LOWER[bytes[start + i]] !== word[i]) return false;
  return true;
}

/** What a message's Connection fields (RFC 9110 §7.6.1) say. */
export class ConnectionOptions {
  close = false;
  keepAlive = false;
  upgrade = false;
  /** Names in lower case of further fields that are to be removed. A set: a head may name thousands. */
  named: Set<string> = new Set();

  /** As of a message without a Connection field. */
  forget(): void {
    this.close = this.keepAlive = this.upgrade = false;
    if (this.named.size > 0) this.named.clear();
  }

  /** Reads them from a whole head. */
  read(head: HeadReader): void {
    this.forget();
    if ((head.seen & (1 << Field.Connection)) === 0) return;
    for (let at = head.find(Field.Connection); at >= 0; at = head.find(Field.Connection, at + 1)) {
      eachMember(head, at, (start, end) => this.#add(head, start, end));
    }
  }

  #add(head: HeadReader, start: number, end: number): void {
    const { bytes } = head;
    if (isWord(bytes, start, end, KEEP_ALIVE)) this.keepAlive = true;
    else if (isWord(bytes, start, end, CLOSE)) this.close = true;
    else if (isWord(bytes, start, end, UPGRADE)) this.upgrade = true;
    else this.#addName(head.text(start, end).toLowerCase());
  }

  #addName(option: string): void {
    if (!END_TO_END.has(fieldNumberOf(option))) this.named.add(option);
  }

  /** Whether field `index` of the head is one that only this connection's ends may see. */
  removes(head: HeadReader, index: number): boolean {
    if (REMOVED[head.number(index)] === 1) return true;
    return this.named.size > 0 && this.named.has(head.name(index).toLowerCase());
  }
}

/** Fields that a trailer section must not carry on: framing, routing and authentication (RFC 9110 §6.5.1). */
const NOT_IN_TRAILERS: ReadonlySet<number> = new Set([
  ...HOP_BY_HOP,
  ...END_TO_END,
]);

/**
 * Whether field `index` of a trailer section may be sent on. What the `Connection` of the message's head names is
 * removed from its trailers too (RFC 9110 §7.6.1).
 */
export function allowedInTrailers(trailers: HeadReader, index: number, options: ConnectionOptions): boolean {
  return !NOT_IN_TRAILERS.has(trailers.number(index)) && !options.removes(trailers, index);
}
