/** Asks for a password on a terminal, which does not show it. */

/** The terminal that a person types at. */
export interface Terminal {
  /** Resolves with a number of bytes, or `null` at the end. */
  read(into: Uint8Array): Promise<number | null>;
  /** Whether each key comes at once and is not shown. */
  setRaw(raw: boolean): void;
}

/** Bytes of a line that are kept. */
const LONGEST = 4096;

const INTERRUPT = 0x03;
const END = 0x04;
const BACKSPACE = 0x08;
const LINE_FEED = 0x0a;
const RETURN = 0x0d;
const KILL = 0x15;
const ESCAPE = 0x1b;
const DELETE = 0x7f;

/**
 * Lets `body` read lines that are not shown. The terminal is as before when it is over, also by a signal.
 */
export async function hidden<T>(terminal: Terminal, body: (input: HiddenInput) => Promise<T>): Promise<T> {
  terminal.setRaw(true);
  try {
    return await body(new HiddenInput(terminal));
  } finally {
    terminal.setRaw(false);
  }
}

class HiddenInput {
  readonly #terminal: Terminal;
  readonly #buffer = new Uint8Array(256);
  #start = 0;
  #end = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /**
   * One line, as it is after corrections: Backspace takes a character away, Ctrl-U all. Other keys that stand for no
   * character change nothing. `null` when the person breaks it off, or the terminal is gone.
   */
  async line(): Promise<string | null> {
    const bytes: number[] = [];
    for (;;) {
      const byte = await this.#next();
      if (byte === null || byte === INTERRUPT || (byte === END && bytes.length === 0)) return null;
      if (byte === RETURN || byte === LINE_FEED) return new TextDecoder().decode(Uint8Array.from(bytes));
      if (byte === BACKSPACE || byte === DELETE) takeCharacter(bytes);
      else if (byte === KILL) bytes.length = 0;
      else if (byte === ESCAPE) await this.#skipKey();
      else if (byte >= 0x20 && bytes.length < LONGEST) bytes.push(byte);
    }
  }

  /** What follows ESC of an arrow, or of the marks around what is pasted. */
  async #skipKey(): Promise<void> {
    const kind = await this.#next();
    if (kind === 0x4f) await this.#next(); // O and one byte
    if (kind !== 0x5b) return; // [ and bytes up to a letter or ~
    for (let byte = await this.#next(); byte !== null && byte < 0x40; byte = await this.#next());
  }

  async #next(): Promise<number | null> {
    if (this.#start === this.#end) {
      const count = await this.#terminal.read(this.#buffer);
      if (count === null || count === 0) return null;
      this.#start = 0;
      this.#end = count;
    }
    return this.#buffer[this.#start++];
  }
}

/** Takes away the last character of UTF-8, which may be several bytes. */
function takeCharacter(bytes: number[]): void {
  let byte = bytes.pop();
  while (byte !== undefined && (byte & 0xc0) === 0x80) byte = bytes.pop();
}

const EXIT_CODES = { SIGTERM: 143, SIGHUP: 129 } as const;

/** The terminal of this process. */
export function processTerminal(): Terminal {
  const signals = Deno.build.os === "windows" ? [] : Object.keys(EXIT_CODES) as (keyof typeof EXIT_CODES)[];
  const listeners = signals.map((signal) =>
    [signal, () => {
      Deno.stdin.setRaw(false);
      Deno.exit(EXIT_CODES[signal]);
    }] as const
  );
  return {
    read: (into) => Deno.stdin.read(into),
    setRaw(raw) {
      Deno.stdin.setRaw(raw);
      for (const [signal, listener] of listeners) {
        if (raw) Deno.addSignalListener(signal, listener);
        else Deno.removeSignalListener(signal, listener);
      }
    },
  };
}
