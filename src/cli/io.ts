/** What the command line needs of the process around it, so that tests can stand in for it. */
export interface Io {
  /** Writes text to standard output; a reader that has gone away is no error. */
  out(text: string): void;
  /** The same for standard error. */
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

function write(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let bytes = new TextEncoder().encode(text);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
  } catch {
    // the pipe is closed (`weir --help | head -1`) or the terminal is gone: nobody is left to tell
  }
}
