/**
 * A proxy in this process, with a raw client before it and a raw origin behind it, for tests that look at it from
 * outside. A test drives both ends itself, one step after the other:
 *
 * ```ts
 * proxied("a rule (RFC 9112 §n)", async ({ origin, exchanges, connect }) => {
 *   const client = await connect();
 *   await client.send(`GET ${origin.url}/ HTTP/1.1\r\nHost: ${origin.authority}\r\n\r\n`);
 *   const upstream = await origin.accept();
 *   assertEquals((await upstream.message()).startLine, "GET / HTTP/1.1");
 *   await upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
 *   assertEquals((await client.message()).content, "hi");
 *   assertEquals((await exchanges.next()).status, 200);
 * });
 * ```
 *
 * Everything is closed at its end, on which Deno's sanitizers insist. A test that waits in vain for two minutes
 * has all its connections closed, so that it fails where it waits.
 */

import { connect as connectSocket, createServer, type Server } from "node:net";
import { assert, assertEquals } from "@std/assert";
import type { ResolverOptions } from "../../src/net/resolve.ts";
import type { ListenAddress } from "../../src/net/listen.ts";
import { Routes } from "../../src/policy/routes.ts";
import { NO_LIMITS } from "../../src/policy/rates.ts";
import type { Exchange } from "../../src/proxy/exchange.ts";
import type { NoticeLevel, Observer } from "../../src/proxy/observer.ts";
import { Proxy } from "../../src/proxy/proxy.ts";
import type { ProxySettings } from "../../src/proxy/settings.ts";
import { HAS_IPV6 } from "../net/ipv6.ts";
import { policy } from "./policies.ts";
import { type Message, Peer, ResettableStream, turn } from "./peer.ts";

/** What a test waits for at most, ms. Nothing is measured by it: it only ends what hangs, also on a slow machine. */
const PATIENCE = 120_000;

/** The name that the proxy of these tests goes by. */
export const PSEUDONYM = "weir-test";

/** Settings as of the options' defaults, with short times where a test would have to wait for them. */
export const SETTINGS: ProxySettings = {
  pseudonym: PSEUDONYM,
  showVersion: false,
  version: "0.0.0-test",
  socks: true,
  trustedProxies: null,
  certificate: null,
  maxConnections: 10_000,
  maxConnectionsPerClient: 0,
  maxConnectionsPerLocalClient: 0,
  maxHeadSize: 64 * 1024,
  maxFields: 256,
  maxUnfinished: 64 * 1024 * 1024,
  minBodyRate: 0,
  maxBodySize: 0,
  headTimeout: 30_000,
  connectTimeout: 10_000,
  responseTimeout: 300_000,
  bodyTimeout: 300_000,
  keepAliveTimeout: 60_000,
  tunnelTimeout: 900_000,
  tunnelLifetime: 0,
  halfClosedTimeout: 5_000,
  grace: 10_000,
  poolPerOrigin: 512,
  poolSize: 2048,
  poolTimeout: 30_000,
  originConnections: "keep",
  routes: new Routes([], new Map()),
  originTolerance: "tolerant",
  via: "both",
  forwardedFor: "leave",
  gatewayOrigins: "site",
  frontPage: { names: [], wpad: false, rules: [] },
  policy: policy(),
  cacheSize: 0,
  cacheEstimates: "public",
  cacheShared: false,
  users: null,
  clientRates: NO_LIMITS,
  userRates: NO_LIMITS,
  originCertificates: [],
};

/** The record: every exchange in the order of their ends, and the notices. */
export class Exchanges implements Observer {
  readonly all: Exchange[] = [];
  readonly notices: { level: NoticeLevel; message: string }[] = [];
  /** What `read` made of each exchange while its head could be read. */
  readonly heads: unknown[] = [];
  /** Called for each exchange as it is recorded, while `exchange.fields` can be read. */
  read: (exchange: Exchange) => unknown = () => undefined;
  #taken = 0;
  readonly #waiting = new Set<() => void>();

  finished(exchange: Exchange): void {
    this.heads.push(this.read(exchange));
    this.all.push(exchange);
    for (const look of this.#waiting) look();
  }

  notice(level: NoticeLevel, message: string): void {
    this.notices.push({ level, message });
    for (const look of this.#waiting) look();
  }

  /** The next exchange that ends, or has ended and was not asked for yet. */
  async next(): Promise<Exchange> {
    await this.until(() => this.all.length > this.#taken);
    return this.all[this.#taken++];
  }

  /** Waits until something that the record shows has become true. */
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
        reject(new Error(`not recorded within ${PATIENCE} ms; there is ${JSON.stringify(this.all)}`));
      }, PATIENCE);
      this.#waiting.add(look);
    });
  }
}

/** An origin that does nothing by itself: a test takes its connections and answers on them. */
export class Origin {
  readonly listener: Deno.TcpListener;
  readonly #connections: Peer[];
  readonly #serving: Promise<void>[] = [];
  #closed = false;
  /** How many connections have been accepted. */
  accepted = 0;

  constructor(connections: Peer[], hostname = "127.0.0.1", port = 0) {
    this.listener = Deno.listen({ hostname, port });
    this.#connections = connections;
  }

  get port(): number {
    return (this.listener.addr as Deno.NetAddr).port;
  }

  /** `127.0.0.1:port` */
  get authority(): string {
    const { hostname } = this.listener.addr as Deno.NetAddr;
    return `${hostname.includes(":") ? `[${hostname}]` : hostname}:${this.port}`;
  }

  /** `http://127.0.0.1:port` */
  get url(): string {
    return `http://${this.authority}`;
  }

  /** The next connection to this origin. */
  async accept(): Promise<Peer> {
    const connection = await this.listener.accept();
    if (this.#closed) {
      // it was accepted already when the listener was closed
      connection.close();
      throw new Deno.errors.BadResource("the test is over");
    }
    this.accepted++;
    connection.setNoDelay(true);
    const peer = new Peer(connection);
    this.#connections.push(peer);
    return peer;
  }

  /** Accepts connections for ever and gives each to `handler`. */
  serve(handler: (connection: Peer) => Promise<void>): Promise<void> {
    const serving = this.#serve(handler);
    this.#serving.push(serving);
    return serving;
  }

  async #serve(handler: (connection: Peer) => Promise<void>): Promise<void> {
    try {
      for (;;) handler(await this.accept()).catch(ignoreClosed);
    } catch (error) {
      ignoreClosed(error);
    }
  }

  /** Accepts no more; resolves when nothing is being accepted any more. Connections are left alone. */
  async close(): Promise<void> {
    this.#closed = true;
    this.listener.close();
    await Promise.all(this.#serving);
  }

  /** On every connection, answers every request with what `respond` makes of it. Does not wait. */
  answer(respond: string | ((request: Message, index: number) => string)): void {
    let index = 0;
    this.serve(async (connection) => {
      while (connection.received !== "" || await peek(connection)) {
        const request = await connection.message();
        await connection.send(typeof respond === "string" ? respond : respond(request, index++));
      }
      connection.close();
    });
  }

  /** Fails when a connection has been made that nobody accepted. */
  async assertNoFurtherConnection(): Promise<void> {
    const own = await Deno.connect({
      hostname: (this.listener.addr as Deno.NetAddr).hostname,
      port: this.port,
    });
    const next = await this.listener.accept();
    const { port } = own.localAddr as Deno.NetAddr;
    own.close();
    next.close();
    assertEquals(
      (next.remoteAddr as Deno.NetAddr).port,
      port,
      "no connection to the origin but this test's own",
    );
  }
}

/** Whether another byte comes. */
async function peek(connection: Peer): Promise<boolean> {
  const first = await connection.some();
  connection.received = first + connection.received;
  return first !== "";
}

/** What a server loop sees when its test is over. */
function ignoreClosed(error: unknown): void {
  if (
    error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted ||
    error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset
  ) return;
  if (error instanceof Error && error.message.startsWith("the other side ended")) return;
  throw error;
}

export interface ConnectOptions {
  /** The connection can be reset by {@link Peer.reset}; needs {@link CAN_RESET}. */
  resettable?: boolean;
  /** The address to connect to, of the first of the proxy's listeners unless another is given. */
  to?: Deno.NetAddr;
  /** PEM certificates to trust: the connection is one over TLS, for the name `localhost`. */
  tls?: string;
}

export interface Setting {
  proxy: Proxy;
  /** Where the proxy listens, one for each of the addresses asked for. */
  addresses: Deno.NetAddr[];
  /** `127.0.0.1:port` of the first of them. */
  authority: string;
  exchanges: Exchanges;
  origin: Origin;
  /** A client's connection to the proxy. */
  connect(options?: ConnectOptions): Promise<Peer>;
  /** A further origin. */
  another(hostname?: string): Origin;
  /** An origin whose connections can be reset: resolves with where it is and how its next connection is taken. */
  resettableOrigin(): Promise<{ authority: string; accept(): Promise<Peer> }>;
}

export interface SettingOptions {
  settings?: Partial<ProxySettings>;
  resolver?: ResolverOptions;
  /** Where the proxy listens; a free port of 127.0.0.1 when not given. */
  listen?: ListenAddress[];
  /** Where it listens over TLS besides, with a certificate of the settings. */
  listenTls?: ListenAddress[];
  /** Where it listens as a gateway. */
  gateways?: ListenAddress[];
  ignore?: boolean;
  /** Notices of the level "error" are part of the test. */
  errors?: boolean;
}

/** A test with a proxy and an origin, both closed at its end. */
export function proxied(
  name: string,
  options: SettingOptions | ((setting: Setting) => Promise<void>),
  run?: (setting: Setting) => Promise<void>,
): void {
  const [chosen, body] = typeof options === "function" ? [{}, options] : [options, run!];
  Deno.test({
    name,
    ignore: chosen.ignore || (!HAS_IPV6 && chosen.listen?.some(({ hostname }) => hostname.includes(":"))),
    // not what newer Denos do by themselves
    sanitizeOps: true,
    sanitizeResources: true,
    fn: () => withProxy(chosen, body),
  });
}

/** Runs `body` with a proxy and an origin and closes both, however it ends. */
export async function withProxy(
  options: SettingOptions,
  body: (setting: Setting) => Promise<void>,
): Promise<void> {
  const exchanges = new Exchanges();
  const proxy = new Proxy({ ...SETTINGS, ...options.settings }, exchanges, withServers(options.resolver));
  const addresses = proxy.listen(
    options.listen ?? [{ hostname: "127.0.0.1", port: 0 }],
    options.listenTls,
    options.gateways,
  );
  const peers: Peer[] = [];
  const origins: Origin[] = [];
  const closing: Promise<void>[] = [];
  const servers: Server[] = [];
  const another = (hostname?: string) => {
    const origin = new Origin(peers, hostname);
    origins.push(origin);
    return origin;
  };
  const closeAll = () => {
    for (const peer of peers) peer.close();
    for (const origin of origins.splice(0)) closing.push(origin.close());
  };
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    closeAll();
  }, PATIENCE);
  try {
    await body({
      proxy,
      addresses,
      authority: `${addresses[0].hostname}:${addresses[0].port}`,
      exchanges,
      origin: another(),
      another,
      connect: (options) =>
        connect(peers, options?.to ?? addresses[0], options?.resettable ?? false, options?.tls),
      resettableOrigin: () => resettableOrigin(peers, servers),
    });
  } finally {
    clearTimeout(timer);
    closeAll();
    await proxy.stop();
    await Promise.all(closing);
    await Promise.all(
      servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))),
    );
    // an origin that serves by itself may be between two pieces, and finds its connection closed then
    await turn();
    await turn();
  }
  assert(!late, `the test was not over within ${PATIENCE} ms`);
  assertRecorded(exchanges, options);
}

/** Every exchange was recorded, and none twice, and nothing went wrong inside. */
function assertRecorded(exchanges: Exchanges, { errors = false }: SettingOptions): void {
  const numbers = new Set(exchanges.all.map(({ number }) => number));
  assertEquals(numbers.size, exchanges.all.length, "no exchange is recorded twice");
  assertEquals(Math.max(0, ...numbers), numbers.size, "every exchange is recorded");
  for (const exchange of exchanges.all) assert(exchange.endedAt >= exchange.began, "an exchange has its end");
  if (!errors) assertEquals(exchanges.notices.filter(({ level }) => level === "error"), []);
}

async function connect(peers: Peer[], to: Deno.NetAddr, resettable: boolean, tls?: string): Promise<Peer> {
  const { hostname, port } = to;
  let peer: Peer;
  if (tls !== undefined) {
    const plain = await Deno.connect({ hostname, port });
    plain.setNoDelay(true);
    const options = { hostname: "localhost", caCerts: [tls], alpnProtocols: ["http/1.1"] };
    const connection = await Deno.startTls(plain, options);
    peer = new Peer(connection);
    peers.push(peer);
    await connection.handshake();
    return peer;
  }
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

async function resettableOrigin(peers: Peer[], servers: Server[]): ReturnType<Setting["resettableOrigin"]> {
  const waiting: Peer[] = [];
  let wake = () => {};
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const peer = new Peer(new ResettableStream(socket));
    peers.push(peer);
    waiting.push(peer);
    wake();
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return {
    authority: `127.0.0.1:${port}`,
    async accept(): Promise<Peer> {
      while (waiting.length === 0) await new Promise<void>((resolve) => wake = resolve);
      return waiting.shift()!;
    },
  };
}

/** Beside a look-up that is made up, name servers that say the same of complete names. */
function withServers(resolver: ResolverOptions | undefined): ResolverOptions | undefined {
  const lookup = resolver?.lookup;
  return lookup === undefined ? resolver : { dns: (host) => lookup(host.replace(/\.$/, "")), ...resolver };
}
