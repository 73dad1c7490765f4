/** From addresses to a connection, the Happy Eyeballs way (RFC 8305). */

/** A connection and the address it leads to. */
export interface Dialled {
  conn: Deno.TcpConn;
  address: string;
}

/** Opens one connection to a literal address; rejects with `signal.reason` when the signal says so. */
export type Connect = (
  address: string,
  port: number,
  signal: AbortSignal | undefined,
) => Promise<Deno.TcpConn>;

export interface DialOptions {
  /**
   * Gives the dialling up, and is the only deadline: no timer is made for one here. A reason named `TimeoutError`
   * is a deadline that has passed, any other a caller that has gone.
   */
  signal?: AbortSignal;
  /** ms until the next address is tried beside those that have not answered (250, RFC 8305 §8). */
  stagger?: number;
  connect?: Connect;
  /** Calls back after `ms`, returns what undoes it. */
  timer?: (callback: () => void, ms: number) => () => void;
}

export type DialErrorKind = "refused" | "timeout" | "unreachable" | "no_descriptors" | "aborted" | "failed";

/** One address that was tried, and what came of it. */
export interface DialAttempt {
  address: string;
  message: string;
}

/** No address gave a connection. */
export class DialError extends Error {
  override readonly name = "DialError";

  constructor(readonly kind: DialErrorKind, message: string, readonly attempts: DialAttempt[]) {
    super(message);
  }
}

/** More addresses of one host than this are not tried. */
const MAX_ADDRESSES = 16;

/**
 * Connects to the first of the addresses that answers. Families take turns, beginning with the first address's;
 * the next address is tried when one has failed, or beside it when it has been silent for `stagger` ms. Those that
 * lose are given up and closed, also one that connects too late.
 *
 * The connection has no Nagle delay.
 *
 * @param addresses literal addresses in the order of preference, IPv6 without brackets
 * @throws {DialError} when all failed or the signal said so
 */
export function dial(
  addresses: readonly string[],
  port: number,
  options: DialOptions = {},
): Promise<Dialled> {
  if (addresses.length === 1) return dialOne(addresses[0], port, options);
  return new Race(interleave(addresses), port, options).promise;
}

/**
 * Deno asks the signal once more when the connection is there, throws if it has spoken meanwhile, and forgets the
 * connection without closing it: its descriptor is lost for good. In a crowd that happens to many at once. So the
 * signal loses its way to throw, and who waits for the connection closes it when it comes too late.
 */
function connectTcp(address: string, port: number, signal: AbortSignal | undefined): Promise<Deno.TcpConn> {
  if (signal?.aborted) return Promise.reject(signal.reason);
  if (signal !== undefined) signal.throwIfAborted = throwNothing;
  return Deno.connect({ hostname: address, port, signal });
}

function throwNothing(): void {}

function withoutDelay(conn: Deno.TcpConn): void {
  try {
    conn.setNoDelay(true);
  } catch {
    // Some systems refuse once the peer has reset the connection; the first read will say so.
  }
}

/** The usual case, with nothing around the one connection. */
async function dialOne(address: string, port: number, options: DialOptions): Promise<Dialled> {
  const { signal, connect = connectTcp } = options;
  let conn: Deno.TcpConn;
  try {
    conn = await connect(address, port, signal);
  } catch (error) {
    if (signal?.aborted) throw givenUp(signal, [{ address, message: "gave no answer" }]);
    throw failed(port, [classify(address, error)]);
  }
  // The signal may have spoken while the connection was on its way to us.
  if (signal?.aborted) {
    conn.close();
    throw givenUp(signal, []);
  }
  withoutDelay(conn);
  return { conn, address };
}

/** IPv6 and IPv4 by turns, beginning with the family of the first (RFC 8305 §4). */
export function interleave(addresses: readonly string[]): string[] {
  const isIpv6 = (address: string) => address.includes(":");
  const first = addresses.length > 0 && isIpv6(addresses[0]);
  const preferred = addresses.filter((address) => isIpv6(address) === first);
  const other = addresses.filter((address) => isIpv6(address) !== first);
  const mixed: string[] = [];
  for (let i = 0; mixed.length < addresses.length; i++) {
    if (i < preferred.length) mixed.push(preferred[i]);
    if (i < other.length) mixed.push(other[i]);
  }
  return mixed.slice(0, MAX_ADDRESSES);
}

interface Failure extends DialAttempt {
  kind: DialErrorKind;
}

function startTimer(callback: () => void, ms: number): () => void {
  const id = setTimeout(callback, ms);
  return () => clearTimeout(id);
}

class Race {
  readonly promise: Promise<Dialled>;
  readonly #resolve: (dialled: Dialled) => void;
  readonly #reject: (error: DialError) => void;

  readonly #addresses: string[];
  readonly #port: number;
  readonly #connect: Connect;
  readonly #signal: AbortSignal | undefined;
  readonly #stagger: number;
  readonly #timer: (callback: () => void, ms: number) => () => void;
  /** Ends every attempt that is still under way. */
  readonly #losers = new AbortController();

  #next = 0;
  #running = 0;
  #over = false;
  #stopTimer: (() => void) | undefined;
  readonly #failures: Failure[] = [];

  constructor(addresses: string[], port: number, options: DialOptions) {
    const { promise, resolve, reject } = Promise.withResolvers<Dialled>();
    this.promise = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#addresses = addresses;
    this.#port = port;
    this.#connect = options.connect ?? connectTcp;
    this.#signal = options.signal;
    this.#stagger = options.stagger ?? 250;
    this.#timer = options.timer ?? startTimer;
    if (this.#signal?.aborted) {
      this.#giveUp();
    } else if (addresses.length === 0) {
      this.#finish();
      this.#reject(new DialError("failed", "there is no address to connect to", []));
    } else {
      this.#signal?.addEventListener("abort", this.#giveUp);
      this.#startNext();
    }
  }

  #startNext(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    const address = this.#addresses[this.#next++];
    // First the timer, then the attempt, which may be over at once and stops the timer then.
    if (this.#next < this.#addresses.length) {
      this.#stopTimer = this.#timer(() => this.#startNext(), this.#stagger);
    }
    this.#running++;
    this.#attempt(address);
  }

  async #attempt(address: string): Promise<void> {
    let conn: Deno.TcpConn;
    try {
      conn = await this.#connect(address, this.#port, this.#losers.signal);
    } catch (error) {
      this.#running--;
      if (this.#over) return;
      this.#failures.push(classify(address, error));
      if (this.#next < this.#addresses.length) {
        this.#startNext();
      } else if (this.#running === 0) {
        this.#finish();
        this.#reject(failed(this.#port, this.#failures));
      }
      return;
    }
    this.#running--;
    if (this.#over) {
      conn.close();
      return;
    }
    this.#finish();
    withoutDelay(conn);
    this.#resolve({ conn, address });
  }

  readonly #giveUp = (): void => {
    const silent = this.#addresses.slice(0, this.#next)
      .filter((address) => !this.#failures.some((failure) => failure.address === address))
      .map((address) => ({ address, message: "gave no answer" }));
    this.#finish();
    this.#reject(givenUp(this.#signal!, [...this.#failures, ...silent]));
  };

  #finish(): void {
    this.#over = true;
    this.#stopTimer?.();
    this.#signal?.removeEventListener("abort", this.#giveUp);
    if (this.#running > 0) this.#losers.abort();
  }
}

function givenUp(signal: AbortSignal, attempts: DialAttempt[]): DialError {
  return signal.reason?.name === "TimeoutError"
    ? new DialError("timeout", "no connection in time", attempts)
    : new DialError("aborted", "the connection was not wanted any more", attempts);
}

/** What the failures together mean: what one of them says for certain weighs more than silence. */
function failed(port: number, failures: Failure[]): DialError {
  const kinds: DialErrorKind[] = ["no_descriptors", "refused", "unreachable", "timeout", "failed"];
  const kind = kinds.find((kind) => failures.some((failure) => failure.kind === kind)) ?? "failed";
  const attempts = failures.map(({ address, message }) => ({ address, message }));
  const words = attempts.map(({ address, message }) =>
    `${address.includes(":") ? `[${address}]` : address}:${port} ${message}`
  );
  return new DialError(kind, words.join(", "), attempts);
}

function classify(address: string, error: unknown): Failure {
  if (error instanceof Deno.errors.ConnectionRefused) return { address, kind: "refused", message: "refused" };
  if (error instanceof Deno.errors.TimedOut) return { address, kind: "timeout", message: "gave no answer" };
  const { code, message } = error as { code?: string; message?: string };
  switch (code) {
    case "EHOSTUNREACH":
    case "ENETUNREACH":
    case "EADDRNOTAVAIL":
    case "EAFNOSUPPORT":
    case "ENETDOWN":
    case "EHOSTDOWN":
      return { address, kind: "unreachable", message: `cannot be reached from here (${code})` };
    case "EMFILE":
    case "ENFILE":
      return {
        address,
        kind: "no_descriptors",
        message: `was not tried: no file descriptor is left (${code})`,
      };
  }
  return { address, kind: "failed", message: `failed: ${message ?? error}` };
}
