/**
 * Bytes over a rate wait before they go on, and nothing more is read meanwhile, so that whoever sends them slows
 * down. Time that weir itself lets pass in this way is counted against nobody's deadline.
 *
 * Waits end with the ticks of the coarse clock; what that makes them too long is made up for by what comes after.
 */

import type { Clock, Deadlined } from "../net/clock.ts";
import type { Connection } from "../net/connection.ts";
import type { Pace } from "../net/relay.ts";
import { UNLISTED } from "../net/roster.ts";
import type { Usage } from "../policy/rates.ts";
import { ClientGone } from "./client_gone.ts";
import type { Exchange } from "./exchange.ts";
import type { Session } from "./session.ts";

/**
 * A wait between two connections, which is over early, with the next tick, when one of them is.
 *
 * A client that has closed its sending side may still wait for an answer, or have gone: nothing tells as long as
 * nothing is written to it. It is given up when it stands so for longer than `patience` within one wait.
 */
export class Pause implements Deadlined {
  place = UNLISTED;
  readonly over: Promise<void>;
  /** Every tick. */
  deadline = 0;
  readonly #until: number;
  #givenUpAt = Infinity;
  readonly #resolve: () => void;

  /**
   * @param near the client
   * @param patience ms
   * @param meanwhile called at once and then with every tick: puts off what must not happen in this time
   */
  constructor(
    readonly clock: Clock,
    milliseconds: number,
    readonly near: Connection,
    readonly far: Connection,
    readonly patience: number,
    readonly meanwhile: () => void,
  ) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.over = promise;
    this.#resolve = resolve;
    this.#until = clock.now + milliseconds;
    clock.watch(this);
    meanwhile();
  }

  expire(): void {
    const { clock: { now }, near, far } = this;
    if (now >= this.#until || isOver(near) || isOver(far)) return this.end();
    if (near.ended) this.#givenUpAt = Math.min(this.#givenUpAt, now + this.patience);
    if (now >= this.#givenUpAt) {
      near.error = new Error("the client went away");
      near.close();
      return this.end();
    }
    this.deadline = 0;
    this.meanwhile();
  }

  end(): void {
    this.clock.unwatch(this);
    this.#resolve();
  }
}

function isOver(connection: Connection): boolean {
  return connection.closed || connection.error !== null;
}

/**
 * Counts a request's head, and waits until what was taken before it is paid for: small requests and answers, which
 * never wait within themselves, are held to their rates here. Throws {@link ClientGone} when nobody waits with it.
 */
export async function paceHead(session: Session, usage: Usage, exchange: Exchange): Promise<void> {
  const { down, services: { clock, settings } } = session;
  const wait = usage.up(exchange.requestHeadBytes, clock.now);
  if (wait === 0) return;
  await new Pause(clock, wait, down, down, settings.halfClosedTimeout, () => {}).over;
  if (session.gone) throw new ClientGone();
}

/** One direction of a tunnel, held to its rate. */
class TunnelPace implements Pace {
  constructor(
    readonly session: Session,
    readonly up: Connection,
    readonly usage: Usage,
    readonly outwards: boolean,
  ) {}

  get most(): number {
    return this.outwards ? this.usage.upRead : this.usage.downRead;
  }

  wait(bytes: number): Promise<void> | null {
    const { session, up, usage } = this;
    const { clock, settings } = session.services;
    const wait = this.outwards ? usage.up(bytes, clock.now) : usage.down(bytes, clock.now);
    if (wait === 0) return null;
    // that one side has ended is nothing special in a tunnel
    return new Pause(clock, wait, session.down, up, Infinity, () => {
      session.down.deadline = up.deadline = clock.in(settings.tunnelTimeout);
    }).over;
  }
}

/** The paces of a tunnel's two directions. */
export function tunnelPaces(session: Session, up: Connection, usage: Usage): { out: Pace; back: Pace } {
  return {
    out: new TunnelPace(session, up, usage, true),
    back: new TunnelPace(session, up, usage, false),
  };
}
