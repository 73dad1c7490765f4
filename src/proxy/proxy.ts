/** The proxy as a thing to start, change and stop. */

import type { DiskStore } from "../cache/disk_store.ts";
import { HttpError } from "../http/error.ts";
import { type Connection, stuckConnections } from "../net/connection.ts";
import type { ListenAddress } from "../net/listen.ts";
import type { ResolverOptions } from "../net/resolve.ts";
import { answerTo } from "./answer.ts";
import type { Arrival } from "./arrival.ts";
import { Entrance } from "./entrance.ts";
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
  readonly #entrance: Entrance;
  readonly #sessions = new Set<Session>();
  readonly #perClient = new Map<string, number>();
  /** Connections over the limit that are being told so. */
  readonly #refused = new Map<Deno.Conn, Promise<void>>();
  /** When there was last one, by what it was about. */
  readonly #notices = new Map<string, number>();
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
    this.#entrance = new Entrance(this.#services, {
      full: () => this.#full(),
      refuse: (stream, reason) => this.#refuse(stream, reason),
      admit: (down, arrival) => this.#admit(down, arrival),
      notice: (trouble, message) => this.#notice(trouble, message),
      trouble: (error) => this.#outOfDescriptors(error),
    });
  }

  /**
   * Binds every address and starts accepting; returns what was bound, in the same order, those over TLS behind the
   * others, and the gateways behind them. Throws {@link ListenError}; then nothing stays bound.
   *
   * @param overTls those to which clients speak TLS; the settings hold a certificate for them
   * @param gateways those that are asked for pages of others as for their own
   */
  listen(
    addresses: readonly ListenAddress[],
    overTls: readonly ListenAddress[] = [],
    gateways: readonly ListenAddress[] = [],
  ): Deno.NetAddr[] {
    return this.#entrance.listen(addresses, overTls, gateways);
  }

  /** Takes other settings for what starts from now on. */
  update(settings: ProxySettings): void {
    this.#services.update(settings);
    this.#entrance.renew();
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
    this.#entrance.close();
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
    this.#entrance.close();
    for (const session of this.#sessions) session.abort();
    for (const fetch of this.#services.fetches) fetch.stop();
    const backgrounds = [...this.#services.backgrounds];
    for (const background of backgrounds) background.stop();
    for (const stream of this.#refused.keys()) close(stream);
    this.#services.pool.clear();
    // what was accepted in the last moment has become a session then
    await this.#entrance.closed();
    await Promise.all([...this.#refused.values(), this.#emptied()]);
    await Promise.all(backgrounds.map(({ over }) => over));
    this.#services.pool.clear();
    await this.#services.parents.stop();
  }

  /** Resolves when there is no session. */
  #emptied(): Promise<void> {
    if (this.#sessions.size === 0) return Promise.resolve();
    return (this.#empty ??= Promise.withResolvers()).promise;
  }

  #full(): string | null {
    const { maxConnections } = this.#services.settings;
    const open = this.#sessions.size + this.#entrance.size + stuckConnections();
    return open >= maxConnections ? `more than ${maxConnections} connections are open` : null;
  }

  #admit(down: Connection, arrival: Arrival): void {
    const { settings } = this.#services;
    const { client } = arrival;
    const fromClient = this.#perClient.get(client) ?? 0;
    if (settings.maxConnectionsPerClient > 0 && fromClient >= settings.maxConnectionsPerClient) {
      const reason = `more than ${settings.maxConnectionsPerClient} connections of one client are open`;
      return this.#refuse(down.stream as Deno.Conn, reason, () => down.release());
    }
    this.#perClient.set(client, fromClient + 1);
    const session = new Session(this.#services, down, arrival);
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
  #refuse(stream: Deno.Conn, reason: string, release = () => {}): void {
    this.#notice("limit", `a connection was refused: ${reason}`);
    if (this.#refused.size >= MAX_REFUSALS || this.#services.draining) {
      close(stream);
      release();
    } else this.#refused.set(stream, this.#tell(stream, reason).then(release));
  }

  async #tell(stream: Deno.Conn, reason: string): Promise<void> {
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
    this.#notice("accept", `accepting a connection failed: ${error.message}`);
  }

  #notice(trouble: string, message: string): void {
    const now = performance.now();
    if (now - (this.#notices.get(trouble) ?? -Infinity) < NOTICE_INTERVAL) return;
    this.#notices.set(trouble, now);
    this.#services.observer.notice("warning", message);
  }
}

function close(stream: Deno.Conn): void {
  try {
    stream.close();
  } catch {
    // already closed
  }
}
