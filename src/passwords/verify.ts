/** Makes hashes of passwords, and finds out whether a password is the one of a hash. */

import { bcryptHash, bcryptResult, bcryptSalt, endBcryptWorker, MAX_BCRYPT_BYTES } from "./bcrypt.ts";
import type { Hash, Scheme } from "./hash.ts";
import { scryptHash, verifyScrypt } from "./scrypt.ts";

/** Rounds of new bcrypt hashes, as a power of two: about a third of a second. */
const BCRYPT_COST = 12;
/** Bytes of a password, which come with every request. */
const MAX_PASSWORD_BYTES = 1024;

/** What is wrong with a new password, in words that go on after `the password`; `null` when it may be one. */
export function passwordProblem(password: string, scheme: Scheme): string | null {
  if (password === "") return "is empty";
  if (/\p{Cc}/u.test(password)) return "holds a control character, which no client can send";
  if (/\p{Cs}/u.test(password)) return "holds half a character";
  const bytes = new TextEncoder().encode(password).length;
  if (scheme === "bcrypt" && bytes > MAX_BCRYPT_BYTES) {
    return `has ${bytes} bytes, of which bcrypt counts ${MAX_BCRYPT_BYTES} alone; leave --bcrypt away`;
  }
  return bytes > MAX_PASSWORD_BYTES ? `has ${bytes} bytes: the most is ${MAX_PASSWORD_BYTES}` : null;
}

/**
 * The hash of a password, with a fresh salt.
 *
 * @throws {RangeError} for one that {@link passwordProblem} has something against
 */
export async function hashPassword(password: string, scheme: Scheme): Promise<Hash> {
  const problem = passwordProblem(password, scheme);
  if (problem !== null) throw new RangeError(`the password ${problem}`);
  if (scheme === "scrypt") return { scheme, text: await scryptHash(password) };
  const salt = await bcryptSalt(BCRYPT_COST);
  return { scheme, text: await oneAtATime(() => bcryptHash(password, salt)) };
}

/**
 * Whether this is the password of that hash. Where it is not, that takes as long as where it is. One is verified at a
 * time, in the order of the calls: each may take the memory and the time that many requests take.
 *
 * As everywhere, bcrypt looks at the first 72 bytes of a password and not at what follows.
 */
export async function verifyPassword(hash: Hash, password: string): Promise<boolean> {
  const right = await oneAtATime(() =>
    hash.scheme === "scrypt" ? verifyScrypt(hash.text, password) : verifyBcrypt(hash.text, password)
  );
  // to scrypt NULs at the end are as good as none, to some programs of bcrypt one is the end
  return right && !password.includes("\0");
}

async function verifyBcrypt(text: string, password: string): Promise<boolean> {
  const result = bcryptResult(await bcryptHash(password, text));
  return equal(result, bcryptResult(text));
}

/** In a time that depends on the lengths alone. */
function equal(one: string, other: string): boolean {
  let difference = one.length ^ other.length;
  for (let i = 0; i < one.length; i++) difference |= one.charCodeAt(i) ^ other.charCodeAt(i);
  return difference === 0;
}

let last: Promise<unknown> = Promise.resolve();
let waiting = 0;

async function oneAtATime<T>(work: () => Promise<T>): Promise<T> {
  const before = last;
  const { promise, resolve } = Promise.withResolvers<void>();
  last = promise;
  waiting++;
  try {
    await before;
    return await work();
  } finally {
    waiting--;
    if (waiting === 0) endBcryptWorker();
    resolve();
  }
}
