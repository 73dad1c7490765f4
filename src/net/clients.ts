/**
 * The clients' connections that are open: how many, of which clients, which of them may make room for others, and when
 * the last one has gone.
 */

import { stuckConnections } from "./connection.ts";
import { type Listed, Roster } from "./roster.ts";

/** How many may be open at a time. */
export interface ClientLimits {
  readonly maxConnections: number;
  /** Of one client of another machine; 0: no limit. */
  readonly maxConnectionsPerClient: number;
  /** The same of one whose address is of the loopback network. */
  readonly maxConnectionsPerLocalClient: number;
}

/** What serves one connection of a client. */
export interface ClientSession extends Listed {
  /** What the client is counted as. */
  readonly clientKey: string;
  /** When it would end by itself while nothing is under way on it, on the clock's time; Infinity while something is. */
  readonly idleUntil: number;
  /** Whether it is so new that its first request may be on its way. */
  readonly isNew: boolean;
  /** Ends it, if nothing is under way on it. */
  endIfIdle(): void;
  /** Serves the connection until it is over. Never rejects. */
  run(): Promise<void>;
}

/** A client holds many connections that holds so many, and of all at least this part. */
const MANY = 4;
const MANY_PART = 32;

/** When idle connections make room, this part of all makes room at once: looking for them takes time. */
const PART = 128;

export class Clients<Session extends ClientSession> {
  readonly #sessions = new Roster<Session>();
  readonly #perClient = new Map<string, number>();
  /** Those that were told to make room and have not gone yet. */
  readonly #leaving = new Set<Session>();
  /** How many more newcomers are refused before it is looked again for connections that may make room. */
  #refusals = 0;
  /** The same of clients at their own limit, until one of their connections ends. */
  readonly #inVain = new Map<string, number>();
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
    const open = this.#sessions.size - this.#leaving.size + others + stuckConnections();
    return open >= most ? `more than ${most} connections are open` : null;
  }

  /** The same for one more connection of this client, unless an idle one of its own makes room. */
  excessOf(clientKey: string, limits: ClientLimits): string | null {
    const most = isOfLoopback(clientKey)
      ? limits.maxConnectionsPerLocalClient
      : limits.maxConnectionsPerClient;
    if (most === 0 || this.#heldBy(clientKey) < most || this.#makeRoomAmong(clientKey)) return null;
    return `more than ${most} connections of one client are open`;
  }

  /** Whether a client holds so many connections that it is one of few that do. */
  holdsMany(clientKey: string): boolean {
    const held = this.#heldBy(clientKey);
    return held >= MANY && held * MANY_PART >= this.#sessions.size;
  }

  /** The same among the connections of one client. */
  #makeRoomAmong(clientKey: string): boolean {
    const inVain = this.#inVain.get(clientKey) ?? 0;
    if (inVain > 0) {
      this.#inVain.set(clientKey, inVain - 1);
      return false;
    }
    if (this.#endIdle(clientKey, Math.ceil(this.#heldBy(clientKey) / PART)) > 0) return true;
    this.#inVain.set(clientKey, Math.ceil(this.#sessions.size / PART) - 1);
    return false;
  }

  /**
   * Ends idle connections of the client that holds most, the one first that would end first by itself, so that one
   * more connection of another can be taken. A client that holds no more than the newcomer gives none, but the newcomer
   * itself does. False when there is none to end.
   *
   * @param clientKey the newcomer; `null` where it is not known who needs the room, and then new connections stay: a
   *   client that has just been let in would be sent away for one that may be refused
   */
  makeRoomFor(clientKey: string | null): boolean {
    if (this.#refusals > 0) {
      this.#refusals--;
      return false;
    }
    const most = Math.ceil(this.#sessions.size / PART);
    const sparesNew = clientKey === null;
    const giver = this.#giverFor(clientKey ?? "", sparesNew);
    if (giver !== null && this.#endIdle(giver, most, sparesNew) > 0) return true;
    this.#refusals = most - 1;
    return false;
  }

  /** Which client has idle connections and holds most: more than the newcomer, or else the newcomer itself. */
  #giverFor(clientKey: string, sparesNew: boolean): string | null {
    let giver: string | null = null;
    let most = this.#heldBy(clientKey);
    for (const session of this.#sessions) {
      if (session.clientKey === giver || !this.#mayEnd(session, sparesNew)) continue;
      const held = this.#heldBy(session.clientKey);
      if (held <= most && !(giver === null && session.clientKey === clientKey)) continue;
      most = held;
      giver = session.clientKey;
    }
    return giver;
  }

  /** Ends up to so many idle connections of a client, and returns how many. */
  #endIdle(clientKey: string, most: number, sparesNew = false): number {
    const idle: Session[] = [];
    for (const session of this.#sessions) {
      if (session.clientKey === clientKey && this.#mayEnd(session, sparesNew)) idle.push(session);
    }
    idle.sort((one, other) => one.idleUntil - other.idleUntil);
    const ended = idle.slice(0, most);
    for (const session of ended) {
      this.#leaving.add(session);
      this.#count(clientKey, -1);
      session.endIfIdle();
    }
    return ended.length;
  }

  #mayEnd(session: Session, sparesNew: boolean): boolean {
    return session.idleUntil < Infinity && !(sparesNew && session.isNew) && !this.#leaving.has(session);
  }

  #heldBy(clientKey: string): number {
    return this.#perClient.get(clientKey) ?? 0;
  }

  #count(clientKey: string, change: 1 | -1): void {
    const count = this.#heldBy(clientKey) + change;
    if (change < 0 && this.#inVain.size > 0) this.#inVain.delete(clientKey);
    if (count === 0) this.#perClient.delete(clientKey);
    else this.#perClient.set(clientKey, count);
  }

  /** Counts a connection for as long as it is served, which begins now. */
  serve(session: Session): void {
    this.#sessions.add(session);
    this.#count(session.clientKey, 1);
    session.run().then(() => this.#ended(session));
  }

  #ended(session: Session): void {
    this.#sessions.delete(session);
    if (!this.#leaving.delete(session)) this.#count(session.clientKey, -1);
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

/** By what a client is counted as: IPv4 by its address, IPv6 by its network, of which `::1` has none to itself. */
function isOfLoopback(clientKey: string): boolean {
  return clientKey.startsWith("127.") || clientKey === "::/64";
}
