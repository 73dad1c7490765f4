/** Takes a stream of bytes apart into lines, however long the stream is, and whether or not it is compressed. */

/** Characters; what is longer is no line that any log writes. */
export const LONGEST_LINE = 65_536;

/** Stands for a line that is longer than {@link LONGEST_LINE}. */
export const TOO_LONG = null;

/**
 * The lines of a stream, those that came together in one list. A last line without an end is one too; `\r\n` ends a
 * line as `\n` does, and what is not UTF-8 becomes U+FFFD, which no part of a target may hold.
 */
export async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<(string | null)[]> {
  const decoder = new TextDecoder();
  // a piece of a line that goes on, in parts, since joining them at every read would take quadratic time
  let parts: string[] = [];
  let length = 0;
  for await (const bytes of plain(stream)) {
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

/** The bytes themselves, or what they hold when they begin as gzip does. */
async function* plain(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    let head: Uint8Array<ArrayBufferLike> = new Uint8Array();
    let ended = false;
    while (head.length < 2 && !ended) {
      const { value, done } = await reader.read();
      if (done) ended = true;
      else head = joined(head, value);
    }
    if (head[0] !== 0x1f || head[1] !== 0x8b) {
      if (head.length > 0) yield head;
      while (!ended) {
        const { value, done } = await reader.read();
        if (done) return;
        yield value;
      }
      return;
    }
    yield* inflated(head, reader);
  } finally {
    // whoever stops early leaves no file open
    await reader.cancel().catch(() => {});
  }
}

async function* inflated(
  head: Uint8Array,
  reader: ReadableStreamDefaultReader<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let begun = false;
  const compressed = new ReadableStream<BufferSource>({
    async pull(controller) {
      if (!begun) {
        begun = true;
        return controller.enqueue(new Uint8Array(head));
      }
      const { value, done } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(new Uint8Array(value));
    },
  });
  for await (const bytes of compressed.pipeThrough(new DecompressionStream("gzip"))) yield bytes;
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}
