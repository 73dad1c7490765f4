/** Connections over a limit: each is told so before its request is read, which a client that connects in vain shows. */

import { HttpError } from "../http/error.ts";
import { close } from "../net/close.ts";
import { answerTo } from "./own/answer.ts";
import type { Services } from "./services.ts";

/** Connections that are told so at once; further ones are closed without a word. */
const MAX_REFUSALS = 64;
/** How long one that is told so has to read it, ms. */
const REFUSAL_TIME = 1_000;

export class Refusals {
  readonly #services: Services;
  readonly #told = new Map<Deno.Conn, Promise<void>>();

  constructor(services: Services) {
    this.#services = services;
  }

  /**
   * Says `503`, and closes the connection.
   *
   * @param release called when that is done
   */
  refuse(stream: Deno.Conn, reason: string, release: () => void): void {
    if (this.#told.size >= MAX_REFUSALS || this.#services.draining) {
      close(stream);
      release();
    } else this.#told.set(stream, this.#tell(stream, reason).then(release));
  }

  async #tell(stream: Deno.Conn, reason: string): Promise<void> {
    const { settings } = this.#services;
    const timer = setTimeout(() => close(stream), REFUSAL_TIME);
    try {
      const error = new HttpError(503, "connection_limit_reached", reason);
      const options = { kind: "text", reference: "0", withoutBody: false, close: true } as const;
      await stream.write(answerTo(error, settings, options).bytes);
      await stream.closeWrite();
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
