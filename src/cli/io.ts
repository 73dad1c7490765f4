/** What the command line needs of the process around it, so that tests can stand in for it. */
export interface Io {
  /** Writes text to standard output; a reader that has gone away is no error. */
  out(text: string): void;
  /** Writes bytes to standard output; false when nobody reads them any more. */
  bytes(bytes: Uint8Array): boolean;
  /** The same as {@link out} for standard error. */
  err(text: string): void;
  readonly input: ReadableStream<Uint8Array>;
  isTerminal(stream: "input" | "out" | "err"): boolean;
  /** True when the environment asks for no colours (NO_COLOR). */
  readonly noColor: boolean;
}

/** The process's own streams. */
export function processIo(): Io {
  return {
    out: (text) => write(Deno.stdout, text),
    bytes: (bytes) => writeAll(Deno.stdout, bytes),
    err: (text) => write(Deno.stderr, text),
    get input() {
      return Deno.stdin.readable;
    },
    isTerminal(stream) {
      if (stream === "input") return Deno.stdin.isTerminal();
      return stream === "out" ? Deno.stdout.isTerminal() : Deno.stderr.isTerminal();
    },
    noColor: Deno.noColor,
  };
}

/** Whether to colour what is written to a stream. */
export function wantsColor(when: "auto" | "always" | "never", stream: "out" | "err", io: Io): boolean {
  return when === "always" || (when === "auto" && !io.noColor && io.isTerminal(stream));
}

interface Stream {
  writeSync(bytes: Uint8Array): number;
}

function write(stream: Stream, text: string): void {
  writeAll(stream, new TextEncoder().encode(text));
}

function writeAll(stream: Stream, bytes: Uint8Array): boolean {
  try {
    while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
    return true;
  } catch {
    // the pipe is closed (`weir --help | head -1`) or the terminal is gone: nobody is left to tell
    return false;
  }
}
