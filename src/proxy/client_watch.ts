/** Notices a client that goes away while its exchange waits for something else. */

import type { Connection } from "../net/connection.ts";
import type { Session } from "./session.ts";

export class ClientWatch {
  /** An exchange waits for another one. */
  #waits = false;

  constructor(readonly session: Session) {}

  /**
   * Reads on while an exchange waits for its origin, so that a client that goes away is noticed. What it sends
   * stays in the buffer for the next exchange. Not while a body is to be read.
   */
  begin(): void {
    const { down } = this.session;
    if (down.start !== down.end || down.ended || down.reading) return;
    down.empty();
    down.onSettled = this.#onClient;
    down.read();
  }

  /**
   * The same for a client that sends nothing more, and an exchange that may be over at once: a read that is cut off
   * costs more than the rest of a short connection, so that it begins only when the origin takes its time.
   */
  beginLater(): void {
    const { down, services } = this.session;
    if (down.start !== down.end || down.ended || down.reading) return;
    down.onExpire = this.#onLater;
    down.deadline = services.clock.now;
  }

  readonly #onLater = (down: Connection): void => {
    down.onExpire = null;
    this.begin();
  };

  /** The origin has answered: the client's deadlines are those of reading the answer. */
  answered(): void {
    const { down } = this.session;
    if (down.onExpire !== this.#onLater) return;
    down.onExpire = null;
    down.deadline = Infinity;
  }

  readonly #onClient = (down: Connection): void => {
    down.onSettled = null;
    const { up, reaching, services } = this.session;
    // a reset says that nobody reads the answer any more; an end may come from one that still does
    if (down.error !== null) {
      reaching?.giveUp();
      up?.close();
    } else if (down.ended) {
      if (up !== null) up.deadline = Math.min(up.deadline, services.clock.in(this.patience(Infinity)));
      else if (this.#waits) this.#waitNoLonger();
    }
  };

  /**
   * Waits for what another exchange brings, which must settle when `reaching` is given up. A client that goes away
   * meanwhile is noticed; one that has closed its sending side is given as long as anywhere else.
   */
  async waitFor(promise: Promise<unknown>): Promise<void> {
    const { down } = this.session;
    this.#waits = true;
    if (down.ended) this.#waitNoLonger();
    else this.beginLater();
    try {
      await promise;
    } finally {
      this.#waits = false;
      this.answered();
      if (down.onExpire === this.#onPatienceOver) {
        down.onExpire = null;
        down.deadline = Infinity;
      }
    }
  }

  #waitNoLonger(): void {
    const { down, services } = this.session;
    down.onExpire = this.#onPatienceOver;
    down.deadline = services.clock.in(services.settings.halfClosedTimeout);
  }

  readonly #onPatienceOver = (down: Connection): void => {
    down.onExpire = null;
    down.error ??= new Error("the client went away");
    this.session.reaching?.giveUp();
    down.close();
  };

  /** How long the exchange under way may stand still, ms: less when the client seems to have gone. */
  patience(milliseconds: number): number {
    const { down, services } = this.session;
    return down.ended ? Math.min(milliseconds, services.settings.halfClosedTimeout) : milliseconds;
  }
}
