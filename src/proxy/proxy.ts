/** The proxy as a thing to start, change and stop. */

import type { DiskStore } from "../cache/disk_store.ts";
import { Clients } from "../net/clients.ts";
import type { Connection } from "../net/connection.ts";
import type { ListenAddress } from "../net/listen.ts";
import { NoticeLimit } from "../net/notice_limit.ts";
import { Shortage } from "../net/shortage.ts";
import { isLackOfDescriptors, SpareDescriptors } from "../net/spare_descriptors.ts";
import type { ResolverOptions } from "../net/resolve.ts";
import type { Arrival } from "./arrival.ts";
import { Entrance } from "./entrance.ts";
import type { HttpCache } from "./cache/http_cache.ts";
import type { Observer } from "./observer.ts";
import { Refusals } from "./refusals.ts";
import { Services } from "./services.ts";
import { Session } from "./session.ts";
import type { ProxySettings } from "./settings.ts";

export class Proxy {
  readonly #services: Services;
  readonly #entrance: Entrance;
  readonly #clients = new Clients<Session>();
  readonly #refusals: Refusals;
  readonly #notices = new NoticeLimit();
  readonly #spare = new SpareDescriptors();
  readonly #shortage: Shortage;

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
    this.#services.makeRoom = () => this.#makeRoom();
    this.#shortage = new Shortage(this.#services.clock, this.#spare, () => this.#entrance.roomAgain());
    this.#services.shortage = this.#shortage;
    this.#refusals = new Refusals(this.#services);
    this.#entrance = new Entrance(this.#services, {
      full: (clientKey) => this.#full(clientKey),
      refuse: (stream, reason, clientKey) => this.#refuse(stream, reason, clientKey),
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
    const bound = this.#entrance.listen(addresses, overTls, gateways);
    this.#spare.take();
    return bound;
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
    this.#shortage.stop();
    this.#services.pool.clear();
    for (const session of this.#clients) session.endIfIdle();
    await this.#clients.goneWithin(settings.grace);
    await this.stop();
  }

  /** Ends everything at once; resolves when the last session has gone. */
  async stop(): Promise<void> {
    this.#services.draining = true;
    this.#entrance.close();
    this.#shortage.stop();
    for (const session of this.#clients) session.abort();
    for (const fetch of this.#services.fetches) fetch.stop();
    const backgrounds = [...this.#services.backgrounds];
    for (const background of backgrounds) background.stop();
    this.#refusals.stop();
    this.#services.pool.clear();
    // what was accepted in the last moment has become a session then
    await this.#entrance.closed();
    await Promise.all([this.#refusals.over(), this.#clients.gone()]);
    await Promise.all(backgrounds.map(({ over }) => over));
    this.#services.pool.clear();
    await this.#services.parents.stop();
  }

  #full(clientKey: string): string | null {
    if (this.#shortage.stillLasts()) {
      // for those that come next: this one would have nothing left to reach an origin with
      this.#makeRoom(clientKey);
      return "no file descriptor is left";
    }
    const excess = this.#clients.excess(this.#services.settings, this.#entrance.size);
    return excess !== null && this.#clients.makeRoomFor(clientKey) ? null : excess;
  }

  #admit(down: Connection, arrival: Arrival): void {
    const excess = this.#clients.excessOf(arrival.clientKey, this.#services.settings);
    if (excess !== null) {
      return this.#refuse(down.stream as Deno.Conn, excess, arrival.clientKey, () => down.release());
    }
    this.#clients.serve(new Session(this.#services, down, arrival));
  }

  #refuse(stream: Deno.Conn, reason: string, clientKey: string, release = () => {}): void {
    this.#notice("limit", `a connection was refused: ${reason}`);
    const { lasts } = this.#shortage;
    // telling takes one of the few descriptors for a while: clients that hold many are not to take all of those too
    const others = this.#spare.count >> 1;
    if (lasts && this.#refusals.size >= others && this.#clients.holdsMany(clientKey)) {
      this.#refusals.drop(stream, release);
    } else this.#refusals.refuse(stream, reason, lasts, release);
  }

  /**
   * What nobody uses is worth less than a new client: kept connections to origins, and idle ones of clients.
   *
   * @param clientKey the client that needs the room, if it is known
   */
  #makeRoom(clientKey: string | null = null): boolean {
    const { pool } = this.#services;
    const hadKept = pool.size > 0;
    pool.clear();
    return hadKept || this.#clients.makeRoomFor(clientKey);
  }

  #outOfDescriptors(error: Error): void {
    if (!this.#makeRoom() && isLackOfDescriptors(error) && !this.#services.draining) this.#shortage.begin();
    this.#notice("accept", `accepting a connection failed: ${error.message}`);
  }

  #notice(trouble: string, message: string): void {
    if (this.#notices.allows(trouble)) this.#services.observer.notice("warning", message);
  }
}
