/** Connections over a limit: each is told so before its request is read, which a client that connects in vain shows. */

import { HttpError } from "../http/error.ts";
import { close } from "../net/close.ts";
import { answerTo } from "./own/answer.ts";
import type { Services } from "./services.ts";

/** Connections that are told so at once; further ones are closed without a word. */
const MAX_REFUSALS = 64;
/** How long one that is told so has to read it, ms. */
const REFUSAL_TIME = 1_000;
/** How long it has from then on while descriptors are short: others wait for the one that it takes. */
const BRIEF_REFUSAL_TIME = 250;

export class Refusals {
  readonly #services: Services;
  readonly #told = new Map<Deno.Conn, Promise<void>>();

  constructor(services: Services) {
    this.#services = services;
  }

  /** How many are told so at the moment. */
  get size(): number {
    return this.#told.size;
  }

  /**
   * Says `503`, and closes the connection.
   *
   * @param brief whether others wait for the descriptor that it takes
   * @param release called when that is done
   */
  refuse(stream: Deno.Conn, reason: string, brief: boolean, release: () => void): void {
    if (this.#told.size >= MAX_REFUSALS || this.#services.draining) this.drop(stream, release);
    else this.#told.set(stream, this.#tell(stream, reason, brief).then(release));
  }

  /** The same without a word. */
  drop(stream: Deno.Conn, release: () => void): void {
    close(stream);
    release();
  }

  async #tell(stream: Deno.Conn, reason: string, brief: boolean): Promise<void> {
    const { settings } = this.#services;
    let timer = setTimeout(() => close(stream), REFUSAL_TIME);
    try {
      const error = new HttpError(503, "connection_limit_reached", reason);
      const options = { kind: "text", reference: "0", withoutBody: false, close: true } as const;
      await stream.write(answerTo(error, settings, options).bytes);
      await stream.closeWrite();
      if (brief) {
        clearTimeout(timer);
        timer = setTimeout(() => close(stream), BRIEF_REFUSAL_TIME);
      }
      // reading its request keeps the answer from being reset away
      const scratch = new Uint8Array(1024);
      for (let reads = 0; reads < 16 && await stream.read(scratch) !== null; reads++);
    } catch {
      // it has gone, or had its time
    } finally {
      this.#told.delete(stream);
      clearTimeout(timer);
      close(stream);
    }
  }

  /** Closes them at once. */
  stop(): void {
    for (const stream of this.#told.keys()) close(stream);
  }

  /** Resolves when none is told any more of those there are now. */
  async over(): Promise<void> {
    await Promise.all(this.#told.values());
  }
}
