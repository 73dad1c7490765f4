/** Dialling within the descriptors that there are, and what it means for a client when it fails. */

import type { Authority } from "../http/authority.ts";
import { HttpError } from "../http/error.ts";
import { dial, DialError, type Dialled } from "../net/dial.ts";
import { ResolveError } from "../net/resolve.ts";
import { TlsError } from "../net/tls.ts";
import type { Services } from "./services.ts";

/**
 * Dials; when the system has no descriptor left, once more after the kept connections have given theirs. Those that
 * are held back for telling clients so are not taken.
 */
export async function dialWithRoom(
  services: Services,
  addresses: readonly string[],
  port: number,
  signal: AbortSignal,
): Promise<Dialled> {
  if (services.shortage.lasts && !services.makeRoom()) {
    throw new DialError("no_descriptors", "was not tried: no file descriptor is left", []);
  }
  try {
    return await dial(addresses, port, { signal });
  } catch (error) {
    if (!(error instanceof DialError) || error.kind !== "no_descriptors" || !services.makeRoom()) throw error;
    return await dial(addresses, port, { signal });
  }
}

/** Those kinds of failed handshakes that are not the certificate's fault. */
const TLS_ERRORS: Readonly<Record<string, string>> = {
  alert: "tls_alert_received",
  protocol: "tls_protocol_error",
  closed: "tls_protocol_error",
  aborted: "tls_protocol_error",
};

/** That a name has no addresses, and not that they could not be found out. */
export class NoSuchHost extends HttpError {}

/**
 * That a name is a short form, which is not completed since rules judge names. To have it completed takes a rule that
 * allows this very name, and a single label.
 */
export function incomplete(host: string): NoSuchHost {
  return new NoSuchHost(
    502,
    "dns_error",
    `there is no host ${host}: names are not completed here, so write the full name`,
  );
}

/** The answer that a failure to reach `authority` deserves (RFC 9110 §15.6.3 and §15.6.5, RFC 9209 §2.3). */
export function asAnswer(authority: Authority, error: unknown): HttpError {
  const { text, host } = authority;
  if (error instanceof HttpError) return error;
  if (error instanceof ResolveError) {
    if (error.kind === "timeout") {
      return new HttpError(504, "dns_timeout", `no name server told the address of ${host} in time`);
    }
    if (error.kind === "not_found") return new NoSuchHost(502, "dns_error", `there is no host ${host}`);
    if (error.kind === "incomplete") return incomplete(host);
    return new HttpError(502, "dns_error", `the address of ${host} could not be found out: ${error.message}`);
  }
  if (error instanceof TlsError) {
    const message = `no TLS connection with ${text}: ${error.message}`;
    if (error.kind === "timeout") return new HttpError(504, "connection_timeout", message);
    if (error.kind === "exhausted") return new HttpError(503, "connection_limit_reached", message);
    return new HttpError(502, TLS_ERRORS[error.kind] ?? "tls_certificate_error", message);
  }
  if (error instanceof DialError) {
    switch (error.kind) {
      case "refused":
        return new HttpError(502, "connection_refused", `${text} refused the connection`);
      case "timeout":
        return new HttpError(504, "connection_timeout", `no connection with ${text} in time`);
      case "unreachable":
        return new HttpError(502, "destination_ip_unroutable", `${text} cannot be reached from here`);
      case "no_descriptors":
        return new HttpError(
          503,
          "connection_limit_reached",
          "this proxy has no room for another connection",
        );
    }
    return new HttpError(502, "destination_unavailable", `no connection with ${text}: ${error.message}`);
  }
  return new HttpError(
    502,
    "destination_unavailable",
    `no connection with ${text}: ${(error as Error).message}`,
  );
}
