/** The relay as a thing to start and to stop. */

import { formatIp, parseIp } from "../http/ip_address.ts";
import { Clock } from "../net/clock.ts";
import { Clients } from "../net/clients.ts";
import { close } from "../net/close.ts";
import { type Ends, endsOf } from "../net/ends.ts";
import { acceptLoop, listen, type ListenAddress, ListenError } from "../net/listen.ts";
import { NoticeLimit } from "../net/notice_limit.ts";
import { proxyHeader } from "../net/proxy_protocol.ts";
import { Resolver, type ResolverOptions } from "../net/resolve.ts";
import type { Networks } from "../policy/network.ts";
import { OwnListeners } from "../policy/own_listeners.ts";
import type { RelayObserver } from "./observer.ts";
import { Relayed } from "./relayed.ts";
import { Session } from "./session.ts";
import type { RelaySettings } from "./settings.ts";
import { Targets } from "./targets.ts";

export interface RelayOptions {
  /** How names are resolved, where it is not the system's way. */
  resolver?: ResolverOptions;
  clock?: Clock;
  /** Numbers from 0 up to 1. */
  random?: () => number;
}

export class RelayServer {
  readonly #settings: RelaySettings;
  readonly #observer: RelayObserver;
  readonly #clock: Clock;
  readonly #targets: Targets;
  readonly #ownListeners = new OwnListeners();
  readonly #listeners: Deno.TcpListener[] = [];
  readonly #accepting: Promise<void>[] = [];
  readonly #clients = new Clients<Session>();
  readonly #notices = new NoticeLimit();
  #number = 0;
  #stopping = false;

  constructor(settings: RelaySettings, observer: RelayObserver, options: RelayOptions = {}) {
    this.#settings = settings;
    this.#observer = observer;
    this.#clock = options.clock ?? new Clock();
    this.#targets = new Targets({
      settings,
      clock: this.#clock,
      resolver: new Resolver({ shared: false, ...options.resolver }),
      ownListeners: this.#ownListeners,
      observer,
      random: options.random ?? Math.random,
    });
  }

  /**
   * Binds every address, looks the targets' names up and starts accepting. Resolves with what was bound, in the same
   * order.
   *
   * @throws {ListenError} when an address cannot be bound, or a target is one of them; then nothing stays bound
   */
  async listen(addresses: readonly ListenAddress[]): Promise<Deno.NetAddr[]> {
    const bound: Deno.TcpListener[] = [];
    try {
      for (const address of addresses) bound.push(listen(address));
      this.#ownListeners.set(bound.map(({ addr }) => addr));
      for (const { ip, host, port, text } of this.#settings.to) {
        if (ip === null || !this.#ownListeners.includes(host, port, "")) continue;
        throw new ListenError(`${text} is this relay itself: connections would go round in circles`);
      }
    } catch (error) {
      for (const listener of bound) listener.close();
      throw error;
    }
    this.#listeners.push(...bound);
    await this.#targets.start();
    if (!this.#stopping) {
      for (const listener of bound) {
        this.#accepting.push(acceptLoop(listener, (stream) => this.#accept(stream), {
          onTrouble: (error) => this.#notice("accept", `accepting a connection failed: ${error.message}`),
        }));
      }
    }
    return bound.map(({ addr }) => addr);
  }

  /** Whether a target answers, as far as is known after each was asked once; see {@link Targets.answering}. */
  get answering(): Promise<boolean> {
    return this.#targets.answering;
  }

  /** Resolves when the first target answers, if ever one does. */
  get firstAnswer(): Promise<void> {
    return this.#targets.firstAnswer;
  }

  /** Connections from clients that are open. */
  get active(): number {
    return this.#clients.size;
  }

  /** Stops accepting and waits for connections to end within `settings.grace`; what is left then is ended. */
  async drain(): Promise<void> {
    this.#stopping = true;
    this.#closeListeners();
    await this.#clients.goneWithin(this.#settings.grace);
    await this.stop();
  }

  /** Ends everything at once; resolves when the last session has gone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#closeListeners();
    for (const session of this.#clients) session.stop();
    // what was accepted in the last moment is closed by then
    await Promise.all(this.#accepting);
    await Promise.all([this.#targets.stop(), this.#clients.gone()]);
  }

  #closeListeners(): void {
    for (const listener of this.#listeners.splice(0)) listener.close();
  }

  #accept(stream: Deno.TcpConn): void {
    let ends: Ends;
    try {
      stream.setNoDelay(true);
      ends = endsOf(stream.remoteAddr, stream.localAddr);
    } catch {
      // it was reset before it was looked at
      return close(stream);
    }
    if (this.#stopping) return close(stream);
    const settings = this.#settings;
    const { client, clientPort, clientKey, local, listener } = ends;
    if (settings.clients !== null && !isAmong(settings.clients, client)) {
      close(stream);
      return this.#deny(new Relayed(++this.#number, client, clientPort, listener));
    }
    const excess = this.#clients.excess(settings) ?? this.#clients.excessOf(clientKey, settings);
    if (excess !== null) {
      close(stream);
      return this.#notice("limit", `a connection was refused: ${excess}`);
    }
    const session = new Session({
      settings,
      clock: this.#clock,
      targets: this.#targets,
      observer: this.#observer,
      stream,
      clientKey,
      local,
      ownListeners: this.#ownListeners,
      header: settings.sendProxy === null ? null : headerFor(settings.sendProxy, ends),
      relayed: new Relayed(++this.#number, client, clientPort, listener),
    });
    this.#clients.serve(session);
  }

  #deny(relayed: Relayed): void {
    relayed.verdict = "deny";
    relayed.details = `${relayed.clientAddress} is not among the clients`;
    relayed.endedAt = performance.now();
    this.#observer.finished(relayed);
  }

  #notice(trouble: string, message: string): void {
    if (this.#notices.allows(trouble)) this.#observer.notice("warning", message);
  }
}

/** An address with a zone identifier is in no network that could be named. */
function isAmong(clients: Networks, client: string): boolean {
  const ip = parseIp(client);
  return ip !== null && clients.includes(ip);
}

/** What tells a target who the client is; of one whose address cannot be written it says nothing. */
function headerFor(version: 1 | 2, { client, clientPort, local, localPort }: Ends): Uint8Array {
  const from = parseIp(client);
  const to = parseIp(local);
  const ends = from === null || to === null
    ? null
    : { source: { ip: from, port: clientPort }, destination: { ip: to, port: localPort } };
  return proxyHeader(version, ends, formatIp);
}
