/**
 * What a path means to the servers that may read it. Those ways cannot be listed: servers decode once or several times,
 * before or behind taking dot segments out, and pass on what they made of it to others. So a path is read here only
 * where all of them agree; what they may take for different paths has the readings of an {@link AMBIGUOUS_PATH}.
 */

/** Matched by every pattern. */
const ANY_PATH = "\0any";
/** Matched by no pattern but those of all paths. */
export const NO_PATH = "\0none";

/** The readings of a path that servers take for different ones: no paths allow it, and all deny it. */
export const AMBIGUOUS_PATH: readonly string[] = [ANY_PATH, NO_PATH];

interface Read {
  readonly path: string;
  readonly encodedSlashes: boolean;
  readonly readings: readonly string[];
  /** Why it is ambiguous; `""` when it is not. */
  readonly oddity: string;
}

const ROOT: Read = { path: "", encodedSlashes: false, readings: ["/"], oddity: "" };

/**
 * What a path may mean to a server, each meaning once; for a plain path that is the path alone.
 *
 * Percent-encoding is taken off. A path is an {@link AMBIGUOUS_PATH} when it has
 *
 * - an encoded `/ \ % ; .` or control character, or a `%` that encodes no byte (`%u002f`, `%%32e`)
 * - a `\` or a control character as it is
 * - an empty segment (`//`), or one of dots and spaces alone (`.`, `..`, `...`), with parameters behind it too (`..;x`)
 * - parameters (`;…`, RFC 3986 §3.3) in another segment than the last
 * - bytes that are not UTF-8, overlong ones (`%c0%ae`) among them, or look-alikes of `/ \ . ; %` (U+FF0F, U+2024)
 * - a stream of a Windows file (`::$DATA`)
 *
 * What is left and means two things has both readings: parameters at the end, and without them; an encoded `?` or `#`,
 * and the path that ends there; dots and spaces at the end of segments, and without them, as Windows has it.
 *
 * @param path without query; one character a byte, as heads have it. Empty it is `/`.
 * @param encodedSlashes take an encoded slash for a slash, which is no reason then to call the path ambiguous
 */
export function pathReadings(path: string, encodedSlashes = false): readonly string[] {
  return isPlain(path) ? [path] : read(path, encodedSlashes).readings;
}

/** Why servers may take a path for different ones, in words: `an encoded slash (%2f)`; `""` when they do not. */
export function pathOddity(path: string, encodedSlashes = false): string {
  return isPlain(path) ? "" : read(path, encodedSlashes).oddity;
}

/** A request is judged several times, once for each address of its host, and a path may be long. */
let last: Read = ROOT;
let lastWithSlashes: Read = ROOT;

function read(path: string, encodedSlashes: boolean): Read {
  const known = encodedSlashes ? lastWithSlashes : last;
  if (known.path === path) return known;
  const fresh = readOf(path, encodedSlashes);
  if (encodedSlashes) lastWithSlashes = fresh;
  else last = fresh;
  return fresh;
}

function readOf(path: string, encodedSlashes: boolean): Read {
  try {
    return { path, encodedSlashes, readings: readingsOf(path, encodedSlashes), oddity: "" };
  } catch (error) {
    if (!(error instanceof Oddity)) throw error;
    return { path, encodedSlashes, readings: AMBIGUOUS_PATH, oddity: error.message };
  }
}

/** Why a path is ambiguous. */
class Oddity extends Error {}

/** Throws {@link Oddity}. */
function readingsOf(path: string, encodedSlashes: boolean): readonly string[] {
  const readings = [...variantsOf(decoded(path, encodedSlashes))];
  readings.forEach(refuseOdd);
  return readings;
}

/** What a path without percent-encoding may mean where it means two things; at most eight. */
export function variantsOf(path: string): Set<string> {
  const variants = new Set([path || "/"]);
  for (const part of [ENDED, PARAMETERS, WINDOWS_ENDS]) {
    // a segment that is nothing but dots is refused, and keeps them until then
    for (const variant of [...variants]) variants.add(variant.replace(part, "") || "/");
  }
  return variants;
}

/** What a `?` or `#` that was encoded may cut off. */
const ENDED = /[?#].*/s;
const PARAMETERS = /;[^/]*$/;
const WINDOWS_ENDS = /(?<=[^/. ])[. ]+(?=\/|$)/g;

/** What may delimit, and is written so that some servers see it and others do not. */
const DELIMITERS: Readonly<Record<string, string>> = {
  "/": "slash",
  "\\": "backslash",
  "%": "percent sign",
  ";": "semicolon",
  ".": "dot",
};

/** The path without its percent-encoding. Throws {@link Oddity}. */
function decoded(path: string, encodedSlashes: boolean): string {
  return path.replace(/%(?:([0-9a-f]{2})|.{0,5})/gis, (triplet, hex?: string) => {
    if (hex === undefined) throw new Oddity(`a percent sign that encodes nothing (${printed(triplet)})`);
    const character = String.fromCharCode(parseInt(hex, 16));
    if (character === "/" && encodedSlashes) return character;
    const delimiter = DELIMITERS[character];
    if (delimiter !== undefined) throw new Oddity(`an encoded ${delimiter} (${triplet})`);
    if (isControl(character)) throw new Oddity(`an encoded control character (${triplet})`);
    return character;
  });
}

function printed(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?");
}

function isControl(character: string): boolean {
  return character < "\x20" || character === "\x7f";
}

// deno-lint-ignore no-control-regex
const CONTROL = /[\0-\x1f\x7f]/;
const HIGH = /[\x80-\xff]/;
/** Characters that some servers write as `/ \ . ; %` in a narrower character set. */
const LOOK_ALIKES =
  /[\u2024-\u2026\u2044\u2215\u2216\u29f5\u29f8\u29f9\ufe52\ufe54\ufe68\ufe6a\uff05\uff0e\uff0f\uff1b\uff3c]/;
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Throws {@link Oddity} for a decoded path that servers may still take for different ones. */
function refuseOdd(path: string): void {
  if (path.includes("\\")) throw new Oddity("a backslash");
  if (CONTROL.test(path)) throw new Oddity("a control character");
  if (path.includes("//")) throw new Oddity("an empty segment (//)");
  const segment = /\/([. ]+)(?=\/|$)/.exec(path);
  if (segment !== null) throw new Oddity(`a segment of dots (${segment[1]})`);
  if (/;[^/]*\//.test(path)) throw new Oddity("parameters (;) before the last segment");
  if (path.includes(":$")) throw new Oddity("a stream of a file (:$)");
  if (!HIGH.test(path)) return;
  let text: string;
  try {
    text = strictUtf8.decode(Uint8Array.from(path, (character) => character.charCodeAt(0)));
  } catch {
    throw new Oddity("bytes that are not UTF-8");
  }
  if (LOOK_ALIKES.test(text)) throw new Oddity("a look-alike of / \\ . ; or %");
}

const SLASH = 0x2f;
const DOT = 0x2e;
const DOLLAR = 0x24;
const COLON = 0x3a;

const SPECIAL = 1;
const BY_WHAT_STANDS_BEFORE = 2;
/** Which characters may give a path a second reading; 0 for those that never do. */
const CLASSES = new Uint8Array(256);
for (const character of "%\\;?# \x7f") CLASSES[character.charCodeAt(0)] = SPECIAL;
CLASSES.fill(SPECIAL, 0, 0x20);
CLASSES.fill(SPECIAL, 0x80);
CLASSES[SLASH] = CLASSES[DOLLAR] = BY_WHAT_STANDS_BEFORE;

/** Whether the path has one reading, itself. */
function isPlain(path: string): boolean {
  const { length } = path;
  for (let i = 0; i < length; i++) {
    const code = path.charCodeAt(i);
    const kind = CLASSES[code & 0xff];
    if (kind === 0) continue;
    if (kind === SPECIAL) return false;
    const before = i === 0 ? 0 : path.charCodeAt(i - 1);
    if (code === SLASH ? before === SLASH || before === DOT : before === COLON) return false;
  }
  return length > 0 && path.charCodeAt(length - 1) !== DOT;
}

/** Whether a segment is `.` or `..`. */
export function hasDotSegment(path: string): boolean {
  return /\/\.{1,2}(?:\/|$)/.test(path);
}

/** Characters as the percent-encoded bytes of their UTF-8. */
export function percentEncoded(characters: string): string {
  let out = "";
  for (const byte of new TextEncoder().encode(characters)) {
    out += `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return out;
}
