/** From a host's name to its addresses: with a deadline, a bound, and a short memory. */

/** Asks for all addresses of a name, in the order in which they are to be tried. */
export type Lookup = (host: string) => Promise<string[]>;

export interface ResolverOptions {
  /** Who is asked; {@link systemLookup} unless said otherwise. */
  lookup?: Lookup;
  /** How long an answer is kept, ms (5,000). */
  lifetime?: number;
  /** How long a failure is kept, ms (1,000). */
  failureLifetime?: number;
  /** How many answers are kept (1,000); the oldest make room. */
  maxEntries?: number;
  /** How long one caller waits for an answer, ms (10,000). */
  timeout?: number;
  /** How many look-ups run at once (128); further ones wait for their turn. */
  maxLookups?: number;
  /** The clock, monotonic ms. */
  now?: () => number;
}

/** A name that has no addresses, or of which nobody could say. */
export class ResolveError extends Error {
  override readonly name = "ResolveError";

  constructor(readonly kind: "not_found" | "timeout" | "aborted" | "failed", message: string) {
    super(message);
  }
}

/**
 * The system's own resolver (getaddrinfo), which honours `/etc/hosts` and its other settings.
 *
 * Throws what `node:dns` throws: an error with a `code`, `ENOTFOUND` when there is no such name.
 */
export async function systemLookup(host: string): Promise<string[]> {
  // no name below it exists, and no name server is to be asked (RFC 6761 §6.4)
  if (host === "invalid" || host.endsWith(".invalid")) {
    throw Object.assign(new Error(`there is no ${host}`), { code: "ENOTFOUND" });
  }
  // Loaded at the first name: it costs 7 ms, which a start does not have to pay. The form with a callback, because
  // the promises' one makes Deno 2.6 warn of a deprecated module of its own.
  const { lookup } = await import("node:dns");
  return new Promise((resolve, reject) => {
    lookup(host, { all: true }, (error, answers) => {
      if (error) reject(error);
      else resolve(answers.map((answer) => answer.address));
    });
  });
}

/** What is known of a name, until `expires` on the resolver's clock. */
interface Answer {
  readonly result: Promise<readonly string[]>;
  readonly expires: number;
}

/** One question to the system, and who waits for its answer. */
interface Question {
  readonly host: string;
  readonly waiters: Set<Waiter>;
}

interface Waiter {
  answer(addresses: readonly string[]): void;
  fail(error: ResolveError): void;
}

const LOOPBACK: readonly string[] = ["127.0.0.1", "::1"];

/**
 * Resolves names through one look-up function and remembers for a few seconds.
 *
 * A look-up cannot be cancelled once the system has it. One that outlives its callers is left behind: it keeps its
 * place among the running ones, a new caller for the same name joins it, and its late answer is remembered.
 */
export class Resolver {
  readonly #lookup: Lookup;
  readonly #lifetime: number;
  readonly #failureLifetime: number;
  readonly #maxEntries: number;
  readonly #timeout: number;
  readonly #maxLookups: number;
  readonly #now: () => number;

  /** Oldest first. */
  readonly #answers = new Map<string, Answer>();
  /** Running and queued. */
  readonly #questions = new Map<string, Question>();
  readonly #queue = new Set<Question>();
  #running = 0;

  constructor(options: ResolverOptions = {}) {
    this.#lookup = options.lookup ?? systemLookup;
    this.#lifetime = options.lifetime ?? 5_000;
    this.#failureLifetime = options.failureLifetime ?? 1_000;
    this.#maxEntries = options.maxEntries ?? 1_000;
    this.#timeout = options.timeout ?? 10_000;
    this.#maxLookups = options.maxLookups ?? 128;
    this.#now = options.now ?? (() => performance.now());
  }

  /**
   * All addresses of `host`, as text, each once, in the system's order. Literal addresses come back as they are.
   * `localhost` and all names below it are this machine's loopback whatever a name server says (RFC 6761 §6.3).
   *
   * @param host canonical: lower case, no final dot, IPv6 without brackets
   * @param signal ends the waiting of this caller before the resolver's own deadline does; a reason named
   * `TimeoutError` is a deadline that has passed, any other a caller that has gone
   * @throws {ResolveError}
   */
  resolve(host: string, signal?: AbortSignal): Promise<readonly string[]> {
    if (isLiteral(host)) return Promise.resolve([host]);
    if (host === "localhost" || host.endsWith(".localhost")) return Promise.resolve(LOOPBACK);
    const answer = this.#answers.get(host);
    if (answer !== undefined) {
      if (this.#now() < answer.expires) return answer.result;
      this.#answers.delete(host);
    }
    if (signal?.aborted) return Promise.reject(givenUp(host, signal));
    const asked = this.#questions.get(host);
    if (asked !== undefined) return this.#wait(asked, signal);
    // The first to wait is there before anything is asked, whatever the look-up does at once.
    const question = { host, waiters: new Set<Waiter>() };
    const answered = this.#wait(question, signal);
    this.#questions.set(host, question);
    if (this.#running < this.#maxLookups) this.#run(question);
    else this.#queue.add(question);
    return answered;
  }

  async #run(question: Question): Promise<void> {
    const { host, waiters } = question;
    this.#running++;
    try {
      const addresses = [...new Set(await this.#lookup(host))];
      if (addresses.length === 0) throw new ResolveError("not_found", `${host} has no address`);
      this.#remember(host, Promise.resolve(addresses), this.#lifetime);
      for (const waiter of waiters) waiter.answer(addresses);
    } catch (error) {
      const failure = asResolveError(host, error);
      this.#rememberFailure(host, failure);
      for (const waiter of waiters) waiter.fail(failure);
    }
    this.#questions.delete(host);
    this.#running--;
    for (const next of this.#queue) {
      this.#queue.delete(next);
      this.#run(next);
      break;
    }
  }

  /** Waits for the answer, but not for longer than this caller is willing to. */
  #wait(question: Question, signal: AbortSignal | undefined): Promise<readonly string[]> {
    const { host, waiters } = question;
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        answer(addresses) {
          stop();
          resolve(addresses);
        },
        fail(error) {
          stop();
          reject(error);
        },
      };
      const leave = (failure: ResolveError) => {
        waiter.fail(failure);
        this.#left(question, failure);
      };
      const abort = () => leave(givenUp(host, signal!));
      const timer = setTimeout(
        () => leave(new ResolveError("timeout", `no answer about ${host} within ${this.#timeout} ms`)),
        this.#timeout,
      );
      const stop = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
        waiters.delete(waiter);
      };
      signal?.addEventListener("abort", abort);
      waiters.add(waiter);
    });
  }

  /** One caller has gone without an answer. */
  #left(question: Question, failure: ResolveError): void {
    // Others need not wait as long to learn that nobody answers, but one who left early says nothing about that.
    if (failure.kind === "timeout") this.#rememberFailure(question.host, failure);
    // What nobody waits for is not asked any more.
    if (question.waiters.size === 0 && this.#queue.delete(question)) this.#questions.delete(question.host);
  }

  #rememberFailure(host: string, failure: ResolveError): void {
    const result = Promise.reject(failure);
    // Nobody may ever ask for it: that is no unhandled rejection.
    result.catch(() => {});
    this.#remember(host, result, this.#failureLifetime);
  }

  #remember(host: string, result: Promise<readonly string[]>, lifetime: number): void {
    this.#answers.delete(host);
    if (lifetime <= 0 || this.#maxEntries <= 0) return;
    for (const oldest of this.#answers.keys()) {
      if (this.#answers.size < this.#maxEntries) break;
      this.#answers.delete(oldest);
    }
    this.#answers.set(host, { result, expires: this.#now() + lifetime });
  }
}

/** Whether a canonical host is an address, which nobody needs to be asked about. Names have no colons. */
function isLiteral(host: string): boolean {
  return host.includes(":") || /^(?:0|[1-9][0-9]{0,2})(?:\.(?:0|[1-9][0-9]{0,2})){3}$/.test(host);
}

function givenUp(host: string, signal: AbortSignal): ResolveError {
  return signal.reason?.name === "TimeoutError"
    ? new ResolveError("timeout", `no answer about ${host} in time`)
    : new ResolveError("aborted", `the addresses of ${host} are not wanted any more`);
}

function asResolveError(host: string, error: unknown): ResolveError {
  if (error instanceof ResolveError) return error;
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (code === "ENOTFOUND" || code === "ENODATA") {
    return new ResolveError("not_found", `no name server knows an address of ${host}`);
  }
  return new ResolveError("failed", `looking up ${host} failed: ${message ?? error}`);
}
