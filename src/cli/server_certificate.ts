/** The certificate and the key of `--tls-cert` and `--tls-key`. */

import { X509Certificate } from "node:crypto";
import type { CertificateFiles } from "../config/entrance.ts";
import { ConfigError } from "../config/errors.ts";
import type { CommandLine } from "../config/flags.ts";
import { faultOf, type ServerCertificate } from "../net/listen_tls.ts";
import { readTextFile } from "./read_file.ts";

const MAX_SIZE = 2 ** 20;
const DAY = 24 * 60 * 60 * 1000;
/** From when on it is worth a word that a certificate ends. */
const SOON = 7 * DAY;

/**
 * @param now ms since the epoch
 * @returns them, and what clients will have against them
 * @throws {ConfigError} when nobody could use them
 */
export async function readServerCertificate(
  files: CertificateFiles,
  line: CommandLine,
  now: number = Date.now(),
): Promise<{ certificate: ServerCertificate; warnings: string[] }> {
  const cert = await readTextFile(files.cert, MAX_SIZE, line);
  const key = await readTextFile(files.key, MAX_SIZE, line);
  requireMark(cert, "CERTIFICATE", files.cert, "certificate");
  requireMark(key, "PRIVATE KEY", files.key, "key");
  if (/^-----BEGIN ENCRYPTED|^Proc-Type: .*ENCRYPTED/m.test(key)) {
    throw new ConfigError([
      `${files.key} holds a key that wants a password: write one without, by openssl pkey -in ${files.key}`,
    ]);
  }
  const certificate = { cert, key };
  const fault = faultOf(certificate);
  if (fault !== null) throw new ConfigError([`${files.cert} and ${files.key}: ${fault}`]);
  return { certificate, warnings: warningsOf(cert, files.cert, now) };
}

function requireMark(text: string, mark: string, file: string, what: string): void {
  if (new RegExp(`^-----BEGIN (?:[A-Z]+ )?${mark}-----\\s*$`, "m").test(text)) return;
  throw new ConfigError([`${file} holds no ${what}: it should have a line -----BEGIN ${mark}-----`]);
}

/** Clients refuse a certificate out of its time; weir itself does not need it, and goes on. */
function warningsOf(cert: string, file: string, now: number): string[] {
  let from: number;
  let until: number;
  try {
    const { validFrom, validTo } = new X509Certificate(cert);
    [from, until] = [Date.parse(validFrom), Date.parse(validTo)];
  } catch {
    // it is of a kind that is not known here, and TLS has taken it
    return [];
  }
  const day = (time: number) => new Date(time).toISOString().slice(0, 10);
  if (until < now) return [`the certificate in ${file} has expired on ${day(until)}: clients will refuse it`];
  if (from > now) {
    return [`the certificate in ${file} is not valid before ${day(from)}: clients will refuse it`];
  }
  if (until - now < SOON) return [`the certificate in ${file} expires on ${day(until)}`];
  return [];
}
