/** From a host's name to its addresses: with a deadline, a bound, fair shares, and a short memory. */

import { clientKey } from "./client_key.ts";
import { exactLookup, IncompleteName } from "./exact_lookup.ts";
import { SilentZones } from "./silent_zones.ts";
import { dnsLookup, type Lookup, systemLookup } from "./system_lookup.ts";
import { Turn, Turns } from "./turns.ts";

export type { Lookup };

export interface ResolverOptions {
  /** Who is asked; {@link systemLookup} unless said otherwise. */
  lookup?: Lookup;
  /** The name servers alone, without `/etc/hosts`; {@link dnsLookup} unless said otherwise. */
  dns?: Lookup;
  /**
   * Whether the system may complete a name by its search list. Where it may not, the addresses are those of the very
   * name, see {@link exactLookup}. By default all names.
   */
  completes?: (host: string) => boolean;
  /** How long an answer is kept, ms (5,000). */
  lifetime?: number;
  /** How long a failure is kept, ms (1,000). */
  failureLifetime?: number;
  /** How long it is kept that no name server said anything, ms (5,000). */
  silenceLifetime?: number;
  /** How many answers are kept (1,000); the oldest make room. */
  maxEntries?: number;
  /** How long one caller waits for an answer, ms (10,000). */
  timeout?: number;
  /**
   * How many look-ups run at once (24); further ones wait for their turn. Each holds one of the 32 threads for work
   * that blocks. The others are for what must not wait for a name server: standard output, passwords, files.
   */
  maxLookups?: number;
  /** False: names are not of strangers. There are no shares of the look-ups, and no silence is remembered. */
  shared?: boolean;
  /** Whether names below this one belong to many owners: it is never taken for silent. By default only single labels. */
  isShared?: (name: string) => boolean;
  /** The clock, monotonic ms. */
  now?: () => number;
}

/** A name that has no addresses, or of which nobody could say. */
export class ResolveError extends Error {
  override readonly name = "ResolveError";

  constructor(readonly kind: "not_found" | "incomplete" | "timeout" | "aborted" | "failed", message: string) {
    super(message);
  }
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
  readonly turn: Turn;
  /** When it was put, on the resolver's clock. */
  askedAt: number;
  /** Whether it was noted that no name server says anything. */
  isSilent: boolean;
}

interface Waiter {
  answer(addresses: readonly string[]): void;
  fail(error: ResolveError): void;
}

const LOOPBACK: readonly string[] = ["127.0.0.1", "::1"];
/** ms without an answer after which it is the name servers that are silent, and not the caller that is impatient. */
const SILENCE = 2_000;

/**
 * Resolves names through one look-up function and remembers for a few seconds. Clients have shares of the look-ups
 * that run at once, so that one whose names hang leaves room for others.
 *
 * A look-up cannot be cancelled once the system has it. One that outlives its callers is left behind: it keeps its
 * place among the running ones, a new caller for the same name joins it, and its late answer is remembered.
 */
export class Resolver {
  readonly #lookup: Lookup;
  readonly #dns: Lookup;
  readonly #completes: (host: string) => boolean;
  readonly #lifetime: number;
  readonly #failureLifetime: number;
  readonly #silenceLifetime: number;
  readonly #maxEntries: number;
  readonly #timeout: number;
  readonly #now: () => number;

  /** Oldest first. */
  readonly #answers = new Map<string, Answer>();
  /** Running and queued. */
  readonly #questions = new Map<string, Question>();
  readonly #turns: Turns;
  /** `null` where names are not of strangers. */
  readonly #zones: SilentZones | null;

  constructor(options: ResolverOptions = {}) {
    this.#lookup = options.lookup ?? systemLookup;
    this.#dns = options.dns ?? dnsLookup;
    this.#completes = options.completes ?? (() => true);
    this.#lifetime = options.lifetime ?? 5_000;
    this.#failureLifetime = options.failureLifetime ?? 1_000;
    const shared = options.shared ?? true;
    this.#silenceLifetime = shared ? options.silenceLifetime ?? 5_000 : this.#failureLifetime;
    this.#maxEntries = options.maxEntries ?? 1_000;
    this.#timeout = options.timeout ?? 10_000;
    this.#turns = new Turns(options.maxLookups ?? 24, shared);
    this.#zones = shared ? new SilentZones(options.isShared ?? ((name) => !name.includes("."))) : null;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Forgets all answers: what `completes` says of names is another now. */
  forget(): void {
    this.#answers.clear();
    // what is under way was asked as it was meant before
    this.#questions.clear();
  }

  /**
   * All addresses of `host`, as text, each once, in the system's order. Literal addresses come back as they are.
   * `localhost` and all names below it are this machine's loopback whatever a name server says (RFC 6761 §6.3).
   *
   * @param host canonical: lower case, no final dot, IPv6 without brackets
   * @param signal ends the waiting of this caller before the resolver's own deadline does; a reason named
   * `TimeoutError` is a deadline that has passed, any other a caller that has gone
   * @param client the address of the client whose share of the look-ups it takes; `""` is a client too
   * @throws {ResolveError}
   */
  resolve(host: string, signal?: AbortSignal, client = ""): Promise<readonly string[]> {
    if (isLiteral(host)) return Promise.resolve([host]);
    if (host === "localhost" || host.endsWith(".localhost")) return Promise.resolve(LOOPBACK);
    const answer = this.#answers.get(host);
    if (answer !== undefined) {
      if (this.#now() < answer.expires) return answer.result;
      this.#answers.delete(host);
    }
    if (signal?.aborted) return Promise.reject(givenUp(host, signal));
    const key = clientKey(client);
    let question = this.#questions.get(host);
    if (question === undefined) {
      if (this.#zones?.includes(key, host, this.#now())) return Promise.reject(silentZone(host, this.#zones));
      question = this.#ask(host);
    }
    // The first to wait is there before anything is asked, whatever the look-up does at once.
    const answered = this.#wait(question, signal);
    this.#turns.enter(question.turn, key);
    return answered;
  }

  #ask(host: string): Question {
    const question: Question = {
      host,
      waiters: new Set(),
      turn: new Turn(() => void this.#run(question)),
      askedAt: 0,
      isSilent: false,
    };
    this.#questions.set(host, question);
    return question;
  }

  async #run(question: Question): Promise<void> {
    const { host, waiters, turn } = question;
    question.askedAt = this.#now();
    try {
      const found = this.#completes(host)
        ? await this.#lookup(host)
        : await exactLookup(host, this.#lookup, this.#dns, this.#now);
      const addresses = [...new Set(found)];
      if (addresses.length === 0) throw new ResolveError("not_found", `${host} has no address`);
      this.#zones?.answered(turn.accounts[0].key, host);
      this.#remember(question, Promise.resolve(addresses), this.#lifetime);
      for (const waiter of waiters) waiter.answer(addresses);
    } catch (error) {
      const failure = asResolveError(host, error);
      if (failure.kind !== "failed") this.#zones?.answered(turn.accounts[0].key, host);
      this.#failed(question, failure);
      for (const waiter of waiters) waiter.fail(failure);
    }
    if (this.#questions.get(host) === question) this.#questions.delete(host);
    this.#turns.end(turn);
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
    const { host, waiters, turn } = question;
    if (turn.begun) {
      // Others need not wait as long to learn that nobody answers, but one who left early says nothing about that.
      if (failure.kind === "timeout" && this.#isLate(question)) this.#failed(question, failure);
    } else if (waiters.size === 0) {
      // What nobody waits for is not asked any more.
      this.#turns.leave(turn);
      if (this.#questions.get(host) === question) this.#questions.delete(host);
    }
  }

  /** Whether the name servers had time to answer. */
  #isLate({ askedAt }: Question): boolean {
    return this.#now() - askedAt >= Math.min(SILENCE, this.#timeout);
  }

  #failed(question: Question, failure: ResolveError): void {
    const { kind } = failure;
    const silent = (kind === "timeout" || kind === "failed") && this.#isLate(question);
    if (silent && !question.isSilent) {
      question.isSilent = true;
      this.#zones?.silent(question.turn.accounts[0].key, question.host, this.#now());
    }
    const result = Promise.reject(failure);
    // Nobody may ever ask for it: that is no unhandled rejection.
    result.catch(() => {});
    this.#remember(question, result, silent ? this.#silenceLifetime : this.#failureLifetime);
  }

  #remember(question: Question, result: Promise<readonly string[]>, lifetime: number): void {
    const { host } = question;
    // one that was forgotten meanwhile
    if (this.#questions.get(host) !== question) return;
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

function silentZone(host: string, zones: SilentZones): ResolveError {
  const zone = zones.zoneOf(host);
  return new ResolveError(
    "timeout",
    `no answer about ${host}: no name server answers for names below ${zone}`,
  );
}

function givenUp(host: string, signal: AbortSignal): ResolveError {
  return signal.reason?.name === "TimeoutError"
    ? new ResolveError("timeout", `no answer about ${host} in time`)
    : new ResolveError("aborted", `the addresses of ${host} are not wanted any more`);
}

function asResolveError(host: string, error: unknown): ResolveError {
  if (error instanceof ResolveError) return error;
  if (error instanceof IncompleteName) return new ResolveError("incomplete", error.message);
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (code === "ENOTFOUND" || code === "ENODATA") {
    return new ResolveError("not_found", `no name server knows an address of ${host}`);
  }
  return new ResolveError("failed", `looking up ${host} failed: ${message ?? error}`);
}
