/** Names of hosts, as they may be written in a target, and the one canonical form of each. */

import { badRequest, type HttpError } from "./error.ts";
import { withoutPassword, withoutUserInformation } from "./user_information.ts";

const DOT = 0x2e;

/**
 * The canonical form of a registered name: lower case, A-labels (RFC 5890 §2.3.2.1), no final dot. Underscores
 * are no part of a host name by the letter of RFC 952, but they occur and resolve, and so they are taken.
 *
 * @param name decoded text, without port or brackets
 * @throws {HttpError} 400 when the name is empty, too long, or holds a character that no name has
 */
export function canonicalName(name: string): string {
  if (isPlain(name)) return plainName(name);
  // Only names that hold a non-ASCII character come here. The longest name of A-labels is shorter than this, and
  // what the mapping takes is paid for by weir.
  if (name.length > 253) throw tooLong();
  let mapped: string;
  try {
    mapped = new URL(`http://${name}/`).hostname;
  } catch {
    throw badRequest(
      `${shownPlace(name)} is not a valid internationalized name: write it in its ASCII form (xn--…)`,
    );
  }
  // The mapping can bring forth any character (full-width forms above all), so that nothing of it is trusted.
  if (!isPlain(mapped)) throw badRequest(`${shownPlace(name)} has no ASCII form`);
  return plainName(mapped);
}

/**
 * Whether the name is ASCII throughout.
 *
 * @throws {HttpError} on an ASCII character that no name has, so that the mapping never sees one
 */
function isPlain(name: string): boolean {
  let all = 0;
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    all |= code;
    if (code < 0x80 && NAME_CHARACTERS[code] === 0) throw badCharacter(name, code);
  }
  return all < 0x80;
}

/** ASCII letters, digits, hyphen, underscore and dot. */
const NAME_CHARACTERS = new Uint8Array(128);
for (const character of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") {
  NAME_CHARACTERS[character.charCodeAt(0)] = 1;
}

/** Checks the lengths of a name (RFC 1035 §2.3.4), takes its final dot off and lowers its case. */
function plainName(name: string): string {
  let end = name.length;
  if (end > 0 && name.charCodeAt(end - 1) === DOT) end--;
  if (end === 0) throw badRequest("the host is empty: write host:port");
  if (end > 253) throw tooLong();
  let start = 0;
  for (let i = 0; i <= end; i++) {
    if (i < end && name.charCodeAt(i) !== DOT) continue;
    if (i === start) throw badRequest(`${shownPlace(name)} has an empty label: there is a dot too many`);
    if (i - start > 63) {
      throw badRequest(`${shownPlace(name)} has a label of more than 63 characters, which no name has`);
    }
    start = i + 1;
  }
  return (end === name.length ? name : name.slice(0, end)).toLowerCase();
}

function tooLong(): HttpError {
  return badRequest("the host is longer than 253 characters, which no name is");
}

function badCharacter(name: string, code: number): HttpError {
  switch (String.fromCharCode(code)) {
    case "%":
      return badRequest(
        `${shownPlace(name)} is percent-encoded: write the name itself, or its ASCII form (xn--…)`,
      );
    case "/":
    case "?":
    case "#":
      return badRequest(
        `${shownPlace(name)} goes on after the host: write host:port alone`,
      );
  }
  return badRequest(`${shownPlace(name)} holds ${characterName(code)}, which no host name has`);
}

/**
 * User information (`user@host`) is refused wherever it stands, with a password or without one: in a URL that comes
 * from elsewhere it is most often there to show a host that is not asked (RFC 9110 §4.2.4), and a request without it
 * is another than the one that was meant. Programs that mean it send it in a field, as all browsers do.
 */
export function userInformation(text: string): HttpError {
  // What stands before the @ may be a password: it is not repeated.
  return badRequest(
    `${
      shownPlace(text.slice(text.lastIndexOf("@") + 1))
    } has user information before it: leave out all up to the @, and send the user and the password of the origin ` +
      "in Authorization, those of this proxy in Proxy-Authorization",
  );
}

function characterName(code: number): string {
  if (code === 0x20) return "a space";
  if (code < 0x20 || code === 0x7f) return `the control character ${codePoint(code)}`;
  return `the character ${String.fromCharCode(code)}`;
}

function codePoint(code: number): string {
  return `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}

/** What should be a host and a port as part of a message: without what else a query may tell. */
export function shownPlace(text: string): string {
  return shown(text.replace(/[?#].*/s, ""));
}

/**
 * Text from the network as part of a message: quoted, cut after 80 characters, without the user information of a URL,
 * and printable ASCII throughout, everything else written as `<U+3002>`.
 */
export function shown(text: string): string {
  let out = "";
  for (const character of withoutPassword(withoutUserInformation(text))) {
    if (out.length >= 80) return `"${out}…"`;
    const code = character.codePointAt(0)!;
    out += code > 0x20 && code < 0x7f ? character : code === 0x20 ? " " : `<${codePoint(code)}>`;
  }
  return `"${out}"`;
}
