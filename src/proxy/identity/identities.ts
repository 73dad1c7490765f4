/**
 * Who has proved to be whom, and who has failed to: a verified credential is known again without its hash being
 * computed for each request, and somebody who guesses is slowed.
 *
 * A hash takes long, and one is computed at a time. Clients take turns, one attempt each; the client that has failed
 * least is next, and among equals the one with the fewest attempts waiting. When too many attempts wait, one of the
 * client that would be last makes room. So guessers wait behind each other, and not before those who have never failed.
 */

import type { Credentials } from "../../policy/credentials.ts";
import type { Clock, Deadlined } from "../../net/clock.ts";
import { UNLISTED } from "../../net/roster.ts";
import { KeyedHash } from "./keyed_hash.ts";
import type { Users } from "./users.ts";

/** How long a verified credential is remembered after it was used last, ms, and how many are. */
const REMEMBERED_TIME = 600_000;
/** So many ms of that may pass before a use is written down. */
const WRITTEN_AFTER = 60_000;
const MAX_REMEMBERED = 10_000;

/** How long at least the next attempt is put off after a failure, doubled by each further one up to the most, ms. */
const FIRST_DELAY = 100;
const MOST_DELAY = 5_000;
/** A client that has not failed for so long is not put off any more, ms. */
const FORGIVEN_AFTER = 60_000;
/** One that has not failed for so long takes its turn like one that never has, ms. */
const FORGOTTEN_AFTER = 3_600_000;
/** Clients whose failures are kept in mind. */
const MAX_CLIENTS = 10_000;

/** Attempts that wait, of one client and in all. */
const MAX_WAITING_PER_CLIENT = 8;
const MAX_WAITING = 256;

/**
 * - `right`, `wrong`
 * - `left`: nobody waited for it any more
 * - `busy`: too many wait, of this client or in all, and none of them was to make room for this one
 */
export type Outcome = "right" | "wrong" | "left" | "busy";

/** One who waits for an outcome. */
export interface Waiter {
  /** Rejects when it cannot be found out. */
  readonly outcome: Promise<Outcome>;
  /** Waits no longer: the outcome is `left`, unless it is known already. */
  leave(): void;
}

interface Remembered {
  readonly user: string;
  /** What was kept of the user's password when it was verified. */
  readonly record: string;
  /** On the clock's time. */
  until: number;
  /** For which users, and which version of them, the record was last found to be the same. */
  users: Users;
  version: number;
}

export class Identities {
  readonly #clock: Clock;
  readonly #hash = new KeyedHash(crypto.getRandomValues(new Uint8Array(32)));
  /** By the keyed hash of the field's value; the oldest first. */
  readonly #remembered = new Map<string, Remembered>();
  /** By what they are counted as, those that have failed or wait; the one longest untouched first. */
  readonly #clients = new Map<string, Client>();
  /** Those of them that have attempts waiting. */
  readonly #queued = new Set<Client>();
  /** Those whose time has come, the longest waiting first; of one client one at most. */
  readonly #ready: Attempt[] = [];
  #verifying: Attempt | null = null;
  #waiting = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What a credential is known by: the value of its field is `bytes[start..end)`. */
  tagOf(bytes: Uint8Array, start: number, end: number): string {
    return this.#hash.of(bytes, start, end);
  }

  /**
   * The user whose credential this is, when it was verified and has been in use since, and the password is the same
   * still. Who is in use never has to wait again behind others at the same address who guess.
   */
  recall(users: Users, tag: string): string | undefined {
    const found = this.#remembered.get(tag);
    if (found === undefined) return undefined;
    if (found.users !== users || found.version !== users.version) {
      if (users.recordOf(found.user) === found.record) {
        found.users = users;
        found.version = users.version;
      } else {
        this.#remembered.delete(tag);
        return undefined;
      }
    }
    const { now } = this.#clock;
    const last = found.until - REMEMBERED_TIME;
    if (now < found.until && now - last < WRITTEN_AFTER) return found.user;
    this.#remembered.delete(tag);
    if (now >= found.until) return undefined;
    found.until = now + REMEMBERED_TIME;
    this.#remembered.set(tag, found);
    return found.user;
  }

  /**
   * Finds out whether a credential is right, and remembers it if so. Of one client one credential is looked at at a
   * time, later after each failure, and of all clients one; who brings the same one meanwhile waits for the same
   * outcome.
   *
   * @param key what the client is counted as
   */
  prove(users: Users, credentials: Credentials, tag: string, key: string): Waiter {
    const client = this.#clients.get(key) ?? new Client(key);
    let attempt = client.attempts.find((each) => each.isOf(tag, users));
    // many programs that are started at once with one credential
    if (attempt === undefined && client.attempts.length === 0 && client.delay(this.#clock.now) === 0) {
      attempt = this.#verifying?.isOf(tag, users)
        ? this.#verifying
        : this.#ready.find((each) => each.isOf(tag, users));
    }
    if (attempt !== undefined) return this.#join(attempt);
    if (
      client.attempts.length >= MAX_WAITING_PER_CLIENT ||
      this.#waiting >= MAX_WAITING && !this.#makeRoomFor(client)
    ) return { outcome: Promise.resolve("busy"), leave() {} };
    this.#keep(client);
    this.#waiting++;
    attempt = new Attempt(this.#clock, client, users, credentials, tag, this.#onReady);
    client.attempts.push(attempt);
    this.#queued.add(client);
    const waiter = this.#join(attempt);
    if (client.attempts.length === 1) this.#begin(attempt);
    return waiter;
  }

  /** How many attempts wait or are under way. */
  get waiting(): number {
    return this.#waiting;
  }

  #join(attempt: Attempt): Waiter {
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
    const waiting = { resolve, reject };
    attempt.waiting.add(waiting);
    return {
      outcome: promise,
      leave: () => {
        if (!attempt.waiting.delete(waiting)) return;
        resolve("left");
        // what is being verified is seen through, and counted
        if (attempt.waiting.size === 0 && attempt !== this.#verifying) this.#end(attempt);
      },
    };
  }

  /** The first attempt of a client, in its time. */
  #begin(attempt: Attempt): void {
    const delay = attempt.client.delay(this.#clock.now);
    if (delay > 0) attempt.putOff(delay);
    else this.#onReady(attempt);
  }

  readonly #onReady = (attempt: Attempt): void => {
    this.#ready.push(attempt);
    if (this.#verifying === null) this.#verifyAll();
  };

  async #verifyAll(): Promise<void> {
    while (this.#ready.length > 0) {
      const attempt = this.#verifying = this.#takeNext();
      try {
        attempt.settle(await this.#verify(attempt) ? "right" : "wrong");
      } catch (error) {
        attempt.fail(error);
      }
      this.#end(attempt);
    }
    this.#verifying = null;
  }

  /**
   * Of those that are ready the one whose client has failed least, of several such has least attempts waiting, and of
   * several such waits longest.
   */
  #takeNext(): Attempt {
    const { now } = this.#clock;
    let next = this.#ready[0];
    let least = next.client.failuresKept(now);
    for (const each of this.#ready) {
      const failures = each.client.failuresKept(now);
      const sooner = failures < least ||
        failures === least && each.client.attempts.length < next.client.attempts.length;
      if (!sooner) continue;
      least = failures;
      next = each;
    }
    this.#ready.splice(this.#ready.indexOf(next), 1);
    return next;
  }

  /**
   * Turns away the last attempt of the client that has failed most, and of several such has most attempts waiting.
   * False when that is no more than this client's own case would be.
   */
  #makeRoomFor(client: Client): boolean {
    const { now } = this.#clock;
    let failures = client.failuresKept(now);
    let waiting = client.attempts.length + 1;
    let last: Attempt | null = null;
    for (const each of this.#queued) {
      const attempt = each.attempts.at(-1)!;
      if (attempt === this.#verifying) continue;
      const kept = each.failuresKept(now);
      if (kept < failures || kept === failures && each.attempts.length <= waiting) continue;
      failures = kept;
      waiting = each.attempts.length;
      last = attempt;
    }
    if (last === null) return false;
    last.settle("busy");
    this.#end(last);
    return true;
  }

  async #verify({ client, users, tag, credentials: { user, password } }: Attempt): Promise<boolean> {
    // the same one may have come from another client just before
    if (this.recall(users, tag) !== undefined) return true;
    // as they are before, so that what changes meanwhile is noticed
    const { version } = users;
    const record = users.recordOf(user);
    const right = await users.verify(user, password);
    if (!right) client.fail(this.#clock.now);
    else if (record !== undefined) this.#remember(tag, user, record, users, version);
    return right;
  }

  #end(attempt: Attempt): void {
    const { client } = attempt;
    const { attempts } = client;
    this.#clock.unwatch(attempt);
    const place = this.#ready.indexOf(attempt);
    if (place >= 0) this.#ready.splice(place, 1);
    this.#waiting--;
    const wasFirst = attempts[0] === attempt;
    attempts.splice(attempts.indexOf(attempt), 1);
    if (attempts.length === 0) {
      this.#queued.delete(client);
      if (client.failuresKept(this.#clock.now) === 0) this.#clients.delete(client.key);
    } else if (wasFirst) this.#begin(attempts[0]);
  }

  #remember(tag: string, user: string, record: string, users: Users, version: number): void {
    const until = this.#clock.now + REMEMBERED_TIME;
    this.#remembered.delete(tag);
    this.#remembered.set(tag, { user, record, until, users, version });
    forgetOldest(this.#remembered, MAX_REMEMBERED, () => true);
  }

  #keep(client: Client): void {
    this.#clients.delete(client.key);
    this.#clients.set(client.key, client);
    forgetOldest(this.#clients, MAX_CLIENTS, ({ attempts }) => attempts.length === 0);
  }
}

/** Forgets one entry when there are too many: the oldest that may be forgotten. */
function forgetOldest<T>(table: Map<string, T>, most: number, may: (entry: T) => boolean): void {
  if (table.size <= most) return;
  for (const [key, entry] of table) {
    if (!may(entry)) continue;
    table.delete(key);
    return;
  }
}

class Client {
  /** The first is the one that is looked at. */
  readonly attempts: Attempt[] = [];
  #failures = 0;
  /** The same, kept in mind for longer. */
  #kept = 0;
  #failedAt = -Infinity;

  constructor(readonly key: string) {}

  /** How long the next attempt is put off, ms. */
  delay(now: number): number {
    if (now - this.#failedAt > FORGIVEN_AFTER) this.#failures = 0;
    return this.#failures === 0 ? 0 : Math.min(FIRST_DELAY * 2 ** (this.#failures - 1), MOST_DELAY);
  }

  /** How often it has failed since it was last forgotten. */
  failuresKept(now: number): number {
    if (now - this.#failedAt > FORGOTTEN_AFTER) this.#kept = 0;
    return this.#kept;
  }

  fail(now: number): void {
    this.delay(now);
    this.failuresKept(now);
    this.#failures++;
    this.#kept++;
    this.#failedAt = now;
  }
}

interface Waiting {
  resolve(outcome: Outcome): void;
  reject(error: unknown): void;
}

/** One credential that is to be verified, for all that wait for it. */
class Attempt implements Deadlined {
  place = UNLISTED;
  readonly waiting = new Set<Waiting>();
  deadline = Infinity;

  constructor(
    readonly clock: Clock,
    readonly client: Client,
    readonly users: Users,
    readonly credentials: Credentials,
    readonly tag: string,
    readonly onReady: (attempt: Attempt) => void,
  ) {}

  isOf(tag: string, users: Users): boolean {
    return this.tag === tag && this.users === users;
  }

  putOff(milliseconds: number): void {
    this.clock.watch(this);
    this.deadline = this.clock.in(milliseconds);
  }

  expire(): void {
    this.clock.unwatch(this);
    this.onReady(this);
  }

  settle(outcome: Outcome): void {
    for (const { resolve } of this.waiting) resolve(outcome);
    this.waiting.clear();
  }

  fail(error: unknown): void {
    for (const { reject } of this.waiting) reject(error);
    this.waiting.clear();
  }
}
