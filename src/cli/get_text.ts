/** How `weir get` shows an exchange. Whatever the network said goes through one place that makes it harmless. */

import { type AnswerHead, fieldIn } from "../get/answer_head.ts";
import type { Times } from "../get/connecting.ts";
import type { Outcome } from "../get/exchange.ts";
import { fieldWords, TOLD } from "../get/field_words.ts";
import { BOLD, CYAN, DIM, paint, statusColor } from "../observe/colors.ts";
import { printable } from "../observe/printable.ts";
import { humanDuration, humanSize } from "../observe/quantities.ts";

/** A field that is longer is cut. */
const LONGEST = 2000;
const COLUMN = 9;

/** Fields that prove who asks: that they are sent is shown, and not what. */
const SECRET = /^((?:proxy-)?authorization): *([!-~]+)?.*/i;

const STEPS: readonly (readonly [step: keyof Times, help: string])[] = [
  ["name", "to learn the addresses of the name"],
  ["connect", "to connect"],
  ["tunnel", "for the proxy to open a tunnel to the origin"],
  ["tls", "for the TLS handshake; the certificate was verified"],
  ["answer", "from the request to the head of the answer"],
  ["body", "for the body"],
  ["whole", "in all"],
];

export class Showing {
  /**
   * @param verbose whether requests are shown too, and what each field means
   * @param now ms since the epoch
   */
  constructor(
    readonly print: (text: string) => void,
    readonly color: boolean,
    readonly verbose: boolean,
    readonly now: number,
  ) {}

  asked(lines: readonly string[]): void {
    if (!this.verbose) return;
    const [first, ...fields] = lines;
    let text = this.#line(">", paint(this.color, BOLD, safe(first)));
    for (const field of fields) {
      const colon = field.indexOf(":");
      text += this.#field("request", ">", field.slice(0, colon), field.slice(colon + 1).trim());
    }
    this.print(`${text}\n`);
  }

  /** @param last whether it is the answer; interim ones and those that open tunnels are steps on the way */
  answered({ status, reason, minorVersion, fields }: AnswerHead, last: boolean): void {
    if (!last && !this.verbose) return;
    const start = `HTTP/1.${minorVersion} ${paint(this.color, statusColor(status), `${status}`)} ${
      paint(this.color, BOLD, safe(reason))
    }`;
    let text = this.#line("<", start.trimEnd());
    for (const [name, value] of fields) text += this.#field("response", "<", name, value);
    this.print(last ? text : `${text}\n`);
  }

  /** @param note what became of the body, if that has to be said */
  summary({ head, times, bytes, trailers, odd, noTunnel, whole }: Outcome, note: string): void {
    let text = "\n";
    for (const [name, value] of trailers) text += this.#field("response", "<", name, value);
    if (trailers.length > 0) text += "\n";
    if (!this.verbose) {
      for (const [name, title] of TOLD) {
        const value = fieldIn(head, name);
        if (value !== "") text += this.#rows(title, fieldWords("response", name, value, this.now));
      }
    }
    if (odd.length > 0) text += this.#rows("odd", [odd.join(", ")]);
    if (noTunnel) text += this.#rows("tunnel", ["the proxy opened none; that is an answer of its own"]);
    text += this.#times(times);
    if (bytes > 0) text += this.#rows("body", [`${humanSize(bytes)}${whole ? "" : ", and not all of it"}`]);
    if (note !== "") text += this.#rows("", [note]);
    this.print(text);
  }

  note(text: string): void {
    this.print(this.#rows("", [text]));
  }

  #times(times: Times): string {
    const steps = STEPS.filter(([step]) => times[step] >= 0);
    if (!this.verbose) {
      const parts = steps.filter(([step]) => step !== "whole").map(([step]) =>
        `${step} ${humanDuration(times[step])}`
      );
      return this.#rows("time", [`${humanDuration(times.whole)}: ${parts.join(", ")}`]);
    }
    return steps.map(([step, help], index) =>
      `  ${paint(this.color, DIM, (index === 0 ? "time" : "").padEnd(COLUMN))}${
        humanDuration(times[step]).padStart(7)
      }  ${help}\n`
    ).join("");
  }

  #line(mark: string, text: string): string {
    return this.verbose ? `${paint(this.color, DIM, mark)} ${text}\n` : `${text}\n`;
  }

  #field(kind: "request" | "response", mark: string, name: string, value: string): string {
    const shown = safe(`${name}: ${value}`.replace(SECRET, "$1: $2 (not shown)"));
    const colon = shown.indexOf(":");
    const line = this.#line(mark, `${paint(this.color, CYAN, shown.slice(0, colon))}${shown.slice(colon)}`);
    if (!this.verbose) return line;
    const words = fieldWords(kind, name, value, this.now);
    return line + words.map((each) => `    ${paint(this.color, DIM, safe(each))}\n`).join("");
  }

  #rows(title: string, texts: readonly string[]): string {
    return texts.map((text, index) =>
      `  ${paint(this.color, DIM, (index === 0 ? title : "").padEnd(COLUMN))}${safe(text)}\n`
    ).join("");
  }
}

function safe(text: string): string {
  return printable(text, LONGEST);
}
