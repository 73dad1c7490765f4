/** The clients' connections that are open: how many, of whom, and when the last one has gone. */

import { stuckConnections } from "./connection.ts";
import { type Listed, Roster } from "./roster.ts";

/** How many may be open at a time. */
export interface ClientLimits {
  readonly maxConnections: number;
  /** 0: no limit. */
  readonly maxConnectionsPerClient: number;
}

/** What serves one connection of a client. */
export interface ClientSession extends Listed {
  /** The client's address. */
  readonly client: string;
  /** Serves the connection until it is over. Never rejects. */
  run(): Promise<void>;
}

export class Clients<Session extends ClientSession> {
  readonly #sessions = new Roster<Session>();
  readonly #perClient = new Map<string, number>();
  /** Waits for the last session to go. */
  #empty: PromiseWithResolvers<void> | null = null;

  /** Connections that are served. */
  get size(): number {
    return this.#sessions.size;
  }

  [Symbol.iterator](): Generator<Session> {
    return this.#sessions[Symbol.iterator]();
  }

  /**
   * Why one more connection would be one too many, in words; `null` when it would not.
   *
   * @param others connections that are open beside these
   */
  excess({ maxConnections: most }: ClientLimits, others = 0): string | null {
    const open = this.#sessions.size + others + stuckConnections();
    return open >= most ? `more than ${most} connections are open` : null;
  }

  /** The same for one more connection of this client. */
  excessOf(client: string, { maxConnectionsPerClient: most }: ClientLimits): string | null {
    if (most === 0 || (this.#perClient.get(client) ?? 0) < most) return null;
    return `more than ${most} connections of one client are open`;
  }

  /** Counts a connection for as long as it is served, which begins now. */
  serve(session: Session): void {
    const { client } = session;
    this.#sessions.add(session);
    this.#perClient.set(client, (this.#perClient.get(client) ?? 0) + 1);
    session.run().then(() => this.#ended(session));
  }

  #ended(session: Session): void {
    const { client } = session;
    this.#sessions.delete(session);
    const left = this.#perClient.get(client)! - 1;
    if (left === 0) this.#perClient.delete(client);
    else this.#perClient.set(client, left);
    if (this.#sessions.size > 0) return;
    this.#empty?.resolve();
    this.#empty = null;
  }

  /** Resolves when none is served. */
  gone(): Promise<void> {
    if (this.#sessions.size === 0) return Promise.resolve();
    return (this.#empty ??= Promise.withResolvers()).promise;
  }

  /** The same, or when so many ms have passed. */
  async goneWithin(milliseconds: number): Promise<void> {
    const patience = Promise.withResolvers<void>();
    const timer = setTimeout(patience.resolve, milliseconds);
    await Promise.race([this.gone(), patience.promise]);
    clearTimeout(timer);
  }
}
