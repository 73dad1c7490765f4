/** scrypt (RFC 7914) by the platform's own crypto, which works on another thread. */

import { readScrypt, type ScryptHash, writeUnpadded } from "./hash.ts";

/** What new hashes are made with: 32 MiB and about a tenth of a second. */
const LN = 15;
const R = 8;
const P = 1;
const SALT_BYTES = 16;
const KEY_BYTES = 32;

/** More than any hash that is taken needs, bytes. */
const MAX_MEMORY = 2 ** 28;

/** A hash of a password with a fresh salt, as a PHC string. */
export async function scryptHash(password: string): Promise<string> {
  const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
  const key = await derive(password, { ln: LN, r: R, p: P, salt, key: new Uint8Array(KEY_BYTES) });
  return `$scrypt$ln=${LN},r=${R},p=${P}$${writeUnpadded(salt)}$${writeUnpadded(key)}`;
}

/** Whether a password has this hash, which has been found valid. */
export async function verifyScrypt(text: string, password: string): Promise<boolean> {
  const hash = readScrypt(text);
  if (typeof hash === "string") throw new TypeError(`a hash that ${hash}`);
  const { timingSafeEqual } = await import("node:crypto");
  return timingSafeEqual(hash.key, await derive(password, hash));
}

/** As many bytes as `hash.key` has. */
async function derive(password: string, hash: ScryptHash): Promise<Uint8Array> {
  const { scrypt } = await import("node:crypto");
  const { ln, r, p, salt, key } = hash;
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  scrypt(password, salt, key.length, { N: 2 ** ln, r, p, maxmem: MAX_MEMORY }, (error, derived) => {
    if (error === null) resolve(derived);
    else reject(error);
  });
  return await promise;
}
