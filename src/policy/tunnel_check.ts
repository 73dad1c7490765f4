/** Whether what a client begins to send through a tunnel is what the tunnel was opened for. */

import type { Authority } from "../http/authority.ts";
import { DEFAULT_PORTS } from "../http/target.ts";
import type { ClientHello } from "./client_hello.ts";
import type { TlsCheck, TlsSetting } from "./spec.ts";

/** How tunnels to a port are looked at by a setting. */
export function tlsCheckTo(port: number, setting: TlsSetting): TlsCheck {
  if (setting !== "auto") return setting;
  return port === DEFAULT_PORTS.https ? "require" : "match";
}

/**
 * Says why the first bytes of a tunnel are refused; `null` when they may go on. A hello whose state is still `more`
 * is one of which no more will come.
 *
 * | the client sends             | `any` | `match`                            | `require`                          |
 * |------------------------------|-------|------------------------------------|------------------------------------|
 * | nothing                      | goes  | goes                               | refused                            |
 * | what is not TLS              | goes  | goes                               | refused                            |
 * | an invalid ClientHello       | goes  | refused                            | refused                            |
 * | what may be one or not       | goes  | goes where the server spoke first  | refused                            |
 * | a part of one, and no more   | goes  | refused                            | refused                            |
 * | one without a name           | goes  | goes                               | only if the CONNECT has an address |
 * | one with a name              | goes  | only if the CONNECT has that name  | only if the CONNECT has that name  |
 *
 * What may be one or not is what begins with a byte of TLS's records and not as a ClientHello, or as a ClientHello of
 * SSL 2.0. No server of TLS speaks first.
 *
 * Names are compared in their canonical form: capitals and a final dot make no difference. To a CONNECT with an
 * address every name is another one, but for the text of that very address. An encrypted ClientHello (RFC 9849) is
 * judged by its outer name, which is all that can be seen.
 *
 * It is the ClientHello that is compared, and the second one where a server asks for it. A server that takes part in
 * the deception may serve anything under any name, and what is said within the TLS connection cannot be seen.
 *
 * @param serverSpoke whether the server has sent something before the client did
 */
export function checkTunnel(
  check: TlsCheck,
  authority: Authority,
  hello: ClientHello,
  serverSpoke = false,
): string | null {
  if (check === "any") return null;
  const tunnel = `the tunnel to ${authority.host}`;
  switch (hello.state) {
    case "not_tls":
      return check === "match" ? null : `what the client sends into ${tunnel} is not TLS`;
    case "invalid":
      if (check === "match" && hello.mayBeOther && serverSpoke) return null;
      return `the TLS ClientHello in ${tunnel} is invalid: ${hello.fault}`;
    case "more":
      if (check === "match" && hello.mayBeOther && serverSpoke) return null;
      if (hello.begun) return `the TLS ClientHello in ${tunnel} is not whole`;
      return check === "match" ? null : `no TLS ClientHello came into ${tunnel}`;
  }
  const { serverName } = hello;
  if (serverName === null) {
    return check === "match" || authority.ip !== null
      ? null
      : `the TLS ClientHello in ${tunnel} names no host`;
  }
  if (serverName === authority.host) return null;
  const outer = hello.hasEncryptedClientHello ? ", at least outside of its encrypted part" : "";
  return `the TLS ClientHello in ${tunnel} is for ${serverName}${outer}`;
}
