/** A certificate authority of the test's own, made by openssl, and a certificate for the loopback interface. */

import { succeed } from "./programs.ts";

export interface Certificates {
  /** Paths of PEM files: the authority, the server's chain and its key. */
  authority: string;
  certificate: string;
  key: string;
}

/** Makes an authority and a certificate for `localhost` and `127.0.0.1`, all of P-256, valid for two days. */
export async function makeCertificates(folder: string): Promise<Certificates> {
  const openssl = (...args: string[]) => succeed("openssl", args, { cwd: folder });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  await openssl(
    ...["req", "-x509", ...key, "-days", "2", "-subj", "/CN=weir's test authority"],
    ...["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"],
    ...["-keyout", "authority.key", "-out", "authority.pem"],
  );
  await openssl("req", ...key, "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr");
  await Deno.writeTextFile(
    `${folder}/server.ext`,
    "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n",
  );
  await openssl(
    ...["x509", "-req", "-in", "server.csr", "-days", "2", "-extfile", "server.ext"],
    ...["-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial", "-out", "server.pem"],
  );
  return {
    authority: `${folder}/authority.pem`,
    certificate: `${folder}/server.pem`,
    key: `${folder}/server.key`,
  };
}
