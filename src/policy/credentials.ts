/** Reads who a client says it is: `Proxy-Authorization: Basic …` (RFC 7617). */

/** A name and a password as a client gave them, not yet verified. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** Characters of a field's value that are looked at; a longer one holds no credentials. */
export const MAX_CREDENTIALS = 4096;

const SCHEME = /^basic +/i;
// from U+0000 to U+001F and from U+007F to U+009F (RFC 7617 §2)
const CONTROL = /\p{Cc}/u;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads the value of a Proxy-Authorization field, one character a byte, white space around it trimmed. `null` for
 * another scheme, and for what is not Basic as it is defined: that is as good as none.
 *
 * The base64 has to be the one way to write those bytes: the usual alphabet, with its padding, without white space
 * or stray bits, so that two readers cannot see two names in it. The bytes are UTF-8, as the challenge announces;
 * what is not UTF-8 is read as ISO 8859-1, which is what clients that know no charset send. There has to be a name,
 * and neither it nor the password holds a control character; the password may be empty and may hold colons.
 */
export function readBasic(value: string): Credentials | null {
  if (value.length > MAX_CREDENTIALS) return null;
  const scheme = SCHEME.exec(value);
  if (scheme === null) return null;
  const bytes = readBase64(value.slice(scheme[0].length));
  if (bytes === null) return null;
  const text = decode(bytes);
  const colon = text.indexOf(":");
  if (colon < 1 || CONTROL.test(text)) return null;
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** The bytes of canonical base64, one a character; `null` for what is not. */
function readBase64(text: string): string | null {
  let bytes: string;
  try {
    bytes = atob(text);
  } catch {
    return null;
  }
  // atob forgives white space, missing padding and stray bits
  return btoa(bytes) === text ? bytes : null;
}

function decode(bytes: string): string {
  try {
    return utf8.decode(Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
  } catch {
    return bytes;
  }
}
