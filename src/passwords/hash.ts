/** What is kept of a password: a hash as text, in one of the two forms that are slow enough to be kept. */

export type Scheme = "bcrypt" | "scrypt";

/** A hash whose text has been found valid and not too expensive. */
export interface Hash {
  readonly scheme: Scheme;
  /** As it stands in a password file: `$2y$12$…` or `$scrypt$ln=15,r=8,p=1$…$…`. */
  readonly text: string;
}

/** Rounds of bcrypt, as a power of two: about a second. */
const MAX_BCRYPT_COST = 14;
/** scrypt's N × r × p: about a second, and N × r alone 128 MiB. */
const MAX_SCRYPT_WORK = 2 ** 20;
/** scrypt's N, as a power of two. */
const MAX_SCRYPT_LN = 17;

const LONGEST = 512;
const BCRYPT = /^\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{53}$/;
const SCRYPT =
  /^\$scrypt\$ln=([0-9]{1,2}),r=([0-9]{1,5}),p=([0-9]{1,5})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

/** What a hash of scrypt was made with. */
export interface ScryptHash {
  /** N, as a power of two. */
  readonly ln: number;
  readonly r: number;
  readonly p: number;
  readonly salt: Uint8Array;
  readonly key: Uint8Array;
}

/**
 * Reads a hash. What cannot be used is told in words that go on after `the password of alice`.
 *
 * @returns the hash, or what is wrong with it
 */
export function readHash(text: string): Hash | string {
  if (text.length > LONGEST) return "is too long for a hash";
  if (/^\$2[aby]\$/.test(text)) {
    const found = BCRYPT.exec(text);
    if (found === null) return "is no whole bcrypt hash";
    const cost = Number(found[1]);
    if (cost < 4) return `has a bcrypt cost of ${cost}: the least is 4`;
    if (cost > MAX_BCRYPT_COST) {
      return `has a bcrypt cost of ${cost}, which takes too long: the most is ${MAX_BCRYPT_COST}`;
    }
    return { scheme: "bcrypt", text };
  }
  if (text.startsWith("$scrypt$")) {
    const parts = readScrypt(text);
    return typeof parts === "string" ? parts : { scheme: "scrypt", text };
  }
  return `is ${kindOf(text)}, which weir does not take`;
}

/** @returns its parts, or what is wrong with it */
export function readScrypt(text: string): ScryptHash | string {
  const found = SCRYPT.exec(text);
  if (found === null) return "is no whole scrypt hash";
  const [ln, r, p] = found.slice(1, 4).map(Number);
  if (ln < 1 || r < 1 || p < 1) return "is a scrypt hash whose ln, r or p is 0";
  if (ln > MAX_SCRYPT_LN || 2 ** ln * r * p > MAX_SCRYPT_WORK) {
    return `is a scrypt hash with ln=${ln},r=${r},p=${p}, which takes too much: the most is ` +
      `ln=${MAX_SCRYPT_LN},r=8,p=1`;
  }
  const salt = readUnpadded(found[4]);
  const key = readUnpadded(found[5]);
  if (salt === null || key === null) return "is a scrypt hash whose base64 is broken";
  if (salt.length < 8 || salt.length > 64) return "is a scrypt hash whose salt is not 8 to 64 bytes long";
  if (key.length < 16 || key.length > 64) return "is a scrypt hash that is not 16 to 64 bytes long itself";
  return { ln, r, p, salt, key };
}

/** Base64 without its padding, as PHC strings have it. */
export function writeUnpadded(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replace(/=+$/, "");
}

function readUnpadded(text: string): Uint8Array | null {
  try {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    return writeUnpadded(bytes) === text ? bytes : null;
  } catch {
    return null;
  }
}

function kindOf(text: string): string {
  if (text === "") return "empty";
  if (/^\$apr1\$|^\$1\$/.test(text)) return "an MD5 hash";
  if (/^\{S?SHA\}/i.test(text)) return "a SHA-1 hash";
  if (/^\$[56]\$/.test(text)) return "a hash of crypt";
  if (/^\$argon2/.test(text)) return "an Argon2 hash";
  if (text.startsWith("$")) return "a hash of another kind";
  return "plain text or a hash of the old crypt";
}
