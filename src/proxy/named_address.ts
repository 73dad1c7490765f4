/** The address that a connection leads to, and the name that led there, which may lead elsewhere by now. */

import type { Clock, Deadlined } from "../net/clock.ts";
import { ResolveError, type Resolver } from "../net/resolve.ts";
import { UNLISTED } from "../net/roster.ts";

/** After an answer the name is not asked about for so long, ms. The resolver, which is asked, remembers for longer. */
const TRUSTED = 1_000;
/** A request that comes within so long after that goes out while the name is asked about, ms. */
const GRACE = 1_000;
/** How long a later one waits for an answer, ms. */
const PATIENCE = 2_000;
/** How long after the last answer the connection is used while nothing can be found out about its name, ms. */
const WITHOUT_ANSWER = 60_000;

export class NamedAddress implements Deadlined {
  /** From when on the name is asked about, and a request waits for the answer; on the clock's time. */
  askFrom = 0;
  waitFrom = 0;
  /** The name does not lead here any more. */
  gone = false;

  place = UNLISTED;
  deadline = Infinity;
  #answeredAt = 0;
  #asking: Promise<void> | null = null;
  #controller: AbortController | null = null;
  #late = false;

  /**
   * @param name canonical, as the resolver takes it
   * @param address one of those that it has just led to
   */
  constructor(readonly name: string, readonly address: string, readonly clock: Clock) {
    this.#trust();
  }

  /**
   * Finds out whether the name still leads here, within {@link PATIENCE}. Joins what is under way. Never rejects: what
   * came of it is in {@link gone} and in when the name is asked about next.
   *
   * @param client whose request it is for, by its address
   */
  ask(resolver: Resolver, client: string): Promise<void> {
    return this.#asking ??= this.#ask(resolver, client);
  }

  get asking(): boolean {
    return this.#asking !== null;
  }

  /** It need not be found out. */
  giveUp(): void {
    this.#controller?.abort();
  }

  /** There was no answer in time. */
  expire(): void {
    this.#late = true;
    this.#controller?.abort();
  }

  async #ask(resolver: Resolver, client: string): Promise<void> {
    const { clock, name, address } = this;
    this.#late = false;
    const { signal } = this.#controller = new AbortController();
    clock.watch(this);
    this.deadline = clock.now + PATIENCE;
    try {
      const addresses = await resolver.resolve(name, signal, client);
      if (addresses.includes(address)) this.#trust();
      else this.gone = true;
    } catch (error) {
      this.#failed(error as ResolveError);
    } finally {
      clock.unwatch(this);
      this.#asking = this.#controller = null;
    }
  }

  #trust(): void {
    const { now } = this.clock;
    this.#answeredAt = now;
    this.askFrom = now + TRUSTED;
    this.waitFrom = this.askFrom + GRACE;
  }

  /** A name server that does not answer says nothing of the address; later requests do not wait for it again. */
  #failed({ kind }: ResolveError): void {
    const { now } = this.clock;
    if (kind === "aborted" && !this.#late) return;
    const until = this.#answeredAt + WITHOUT_ANSWER;
    if (kind === "not_found" || kind === "incomplete" || now >= until) this.gone = true;
    this.askFrom = now + TRUSTED;
    this.waitFrom = until;
  }
}
