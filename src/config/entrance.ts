/** What the options say of how clients come in, put together and judged. */

import type { ListenAddress } from "../net/listen.ts";
import { Networks, parseNetworks } from "../policy/network.ts";
import { ConfigError } from "./errors.ts";

/** The certificate and the key of listeners over TLS; reading them is cli/'s. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** What was said of listeners over TLS. */
export interface OverTls {
  readonly listenTls: readonly ListenAddress[];
  readonly certificateFile: string | null;
  readonly keyFile: string | null;
}

/**
 * The files to read, `null` when nothing is over TLS.
 *
 * @throws {ConfigError} when one is there without the others
 */
export function certificateFilesOf(
  { listenTls, certificateFile: cert, keyFile: key }: OverTls,
): CertificateFiles | null {
  if (cert === null && key === null && listenTls.length === 0) return null;
  if (cert === null || key === null) {
    const given = listenTls.length > 0 ? "listen-tls" : cert === null ? "tls-key" : "tls-cert";
    throw new ConfigError([
      `${given} needs a certificate and its key: say both by --tls-cert FILE and --tls-key FILE`,
    ]);
  }
  if (listenTls.length === 0) {
    throw new ConfigError(["tls-cert needs a place to be shown at: say it by --listen-tls 127.0.0.1:8443"]);
  }
  return { cert, key };
}

/** @throws {ConfigError} when everybody would be believed to be anybody */
export function trustedProxiesOf(texts: readonly string[] | undefined): Networks | null {
  if (texts === undefined) return null;
  const networks = texts.flatMap(parseNetworks);
  const all = networks.find(({ bits }) => bits === 0);
  if (all !== undefined) {
    throw new ConfigError([
      `trust-proxy: ${all.text} would let everybody say that they are anybody: name the proxies alone`,
    ]);
  }
  return new Networks(networks);
}
