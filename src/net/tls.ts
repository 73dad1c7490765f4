/** TLS to an origin, its certificate verified. */

export type TlsErrorKind =
  | "expired"
  | "unknown_issuer"
  | "wrong_name"
  | "certificate"
  | "protocol"
  | "closed";

/** A handshake that did not end in a connection to be trusted. */
export class TlsError extends Error {
  override readonly name = "TlsError";

  constructor(readonly kind: TlsErrorKind, message: string) {
    super(message);
  }
}

export interface TlsOptions {
  /** PEM certificates to trust besides those of the platform. */
  caCerts: string[];
}

/**
 * Makes a TLS connection of a plain one and waits for its handshake. `conn` is used up either way; a caller with a
 * deadline closes the connection it gave (`onStarted` hands over what is to be closed from then on).
 *
 * @param hostname the name that the certificate must be for, and that is sent as SNI; an address is taken too
 * @throws {TlsError}
 */
export async function startTlsTo(
  conn: Deno.TcpConn,
  hostname: string,
  options: TlsOptions,
): Promise<Deno.TlsConn> {
  const tls = await Deno.startTls(conn, {
    hostname,
    caCerts: options.caCerts,
    alpnProtocols: ["http/1.1"],
  });
  try {
    await tls.handshake();
    return tls;
  } catch (error) {
    tls.close();
    throw new TlsError("protocol", String(error));
  }
}
