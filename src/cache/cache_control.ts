/**
 * Reads `Cache-Control` (RFC 9111 §5.2). What is written twice or wrongly counts in its most restrictive meaning
 * (§4.2.1): the smallest of several lifetimes, none at all where a lifetime cannot be read, the whole response
 * where a list of field names cannot. What is unknown is ignored (§5.2.3). `CDN-Cache-Control` and
 * `Surrogate-Control` speak to caches that belong to the origin: weir is none and leaves them alone.
 */

import { TOKEN_LOWER } from "../http/characters.ts";
import type { Fields } from "./stored_response.ts";

/** The greatest number of seconds: anything above it is it (RFC 9111 §1.2.2). */
export const MAX_SECONDS = 2 ** 31;

/** What a response says. Times are seconds, `null` where nothing is said. */
export interface ResponseDirectives {
  readonly maxAge: number | null;
  readonly sMaxAge: number | null;
  readonly noStore: boolean;
  /** `true` for the whole response, or the names in lower case of the fields alone (§5.2.2.4). */
  readonly noCache: boolean | readonly string[];
  /** `true` for the whole response, or the names in lower case of the fields alone (§5.2.2.7). */
  readonly private: boolean | readonly string[];
  readonly mustRevalidate: boolean;
  readonly proxyRevalidate: boolean;
  readonly public: boolean;
  readonly mustUnderstand: boolean;
  readonly noTransform: boolean;
  /** RFC 8246. */
  readonly immutable: boolean;
  /** RFC 5861 §3 and §4. */
  readonly staleWhileRevalidate: number | null;
  readonly staleIfError: number | null;
}

/** What a request says. Times are seconds, `null` where nothing is said. */
export interface RequestDirectives {
  readonly maxAge: number | null;
  /** {@link MAX_SECONDS} where any staleness will do (§5.2.1.2). */
  readonly maxStale: number | null;
  readonly minFresh: number | null;
  readonly noCache: boolean;
  readonly noStore: boolean;
  readonly noTransform: boolean;
  readonly onlyIfCached: boolean;
  /** RFC 5861 §4. */
  readonly staleIfError: number | null;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Names in the argument of one `no-cache` or `private`; more of them mean the whole response. */
const MAX_NAMES = 32;

/**
 * Fields without which a stored response would be another one, or one of another age: a list that names one of
 * them cannot be obeyed by leaving the field out, and means the whole response.
 */
const NEEDED: ReadonlySet<string> = new Set([
  "age",
  "cache-control",
  "content-encoding",
  "content-length",
  "content-range",
  "content-type",
  "date",
  "etag",
  "expires",
  "last-modified",
  "location",
  "transfer-encoding",
  "vary",
]);

/** What was read of texts that come again and again. */
const MEMO_SIZE = 512;
const MEMO_TEXT = 256;
const responses = new Map<string, ResponseDirectives>();
const requests = new Map<string, RequestDirectives>();

function remembered<T>(memo: Map<string, T>, text: string, read: (text: string) => T): T {
  const known = memo.get(text);
  if (known !== undefined) return known;
  const directives = read(text);
  if (text.length <= MEMO_TEXT) {
    if (memo.size >= MEMO_SIZE) memo.clear();
    memo.set(text, directives);
  }
  return directives;
}

/** Reads the joined values of a response's `Cache-Control`. Takes any text. */
export function readResponseDirectives(text: string): ResponseDirectives {
  return remembered(responses, text, readResponse);
}

/** Reads the joined values of a request's `Cache-Control`, without regard to `Pragma`. Takes any text. */
export function readRequestDirectives(text: string): RequestDirectives {
  return remembered(requests, text, readRequest);
}

/** What a request says, in `Pragma` if it has no `Cache-Control` (RFC 9111 §5.4). */
export function requestDirectivesOf(fields: Fields): RequestDirectives {
  const text = fields.field("cache-control");
  if (text !== "") return readRequestDirectives(text);
  const pragma = fields.field("pragma");
  // of what Pragma may hold, no-cache alone was ever defined
  return pragma === "" ? NOTHING_ASKED : { ...NOTHING_ASKED, noCache: readRequestDirectives(pragma).noCache };
}

function readResponse(text: string): ResponseDirectives {
  const read: Mutable<ResponseDirectives> = {
    maxAge: null,
    sMaxAge: null,
    noStore: false,
    noCache: false,
    private: false,
    mustRevalidate: false,
    proxyRevalidate: false,
    public: false,
    mustUnderstand: false,
    noTransform: false,
    immutable: false,
    staleWhileRevalidate: null,
    staleIfError: null,
  };
  const whole = eachDirective(text, (name, argument, quoted) => {
    switch (name) {
      case "max-age":
        read.maxAge = least(read.maxAge, seconds(argument) ?? 0);
        break;
      case "s-maxage":
        read.sMaxAge = least(read.sMaxAge, seconds(argument) ?? 0);
        break;
      case "no-store":
        read.noStore = true;
        break;
      case "no-cache":
        read.noCache = either(read.noCache, quoted ? argument : null);
        break;
      case "private":
        read.private = either(read.private, quoted ? argument : null);
        break;
      case "must-revalidate":
        read.mustRevalidate = true;
        break;
      case "proxy-revalidate":
        read.proxyRevalidate = true;
        break;
      case "no-transform":
        read.noTransform = true;
        break;
      case "stale-while-revalidate":
        read.staleWhileRevalidate = least(read.staleWhileRevalidate, seconds(argument) ?? 0);
        break;
      case "stale-if-error":
        read.staleIfError = least(read.staleIfError, seconds(argument) ?? 0);
        break;
      // what allows something has to be written as it is defined
      case "public":
        read.public ||= argument === null;
        break;
      case "must-understand":
        read.mustUnderstand ||= argument === null;
        break;
      case "immutable":
        read.immutable ||= argument === null;
        break;
    }
  });
  // a quotation without an end may hide anything
  if (!whole) {
    read.noStore = true;
    read.mustUnderstand = false;
  }
  return read;
}

function readRequest(text: string): RequestDirectives {
  const read: Mutable<RequestDirectives> = {
    maxAge: null,
    maxStale: null,
    minFresh: null,
    noCache: false,
    noStore: false,
    noTransform: false,
    onlyIfCached: false,
    staleIfError: null,
  };
  const whole = eachDirective(text, (name, argument) => {
    switch (name) {
      case "max-age":
        read.maxAge = least(read.maxAge, seconds(argument) ?? 0);
        break;
      case "max-stale": {
        const allowed = argument === null ? MAX_SECONDS : seconds(argument) ?? 0;
        read.maxStale = least(read.maxStale, allowed);
        break;
      }
      case "min-fresh":
        read.minFresh = Math.max(read.minFresh ?? 0, seconds(argument) ?? MAX_SECONDS);
        break;
      case "no-cache":
        read.noCache = true;
        break;
      case "no-store":
        read.noStore = true;
        break;
      case "no-transform":
        read.noTransform = true;
        break;
      case "only-if-cached":
        read.onlyIfCached = true;
        break;
      case "stale-if-error":
        read.staleIfError = least(read.staleIfError, seconds(argument) ?? 0);
        break;
    }
  });
  if (!whole) read.noStore = true;
  return read;
}

function least(before: number | null, now: number): number {
  return before === null ? now : Math.min(before, now);
}

/** The argument of a directive: its text, `null` without one, or {@link MALFORMED}. */
type Argument = string | null | typeof MALFORMED;
const MALFORMED = Symbol("malformed");

/** A number of seconds (RFC 9111 §1.2.2): digits alone; `null` for anything else. */
function seconds(argument: Argument): number | null {
  if (typeof argument !== "string") return null;
  return readSeconds(argument);
}

/**
 * Reads a number of seconds (RFC 9111 §1.2.2), which is digits alone; above {@link MAX_SECONDS} it is that.
 * `null` for anything else.
 */
export function readSeconds(text: string): number | null {
  if (text === "") return null;
  let number = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return null;
    number = Math.min(number * 10 + digit, MAX_SECONDS);
  }
  return number;
}

/**
 * What `no-cache` or `private` means that stands beside another one of it. Names count in quotes alone, as they
 * have to be written (§5.2.2.4): a `private=true` means the whole.
 */
function either(before: boolean | readonly string[], argument: Argument): true | readonly string[] {
  const names = namesIn(argument);
  if (names === null || before === true) return true;
  const all = before === false ? names : [...new Set([...before, ...names])];
  return all.length > MAX_NAMES ? true : all;
}

/** The names of fields in an argument; `null` where it has to be read as if it were not there. */
function namesIn(argument: Argument): readonly string[] | null {
  if (typeof argument !== "string") return null;
  const names: string[] = [];
  let at = 0;
  while (at <= argument.length) {
    const comma = argument.indexOf(",", at);
    const end = comma < 0 ? argument.length : comma;
    const from = spaceEnd(argument, at);
    const nameEnd = tokenEnd(argument, from);
    if (spaceEnd(argument, nameEnd) !== end) return null;
    const name = argument.slice(from, nameEnd).toLowerCase();
    at = end + 1;
    if (name === "") continue;
    if (NEEDED.has(name) || names.length === MAX_NAMES) return null;
    if (!names.includes(name)) names.push(name);
  }
  return names.length === 0 ? null : names;
}

const COMMA = 0x2c;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Where the token ends that begins at `at`. */
function tokenEnd(text: string, at: number): number {
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code > 0xff || TOKEN_LOWER[code] === 0) break;
    at++;
  }
  return at;
}

function spaceEnd(text: string, at: number): number {
  while (text[at] === " " || text[at] === "\t") at++;
  return at;
}

/**
 * Calls `each` for every directive with its name in lower case. A directive with anything behind it that may not
 * stand there has a malformed argument; what comes after a semicolon, which some take for a separator, is read
 * as a directive too, so that none is overlooked. False when a quoted string has no end.
 */
function eachDirective(
  text: string,
  each: (name: string, argument: Argument, quoted: boolean) => void,
): boolean {
  let at = 0;
  while (at < text.length) {
    at = spaceEnd(text, at);
    const nameEnd = tokenEnd(text, at);
    const name = text.slice(at, nameEnd).toLowerCase();
    let argument: Argument = null;
    let wasQuoted = false;
    at = nameEnd;
    if (text.charCodeAt(at) === EQUALS) {
      at++;
      if (text.charCodeAt(at) === QUOTE) {
        const quoted = readQuoted(text, at);
        if (quoted === null) return false;
        [argument, at] = quoted;
        wasQuoted = true;
      } else {
        const end = tokenEnd(text, at);
        argument = end === at ? MALFORMED : text.slice(at, end);
        at = end;
      }
    }
    at = spaceEnd(text, at);
    // nothing but the end or a comma may follow: whatever else does is passed over
    while (at < text.length && text.charCodeAt(at) !== COMMA) {
      argument = MALFORMED;
      const code = text.charCodeAt(at);
      if (code === SEMICOLON) break;
      if (code !== QUOTE) {
        at++;
        continue;
      }
      const quoted = readQuoted(text, at);
      if (quoted === null) return false;
      at = quoted[1];
    }
    at++;
    if (name !== "") each(name, argument, wasQuoted);
  }
  return true;
}

/** The quoted string at `at` (RFC 9110 §5.6.4) and the place after it; `null` when it has no end. */
function readQuoted(text: string, at: number): [string, number] | null {
  let value = "";
  let from = at + 1;
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) return [value + text.slice(from, i), i + 1];
    if (code !== BACKSLASH) continue;
    value += text.slice(from, i);
    from = ++i;
  }
  return null;
}

const NOTHING_ASKED: RequestDirectives = readRequest("");
