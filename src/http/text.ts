/** Bytes of a head as text and back: one character a byte, in both directions. */

const utf8 = new TextDecoder();

/**
 * Text of `bytes[start..end)`, one character a byte. For bytes that are all ASCII, which the caller has seen,
 * UTF-8 says the same and is decoded fastest; others are read as ISO 8859-1, so that offsets stay true.
 */
export function decodeText(bytes: Uint8Array, start: number, end: number, notAscii: boolean): string {
  if (!notAscii) return utf8.decode(bytes.subarray(start, end));
  let text = "";
  for (let from = start; from < end; from += 4096) {
    text += String.fromCharCode(...bytes.subarray(from, Math.min(from + 4096, end)));
  }
  return text;
}

/**
 * Writes a text, one byte a character, to `out` at `at`, and returns the place after it. Throws RangeError on a
 * character above 0xFF: cut down to a byte it could become a line end.
 */
export function writeText(text: string, out: Uint8Array, at: number): number {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0xff) throw new RangeError("a character that has no place in a head");
    out[at++] = code;
  }
  return at;
}

/** The bytes of a text, one a character. Throws RangeError on a character above 0xFF. */
export function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  writeText(text, bytes, 0);
  return bytes;
}

/** The same text in memory of its own: a slice would keep the whole of what it was cut from alive. */
export function copyOf(text: string): string {
  return (" " + text).slice(1);
}
