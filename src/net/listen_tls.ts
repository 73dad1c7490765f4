/** Where connections come in over TLS. */

import type { Clock, Deadlined } from "./clock.ts";
import { close } from "./close.ts";
import { listen, type ListenAddress, ListenError } from "./listen.ts";
import { UNLISTED } from "./roster.ts";

/** What a server shows: its certificate with those that vouch for it, and its key, as PEM. */
export interface ServerCertificate {
  readonly cert: string;
  readonly key: string;
}

/**
 * Listens on an address over TLS, with HTTP/1.1 offered by ALPN.
 *
 * @param shared the port is one that this process listens on already: the new listener takes its place as soon as the
 *   old one is closed
 * @throws {ListenError}
 */
export function listenTls(
  address: ListenAddress,
  certificate: ServerCertificate,
  shared = false,
): Deno.TlsListener {
  const bind = (options: Deno.TcpListenOptions) => {
    const all = { ...options, ...certificate, alpnProtocols: ["http/1.1"], reusePort: true };
    return Deno.listenTls(all as Deno.ListenTlsOptions & Deno.TlsCertifiedKeyPem);
  };
  try {
    // with reusePort the system would let two programs share a port and tell neither
    if (!shared && address.port !== 0) listen(address).close();
    return listen(address, bind);
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    throw new ListenError(error.message.replaceAll("--listen ", "--listen-tls "));
  }
}

/**
 * What keeps a certificate and its key from being used, in words; `null` when nothing does.
 */
export function faultOf(certificate: ServerCertificate): string | null {
  try {
    Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...certificate }).close();
    return null;
  } catch (error) {
    // whether that port may be listened on at all is another question
    if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) return null;
    return certificateFault(error);
  }
}

/** Says in plain words what rustls says in its own. */
function certificateFault(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  if (text.includes("KeyMismatch")) return "the key is not the one that the certificate is for";
  if (text.includes("No certificates found")) return "there is no certificate in it";
  if (text.includes("No keys found")) return "there is no key in it, or one that wants a password";
  if (/failed to parse private key|decode key/i.test(text)) {
    return "the key is damaged, or of a kind that is not known";
  }
  if (/invalid peer certificate|certificate data|BadEncoding/i.test(text)) {
    return `the certificate is damaged: ${text}`;
  }
  return `they cannot be used: ${text}`;
}

/**
 * Handshakes of clients that have not come to their end. The platform keeps the descriptor of one that is closed
 * until its client answers or closes, and tells nobody about it: so one that takes too long stays open, is counted,
 * and is closed when its client ends it. There is no more of them than a limit: until one of them ends, no further
 * connection is accepted.
 */
export class TlsHandshakes {
  readonly #unfinished = new Set<Deno.TlsConn>();
  #late = 0;
  #room: PromiseWithResolvers<void> | null = null;
  #stopped = false;

  constructor(readonly clock: Clock) {}

  /** Those under way, and those that were given up and hold a descriptor still. */
  get size(): number {
    return this.#unfinished.size;
  }

  get late(): number {
    return this.#late;
  }

  /** Undefined when there are less than `most`, else what resolves when one has ended or all are stopped. */
  gate(most: number): Promise<void> | undefined {
    if (this.#stopped || this.size < most) return undefined;
    return (this.#room ??= Promise.withResolvers()).promise;
  }

  /**
   * Shakes hands with a client, in so many ms.
   *
   * @returns `null` when that is done; else why not, in words, and the connection is closed, or will be
   */
  shake(conn: Deno.TlsConn, milliseconds: number): Promise<string | null> {
    return new Promise((resolve) => {
      this.#unfinished.add(conn);
      const limit = new Limit(this.clock, milliseconds, () => {
        this.#late++;
        resolve("no TLS handshake in time");
      });
      conn.handshake().then(() => null, faultOfHandshake).then((fault) => {
        const wasLate = limit.lift();
        if (wasLate) this.#late--;
        if (fault !== null || wasLate || this.#stopped) close(conn);
        this.#unfinished.delete(conn);
        this.letWaitingIn();
        resolve(this.#stopped ? "" : fault);
      });
    });
  }

  /** Ends all of them, as far as that can be done. */
  stop(): void {
    this.#stopped = true;
    for (const conn of this.#unfinished) close(conn);
    this.letWaitingIn();
  }

  /** Lets those go on that wait at the {@link gate}. */
  letWaitingIn(): void {
    this.#room?.resolve();
    this.#room = null;
  }
}

class Limit implements Deadlined {
  place = UNLISTED;
  deadline = Infinity;
  #passed = false;

  constructor(readonly clock: Clock, milliseconds: number, readonly onPassed: () => void) {
    clock.watch(this);
    this.deadline = clock.in(milliseconds);
  }

  expire(): void {
    this.#passed = true;
    this.clock.unwatch(this);
    this.onPassed();
  }

  /** @returns whether it had passed */
  lift(): boolean {
    if (!this.#passed) this.clock.unwatch(this);
    return this.#passed;
  }
}

/** `""` for a client that went away, which is nothing to tell of. */
function faultOfHandshake(error: unknown): string {
  if (error instanceof Deno.errors.UnexpectedEof || error instanceof Deno.errors.ConnectionReset) return "";
  const text = error instanceof Error ? error.message : String(error);
  if (text.includes("InvalidContentType")) return "what came was no TLS: give it https:// and not http://";
  if (text.includes("received fatal alert")) return `the client refused the TLS handshake: ${text}`;
  return `the TLS handshake failed: ${text}`;
}
