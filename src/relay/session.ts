/** One connection of a client, from its coming to its end. */

import { SMALL } from "../net/buffers.ts";
import type { Clock } from "../net/clock.ts";
import { Connection } from "../net/connection.ts";
import { DialError, type DialErrorKind } from "../net/dial.ts";
import { relay } from "../net/relay.ts";
import { UNLISTED } from "../net/roster.ts";
import { SignalDeadline } from "../net/signal_deadline.ts";
import type { OwnListeners } from "../policy/own_listeners.ts";
import { hashOf } from "./balancing.ts";
import { dialTarget } from "./dial_target.ts";
import type { RelayObserver } from "./observer.ts";
import type { Relayed } from "./relayed.ts";
import type { RelaySettings } from "./settings.ts";
import type { Target } from "./target.ts";
import { type Attempt, isAboutTarget, reasonOf, type Targets } from "./targets.ts";

export interface SessionOptions {
  readonly settings: RelaySettings;
  readonly clock: Clock;
  readonly targets: Targets;
  readonly observer: RelayObserver;
  /** The client's side, as it was accepted. */
  readonly stream: Deno.TcpConn;
  /** What the client is counted as. */
  readonly clientKey: string;
  /** The address at which the client came in. */
  readonly local: string;
  readonly ownListeners: OwnListeners;
  /** What each target is told first, if anything. */
  readonly header: Uint8Array | null;
  readonly relayed: Relayed;
}

/** A connection to a target, on which nothing but the header has been sent. */
interface Reached {
  readonly target: Target;
  readonly up: Connection;
}

const ERRORS: Readonly<Record<DialErrorKind, string>> = {
  refused: "connection_refused",
  timeout: "connection_timeout",
  unreachable: "destination_ip_unroutable",
  no_descriptors: "connection_limit_reached",
  aborted: "",
  failed: "destination_unavailable",
};

const CLIENT_RESET = "the client reset the connection";
const STOPPED = "the relay was stopped";

export class Session {
  /** Among those of all clients. */
  place = UNLISTED;
  readonly #options: SessionOptions;
  readonly #down: Connection;
  #up: Connection | null = null;
  #dialling: SignalDeadline | null = null;
  /** Why there is nobody any more for whom a target could be reached; `""` while there is. */
  #over = "";

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#down = new Connection(options.stream, options.clock, SMALL, 0);
  }

  /** What the client is counted as. */
  get clientKey(): string {
    return this.#options.clientKey;
  }

  /** What is silent in a relay may still be in use. */
  readonly idleUntil = Infinity;
  readonly isNew = false;

  endIfIdle(): void {}

  /** Relays until it is over, and records it. Never rejects. */
  async run(): Promise<void> {
    const { relayed, observer, targets } = this.#options;
    const reached = await this.#reach();
    if (reached !== null) {
      relayed.connectedAt = performance.now();
      await this.#relay(reached);
      targets.ended(reached.target);
    }
    this.#down.release();
    relayed.endedAt = performance.now();
    observer.finished(relayed);
  }

  /** Ends it at once. */
  stop(): void {
    this.#over ||= STOPPED;
    this.#dialling?.giveUp();
    this.#down.close();
    this.#up?.close();
  }

  /**
   * A connection to the first target that takes one. What the client sends meanwhile waits, so that nothing is lost
   * when a target does not. `null` when there is none, or nobody who waits for it any more.
   */
  async #reach(): Promise<Reached | null> {
    const { targets, relayed, clock, settings, local } = this.#options;
    this.#watch();
    const client = hashOf(relayed.clientAddress);
    const tried = new Set<Target>();
    let lastResort: SignalDeadline | null = null;
    try {
      while (this.#over === "") {
        const attempt = targets.begin(client, tried, local);
        if (attempt === null) break;
        tried.add(attempt.target);
        // those out of service have a time for all of them together
        const deadline = attempt.isLastResort
          ? lastResort ??= SignalDeadline.in(clock, settings.connectTimeout)
          : SignalDeadline.in(clock, settings.connectTimeout);
        const up = await this.#try(attempt, deadline);
        if (!attempt.isLastResort) deadline.lift();
        if (up !== null) return { target: attempt.target, up };
        if (lastResort?.signal.aborted) break;
      }
    } finally {
      lastResort?.lift();
    }
    this.#failed(tried);
    return null;
  }

  /** Notices when the client goes while a target is reached, and keeps the first bytes that it sends. */
  #watch(): void {
    const down = this.#down;
    down.onSettled = () => {
      if (down.error === null || down.closed) return;
      this.#over ||= CLIENT_RESET;
      this.#dialling?.giveUp();
    };
    down.read();
  }

  /** One attempt; tells the targets what came of it. `null` when nothing did, and the record says why. */
  async #try(attempt: Attempt, deadline: SignalDeadline): Promise<Connection | null> {
    const { targets, relayed, clock, settings, ownListeners, header } = this.#options;
    const { target } = attempt;
    relayed.target = target.place.text;
    relayed.originAddress = target.address;
    relayed.originPort = target.port;
    this.#dialling = deadline;
    try {
      const conn = await dialTarget(target.address, target.port, ownListeners, deadline.signal);
      targets.answered(attempt);
      const up = new Connection(conn, clock, SMALL, 0);
      up.address = target.address;
      if (this.#over === "") {
        this.#up = up;
        up.deadline = clock.in(settings.connectTimeout);
        if (header === null || await up.write(header)) return up;
        this.#up = null;
        this.#note("connection_terminated", `${target.text} reset the connection`);
      }
      up.release();
      targets.ended(target);
    } catch (error) {
      if (!(error instanceof DialError)) throw error;
      if (isAboutTarget(error)) targets.failed(attempt, reasonOf(error));
      else targets.abandoned(attempt);
      // for want of descriptors no other target can be reached either
      if (error.kind === "no_descriptors") this.#over ||= "no file descriptor is left";
      if (error.kind !== "aborted") this.#note(ERRORS[error.kind], `${target.text} ${reasonOf(error)}`);
    } finally {
      this.#dialling = null;
    }
    relayed.skipped++;
    return null;
  }

  /** What came of an attempt; the last one's stays in the record if there is no connection in the end. */
  #note(error: string, details: string): void {
    const { relayed } = this.#options;
    relayed.error = error;
    relayed.details = details;
  }

  #failed(tried: ReadonlySet<Target>): void {
    const { relayed, targets } = this.#options;
    relayed.truncated = true;
    if (this.#over !== "") {
      if (relayed.error !== "connection_limit_reached") relayed.error = "";
      relayed.details = this.#over;
    } else if (tried.size > 1) {
      relayed.details = `none of ${tried.size} targets took the connection; last, ${relayed.details}`;
    } else if (tried.size === 0) {
      const loops = targets.all.length > 0;
      this.#note(
        loops ? "proxy_loop_detected" : "destination_unavailable",
        loops ? "every target is this relay itself" : "no target has an address",
      );
    }
  }

  async #relay({ up }: Reached): Promise<void> {
    const { relayed, settings, header } = this.#options;
    const down = this.#down;
    down.onSettled = null;
    relayed.error = relayed.details = "";
    // a reset is told by one read alone, and this one has told it
    const end = this.#over === CLIENT_RESET
      ? "near_failed"
      : await relay(down, up, settings.idleTimeout, { lifetime: settings.lifetime });
    relayed.bytesUp = Math.max(0, up.sent - (header?.length ?? 0));
    relayed.bytesDown = down.sent;
    up.release();
    if (end === "ended") return;
    relayed.truncated = true;
    relayed.details = {
      idle: "nothing came through for too long",
      over: "it has been open for as long as a connection may be",
      near_failed: CLIENT_RESET,
      far_failed: "the target reset the connection",
      stopped: STOPPED,
      refused: "",
    }[end];
    if (end === "far_failed") relayed.error = "connection_terminated";
  }
}
