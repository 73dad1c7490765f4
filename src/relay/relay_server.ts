/** The relay as a thing to start and to stop. */

import { formatIp, type IpAddress, isIpv4Mapped, parseIp } from "../http/ip_address.ts";
import { Clock } from "../net/clock.ts";
import { stuckConnections } from "../net/connection.ts";
import { acceptLoop, listen, type ListenAddress, ListenError } from "../net/listen.ts";
import { proxyHeader } from "../net/proxy_protocol.ts";
import { Resolver, type ResolverOptions } from "../net/resolve.ts";
import type { Networks } from "../policy/network.ts";
import { OwnListeners } from "../policy/own_listeners.ts";
import type { RelayObserver } from "./observer.ts";
import { Relayed } from "./relayed.ts";
import { Session } from "./session.ts";
import type { RelaySettings } from "./settings.ts";
import { Targets } from "./targets.ts";

/** Notices of the same trouble, ms apart. */
const NOTICE_INTERVAL = 5_000;

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
  readonly #sessions = new Set<Session>();
  readonly #perClient = new Map<string, number>();
  #number = 0;
  #lastNotice = -Infinity;
  #stopping = false;
  /** Waits for the last session to go. */
  #empty: PromiseWithResolvers<void> | null = null;

  constructor(settings: RelaySettings, observer: RelayObserver, options: RelayOptions = {}) {
    this.#settings = settings;
    this.#observer = observer;
    this.#clock = options.clock ?? new Clock();
    this.#targets = new Targets({
      settings,
      clock: this.#clock,
      resolver: new Resolver(options.resolver),
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
          onTrouble: (error) => this.#notice(`accepting a connection failed: ${error.message}`),
        }));
      }
    }
    return bound.map(({ addr }) => addr);
  }

  /** Connections from clients that are open. */
  get active(): number {
    return this.#sessions.size;
  }

  /** Stops accepting and waits for connections to end within `settings.grace`; what is left then is ended. */
  async drain(): Promise<void> {
    this.#stopping = true;
    this.#closeListeners();
    const grace = Promise.withResolvers<void>();
    const timer = setTimeout(grace.resolve, this.#settings.grace);
    await Promise.race([this.#emptied(), grace.promise]);
    clearTimeout(timer);
    await this.stop();
  }

  /** Ends everything at once; resolves when the last session has gone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#closeListeners();
    for (const session of this.#sessions) session.stop();
    // what was accepted in the last moment is closed by then
    await Promise.all(this.#accepting);
    await Promise.all([this.#targets.stop(), this.#emptied()]);
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
      remote = stream.remoteAddr;
      local = stream.localAddr;
    } catch {
      // it was reset before it was looked at
      return close(stream);
    }
    if (this.#stopping) return close(stream);
    const settings = this.#settings;
    const client = withoutMapping(remote.hostname);
    const address = withoutMapping(local.hostname);
    const listener = `${address.includes(":") ? `[${address}]` : address}:${local.port}`;
    if (settings.clients !== null && !isAmong(settings.clients, client)) {
      close(stream);
      return this.#deny(new Relayed(++this.#number, client, remote.port, listener));
    }
    const fromClient = this.#perClient.get(client) ?? 0;
    const excess = this.#excess(fromClient);
    if (excess !== null) {
      close(stream);
      return this.#notice(`a connection was refused: more than ${excess} are open`);
    }
    this.#perClient.set(client, fromClient + 1);
    const session = new Session({
      settings,
      clock: this.#clock,
      targets: this.#targets,
      observer: this.#observer,
      stream,
      local: address,
      ownListeners: this.#ownListeners,
      header: settings.sendProxy === null
        ? null
        : headerFor(settings.sendProxy, plainIp(client), remote.port, plainIp(address), local.port),
      relayed: new Relayed(++this.#number, client, remote.port, listener),
    });
    this.#sessions.add(session);
    session.run().then(() => this.#ended(session));
  }

  #excess(fromClient: number): string | null {
    const { maxConnections, maxConnectionsPerClient: most } = this.#settings;
    if (this.#sessions.size + stuckConnections() >= maxConnections) return `${maxConnections} connections`;
    return most > 0 && fromClient >= most ? `${most} connections of one client` : null;
  }

  #deny(relayed: Relayed): void {
    relayed.verdict = "deny";
    relayed.details = `${relayed.clientAddress} is not among the clients`;
    relayed.endedAt = performance.now();
    this.#observer.finished(relayed);
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

  #notice(message: string): void {
    const now = performance.now();
    if (now - this.#lastNotice < NOTICE_INTERVAL) return;
    this.#lastNotice = now;
    this.#observer.notice("warning", message);
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

/** The address as bytes, an IPv4-mapped one as the IPv4 address; `null` for one with a zone identifier. */
function plainIp(text: string): IpAddress | null {
  const ip = parseIp(text);
  if (ip === null || !isIpv4Mapped(ip.bytes)) return ip;
  return { family: 4, bytes: ip.bytes.slice(12) };
}

/** An address with a zone identifier is in no network that could be named. */
function isAmong(clients: Networks, client: string): boolean {
  const ip = plainIp(client);
  return ip !== null && clients.includes(ip);
}

/** What tells a target who the client is; of one whose address cannot be written it says nothing. */
function headerFor(
  version: 1 | 2,
  from: IpAddress | null,
  fromPort: number,
  to: IpAddress | null,
  toPort: number,
): Uint8Array {
  const ends = from === null || to === null
    ? null
    : { source: { ip: from, port: fromPort }, destination: { ip: to, port: toPort } };
  return proxyHeader(version, ends, formatIp);
}
