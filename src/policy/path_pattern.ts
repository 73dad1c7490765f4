/**
 * Paths as rules name them: `/api/*`. One path can mean several things to the servers that may read it, so that it
 * has several readings here; a pattern is read in the same ways.
 */

import { shown } from "../http/host_name.ts";
import { PatternError } from "./pattern_error.ts";

/** Matched with capitals told apart, and without the query. */
export interface PathPattern {
  /** As it was written. */
  readonly text: string;
  /** What stands between the stars, for each reading of the pattern; one piece is a path without stars. */
  readonly globs: readonly (readonly string[])[];
}

const LONGEST = 4096;

/** Stands for the star of a pattern while it is read: no character of a path, of which each is one byte. */
const STAR = "\u0100";

/**
 * Reads a pattern: a path in which `*` stands for any number of any characters, slashes too. Spaces and letters
 * beyond ASCII may be written as they are or percent-encoded; a star that is meant is `%2A`.
 *
 * @throws {PatternError} when it neither begins with `/` nor is `*`, and when it could never match
 */
export function parsePathPattern(text: string): PathPattern {
  if (text === "*") return { text, globs: [["", ""]] };
  if (text.length > LONGEST) {
    throw new PatternError(`${shown(text)} is longer than ${LONGEST} characters: write * for a part of it`);
  }
  if (!text.startsWith("/")) throw new PatternError(notAPath(text));
  const end = text.search(/[?#]/);
  if (end >= 0) {
    throw new PatternError(
      `${shown(text)} goes on after the path: it is matched without its query, so write ${
        shown(text.slice(0, end))
      } (${encoded(text[end])} for the character itself)`,
    );
  }
  // deno-lint-ignore no-control-regex
  if (/[\0-\x1f\x7f]/.test(text)) {
    throw new PatternError(`${shown(text)} holds a control character, which no path has`);
  }
  const written = text.replace(/\*+/g, STAR).replace(/[^\0-\x7f\u0100]+/g, encoded);
  const readings = pathReadings(written);
  if (readings.some(hasDotSegment)) {
    throw new PatternError(
      `${shown(text)} has a segment . or .., which servers take out: write the path that is meant`,
    );
  }
  return { text, globs: readings.map((reading) => reading.split(STAR)) };
}

function notAPath(text: string): string {
  const url = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*(\/[^?#]*)?/i.exec(text);
  if (url !== null) return `${shown(text)} is a URL: write ${shown(url[1] ?? "/")}, and the host into hosts`;
  return `${shown(text)} does not begin with a slash: write ${shown(`/${text}`)}, or * for every path`;
}

/** Characters as the percent-encoded bytes of their UTF-8. */
function encoded(characters: string): string {
  let out = "";
  for (const byte of new TextEncoder().encode(characters)) {
    out += `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return out;
}

/**
 * Whether the pattern matches one reading of a path: see {@link pathReadings}. To allow something, all readings
 * have to match; to deny it, one is enough.
 */
export function pathMatches(pattern: PathPattern, reading: string): boolean {
  for (const pieces of pattern.globs) if (globMatches(pieces, reading)) return true;
  return false;
}

/** The first place of each piece is as good as any later one, so that nothing is ever tried twice. */
function globMatches(pieces: readonly string[], path: string): boolean {
  const last = pieces.length - 1;
  if (last === 0) return path === pieces[0];
  const end = path.length - pieces[last].length;
  let at = pieces[0].length;
  if (at > end || !path.startsWith(pieces[0]) || !path.endsWith(pieces[last])) return false;
  for (let i = 1; i < last; i++) {
    at = path.indexOf(pieces[i], at);
    if (at < 0) return false;
    at += pieces[i].length;
    if (at > end) return false;
  }
  return true;
}

/**
 * What a path may mean to a server, each meaning once; for a plain path that is the path alone.
 *
 * - Percent-encoding: of all characters that delimit nothing it says nothing, and is taken off. What may delimit
 *   (`/ \ ; % ? #` and NUL) is read as it came, decoded, and decoded twice, as servers behind servers do; what is
 *   decoded to `?`, `#` or NUL may end the path there.
 * - `\` as it is and as `/`.
 * - Parameters (`;…`, RFC 3986 §3.3) as they are, without those of `.` and `..`, and without all of them.
 * - Dot segments as they are and removed (RFC 3986 §5.2.4), and empty segments (`//`) left, merged after and before
 *   that.
 *
 * @param path without query; one character a byte, as heads have it. Empty it is `/`.
 */
export function pathReadings(path: string): readonly string[] {
  if (isPlain(path)) return [path];
  // a request is judged several times, once for each address of its host, and a path may be long
  if (path !== last.path) last = { path, readings: readingsOf(path) };
  return last.readings;
}

let last: { readonly path: string; readonly readings: readonly string[] } = { path: "/", readings: ["/"] };

function readingsOf(path: string): readonly string[] {
  const written = path === "" ? "/" : path.replace(TRIPLET, decodeHarmless);
  if (isPlain(written)) return [written];
  const readings = new Set<string>();
  for (const spelling of spellings(path, written)) {
    for (const slashed of variants(spelling, "\\", backslashesAsSlashes)) {
      for (const bare of variants(slashed, ";", withoutDotParameters, withoutParameters)) {
        readings.add(bare);
        const resolved = withoutDotSegments(bare);
        readings.add(resolved);
        if (!bare.includes("//")) continue;
        readings.add(merged(resolved));
        readings.add(withoutDotSegments(merged(bare)));
      }
    }
  }
  return [...readings];
}

const SLASH = 0x2f;
const DOT = 0x2e;

/** Characters because of which a path may have a second reading. */
const SPECIAL = new Uint8Array(128);
for (const character of "%\\;") SPECIAL[character.charCodeAt(0)] = 1;

/** Whether the path has one reading, itself. */
function isPlain(path: string): boolean {
  const length = path.length;
  for (let i = 0; i < length; i++) {
    const code = path.charCodeAt(i);
    if (code < 0x80 && SPECIAL[code] === 1) return false;
    if (code !== SLASH) continue;
    const next = path.charCodeAt(i + 1);
    if (next === SLASH) return false;
    if (next === DOT && isDotSegment(path, i + 1)) return false;
  }
  return length > 0;
}

/** Whether the segment that begins at `start`, with a dot, is `.` or `..`. */
function isDotSegment(path: string, start: number): boolean {
  const end = path.charCodeAt(start + 1) === DOT ? start + 2 : start + 1;
  return end === path.length || path.charCodeAt(end) === SLASH;
}

function hasDotSegment(path: string): boolean {
  for (let at = path.indexOf("/."); at >= 0; at = path.indexOf("/.", at + 1)) {
    if (isDotSegment(path, at + 1)) return true;
  }
  return false;
}

/** The path with more and more of its percent-encoding taken off; `written` has only what may delimit. */
function spellings(path: string, written: string): Set<string> {
  const once = path.replace(TRIPLET, decode);
  const twice = once.replace(TRIPLET, decode);
  const all = new Set([written]);
  for (const decoded of [once, twice]) {
    if (decoded === "") continue;
    all.add(decoded);
    const end = decoded.search(/[?#\0]/);
    if (end > 0) all.add(decoded.slice(0, end));
  }
  return all;
}

const TRIPLET = /%[0-9a-f]{2}/gi;

function decode(triplet: string): string {
  return String.fromCharCode(parseInt(triplet.slice(1), 16));
}

/** Decodes what delimits nothing, and writes the rest in capitals (RFC 3986 §6.2.2.1). */
function decodeHarmless(triplet: string): string {
  const character = decode(triplet);
  return "/\\;%?#\0".includes(character) ? triplet.toUpperCase() : character;
}

function variants(path: string, mark: string, ...changes: readonly ((path: string) => string)[]): string[] {
  return path.includes(mark) ? [path, ...changes.map((change) => change(path))] : [path];
}

function backslashesAsSlashes(path: string): string {
  return path.replaceAll("\\", "/");
}

function withoutDotParameters(path: string): string {
  return path.replace(/\/(\.\.?);[^/]*/g, "/$1");
}

function withoutParameters(path: string): string {
  return path.replace(/;[^/]*/g, "");
}

function merged(path: string): string {
  return path.replace(/\/{2,}/g, "/");
}

function withoutDotSegments(path: string): string {
  if (!path.startsWith("/") || !hasDotSegment(path)) return path;
  const segments = path.split("/");
  const kept: string[] = [];
  for (let i = 1; i < segments.length; i++) {
    const segment = segments[i];
    if (segment !== "." && segment !== "..") {
      kept.push(segment);
      continue;
    }
    if (segment === "..") kept.pop();
    // `/a/b/..` is `/a/`
    if (i === segments.length - 1) kept.push("");
  }
  return `/${kept.join("/")}`;
}
