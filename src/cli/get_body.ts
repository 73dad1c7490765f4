/** Where the body of an answer goes: a file, a pipe, a terminal, or nowhere. */

import { type AnswerHead, fieldIn } from "../get/answer_head.ts";
import { progressText } from "../get/progress.ts";
import { looksBinary, TerminalText } from "../get/terminal_text.ts";
import type { OutputFile } from "./get_file.ts";
import type { Io } from "./io.ts";

/** A body that takes longer has its progress shown, ms. */
const LONG = 500;
/** Between two looks at it, ms. */
const PAUSE = 100;

export class BodyOutput {
  /** What became of the body, where that has to be said; else `""`. */
  note = "";
  /** Why the file could not be written; `null` when nothing went wrong. */
  problem: string | null = null;

  #text: TerminalText | null = null;
  #began = 0;
  #shown = 0;
  #received = 0;
  #whole: number | null = null;
  #passedOver = false;
  #toFile = false;
  #binary = false;
  /** Whether what was written to the terminal last is the end of a line. */
  #lineEnded = true;

  constructor(readonly file: OutputFile | null, readonly io: Io) {}

  /** @param passedOver whether another answer is wanted in the place of this one */
  begin(head: AnswerHead, passedOver: boolean): void {
    const { status } = head;
    const length = fieldIn(head, "content-length");
    this.#passedOver = passedOver;
    // a page that tells of an error is not what the file is for
    this.#toFile = this.file !== null && !passedOver && status >= 200 && status < 300;
    if (this.file !== null && !passedOver && !this.#toFile) {
      this.note = `${this.file.path} was not written, for that is an answer of ${status}`;
    }
    this.#whole = /^[0-9]{1,15}$/.test(length) ? Number(length) : null;
    this.#received = 0;
    this.#began = performance.now();
    this.#binary = fieldIn(head, "content-encoding") !== "";
    if (this.io.isTerminal("out") && !this.#toFile) this.#text = new TerminalText();
  }

  /** False when nobody takes it any more. */
  push(bytes: Uint8Array): boolean {
    const first = this.#received === 0;
    this.#received += bytes.length;
    const onTerminal = this.#text !== null && !this.#passedOver;
    if (onTerminal && first && (this.#binary || looksBinary(bytes))) {
      this.#binary = true;
      this.note = "the body is no text, and not shown: -o FILE keeps it, | PROGRAM reads it";
    }
    if (!onTerminal || this.#binary) this.#progress();
    if (this.#passedOver) return true;
    if (this.#toFile) return this.#write(bytes);
    if (this.#text === null) return this.io.bytes(bytes);
    if (!this.#binary) this.#show(this.#text.push(bytes), first);
    return true;
  }

  /** The body is over, or will not go on; a file stays only when it is whole. */
  end(whole: boolean): void {
    if (this.#shown > 0) this.io.err("\r\x1b[K");
    this.#shown = 0;
    if (this.#text !== null && !this.#binary && !this.#passedOver && this.#received > 0) {
      this.#show(this.#text.end(), false);
      if (!this.#lineEnded) this.io.out("\n");
      this.#lineEnded = true;
    }
    this.#text = null;
    if (whole && this.#toFile && this.problem === null) {
      this.file!.keep();
      this.note = `written to ${this.file!.path}`;
    }
  }

  #show(text: string, first: boolean): void {
    if (first) text = `\n${text}`;
    if (text === "") return;
    this.io.out(text);
    this.#lineEnded = text.endsWith("\n");
  }

  #write(bytes: Uint8Array): boolean {
    try {
      this.file!.write(bytes);
      return true;
    } catch (error) {
      this.problem = `${this.file!.path} cannot be written: ${
        error instanceof Error ? error.message : error
      }`;
      return false;
    }
  }

  #progress(): void {
    const now = performance.now();
    const elapsed = now - this.#began;
    if (elapsed < LONG || now - this.#shown < PAUSE || !this.io.isTerminal("err")) return;
    this.#shown = now;
    this.io.err(`\r${progressText(this.#received, this.#whole, elapsed)}\x1b[K`);
  }
}
