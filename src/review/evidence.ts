/** What a log shows for a rule: how often, when, by whom, and how much. */

import type { LoggedExchange } from "./logged_exchange.ts";
import { ownCopy } from "./tally.ts";

/** Different clients, addresses and names that are remembered of each rule. */
const MOST_REMEMBERED = 50;

/** `2026-11-21 06:00:25Z` @param time ms since the epoch */
export function moment(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19).replace("T", " ")}Z`;
}

/** From one time to another, as far as they differ by the second. @param first ms since the epoch, as `last` */
export function period(first: number, last: number): string {
  const [from, to] = [moment(first), moment(last)];
  return from === to ? from : `${from} to ${to}`;
}

/** `1 exchange`, `2 exchanges`. */
export function exchangesInWords(count: number): string {
  return `${count} ${count === 1 ? "exchange" : "exchanges"}`;
}

/** Texts, in bounded number. */
class Some {
  #texts = new Set<string>();
  #more = false;

  add(text: string): void {
    if (text === "" || this.#texts.has(text)) return;
    if (this.#texts.size < MOST_REMEMBERED) this.#texts.add(ownCopy(text));
    else this.#more = true;
  }

  addAll(other: Some): void {
    for (const text of other.#texts) this.add(text);
    this.#more ||= other.#more;
  }

  get size(): number {
    return this.#texts.size;
  }

  /** `a, b, c and 4 more`, in order; `""` when there are none. */
  inWords(most: number): string {
    const texts = [...this.#texts].sort();
    const more = texts.length - most;
    const told = texts.slice(0, most).join(", ");
    if (this.#more) return `${told} and more than ${more}`;
    return more > 0 ? `${told} and ${more} more` : told;
  }
}

export class Evidence {
  count = 0;
  /** ms since the epoch. */
  first = Infinity;
  last = -Infinity;
  up = 0;
  down = 0;
  readonly ports = new Map<number, number>();
  readonly clients = new Some();
  /** Addresses of the origin that are more private than the client that reached them. */
  readonly morePrivate = new Some();
  /** Names that tunnels asked for and that are not the host's. */
  readonly otherNames = new Some();

  add(exchange: LoggedExchange): void {
    this.count++;
    this.first = Math.min(this.first, exchange.time);
    this.last = Math.max(this.last, exchange.time);
    this.up += exchange.up;
    this.down += exchange.down;
    const { port } = exchange.authority!;
    this.ports.set(port, (this.ports.get(port) ?? 0) + 1);
    this.clients.add(exchange.client);
  }

  addAll(other: Evidence): void {
    this.count += other.count;
    this.first = Math.min(this.first, other.first);
    this.last = Math.max(this.last, other.last);
    this.up += other.up;
    this.down += other.down;
    for (const [port, count] of other.ports) this.ports.set(port, (this.ports.get(port) ?? 0) + count);
    this.clients.addAll(other.clients);
    this.morePrivate.addAll(other.morePrivate);
    this.otherNames.addAll(other.otherNames);
  }

  /** A sentence for each line. @param size writes a number of bytes for people */
  lines(size: (bytes: number) => string): string[] {
    const many = exchangesInWords(this.count);
    const when = period(this.first, this.last);
    const lines = [
      `${many}, ${when}, ${size(this.up)} up, ${size(this.down)} down`,
      `ports ${this.#portsInWords()}; clients ${this.clients.inWords(3) || "unknown"}`,
    ];
    if (this.morePrivate.size > 0) {
      lines.push(
        `warning: ${
          this.morePrivate.inWords(3)
        }: more private than a client, which private-networks has to allow`,
      );
    }
    if (this.otherNames.size > 0) {
      lines.push(
        `warning: a tunnel asked for another name, ${this.otherNames.inWords(3)}: tls = "match" refuses that`,
      );
    }
    return lines;
  }

  #portsInWords(): string {
    const ports = [...this.ports].sort(([a], [b]) => a - b);
    if (ports.length === 1) return `${ports[0][0]}`;
    const told = ports.slice(0, 8).map(([port, count]) => `${port} (${count})`).join(", ");
    return ports.length > 8 ? `${told} and ${ports.length - 8} more` : told;
  }
}
