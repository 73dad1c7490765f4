/**
 * bcrypt, for the files that other programs write. Deno has none of its own; bcryptjs is JavaScript and holds up the
 * thread it runs on by up to 100 ms at a time, so that it runs in a worker.
 */

/** Bytes of a password that count; what comes after them changes nothing. */
export const MAX_BCRYPT_BYTES = 72;

/** Characters of a hash before the part that depends on the password: `$2y$12$` and the salt. */
const SALT_LENGTH = 29;

interface Bcrypt {
  hash(password: string, salt: string): Promise<string>;
  genSaltSync(cost: number): string;
}

/** A fresh salt with its cost, as {@link bcryptHash} takes it. */
export async function bcryptSalt(cost: number): Promise<string> {
  // the letter tells of a fault of old implementations that neither of the two letters has; htpasswd writes y
  return (await bcryptHere()).genSaltSync(cost).replace("$2b$", "$2y$");
}

/** The hash of a password with the salt and cost of another hash, or of {@link bcryptSalt}. */
export async function bcryptHash(password: string, salt: string): Promise<string> {
  const start = salt.slice(0, SALT_LENGTH);
  bcryptWorker ??= startWorker();
  if (bcryptWorker !== "none") {
    try {
      return await bcryptWorker.hash(password, start);
    } catch (error) {
      if (!(error instanceof WorkerFailed)) throw error;
      bcryptWorker = "none";
    }
  }
  return await (await bcryptHere()).hash(password, start);
}

/** Ends the worker until it is needed again: it keeps the process alive and 15 MB with it. Not while it works. */
export function endBcryptWorker(): void {
  if (bcryptWorker === null || bcryptWorker === "none") return;
  bcryptWorker.end();
  bcryptWorker = null;
}

/** The last 31 characters: what of a hash depends on the password. */
export function bcryptResult(hash: string): string {
  return hash.slice(SALT_LENGTH);
}

class WorkerFailed extends Error {}

/** `none` where workers do not work. */
let bcryptWorker: BcryptWorker | "none" | null = null;

function startWorker(): BcryptWorker | "none" {
  try {
    return new BcryptWorker();
  } catch {
    return "none";
  }
}

async function bcryptHere(): Promise<Bcrypt> {
  return (await import("bcryptjs")).default;
}

class BcryptWorker {
  readonly #worker: Worker;
  #asked: PromiseWithResolvers<string> | null = null;
  #failed = false;

  constructor() {
    // a file of its own would need --allow-read, and a blob is not found in an executable; bcryptjs is in either
    const source = 'import bcrypt from "bcryptjs";' +
      "onmessage = ({ data }) => bcrypt.hash(data.password, data.salt).then(" +
      "(hash) => postMessage({ hash }), (error) => postMessage({ error: String(error) }));";
    const url = `data:text/javascript,${encodeURIComponent(source)}`;
    this.#worker = new Worker(url, { type: "module" });
    this.#worker.onmessage = ({ data }) => {
      if (data.hash !== undefined) this.#asked?.resolve(data.hash);
      else this.#asked?.reject(new Error(data.error));
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#failed = true;
      this.end();
      this.#asked?.reject(new WorkerFailed(event.message));
    };
  }

  /** One at a time. */
  async hash(password: string, salt: string): Promise<string> {
    if (this.#failed) throw new WorkerFailed();
    this.#asked = Promise.withResolvers();
    this.#worker.postMessage({ password, salt });
    return await this.#asked.promise;
  }

  end(): void {
    this.#worker.terminate();
  }
}
