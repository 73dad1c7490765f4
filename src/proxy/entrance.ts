/** Where clients come in: the listeners, and what a connection passes before it is a client's. */

import { parseIp } from "../http/ip_address.ts";
import { close } from "../net/close.ts";
import type { Connection } from "../net/connection.ts";
import { acceptLoop, listen, type ListenAddress } from "../net/listen.ts";
import { listenTls, type ServerCertificate, TlsHandshakes } from "../net/listen_tls.ts";
import { type Arrival, arrivalOf, clientConnection, learnClient } from "./arrival.ts";
import type { Services } from "./services.ts";

/** What becomes of connections. */
export interface Host {
  /**
   * Why no further connection is taken, in words; `null` when one is.
   *
   * @param clientKey what the client is counted as
   */
  full(clientKey: string): string | null;
  /** Refuses a connection that is one too many, of a client that is counted so. */
  refuse(stream: Deno.Conn, reason: string, clientKey: string): void;
  /** Takes a client's connection. */
  admit(down: Connection, arrival: Arrival): void;
  /** @param trouble what it is about, in a word: of one trouble one notice is enough for a while */
  notice(trouble: string, message: string): void;
  /** Accepting failed for want of something. */
  trouble(error: Error): void;
}

/** Handshakes beside which no other begins while descriptors are short. */
const HANDSHAKES_IN_SHORTAGE = 2;

type Listener = Deno.TcpListener | Deno.TlsListener;

export class Entrance {
  readonly #services: Services;
  readonly #host: Host;
  readonly #handshakes: TlsHandshakes;
  readonly #plain: Deno.TcpListener[] = [];
  readonly #gateways: Deno.TcpListener[] = [];
  #overTls: Deno.TlsListener[] = [];
  #certificate: ServerCertificate | null = null;
  readonly #accepting = new Set<Promise<void>>();
  /** Connections of trusted peers that have yet to say for whom they are. */
  readonly #unknown = new Map<Connection, Promise<void>>();

  constructor(services: Services, host: Host) {
    this.#services = services;
    this.#host = host;
    this.#handshakes = new TlsHandshakes(services.clock);
  }

  /**
   * Binds every address and starts accepting.
   *
   * @param overTls those to which clients speak TLS; for them the settings have a certificate
   * @param gateways those that are asked for pages as for their own
   * @returns what was bound, in the same order: those over TLS behind the plain ones, and then the gateways
   * @throws {ListenError}; then nothing stays bound
   */
  listen(
    addresses: readonly ListenAddress[],
    overTls: readonly ListenAddress[],
    gateways: readonly ListenAddress[],
  ): Deno.NetAddr[] {
    const { certificate } = this.#services.settings;
    const bound: Listener[] = [];
    try {
      for (const address of addresses) bound.push(listen(address));
      for (const address of overTls) bound.push(listenTls(address, certificate!));
      for (const address of gateways) bound.push(listen(address));
    } catch (error) {
      for (const listener of bound) listener.close();
      throw error;
    }
    this.#plain.push(...bound.slice(0, addresses.length) as Deno.TcpListener[]);
    const first = addresses.length + overTls.length;
    this.#overTls.push(...bound.slice(addresses.length, first) as Deno.TlsListener[]);
    this.#gateways.push(...bound.slice(first) as Deno.TcpListener[]);
    this.#certificate = certificate;
    this.#services.ownListeners.set(bound.map((listener) => listener.addr as Deno.NetAddr));
    for (const listener of this.#plain) this.#accept(listener, (stream) => this.#receive(stream));
    for (const listener of this.#overTls) this.#acceptTls(listener);
    for (const listener of this.#gateways) this.#accept(listener, (stream) => this.#receive(stream, true));
    return bound.map((listener) => listener.addr as Deno.NetAddr);
  }

  /** Connections that are not a client's yet. */
  get size(): number {
    return this.#handshakes.size + this.#unknown.size;
  }

  /** Shows the certificate of the settings from now on, if it is another one. Connections are not touched. */
  renew(): void {
    const { certificate } = this.#services.settings;
    const before = this.#certificate;
    if (certificate === null || before === null || this.#overTls.length === 0) return;
    if (certificate.cert === before.cert && certificate.key === before.key) return;
    this.#certificate = certificate;
    this.#overTls = this.#overTls.map((listener) => this.#replace(listener, certificate));
  }

  /**
   * Puts another listener in the place of one. The platform has no way to give a listener another certificate: for a
   * moment there are two on the port, so that none is refused meanwhile. Whom the system gives to the old one in the
   * moment in which it closes is reset, and has to try again.
   */
  #replace(listener: Deno.TlsListener, certificate: ServerCertificate): Deno.TlsListener {
    const { hostname, port } = listener.addr as Deno.NetAddr;
    try {
      const next = listenTls({ hostname, port }, certificate, true);
      this.#acceptTls(next);
      listener.close();
      return next;
    } catch (error) {
      this.#host.notice("certificate", `the certificate stays what it was: ${(error as Error).message}`);
      return listener;
    }
  }

  /** Accepts no more, and ends what is no client's yet. */
  close(): void {
    const all = [...this.#plain.splice(0), ...this.#overTls.splice(0), ...this.#gateways.splice(0)];
    for (const listener of all) listener.close();
    this.#handshakes.stop();
    for (const connection of this.#unknown.keys()) connection.close();
  }

  /** Resolves when nothing comes any more, after {@link close}. */
  async closed(): Promise<void> {
    await Promise.all([...this.#accepting, ...this.#unknown.values()]);
  }

  #accept<Conn extends Deno.Conn>(
    listener: { accept(): Promise<Conn> },
    receive: (stream: Conn) => void,
    gate?: () => Promise<void> | undefined,
  ): void {
    const accepting = acceptLoop(listener, receive, {
      onTrouble: (error) => this.#host.trouble(error),
      gate,
    });
    this.#accepting.add(accepting);
    accepting.then(() => this.#accepting.delete(accepting));
  }

  /** Handshakes may take half of all connections: what they hold, nobody else can have. */
  #acceptTls(listener: Deno.TlsListener): void {
    this.#accept(
      listener,
      (stream: Deno.TlsConn) => void this.#shakeHands(stream),
      () => this.#gate(),
    );
  }

  /** Descriptors can be had again after a shortage. */
  roomAgain(): void {
    this.#handshakes.letWaitingIn();
  }

  #gate(): Promise<void> | undefined {
    // one that is not brought to its end would take one of those that are left for telling clients so
    if (this.#services.shortage.lasts) return this.#handshakes.gate(HANDSHAKES_IN_SHORTAGE);
    const most = Math.max(1, this.#services.settings.maxConnections >> 1);
    const gate = this.#handshakes.gate(most);
    if (gate !== undefined) {
      this.#host.notice(
        "handshakes",
        `${most} TLS handshakes are under way, ${this.#handshakes.late} of them for too long: ` +
          "nobody else is let in over TLS until one has ended",
      );
    }
    return gate;
  }

  #receive(stream: Deno.TcpConn, gateway = false): void {
    let arrival: Arrival;
    try {
      stream.setNoDelay(true);
      arrival = arrivalOf(
        stream.remoteAddr as Deno.NetAddr,
        stream.localAddr as Deno.NetAddr,
        false,
        gateway,
      );
    } catch {
      // it was reset before it was looked at
      return close(stream);
    }
    const full = this.#host.full(arrival.clientKey);
    if (full !== null) return this.#host.refuse(stream, full, arrival.clientKey);
    const down = clientConnection(this.#services, stream);
    if (this.#isTrusted(arrival)) {
      const introduction = this.#introduce(down, arrival).finally(() => this.#unknown.delete(down));
      this.#unknown.set(down, introduction);
    } else this.#host.admit(down, arrival);
  }

  #isTrusted({ client }: Arrival): boolean {
    const { trustedProxies } = this.#services.settings;
    if (trustedProxies === null) return false;
    const ip = parseIp(client);
    return ip !== null && trustedProxies.includes(ip);
  }

  async #introduce(down: Connection, peer: Arrival): Promise<void> {
    const arrival = await learnClient(down, peer, this.#services);
    if (typeof arrival !== "string") return this.#host.admit(down, arrival);
    const wasClosed = down.closed && !down.expired;
    down.release();
    if (arrival === "" || wasClosed) return;
    this.#host.notice(
      "header",
      `${peer.client} is a trusted proxy and has to begin with the PROXY protocol, but sent ${arrival}`,
    );
  }

  async #shakeHands(stream: Deno.TlsConn): Promise<void> {
    const remote = stream.remoteAddr as Deno.NetAddr;
    const fault = await this.#handshakes.shake(stream, this.#services.settings.headTimeout);
    if (fault !== null) {
      if (fault !== "") {
        this.#host.notice("handshake", `${arrivalOf(remote, remote).client} over TLS: ${fault}`);
      }
      return;
    }
    const arrival = arrivalOf(remote, stream.localAddr as Deno.NetAddr, true);
    const full = this.#host.full(arrival.clientKey);
    if (full !== null) this.#host.refuse(stream, full, arrival.clientKey);
    else this.#host.admit(clientConnection(this.#services, stream), arrival);
  }
}
