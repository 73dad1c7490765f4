/** What a request asks for: the four forms of a target (RFC 9112 §3.2). */

import { type Authority, parseAuthority } from "./authority.ts";
import { SLASH } from "./characters.ts";
import { badRequest } from "./error.ts";
import type { HeadReader } from "./head_reader.ts";
import type { RequestLine } from "./start_line.ts";

export type TargetForm = "absolute" | "authority" | "asterisk" | "origin";
export type Scheme = "http" | "https";

export const DEFAULT_PORTS: Readonly<Record<Scheme, number>> = { http: 80, https: 443 };

/** A target as it was understood. Path and query stay where they are in the head, byte for byte. */
export interface Target {
  readonly form: TargetForm;
  /** Of the absolute form; `http` otherwise, where nothing asks for it. */
  readonly scheme: Scheme;
  /** Of the absolute and authority forms, else `null`. */
  readonly authority: Authority | null;
  /** Where path and query stand in the head's buffer; an empty stretch stands for `/`. */
  readonly pathStart: number;
  readonly pathEnd: number;
}

const QUERY = 0x3f;
const FRAGMENT = 0x23;
/** Different authorities that are remembered by their text; when there are more, all are forgotten. */
const MAX_REMEMBERED = 4096;
const MAX_REMEMBERED_LENGTH = 256;

const BROKEN_USER_INFORMATION =
  "no host stands before the path, and an @ behind: leave user and password out of the URL";

const strictUtf8 = new TextDecoder("utf-8", { fatal: true });

/** Remembers the canonical form of an authority by how it was written, since the same few come again and again. */
const remembered: Record<Scheme | "connect", Map<string, Authority>> = {
  http: new Map(),
  https: new Map(),
  connect: new Map(),
};

function authorityOf(head: HeadReader, start: number, end: number, scheme: Scheme | "connect"): Authority {
  const text = head.text(start, end);
  const known = remembered[scheme];
  let authority = known.get(text);
  if (authority === undefined) {
    // a copy: the text is a slice, which would keep the whole head alive
    const copy = [...text].join("");
    authority = parseAuthority(decoded(copy), scheme === "connect" ? null : DEFAULT_PORTS[scheme]);
    if (copy.length <= MAX_REMEMBERED_LENGTH) {
      if (known.size >= MAX_REMEMBERED) known.clear();
      known.set(copy, authority);
    }
  }
  return authority;
}

/** The head's text has a character a byte; a name beyond ASCII is written in UTF-8. */
function decoded(text: string): string {
  if (!/[\x80-\xff]/.test(text)) return text;
  try {
    return strictUtf8.decode(Uint8Array.from(text, (character) => character.charCodeAt(0)));
  } catch {
    throw badRequest("the host's name is not valid UTF-8");
  }
}

/**
 * Reads the target of a request whose head is whole. Throws {@link HttpError} 400 for a form that does not go
 * with the method, a scheme that is not fetched here, or an authority that is none. A fragment is no part of the
 * target (RFC 9110 §7.1) and is left out.
 */
export function readTarget(head: HeadReader, line: RequestLine, method: string): Target {
  const { bytes } = head;
  const start = line.targetStart;
  const end = withoutFragment(bytes, start, line.targetEnd, method);
  if (method === "CONNECT") {
    const authority = authorityOf(head, start, end, "connect");
    return { form: "authority", scheme: "http", authority, pathStart: end, pathEnd: end };
  }
  if (bytes[start] === SLASH) {
    return { form: "origin", scheme: "http", authority: null, pathStart: start, pathEnd: end };
  }
  if (end - start === 1 && bytes[start] === 0x2a) {
    if (method !== "OPTIONS") throw badRequest("the target * is for OPTIONS alone");
    return { form: "asterisk", scheme: "http", authority: null, pathStart: start, pathEnd: end };
  }
  return readAbsolute(head, start, end);
}

/** Where a target ends before its fragment. What CONNECT asks for is no URL and has none. */
function withoutFragment(bytes: Uint8Array, start: number, end: number, method: string): number {
  if (method === "CONNECT") return end;
  for (let at = start; at < end; at++) if (bytes[at] === FRAGMENT) return at;
  return end;
}

function readAbsolute(head: HeadReader, start: number, end: number): Target {
  const { bytes } = head;
  const scheme = schemeOf(bytes, start, end);
  if (scheme === null) {
    const text = head.text(start, Math.min(end, start + 64));
    const other = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1];
    throw badRequest(
      other === undefined
        ? "the request target is not an absolute URL: set this address as the HTTP proxy of your program"
        : `URLs of the scheme ${other.toLowerCase()} are not fetched here: only http and https`,
    );
  }
  const authorityStart = start + scheme.length + 3;
  let at = authorityStart;
  while (at < end && bytes[at] !== SLASH && bytes[at] !== QUERY) at++;
  let authority: Authority;
  try {
    authority = authorityOf(head, authorityStart, at, scheme);
  } catch (error) {
    // a password with a slash in it: what came before the slash is not repeated
    throw head.text(at, end).includes("@") ? badRequest(BROKEN_USER_INFORMATION) : error;
  }
  return { form: "absolute", scheme, authority, pathStart: at, pathEnd: end };
}

/** `http` or `https` when `bytes[start..end)` begins with it and `://`, in any case. */
function schemeOf(bytes: Uint8Array, start: number, end: number): Scheme | null {
  if (end - start < 8) return null;
  const lower = (at: number) => bytes[start + at] | 0x20;
  if (lower(0) !== 0x68 || lower(1) !== 0x74 || lower(2) !== 0x74 || lower(3) !== 0x70) return null;
  const secure = lower(4) === 0x73;
  const at = start + (secure ? 5 : 4);
  if (bytes[at] !== 0x3a || bytes[at + 1] !== SLASH || bytes[at + 2] !== SLASH) return null;
  return secure ? "https" : "http";
}

/** The target in words, for records: absolute as `http://host/path`, of CONNECT as `host:port`. */
export function targetText(head: HeadReader, target: Target): string {
  const path = head.text(target.pathStart, target.pathEnd);
  if (target.authority === null) return path;
  if (target.form === "authority") return target.authority.text;
  const slash = path.charCodeAt(0) === SLASH ? "" : "/";
  return target.scheme + "://" + target.authority.hostField(DEFAULT_PORTS[target.scheme]) + slash + path;
}
