/** The proxy as a thing to start, change and stop. */

import type { DiskStore } from "../cache/disk_store.ts";
import { HttpError } from "../http/error.ts";
import { Clients } from "../net/clients.ts";
import { close } from "../net/close.ts";
import type { Connection } from "../net/connection.ts";
import type { ListenAddress } from "../net/listen.ts";
import { NoticeLimit } from "../net/notice_limit.ts";
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

export class Proxy {
  readonly #services: Services;
  readonly #entrance: Entrance;
  readonly #clients = new Clients<Session>();
  /** Connections over the limit that are being told so. */
  readonly #refused = new Map<Deno.Conn, Promise<void>>();
  readonly #notices = new NoticeLimit();

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
    for (const session of this.#clients) if (!session.idle) active++;
    return active;
  }

  /** Connections from clients. */
  get connections(): number {
    return this.#clients.size;
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
    for (const session of this.#clients) session.endIfIdle();
    await this.#clients.goneWithin(settings.grace);
    await this.stop();
  }

  /** Ends everything at once; resolves when the last session has gone. */
  async stop(): Promise<void> {
    this.#services.draining = true;
    this.#entrance.close();
    for (const session of this.#clients) session.abort();
    for (const fetch of this.#services.fetches) fetch.stop();
    const backgrounds = [...this.#services.backgrounds];
    for (const background of backgrounds) background.stop();
    for (const stream of this.#refused.keys()) close(stream);
    this.#services.pool.clear();
    // what was accepted in the last moment has become a session then
    await this.#entrance.closed();
    await Promise.all([...this.#refused.values(), this.#clients.gone()]);
    await Promise.all(backgrounds.map(({ over }) => over));
    this.#services.pool.clear();
    await this.#services.parents.stop();
  }

  #full(): string | null {
    return this.#clients.excess(this.#services.settings, this.#entrance.size);
  }

  #admit(down: Connection, arrival: Arrival): void {
    const excess = this.#clients.excessOf(arrival.client, this.#services.settings);
    if (excess !== null) return this.#refuse(down.stream as Deno.Conn, excess, () => down.release());
    this.#clients.serve(new Session(this.#services, down, arrival));
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
    if (this.#notices.allows(trouble)) this.#services.observer.notice("warning", message);
  }
}
