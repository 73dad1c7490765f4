/** All targets of a relay: kept up to date with their names, looked after, and given out one by one. */

import type { Authority } from "../http/authority.ts";
import type { Clock, Deadlined } from "../net/clock.ts";
import { formatIp } from "../http/ip_address.ts";
import { DialError } from "../net/dial.ts";
import { proxyHeader } from "../net/proxy_protocol.ts";
import { ResolveError, type Resolver } from "../net/resolve.ts";
import { UNLISTED } from "../net/roster.ts";
import { SignalDeadline } from "../net/signal_deadline.ts";
import type { OwnListeners } from "../policy/own_listeners.ts";
import { choose } from "./balancing.ts";
import { dialTarget } from "./dial_target.ts";
import type { RelayObserver } from "./observer.ts";
import type { RelaySettings } from "./settings.ts";
import { Target } from "./target.ts";

/** ms between two questions for the addresses of a name. */
const LOOKUP_INTERVAL = 5_000;
/** More addresses of one name than this are left out. */
const MAX_ADDRESSES = 64;
/** A check comes up to this part earlier or later, so that many relays do not ask at once. */
const CHECK_JITTER = 0.1;

/** A target that a connection is about to be made to. It ends with one of the three words of {@link Targets}. */
export interface Attempt {
  readonly target: Target;
  /** The target's term when it began. */
  readonly term: number;
  /** The target is out of service, and is tried because no other one is left. */
  readonly isLastResort: boolean;
}

export interface TargetsOptions {
  readonly settings: RelaySettings;
  readonly clock: Clock;
  readonly resolver: Resolver;
  readonly ownListeners: OwnListeners;
  readonly observer: RelayObserver;
  /** Numbers from 0 up to 1. */
  readonly random: () => number;
}

/** What `--to` named once: an address, or a name that is looked up again and again. */
interface Place {
  readonly authority: Authority;
  targets: Target[];
  lookup: Task | null;
  /** Its addresses could not be found out, which has been told. */
  isLost: boolean;
}

/** Something that is done at a time. */
class Task implements Deadlined {
  place = UNLISTED;
  deadline = Infinity;

  constructor(readonly expire: () => void) {}
}

export class Targets {
  readonly #options: TargetsOptions;
  readonly #places: readonly Place[];
  readonly #checks = new Map<Target, Task>();
  /** Checks that are under way, with what ends each. */
  readonly #checking = new Map<Promise<void>, SignalDeadline>();
  readonly #stopped = new AbortController();
  readonly #answering = Promise.withResolvers<boolean>();
  readonly #answered = Promise.withResolvers<void>();
  #isReady = false;
  #picks = 0;
  #all: readonly Target[] = [];

  constructor(options: TargetsOptions) {
    this.#options = options;
    this.#places = options.settings.to.map((authority) => ({
      authority,
      targets: [],
      lookup: null,
      isLost: false,
    }));
  }

  /**
   * Whether a target answers: true as soon as one does, false when each that there was at the start was asked once in
   * vain. Where targets are not checked it is taken for granted.
   */
  get answering(): Promise<boolean> {
    return this.#answering.promise;
  }

  /** Resolves when the first target answers, if ever one does. */
  get firstAnswer(): Promise<void> {
    return this.#answered.promise;
  }

  /** Looks all names up and begins the checks. Resolves when each name has had its answer, be it none. */
  async start(): Promise<void> {
    const { clock, settings } = this.#options;
    if (settings.checkInterval === 0) this.#answers();
    await Promise.all(this.#places.map((place) => {
      if (place.authority.ip !== null) return this.#take(place, [place.authority.host]);
      place.lookup = new Task(() => void this.#lookUp(place));
      clock.watch(place.lookup);
      return this.#lookUp(place);
    }));
    if (this.#all.length === 0) this.#answering.resolve(false);
  }

  /** Ends all looking up and checking. */
  async stop(): Promise<void> {
    const { clock } = this.#options;
    this.#stopped.abort();
    for (const { lookup } of this.#places) if (lookup !== null) clock.unwatch(lookup);
    for (const check of this.#checks.values()) clock.unwatch(check);
    this.#checks.clear();
    for (const deadline of this.#checking.values()) deadline.giveUp();
    await Promise.all(this.#checking.keys());
    this.#answering.resolve(false);
  }

  /** All that connections may go to now, in service or not. */
  get all(): readonly Target[] {
    return this.#all;
  }

  /**
   * The next target for a client: one in service while there is one that has not been tried, else the one whose
   * pause is over first. `null` when all have been tried, or would lead back to this relay.
   *
   * @param client the hash of the client's address
   * @param local the address at which the client came in
   */
  begin(client: number, tried: ReadonlySet<Target>, local: string): Attempt | null {
    const { settings, clock, ownListeners, random } = this.#options;
    const left = this.all.filter((target) =>
      !tried.has(target) && !ownListeners.includes(target.address, target.port, local)
    );
    if (left.length === 0) return null;
    const able = left.filter(({ health, onTrial }) =>
      health.isIn || settings.checkInterval === 0 && !onTrial && health.isDue(clock.now)
    );
    const isLastResort = able.length === 0;
    const target = isLastResort
      ? left.reduce((best, each) => each.health.outUntil < best.health.outUntil ? each : best)
      : choose(settings.balance, able, client, random);
    target.picked = ++this.#picks;
    target.active++;
    target.onTrial = !target.health.isIn;
    return { target, term: target.health.term, isLastResort };
  }

  /** The target has taken the connection, which is one of its active ones until {@link ended}. */
  answered({ target }: Attempt): void {
    target.onTrial = false;
    this.#answers();
    this.#isBack(target);
  }

  /** It has not, for this reason. */
  failed({ target, term }: Attempt, reason: string): void {
    target.active--;
    target.onTrial = false;
    this.#isOut(target, term, reason);
  }

  /** Nobody knows, because the attempt was given up. */
  abandoned({ target }: Attempt): void {
    target.active--;
    target.onTrial = false;
  }

  /** A connection to the target is over. */
  ended(target: Target): void {
    target.active--;
  }

  #isOut(target: Target, term: number, reason: string): void {
    const { clock, observer, random } = this.#options;
    const wentOut = target.health.failed(term, clock.now, random());
    const check = this.#checks.get(target);
    if (check !== undefined && !target.health.isIn) check.deadline = target.health.outUntil;
    if (!wentOut || target.gone) return;
    const { all } = this;
    const left = all.filter(({ health }) => health.isIn).length;
    const others = left === 0
      ? "no other is left"
      : `${left} of ${all.length} ${left === 1 ? "is" : "are"} left`;
    observer.notice("warning", `target ${target.text} is out: it ${reason}; ${others}`);
  }

  #isBack(target: Target): void {
    const { clock, observer } = this.#options;
    const { outSince } = target.health;
    if (!target.health.answered(clock.now) || target.gone) return;
    const seconds = Math.max(1, Math.round((clock.now - outSince!) / 1000));
    observer.notice("info", `target ${target.text} is back after ${seconds} s`);
  }

  /** A target answers. */
  #answers(): void {
    if (this.#isReady) return;
    this.#isReady = true;
    this.#answering.resolve(true);
    this.#answered.resolve();
  }

  async #lookUp(place: Place): Promise<void> {
    const { clock, observer, resolver } = this.#options;
    const { authority } = place;
    try {
      const addresses = await resolver.resolve(authority.host, this.#stopped.signal);
      if (this.#stopped.signal.aborted) return;
      place.isLost = false;
      this.#take(place, addresses.slice(0, MAX_ADDRESSES));
    } catch (error) {
      if (!(error instanceof ResolveError)) throw error;
      if (this.#stopped.signal.aborted) return;
      const known = place.targets.length === 0 ? "" : "; the addresses that are known stay";
      if (!place.isLost) observer.notice("warning", `target ${authority.text}: ${error.message}${known}`);
      place.isLost = true;
    } finally {
      place.lookup!.deadline = clock.in(LOOKUP_INTERVAL);
    }
  }

  /** Takes what a name's addresses are now; what is known of those that stay is kept. */
  #take(place: Place, addresses: readonly string[]): void {
    const { authority, targets } = place;
    const added = addresses.filter((address) => !targets.some((target) => target.address === address))
      .map((address) => new Target(authority, address));
    const gone = targets.filter(({ address }) => !addresses.includes(address));
    if (added.length === 0 && gone.length === 0) return;
    place.targets = [...targets.filter((target) => !gone.includes(target)), ...added];
    this.#all = this.#places.flatMap((each) => each.targets);
    for (const target of gone) {
      target.gone = true;
      this.#endChecks(target);
    }
    for (const target of added) this.#beginChecks(target);
    if (targets.length === 0) return;
    const now = added.length === 0 ? [] : [`now is ${added.map(({ address }) => address).join(", ")} too`];
    const before = gone.length === 0 ? [] : [`no longer is ${gone.map(({ address }) => address).join(", ")}`];
    this.#options.observer.notice("info", `target ${authority.text} ${[...now, ...before].join(", and ")}`);
  }

  #beginChecks(target: Target): void {
    const { clock, settings } = this.#options;
    if (settings.checkInterval === 0) return;
    const check = new Task(() => {
      const deadline = SignalDeadline.in(clock, settings.connectTimeout);
      const checking = this.#check(target, deadline);
      this.#checking.set(checking, deadline);
      checking.then(() => this.#checking.delete(checking));
    });
    this.#checks.set(target, check);
    clock.watch(check);
    check.deadline = clock.now;
  }

  #endChecks(target: Target): void {
    const check = this.#checks.get(target);
    if (check === undefined) return;
    this.#options.clock.unwatch(check);
    this.#checks.delete(target);
  }

  /** Sees whether the target takes a connection; never rejects. */
  async #check(target: Target, deadline: SignalDeadline): Promise<void> {
    const { clock, settings, random, ownListeners } = this.#options;
    const { health, address, port } = target;
    const { term } = health;
    try {
      // what leads back here is never chosen, and asking oneself says nothing
      if (!ownListeners.includes(address, port, "")) {
        const conn = await dialTarget(address, port, ownListeners, deadline.signal);
        await sayGoodbye(conn, settings.sendProxy);
        this.#answers();
        this.#isBack(target);
      }
    } catch (error) {
      if (!(error instanceof DialError)) throw error;
      // neither a check that was given up nor one that could not be made says anything about the target
      if (isAboutTarget(error)) this.#isOut(target, term, reasonOf(error));
    } finally {
      deadline.lift();
      const check = this.#checks.get(target);
      if (check !== undefined) {
        const wait = settings.checkInterval * (1 + CHECK_JITTER * (2 * random() - 1));
        check.deadline = health.isIn ? clock.in(wait) : Math.max(health.outUntil, clock.now);
      }
      target.asked = true;
      if (!this.#isReady && this.#all.every(({ asked }) => asked)) this.#answering.resolve(false);
    }
  }
}

/** Whether a failure is the target's. */
export function isAboutTarget(error: DialError): boolean {
  return error.kind !== "aborted" && error.kind !== "no_descriptors";
}

/** What a target did instead of taking a connection, to be read behind "it". */
export function reasonOf(error: DialError): string {
  const message = error.attempts[0]?.message ?? error.message;
  return message === "refused" ? "refused a connection" : message;
}

/** Closes a connection that was made to see whether it can be; who reads headers gets one. */
async function sayGoodbye(conn: Deno.TcpConn, version: 1 | 2 | null): Promise<void> {
  try {
    if (version !== null) await conn.write(proxyHeader(version, null, formatIp));
  } catch {
    // that it was there is all that was asked
  }
  conn.close();
}
