/**
 * Paths as rules name them: `/api/*`, and whether they match a path. What a path may mean to the servers that read it
 * is worked out in `path_readings.ts`.
 */

import { shown } from "../http/host_name.ts";
import { hasDotSegment, NO_PATH, percentEncoded, variantsOf } from "./path_readings.ts";
import { PatternError } from "./pattern_error.ts";

export { pathReadings } from "./path_readings.ts";

/** Matched without the query. Rules that allow tell capitals apart, rules that deny do not. */
export interface PathPattern {
  /** As it was written. */
  readonly text: string;
  /** Whether it is `*` or `/*`: then it matches whatever a path means. */
  readonly takesAll: boolean;
  /** What stands between the stars, for each reading of the pattern; one piece is a path without stars. */
  readonly globs: readonly (readonly string[])[];
  /** The same in small letters. */
  readonly smallGlobs: readonly (readonly string[])[];
}

const LONGEST = 4096;

/** Stands for the star of a pattern while it is read: no character of a path, of which each is one byte. */
const STAR = "\u0100";

/**
 * Reads a pattern: a path in which `*` stands for any number of any characters, slashes too. Spaces and letters
 * beyond ASCII may be written as they are or percent-encoded, and a slash that servers decode as `%2F` or `/`; a star
 * that is meant is `%2A`.
 *
 * @throws {PatternError} when it neither begins with `/` nor is `*`, and when it could never match
 */
export function parsePathPattern(text: string): PathPattern {
  if (text === "*") return patternOf(text, [["", ""]]);
  if (text.length > LONGEST) {
    throw new PatternError(`${shown(text)} is longer than ${LONGEST} characters: write * for a part of it`);
  }
  if (!text.startsWith("/")) throw new PatternError(notAPath(text));
  const end = text.search(/[?#]/);
  if (end >= 0) {
    throw new PatternError(
      `${shown(text)} goes on after the path: it is matched without its query, so write ${
        shown(text.slice(0, end))
      } (${percentEncoded(text[end])} for the character itself)`,
    );
  }
  // deno-lint-ignore no-control-regex
  if (/[\0-\x1f\x7f]/.test(text)) {
    throw new PatternError(`${shown(text)} holds a control character, which no path has`);
  }
  const written = text.replace(/\*+/g, STAR).replace(/[^\0-\x7f\u0100]+/g, percentEncoded)
    .replace(TRIPLET, (triplet) => String.fromCharCode(parseInt(triplet.slice(1), 16)))
    .replaceAll("\\", "/");
  if (hasDotSegment(written.replace(/;[^/]*/g, ""))) {
    throw new PatternError(
      `${shown(text)} has a segment . or .., which servers take out: write the path that is meant`,
    );
  }
  return patternOf(text, [...variantsOf(written)].map((reading) => reading.split(STAR)));
}

const TRIPLET = /%[0-9a-f]{2}/gi;

function patternOf(text: string, globs: readonly (readonly string[])[]): PathPattern {
  return {
    text,
    takesAll: text === "*" || /^\/\*+$/.test(text),
    globs,
    smallGlobs: globs.map((pieces) => pieces.map((piece) => piece.toLowerCase())),
  };
}

function notAPath(text: string): string {
  const url = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*(\/[^?#]*)?/i.exec(text);
  if (url !== null) return `${shown(text)} is a URL: write ${shown(url[1] ?? "/")}, and the host into hosts`;
  return `${shown(text)} does not begin with a slash: write ${shown(`/${text}`)}, or * for every path`;
}

/** Whether a rule that allows these paths allows a path: every reading of it has to match one of them. */
export function pathsAllow(patterns: readonly PathPattern[], readings: readonly string[]): boolean {
  next:
  for (let i = 0; i < readings.length; i++) {
    for (let j = 0; j < patterns.length; j++) if (pathMatches(patterns[j], readings[i])) continue next;
    return false;
  }
  return true;
}

/** Whether a rule that denies these paths denies a path: one reading that matches, in letters of any case, is enough. */
export function pathsDeny(patterns: readonly PathPattern[], readings: readonly string[]): boolean {
  for (let i = 0; i < readings.length; i++) {
    const small = inSmallLetters(readings[i]);
    for (let j = 0; j < patterns.length; j++) if (anyGlobMatches(patterns[j].smallGlobs, small)) return true;
  }
  return false;
}

/** A request is judged several times, and by several rules. */
let written = "";
let small = "";

function inSmallLetters(reading: string): string {
  if (reading !== written) {
    written = reading;
    small = reading.toLowerCase();
  }
  return small;
}

/**
 * Whether the pattern matches one reading of a path: see {@link pathReadings}. To allow something, all readings
 * have to match; to deny it, one is enough.
 */
export function pathMatches(pattern: PathPattern, reading: string): boolean {
  return anyGlobMatches(pattern.globs, reading) || (pattern.takesAll && reading === NO_PATH);
}

function anyGlobMatches(globs: readonly (readonly string[])[], reading: string): boolean {
  if (reading.charCodeAt(0) === 0) return reading !== NO_PATH;
  for (let i = 0; i < globs.length; i++) if (globMatches(globs[i], reading)) return true;
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
