/** The proxy as a thing to start, change and stop. */

import type { DiskStore } from "../cache/disk_store.ts";
import { HttpError } from "../http/error.ts";
import { stuckConnections } from "../net/connection.ts";
import { acceptLoop, listen, type ListenAddress } from "../net/listen.ts";
import type { ResolverOptions } from "../net/resolve.ts";
import { answerTo } from "./answer.ts";
import type { HttpCache } from "./http_cache.ts";
import type { Observer } from "./observer.ts";
import { Services } from "./services.ts";
import { Session } from "./session.ts";
import type { ProxySettings } from "./settings.ts";

/** Connections over the limit that are told so at once; further ones are closed without a word. */
const MAX_REFUSALS = 64;
/** How long one that is told so has to read it, ms. */
const REFUSAL_TIME = 1_000;
/** Notices of the same trouble, ms apart. */
const NOTICE_INTERVAL = 5_000;

export class Proxy {
  readonly #services: Services;
  readonly #listeners: Deno.TcpListener[] = [];
  readonly #accepting: Promise<void>[] = [];
  readonly #sessions = new Set<Session>();
  readonly #perClient = new Map<string, number>();
  /** Connections over the limit that are being told so. */
  readonly #refused = new Map<Deno.TcpConn, Promise<void>>();
  #lastNotice = -Infinity;
  /** Waits for the last session to go. */
  #empty: PromiseWithResolvers<void> | null = null;

  /**
   * @param resolver how names are resolved, where it is not the system's way
   * @param disk keeps responses behind those in memory; closing it is the caller's, when the proxy has stopped
   */
  constructor(
    settings: ProxySettings,
    observer: Observer,
    resolver?: ResolverOptions,
    disk: DiskStore | null = null,
  ) {
    this.#services = new Services(settings, observer, resolver, disk);
  }

  /**
   * Binds every address and starts accepting; returns what was bound, in the same order. Throws
   * {@link ListenError}; then nothing stays bound.
   */
  listen(addresses: ListenAddress[]): Deno.NetAddr[] {
    const bound: Deno.TcpListener[] = [];
    try {
      for (const address of addresses) bound.push(listen(address));
    } catch (error) {
      for (const listener of bound) listener.close();
      throw error;
    }
    this.#listeners.push(...bound);
    this.#services.ownListeners.set(this.#listeners.map((listener) => listener.addr));
    for (const listener of bound) {
      this.#accepting.push(acceptLoop(listener, (stream) => this.#accept(stream), {
        onTrouble: (error) => this.#outOfDescriptors(error),
      }));
    }
    return bound.map((listener) => listener.addr);
  }

  /** Takes other settings for what starts from now on. */
  update(settings: ProxySettings): void {
    this.#services.update(settings);
  }

  /** Exchanges that are under way, those without a client among them. */
  get active(): number {
    let active = this.#services.backgrounds.size;
    for (const session of this.#sessions) if (!session.idle) active++;
    return active;
  }

  /** Connections from clients. */
  get connections(): number {
    return this.#sessions.size;
  }

  /** What is stored of responses; `null` when nothing is. */
  get cache(): HttpCache | null {
    return this.#services.cache;
  }

  /**
   * Stops accepting, closes idle connections, and waits for exchanges in flight within `settings.grace`; what is
   * left then is ended.
   */
  async drain(): Promise<void> {
    const { settings } = this.#services;
    this.#services.draining = true;
    this.#closeListeners();
    this.#services.pool.clear();
    for (const session of this.#sessions) session.endIfIdle();
    const grace = Promise.withResolvers<void>();
    const timer = setTimeout(grace.resolve, settings.grace);
    await Promise.race([this.#emptied(), grace.promise]);
    clearTimeout(timer);
    await this.stop();
  }

  /** Ends everything at once; resolves when the last session has gone. */
  async stop(): Promise<void> {
    this.#services.draining = true;
    this.#closeListeners();
    for (const session of this.#sessions) session.abort();
    for (const fetch of this.#services.fetches) fetch.stop();
    const backgrounds = [...this.#services.backgrounds];
    for (const background of backgrounds) background.stop();
    for (const stream of this.#refused.keys()) close(stream);
    this.#services.pool.clear();
    // what was accepted in the last moment has become a session then
    await Promise.all(this.#accepting);
    await Promise.all([...this.#refused.values(), this.#emptied()]);
    await Promise.all(backgrounds.map(({ over }) => over));
    this.#services.pool.clear();
  }

  /** Resolves when there is no session. */
  #emptied(): Promise<void> {
    if (this.#sessions.size === 0) return Promise.resolve();
    return (this.#empty ??= Promise.withResolvers()).promise;
  }

  #closeListeners(): void {
    for (const listener of this.#listeners.splice(0)) listener.close();
  }

  #accept(stream: Deno.TcpConn): void {
    let remote: Deno.NetAddr;
    let local: Deno.NetAddr;
    try {
      stream.setNoDelay(true);
      remote = stream.remoteAddr as Deno.NetAddr;
      local = stream.localAddr as Deno.NetAddr;
    } catch {
      // it was reset before it was looked at
      return close(stream);
    }
    const { settings } = this.#services;
    const client = withoutMapping(remote.hostname);
    const fromClient = this.#perClient.get(client) ?? 0;
    if (this.#sessions.size + stuckConnections() >= settings.maxConnections) {
      return this.#refuse(stream, `more than ${settings.maxConnections} connections are open`);
    }
    if (settings.maxConnectionsPerClient > 0 && fromClient >= settings.maxConnectionsPerClient) {
      return this.#refuse(
        stream,
        `more than ${settings.maxConnectionsPerClient} connections of one client are open`,
      );
    }
    this.#perClient.set(client, fromClient + 1);
    const address = withoutMapping(local.hostname);
    const listener = `${address.includes(":") ? `[${address}]` : address}:${local.port}`;
    const session = new Session(this.#services, stream, client, remote.port, address, listener);
    this.#sessions.add(session);
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

  /** Says `503` before a request is read, which a client that connects in vain understands. */
  #refuse(stream: Deno.TcpConn, reason: string): void {
    this.#notice(`a connection was refused: ${reason}`);
    if (this.#refused.size >= MAX_REFUSALS || this.#services.draining) return close(stream);
    this.#refused.set(stream, this.#tell(stream, reason));
  }

  async #tell(stream: Deno.TcpConn, reason: string): Promise<void> {
    const { settings } = this.#services;
    const timer = setTimeout(() => close(stream), REFUSAL_TIME);
    try {
      const error = new HttpError(503, "connection_limit_reached", reason);
      const options = { kind: "text", number: 0, withoutBody: false, close: true } as const;
      await stream.write(answerTo(error, settings, options).bytes);
      await stream.closeWrite();
      // reading its request keeps the answer from being reset away
      const scratch = new Uint8Array(1024);
      for (let reads = 0; reads < 16 && await stream.read(scratch) !== null; reads++);
    } catch {
      // it has gone, or had its time
    } finally {
      this.#refused.delete(stream);
      clearTimeout(timer);
      close(stream);
    }
  }

  /** Kept connections are worth less than a new client. */
  #outOfDescriptors(error: Error): void {
    this.#services.pool.clear();
    this.#notice(`accepting a connection failed: ${error.message}`);
  }

  #notice(message: string): void {
    const now = performance.now();
    if (now - this.#lastNotice < NOTICE_INTERVAL) return;
    this.#lastNotice = now;
    this.#services.observer.notice("warning", message);
  }
}

function close(stream: Deno.TcpConn): void {
  try {
    stream.close();
  } catch {
    // already closed
  }
}

/** An IPv4 client on a listener that takes both families shows as `::ffff:192.0.2.1`. */
function withoutMapping(hostname: string): string {
  return hostname.startsWith("::ffff:") && hostname.includes(".") ? hostname.slice(7) : hostname;
}
