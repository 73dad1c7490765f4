/** A body on its way to a terminal: as text, of which nothing can command the terminal, or not at all. */

// a terminal obeys none of these: C0 but tab and line feed, DEL, C1, marks that nobody sees or that turn a line
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}]/gu;
/** Bytes by which text and other things are told apart. */
const LOOKED_AT = 1024;

/** Whether bytes at the beginning of a body are no text that a person reads. */
export function looksBinary(bytes: Uint8Array): boolean {
  const start = bytes.subarray(0, LOOKED_AT);
  let odd = 0;
  for (const byte of start) {
    if (byte === 0) return true;
    if (byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d && byte !== 0x1b) odd++;
  }
  const text = new TextDecoder().decode(start, { stream: true });
  for (const character of text) if (character === "\ufffd") odd++;
  return odd * 10 > start.length;
}

/** Makes text of a body that comes in pieces. */
export class TerminalText {
  readonly #decoder = new TextDecoder();
  #heldBack = "";

  /** Another piece; what a terminal would obey is written `\x1b`. */
  push(bytes: Uint8Array): string {
    return this.#safe(this.#decoder.decode(bytes, { stream: true }), false);
  }

  end(): string {
    return this.#safe(this.#decoder.decode(), true);
  }

  #safe(more: string, last: boolean): string {
    let text = this.#heldBack + more;
    this.#heldBack = "";
    // what comes next tells whether it is the end of a line
    if (!last && text.endsWith("\r")) {
      this.#heldBack = "\r";
      text = text.slice(0, -1);
    }
    return text.replaceAll("\r\n", "\n").replace(UNSAFE, (character) => {
      if (character === "\n" || character === "\t") return character;
      const code = character.codePointAt(0)!;
      return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
    });
  }
}
