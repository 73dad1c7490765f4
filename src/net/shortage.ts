/**
 * The time in which no file descriptor is left. A few that were held back are free then, for clients to be told so and
 * for nothing else: dialling and handshakes would take them at once. It is over when all can be held back again, which
 * is tried a few times a second.
 */

import type { Clock, Deadlined } from "./clock.ts";
import { UNLISTED } from "./roster.ts";
import type { SpareDescriptors } from "./spare_descriptors.ts";

export class Shortage implements Deadlined {
  place = UNLISTED;
  deadline = Infinity;
  readonly #clock: Clock;
  readonly #spare: SpareDescriptors;
  readonly #onOver: () => void;
  #lasts = false;

  /** @param onOver called when it is over */
  constructor(clock: Clock, spare: SpareDescriptors, onOver: () => void) {
    this.#clock = clock;
    this.#spare = spare;
    this.#onOver = onOver;
  }

  /** Whether it lasts, as far as is known. */
  get lasts(): boolean {
    return this.#lasts;
  }

  /** It begins, unless nothing was held back. */
  begin(): void {
    if (this.#lasts || !this.#spare.release()) return;
    this.#lasts = true;
    this.#clock.watch(this);
    this.#lookAgain();
  }

  /** Whether it lasts, which is looked into. */
  stillLasts(): boolean {
    if (this.#lasts && this.#spare.take()) this.#end();
    return this.#lasts;
  }

  expire(): void {
    if (this.stillLasts()) this.#lookAgain();
  }

  /** Nothing is held back any more: the end of the process that has them. */
  stop(): void {
    this.#spare.release();
    if (this.#lasts) this.#end();
  }

  #lookAgain(): void {
    this.deadline = this.#clock.now;
  }

  #end(): void {
    this.#lasts = false;
    this.#clock.unwatch(this);
    this.#onOver();
  }
}
