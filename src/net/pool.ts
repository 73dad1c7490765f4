/** Connections to origins that are kept for the next request to the same place. */

import { borrow, giveBack, MEDIUM } from "./buffers.ts";
import type { Connection } from "./connection.ts";

export interface PoolLimits {
  /** Kept connections for one key, and in all. */
  poolPerOrigin: number;
  poolSize: number;
  /** How long one is kept without use, ms. */
  poolTimeout: number;
}

/**
 * Parked connections are read from all the time: one that says or closes anything while nobody asked it anything
 * is dropped at once. What it says is never handed to a request (RFC 9112 §9.2).
 */
export class Pool<Kept extends Connection = Connection> {
  readonly #parked = new Map<string, Kept[]>();
  /** In the order of parking, the oldest first. */
  readonly #all = new Map<Kept, string>();

  constructor(public limits: PoolLimits) {}

  get size(): number {
    return this.#all.size;
  }

  /** How many origins the kept connections lead to. */
  get origins(): number {
    return this.#parked.size;
  }

  /** The connection for `key` that was used last, or `undefined`. A read is under way on it. */
  take(key: string): Kept | undefined {
    const connections = this.#parked.get(key);
    if (connections === undefined) return undefined;
    const connection = connections.pop()!;
    if (connections.length === 0) this.#parked.delete(key);
    this.#all.delete(connection);
    connection.deadline = Infinity;
    connection.onSettled = connection.onExpire = null;
    return connection;
  }

  /** Whether a connection is kept for `key`. */
  has(key: string): boolean {
    return this.#parked.has(key);
  }

  /** Keeps a connection whose last exchange is over on both sides, with nothing left to read. */
  park(key: string, connection: Kept): void {
    const { closed, ended, error, start, end } = connection;
    if (closed || ended || error !== null || end !== start) return connection.release();
    const { poolPerOrigin, poolSize, poolTimeout } = this.limits;
    if (poolSize === 0 || (this.#parked.get(key)?.length ?? 0) >= poolPerOrigin) return connection.release();
    while (this.#all.size >= poolSize) this.#dropOldest();
    // not before: the oldest may have been this origin's only one
    let connections = this.#parked.get(key);
    if (connections === undefined) {
      connections = [];
      this.#parked.set(key, connections);
    }
    connections.push(connection);
    this.#all.set(connection, key);
    connection.empty();
    if (connection.buffer.length > MEDIUM) giveBack(connection.swap(borrow(MEDIUM)));
    connection.deadline = connection.clock.in(poolTimeout);
    connection.onSettled = connection.onExpire = () => this.drop(connection);
    connection.read();
  }

  /** Closes every kept connection: to stop, or to win descriptors back. */
  clear(): void {
    for (const connection of [...this.#all.keys()]) this.drop(connection);
  }

  /** Closes all that are kept for `key`. */
  dropAll(key: string): void {
    for (const connection of [...this.#parked.get(key) ?? []]) this.drop(connection);
  }

  /** Closes a connection if it is kept here; one that is in use stays as it is. */
  drop(connection: Kept): void {
    const key = this.#all.get(connection);
    if (key === undefined) return;
    this.#all.delete(connection);
    const connections = this.#parked.get(key)!;
    connections.splice(connections.lastIndexOf(connection), 1);
    if (connections.length === 0) this.#parked.delete(key);
    connection.onSettled = connection.onExpire = null;
    connection.release();
  }

  #dropOldest(): void {
    for (const connection of this.#all.keys()) return this.drop(connection);
  }
}
