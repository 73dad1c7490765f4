/**
 * Text that came from the network on its way into a line of the log: nothing in it may move the cursor, colour the
 * screen, turn the line around, or look like the end of a line or of a column.
 */

// A fast look first: most texts are plain ASCII and stay as they are.
const NOT_PLAIN = /[^\x20-\x7e]/;
const NOT_PLAIN_IN_JSON = /[^\x20\x21\x23-\x5b\x5d-\x7e]/;
// Controls (C0, DEL, C1), marks that nobody sees or that change the direction (category Cf), private and unassigned
// characters, lone surrogates, and Unicode's own line ends.
const EACH_UNSAFE = /[\p{C}\p{Zl}\p{Zp}]/gu;
const NOT_ASCII = /[\u0080-\uffff]/;
const WIDE = /[\u0100-\uffff]/;
const EACH_WIDE = /[\u0100-\uffff]+/g;

const encoder = new TextEncoder();
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** At most `limit` characters of a text and a mark that there was more. */
export function bounded(text: string, limit: number, mark = "…"): string {
  return text.length > limit ? text.slice(0, limit) + mark : text;
}

/** A text as a person may see it: characters that would not be seen are written `\x1b` or `\u{202e}`. */
export function printable(text: string, limit: number): string {
  const short = bounded(text, limit);
  return NOT_PLAIN.test(short) ? escaped(short) : short;
}

/** A text as it stands between the quotes of a JSON string; what {@link printable} escapes is escaped too. */
export function jsonText(text: string, limit: number): string {
  const short = bounded(text, limit);
  if (!NOT_PLAIN_IN_JSON.test(short)) return short;
  return jsonOf(fromUtf8(short)).slice(1, -1);
}

/** A value as JSON in one line, with the same escaped in all its texts: a terminal shows it as it is. */
export function jsonOf(value: unknown): string {
  // JSON.stringify leaves DEL, the C1 controls and the marks of category Cf as they are
  return JSON.stringify(value).replace(EACH_UNSAFE, (character) => {
    let units = "";
    for (let i = 0; i < character.length; i++) {
      units += `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`;
    }
    return units;
  });
}

/**
 * A text with one character a byte, for formats that are bytes by definition. What was read from a head is so
 * already; characters above 0xFF can only be our own and become their UTF-8.
 */
export function byteText(text: string): string {
  if (!WIDE.test(text)) return text;
  return text.replace(EACH_WIDE, (run) => String.fromCharCode(...encoder.encode(run)));
}

/** A code below 256 as two hexadecimal digits. */
export function hexadecimal(code: number): string {
  return code < 16 ? `0${code.toString(16)}` : code.toString(16);
}

function escaped(text: string): string {
  return fromUtf8(text).replace(EACH_UNSAFE, (character) => {
    const code = character.codePointAt(0)!;
    return code < 256 ? `\\x${hexadecimal(code)}` : `\\u{${code.toString(16)}}`;
  });
}

/** A head is read one character a byte. Where its bytes are UTF-8, this gives the text that was meant. */
function fromUtf8(text: string): string {
  if (!NOT_ASCII.test(text) || WIDE.test(text)) return text;
  try {
    return strictUtf8.decode(Uint8Array.from(text, (character) => character.charCodeAt(0)));
  } catch {
    return text;
  }
}
