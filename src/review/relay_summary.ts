/** Sums up logs of `weir relay`: where connections went, whose they were, how much of it, and what failed. */

import { Durations } from "./durations.ts";
import type { LoggedConnection } from "./read_relayed.ts";
import { Traffic } from "./summary.ts";
import { Tally } from "./tally.ts";

/** So many of each are told apart. */
const MOST_TARGETS = 1000;
const MOST_CLIENTS = 10_000;
const MOST_WORDS = 100;

export class RelaySummary {
  /** ms since the epoch; `first` is greater when there was nothing. */
  first = Infinity;
  last = -Infinity;
  /** Reached a target; reached none; turned away. */
  connected = 0;
  unreached = 0;
  denied = 0;
  /** Connected ones that ended with an error. */
  cut = 0;
  /** Connected ones for which another target was tried in vain before. */
  passedOn = 0;
  readonly total = new Traffic();
  readonly durations = new Durations();
  readonly targets = new Tally<Traffic>(MOST_TARGETS, () => new Traffic());
  readonly clients = new Tally<Traffic>(MOST_CLIENTS, () => new Traffic());
  readonly errors = new Tally<Traffic>(MOST_WORDS, () => new Traffic());

  add(connection: LoggedConnection): void {
    const { time, client, connected, denied, skipped, error, duration } = connection;
    const failed = !connected || error !== "";
    this.first = Math.min(this.first, time);
    this.last = Math.max(this.last, time);
    this.total.add(connection, denied);
    if (denied) this.denied++;
    else if (!connected) this.unreached++;
    else {
      this.connected++;
      if (error !== "") this.cut++;
      if (skipped > 0) this.passedOn++;
      this.durations.add(duration);
    }
    const target = targetOf(connection);
    if (target !== "") this.targets.of(target).add(connection, failed);
    if (client !== "") this.clients.of(client).add(connection, failed);
    if (error !== "") this.errors.of(error).add(connection, false);
  }
}

/** A name is told with its address, since each of its addresses is a target of its own. */
function targetOf({ target, origin }: LoggedConnection): string {
  if (origin === "" || target.startsWith(`${origin}:`) || target.startsWith(`[${origin}]:`)) return target;
  return `${target} at ${origin}`;
}
