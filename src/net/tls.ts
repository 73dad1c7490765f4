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
 * Makes a TLS connection of a plain one: handshake done, certificate verified for `hostname`, HTTP/1.1 offered by
 * ALPN. `conn` is used up either way, closed when this throws.
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
  let opened: Deno.Conn = conn;
  const close = () => opened.close();
  try {
    if (signal?.aborted) throw signal.reason;
    const tls = await Deno.startTls(conn, { hostname, caCerts, alpnProtocols: ["http/1.1"] });
    // From here on `conn` is an empty shell that cannot be closed.
    opened = tls;
    if (signal?.aborted) throw signal.reason;
    signal?.addEventListener("abort", close);
    await tls.handshake();
    return tls;
  } catch (error) {
    if (signal?.aborted) throw givenUp(hostname, signal);
    throw asTlsError(hostname, error);
  } finally {
    signal?.removeEventListener("abort", close);
  }
}

function givenUp(hostname: string, signal: AbortSignal): TlsError {
  return signal.reason?.name === "TimeoutError"
    ? new TlsError("timeout", `no TLS handshake with ${hostname} in time`)
    : new TlsError("aborted", `the TLS connection with ${hostname} was not wanted any more`);
}

/** Says in plain words what rustls says in its own; Deno passes them on as text alone. */
function asTlsError(hostname: string, error: unknown): TlsError {
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
      return new TlsError(
        "unknown_issuer",
        `${certificate} is signed by itself, which nobody trusted vouches for`,
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
