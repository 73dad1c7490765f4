/** Takes a stream of bytes apart into lines, however long the stream is. */

/** Characters; what is longer is no line that any log writes. */
export const LONGEST_LINE = 65_536;

/** Stands for a line that is longer than {@link LONGEST_LINE}. */
const TOO_LONG = null;

/**
 * The lines of a stream, those that came together in one list. A last line without an end is one too; `\r\n` ends a
 * line as `\n` does, and what is not UTF-8 becomes U+FFFD, which no part of a target may hold.
 */
export async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<(string | null)[]> {
  const decoder = new TextDecoder();
  // a piece of a line that goes on, in parts, since joining them at every read would take quadratic time
  let parts: string[] = [];
  let length = 0;
  for await (const bytes of stream) {
    const lines: (string | null)[] = [];
    const text = decoder.decode(bytes, { stream: true });
    let at = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", at)) {
      lines.push(lineOf(parts, length, text.slice(at, end)));
      parts = [];
      length = 0;
      at = end + 1;
    }
    if (at < text.length) {
      length += text.length - at;
      if (length <= LONGEST_LINE + 1) parts.push(text.slice(at));
      else parts = [];
    }
    if (lines.length > 0) yield lines;
  }
  const rest = decoder.decode();
  if (length > 0 || rest !== "") yield [lineOf(parts, length, rest)];
}

function lineOf(parts: string[], length: number, last: string): string | null {
  // a carriage return is no part of the line, and is not counted before it is known to be the end
  if (length + last.length > LONGEST_LINE + 1) return TOO_LONG;
  const line = parts.length === 0 ? last : parts.join("") + last;
  const whole = line.endsWith("\r") ? line.slice(0, -1) : line;
  return whole.length > LONGEST_LINE ? TOO_LONG : whole;
}
