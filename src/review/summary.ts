/** Sums logs up: what was asked for, by whom, how much of it, and what was denied. */

import type { Authority } from "../http/authority.ts";
import { Durations } from "./durations.ts";
import { isChallenge, isReported, type LoggedExchange, wasRefused } from "./logged_exchange.ts";
import { Tally } from "./tally.ts";

/** So many of each are told apart. */
const MOST_HOSTS = 10_000;
const MOST_DENIALS = 10_000;
const MOST_CLIENTS = 10_000;
const MOST_WORDS = 100;

export class Traffic {
  count = 0;
  up = 0;
  down = 0;
  /** Refused, or reported to be; in a relay's, those that failed. */
  denied = 0;

  add({ up, down }: { readonly up: number; readonly down: number }, denied: boolean): void {
    this.count++;
    this.up += up;
    this.down += down;
    if (denied) this.denied++;
  }
}

/** What one rule denied of one host and port. */
export class Denial {
  count = 0;
  /** How many of these went on, since the denial was only reported. */
  reported = 0;
  /** Of the last one. */
  authority: Authority | null = null;
  rule = "";
  reason = "";
  client = "";
}

export class Summary {
  /** ms since the epoch; `first` is greater when there was nothing. */
  first = Infinity;
  last = -Infinity;
  /** Allowed; refused; reported to be denied; asked for credentials; the policy was not asked, or nobody knows. */
  allowed = 0;
  refused = 0;
  reported = 0;
  challenged = 0;
  undecided = 0;
  /** Whether anything was denied since no rule matched: the policy's default is known then. */
  defaultDenies = false;
  /** Those of which no target is known. */
  withoutTarget = 0;
  readonly total = new Traffic();
  /** Of requests; a tunnel takes as long as its client likes. */
  readonly durations = new Durations();
  readonly hosts = new Tally<Traffic>(MOST_HOSTS, () => new Traffic());
  readonly denials = new Tally<Denial>(MOST_DENIALS, () => new Denial());
  readonly clients = new Tally<Traffic>(MOST_CLIENTS, () => new Traffic());
  readonly methods = new Tally<Traffic>(MOST_WORDS, () => new Traffic());
  readonly errors = new Tally<Traffic>(MOST_WORDS, () => new Traffic());
  /** By the first digit of the status; `statuses[0]` got no answer. */
  readonly statuses: number[] = Array.from({ length: 10 }, () => 0);

  /** Whether anything was denied, be it enforced or only reported. */
  get denied(): number {
    return this.refused + this.reported;
  }

  add(exchange: LoggedExchange): void {
    const denied = wasRefused(exchange) || isReported(exchange);
    if (exchange.time < this.first) this.first = exchange.time;
    if (exchange.time > this.last) this.last = exchange.time;
    this.total.add(exchange, denied);
    this.#countVerdict(exchange);
    this.statuses[Math.floor(exchange.status / 100)]++;
    if (exchange.method !== "") this.methods.of(exchange.method).add(exchange, denied);
    // a denial has its own table
    if (exchange.error !== "" && !denied) this.errors.of(exchange.error).add(exchange, denied);
    if (exchange.duration >= 0 && exchange.method !== "CONNECT") this.durations.add(exchange.duration);
    const client = exchange.user === null ? exchange.client : `${exchange.user}@${exchange.client}`;
    if (client !== "") this.clients.of(client).add(exchange, denied);
    if (exchange.authority === null) this.withoutTarget++;
    else this.hosts.of(exchange.authority.text).add(exchange, denied);
    if (denied) this.#deny(exchange);
  }

  #countVerdict(exchange: LoggedExchange): void {
    if (isChallenge(exchange)) this.challenged++;
    else if (exchange.verdict === "allow") this.allowed++;
    else if (exchange.verdict === "none") this.undecided++;
    else if (exchange.enforced) this.refused++;
    else this.reported++;
  }

  #deny(exchange: LoggedExchange): void {
    this.defaultDenies ||= exchange.rule === "default";
    const denial = this.denials.of(`${exchange.authority?.text ?? ""} ${exchange.rule}`);
    denial.count++;
    if (!exchange.enforced) denial.reported++;
    denial.authority = exchange.authority;
    denial.rule = exchange.rule;
    denial.reason = exchange.reason;
    denial.client = exchange.client;
  }
}
