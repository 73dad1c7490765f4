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
    out: (text) => write(Deno.stdout, harmless(text)),
    bytes: (bytes) => writeAll(Deno.stdout, bytes),
    err: (text) => write(Deno.stderr, harmless(text)),
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

// deno-lint-ignore no-control-regex
const CONTROL = /(?!\x1b\[[0-9;]*[mK])[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g;

/**
 * The last door to a terminal: of all that it might obey, only colours and what shows progress go through. What people
 * and networks have written should be printable long before.
 */
export function harmless(text: string): string {
  return text.replace(CONTROL, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`);
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
