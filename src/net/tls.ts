/** TLS to an origin, its certificate verified. */

export type TlsErrorKind =
  | "expired"
  | "unknown_issuer"
  | "wrong_name"
  /** Any other fault of the certificate. */
  | "certificate"
  /** The origin ended the handshake with an alert of its own. */
  | "alert"
  /** What came was no TLS, or no TLS that both sides speak. */
  | "protocol"
  /** The connection ended within the handshake. */
  | "closed"
  /** Too many origins keep a handshake open that was given up. */
  | "exhausted"
  | "timeout"
  | "aborted";

/** A handshake that did not end in a connection to be trusted. */
export class TlsError extends Error {
  override readonly name = "TlsError";

  constructor(readonly kind: TlsErrorKind, message: string) {
    super(message);
  }
}

export interface TlsOptions {
  /** PEM certificates to trust besides those that Deno trusts by itself. */
  caCerts: string[];
  /**
   * Gives the handshake up, and is its only deadline. A reason named `TimeoutError` is a deadline that has passed,
   * any other a caller that has gone.
   */
  signal?: AbortSignal;
}

/**
 * Deno keeps the descriptor of an unfinished handshake after `close()` until the peer answers or closes, and tells
 * nobody about it. So a handshake that is given up stays open, is counted, and is closed when its peer ends it; and
 * no new one begins while there are too many of them.
 */
let abandoned = 0;
const MAX_ABANDONED = 256;

/** Handshakes that were given up and whose descriptors wait for their peers. */
export function abandonedHandshakes(): number {
  return abandoned;
}

/**
 * Has the platform read now which authorities it trusts. It would do so when they are needed first, and if no
 * descriptor is left in that moment it goes on without those of `DENO_CERT` for good, and of `NODE_EXTRA_CA_CERTS`.
 */
export function loadAuthorities(): void {
  try {
    Deno.createHttpClient({}).close();
  } catch {
    // the first handshake tells what is wrong
  }
}

/**
 * Makes a TLS connection of a plain one: handshake done, certificate verified for `hostname`, HTTP/1.1 offered by
 * ALPN. `conn` is used up either way.
 *
 * @param hostname name or address, without brackets, that the certificate must be for
 * @throws {TlsError}
 */
export async function startTlsTo(
  conn: Deno.TcpConn,
  hostname: string,
  options: TlsOptions,
): Promise<Deno.TlsConn> {
  const { caCerts, signal } = options;
  let tls: Deno.TlsConn;
  try {
    if (signal?.aborted) throw givenUp(hostname, signal);
    if (abandoned >= MAX_ABANDONED) {
      throw new TlsError(
        "exhausted",
        `${MAX_ABANDONED} origins have left a TLS handshake unanswered: no new one begins`,
      );
    }
    tls = await Deno.startTls(conn, { hostname, caCerts, alpnProtocols: ["http/1.1"] });
  } catch (error) {
    closeQuietly(conn);
    throw asTlsError(hostname, error);
  }
  const handshake = tls.handshake();
  try {
    await (signal === undefined ? handshake : unlessGivenUp(handshake, signal, hostname));
    return tls;
  } catch (error) {
    if (signal?.aborted) abandon(tls, handshake);
    else closeQuietly(tls);
    throw asTlsError(hostname, error);
  }
}

function unlessGivenUp<T>(promise: Promise<T>, signal: AbortSignal, hostname: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(givenUp(hostname, signal));
    if (signal.aborted) giveUp();
    signal.addEventListener("abort", giveUp);
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", giveUp));
  });
}

async function abandon(tls: Deno.TlsConn, handshake: Promise<unknown>): Promise<void> {
  abandoned++;
  try {
    await handshake;
  } catch {
    // Nobody asks any more how it ended.
  }
  abandoned--;
  closeQuietly(tls);
}

function closeQuietly(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // Deno has closed it already.
  }
}

function givenUp(hostname: string, signal: AbortSignal): TlsError {
  return signal.reason?.name === "TimeoutError"
    ? new TlsError("timeout", `no TLS handshake with ${hostname} in time`)
    : new TlsError("aborted", `the TLS connection with ${hostname} was not wanted any more`);
}

/** Says in plain words what rustls says in its own; Deno passes them on as text alone. */
function asTlsError(hostname: string, error: unknown): TlsError {
  if (error instanceof TlsError) return error;
  const text = error instanceof Error ? error.message : String(error);
  if (error instanceof Deno.errors.UnexpectedEof || error instanceof Deno.errors.ConnectionReset) {
    return new TlsError("closed", `${hostname} closed the connection within the TLS handshake`);
  }
  if (text.includes("received fatal alert")) {
    return new TlsError("alert", `${hostname} refused the TLS handshake: ${text}`);
  }
  if (text.includes("InvalidContentType")) {
    return new TlsError("protocol", `what answers on that port of ${hostname} does not speak TLS`);
  }
  const certificate = `the certificate of ${hostname}`;
  if (/invalid peer certificate/i.test(text)) {
    if (/: (?:certificate )?expired/i.test(text)) {
      return new TlsError("expired", `${certificate} has expired`);
    }
    if (/not valid yet|NotValidYet/.test(text)) {
      return new TlsError("expired", `${certificate} is not valid yet`);
    }
    if (text.includes("UnknownIssuer")) {
      return new TlsError("unknown_issuer", `${certificate} was issued by nobody who is trusted here`);
    }
    if (text.includes("CaUsedAsEndEntity")) {
      // It may be trusted as an authority all the same: naming it there does not help.
      return new TlsError(
        "certificate",
        `${certificate} is an authority's own, with which no server is trusted: it needs one with ` +
          "basicConstraints=CA:FALSE",
      );
    }
    if (/not valid for name|NotValidForName/.test(text)) {
      const names = [...text.matchAll(/(?:DnsName|IpAddress)\("?([^")]+)"?\)/g)].map((match) => match[1]);
      const others = names.length > 0 ? `, but for ${names.slice(0, 3).join(", ")}` : "";
      return new TlsError("wrong_name", `${certificate} is not for that name${others}`);
    }
    return new TlsError("certificate", `${certificate} is not valid: ${text}`);
  }
  if (error instanceof TypeError) {
    return new TlsError("wrong_name", `no certificate can be for ${hostname}: ${text}`);
  }
  return new TlsError("protocol", `the TLS handshake with ${hostname} failed: ${text}`);
}
