/**
 * A relay in this process, with raw clients before it and raw targets behind it, on a clock that passes when a test
 * says so. Everything is closed at the end, on which Deno's sanitizers insist; a test that waits in vain for half a
 * minute has all its connections closed, so that it fails where it waits.
 */

import { connect as connectSocket, createServer, type Server } from "node:net";
import { assert, assertEquals } from "@std/assert";
import { parseAuthority } from "../../src/http/authority.ts";
import { Clock } from "../../src/net/clock.ts";
import { stuckConnections } from "../../src/net/connection.ts";
import type { ListenAddress } from "../../src/net/listen.ts";
import type { ResolverOptions } from "../../src/net/resolve.ts";
import type { NoticeLevel, RelayObserver } from "../../src/relay/observer.ts";
import type { Relayed } from "../../src/relay/relayed.ts";
import { RelayServer } from "../../src/relay/relay_server.ts";
import type { RelaySettings } from "../../src/relay/settings.ts";
import { FakeTime } from "../net/fakes.ts";
import { Origin } from "../proxy/harness.ts";
import { Peer, ResettableStream, turn } from "../proxy/peer.ts";

/** What a test waits for at most, ms. Nothing is measured by it: it only ends what hangs. */
const PATIENCE = 120_000;

export const SETTINGS: Omit<RelaySettings, "to"> = {
  balance: "round-robin",
  checkInterval: 0,
  sendProxy: null,
  clients: null,
  maxConnections: 10_000,
  maxConnectionsPerClient: 0,
  maxConnectionsPerLocalClient: 0,
  connectTimeout: 10_000,
  lifetime: 0,
  idleTimeout: 900_000,
  grace: 10_000,
};

/** What the relay tells: every connection in the order of their ends, and the notices. */
export class Records implements RelayObserver {
  readonly all: Relayed[] = [];
  readonly notices: string[] = [];
  #taken = 0;
  readonly #waiting = new Set<() => void>();

  finished(relayed: Relayed): void {
    this.all.push(relayed);
    for (const look of this.#waiting) look();
  }

  notice(level: NoticeLevel, message: string): void {
    this.notices.push(`${level}: ${message}`);
    for (const look of this.#waiting) look();
  }

  /** The next connection that ends, or has ended and was not asked for yet. */
  async next(): Promise<Relayed> {
    await this.until(() => this.all.length > this.#taken);
    return this.all[this.#taken++];
  }

  /** Waits until something that is told has become true. */
  until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!condition()) return;
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(look);
        reject(
          new Error(`not told within ${PATIENCE} ms; there is ${JSON.stringify([this.notices, this.all])}`),
        );
      }, PATIENCE);
      this.#waiting.add(look);
    });
  }
}

export interface Setting {
  relay: RelayServer;
  address: Deno.NetAddr;
  records: Records;
  /** Lets time pass for everything with a deadline. */
  time: FakeTime;
  /** The targets, in the order in which the relay knows them. */
  targets: Origin[];
  /** A client's connection to the relay. */
  connect(options?: { resettable?: boolean; to?: Deno.NetAddr }): Promise<Peer>;
  /** A connection of a client, and its other end at a target. */
  pair(target?: Origin): Promise<[client: Peer, server: Peer]>;
}

export interface SettingOptions {
  settings?: Partial<RelaySettings>;
  /** How many targets there are, unless `to` says where they are. */
  count?: number;
  /** Targets besides: `host:port`. */
  to?(targets: readonly Origin[]): string[];
  resolver?: ResolverOptions;
  listen?: ListenAddress;
  ignore?: boolean;
}

/** A test with a relay and its targets. */
export function relayed(
  name: string,
  options: SettingOptions | ((setting: Setting) => Promise<void>),
  run?: (setting: Setting) => Promise<void>,
): void {
  const [chosen, body] = typeof options === "function" ? [{}, options] : [options, run!];
  Deno.test({
    name,
    ignore: chosen.ignore ?? false,
    sanitizeOps: true,
    sanitizeResources: true,
    fn: () => withRelay(chosen, body),
  });
}

export async function withRelay(
  options: SettingOptions,
  body: (setting: Setting) => Promise<void>,
): Promise<void> {
  const peers: Peer[] = [];
  const records = new Records();
  const time = new FakeTime();
  const targets = Array.from({ length: options.count ?? 1 }, () => new Origin(peers));
  const to = options.to?.(targets) ?? targets.map(({ authority }) => authority);
  const settings = { ...SETTINGS, ...options.settings, to: to.map((place) => parseAuthority(place, null)) };
  const clock = new Clock(time);
  const relay = new RelayServer(settings, records, { clock, resolver: options.resolver, random: () => 0.5 });
  const [address] = await relay.listen([options.listen ?? { hostname: "127.0.0.1", port: 0 }]);
  const closing: Promise<void>[] = [];
  const closeAll = () => {
    for (const peer of peers) peer.close();
    // one that a test has ended is closed already
    for (const target of targets.splice(0)) closing.push(target.close().catch(() => {}));
  };
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    closeAll();
  }, PATIENCE);
  const connect: Setting["connect"] = ({ resettable = false, to = address } = {}) =>
    open(peers, to, resettable);
  try {
    await body({
      relay,
      address,
      records,
      time,
      targets: [...targets],
      connect,
      async pair(target = targets[0]) {
        const [client, server] = await Promise.all([connect(), target.accept()]);
        return [client, server];
      },
    });
  } finally {
    clearTimeout(timer);
    closeAll();
    await relay.stop();
    await Promise.all(closing);
    await turn();
  }
  assert(!late, `the test was not over within ${PATIENCE} ms`);
  assertEquals([relay.active, clock.size, stuckConnections()], [0, 0, 0], "nothing is left behind");
  const numbers = new Set(records.all.map(({ number }) => number));
  assertEquals(numbers.size, records.all.length, "no connection is recorded twice");
  for (const record of records.all) assert(record.endedAt >= record.began, "a connection has its end");
}

async function open(peers: Peer[], { hostname, port }: Deno.NetAddr, resettable: boolean): Promise<Peer> {
  let peer: Peer;
  if (resettable) {
    const socket = connectSocket({ host: hostname, port, allowHalfOpen: true });
    await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    peer = new Peer(new ResettableStream(socket));
  } else {
    const connection = await Deno.connect({ hostname, port });
    connection.setNoDelay(true);
    peer = new Peer(connection);
  }
  peers.push(peer);
  return peer;
}

/** A place where nobody listens now, and where somebody may later. */
export function deadPlace(): { authority: string; port: number } {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  return { authority: `127.0.0.1:${port}`, port };
}

/** A target whose connections can be reset. */
export class ResettableTarget implements AsyncDisposable {
  readonly #waiting: Peer[] = [];
  readonly #peers: Peer[] = [];
  #wake = () => {};

  private constructor(readonly server: Server, readonly authority: string) {}

  static async start(): Promise<ResettableTarget> {
    const server = createServer({ allowHalfOpen: true });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const target = new ResettableTarget(server, `127.0.0.1:${port}`);
    server.on("connection", (socket) => {
      const peer = new Peer(new ResettableStream(socket));
      target.#peers.push(peer);
      target.#waiting.push(peer);
      target.#wake();
    });
    return target;
  }

  async accept(): Promise<Peer> {
    while (this.#waiting.length === 0) await new Promise<void>((resolve) => this.#wake = resolve);
    return this.#waiting.shift()!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const peer of this.#peers) peer.close();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}

/** A place where connections wait for ever: a listener whose queue is full, on Linux. */
export class SilentPlace implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 1 });
  readonly #abort = new AbortController();
  readonly #waiting: Promise<Deno.TcpConn | null>[] = [];
  #connected = 0;

  static async open(): Promise<SilentPlace> {
    const place = new SilentPlace();
    for (let i = 0; i < 4; i++) place.#fill();
    while (place.#connected < 2) await turn();
    return place;
  }

  get authority(): string {
    return `127.0.0.1:${this.#listener.addr.port}`;
  }

  #fill(): void {
    const { port } = this.#listener.addr;
    this.#waiting.push(
      Deno.connect({ hostname: "127.0.0.1", port, signal: this.#abort.signal }).then((conn) => {
        this.#connected++;
        return conn;
      }, () => null),
    );
  }

  [Symbol.dispose](): void {
    this.#abort.abort();
    this.#listener.close();
    for (const each of this.#waiting) each.then((conn) => conn?.close());
  }
}
