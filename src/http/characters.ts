/** Character classes of HTTP/1.1 as tables: one look-up per byte. */

export const CR = 0x0d;
export const LF = 0x0a;
export const SP = 0x20;
export const HTAB = 0x09;
export const COLON = 0x3a;
export const COMMA = 0x2c;
export const SEMICOLON = 0x3b;
export const SLASH = 0x2f;

const TOKEN_CHARACTERS = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** For a byte that may stand in a token, that byte in lower case; else 0 (RFC 9110 §5.6.2). */
export const TOKEN_LOWER: Uint8Array = new Uint8Array(256);

/** 1 for a byte that may stand in a field value: VCHAR, obs-text, space and tab (RFC 9110 §5.5). */
export const VALUE: Uint8Array = new Uint8Array(256);

/** The same for values in odd responses, where control characters other than CR, LF and NUL are kept. */
export const VALUE_OR_CONTROL: Uint8Array = new Uint8Array(256).fill(1);

/** 1 for a byte that may stand in a request target: no control, no white space; above 0x7F it is left as it is. */
export const TARGET: Uint8Array = new Uint8Array(256);

/** The worth of a hexadecimal digit; 255 for any other byte. */
export const HEXADECIMAL: Uint8Array = new Uint8Array(256).fill(255);

for (const character of TOKEN_CHARACTERS) {
  TOKEN_LOWER[character.charCodeAt(0)] = character.toLowerCase().charCodeAt(0);
}
for (let byte = 0; byte < 256; byte++) {
  VALUE[byte] = (byte >= 0x20 && byte !== 0x7f) || byte === HTAB ? 1 : 0;
  TARGET[byte] = byte > 0x20 && byte !== 0x7f ? 1 : 0;
}
for (const byte of [0, CR, LF]) VALUE_OR_CONTROL[byte] = 0;
for (let digit = 0; digit < 16; digit++) {
  HEXADECIMAL[digit.toString(16).charCodeAt(0)] = digit;
  HEXADECIMAL[digit.toString(16).toUpperCase().charCodeAt(0)] = digit;
}

/** Whether a text is a token: a method, a field name, a pseudonym (RFC 9110 §5.6.2). */
export function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 255 || TOKEN_LOWER[code] === 0) return false;
  }
  return text.length > 0;
}
