/** What is stored, by {@link keyOf}, and what is being fetched for several at once. */

import { CacheClock } from "../../cache/cache_clock.ts";
import { MemoryStore } from "../../cache/memory_store.ts";
import { copyOf } from "../../http/text.ts";
import { markOf, ownerOf, urlOf } from "./cache_key.ts";
import { ipOf } from "../judgement.ts";
import { scopeOf } from "../../policy/address_scope.ts";
import type { DiskShelf, ShelfWriter } from "./disk_shelf.ts";
import { type Failure, Flight } from "./flight.ts";
import { Marks } from "./marks.ts";
import { Packing } from "./packing.ts";
import { joinParts } from "./parts.ts";
import { Recording, RecordingBudget } from "./recording.ts";
import type { Variant } from "./variant.ts";

/** Variants of one URL; the oldest makes room. */
const MAX_VARIANTS = 16;
/** URLs of which it is remembered that waiting for their responses is in vain, and for how long, ms. */
const MAX_PASSED = 10_000;
const PASSED_FIRST = 60_000;
const PASSED_LONGEST = 86_400_000;
/** URLs that are not validated behind clients' backs just after that has failed, and for how long, ms. */
const MAX_RESTING = 10_000;
const RESTS_FOR = 10_000;
const MAX_DROPPED = 10_000;
/**
 * How long requests wait for what another one fetches before they ask for themselves, and how old a fetch may be for
 * others to join it, ms: as long as nginx lets them (`proxy_cache_lock_timeout`).
 */
const LONGEST_WAIT = 5_000;

export class HttpCache {
  /** The time of all that is stored. */
  clock: CacheClock;
  /** See {@link LONGEST_WAIT}. */
  longestWait = LONGEST_WAIT;
  /** For which origins a lifetime is estimated where a response states none. */
  estimates: Estimates = "public";
  readonly budget: RecordingBudget;
  readonly #store: MemoryStore<readonly Variant[]>;
  readonly #packing = new Packing();
  readonly #flights = new Map<string, Flight>();
  /** Keys whose responses turned out not to be shared. */
  readonly #passed = new Marks(PASSED_FIRST, PASSED_LONGEST, MAX_PASSED);
  /** Keys of which validating behind the client's back has failed. */
  readonly #resting = new Marks(RESTS_FOR, RESTS_FOR, MAX_RESTING);
  #generation = 0;
  /** The address that was asked about last, and whether it is one of the internet. */
  #judged = "";
  #isPublic = false;
  /**
   * When URLs were dropped last, by {@link markOf}, the one that is longest ago first; what is older than `#floor`
   * counts as dropped.
   */
  readonly #dropped = new Map<string, Drop>();
  #floor: Drop = { generation: 0, time: 0 };
  /** Who has been here since the start, by {@link ownerOf}, and as of which generation: whose keys are in memory. */
  readonly #owners = new Map<string, number>([[ownerOf(" "), 0]]);

  /**
   * @param limit bytes in memory
   * @param shelf what is on the disk behind that
   */
  constructor(limit: number, readonly shelf: DiskShelf | null) {
    this.clock = new CacheClock(() => Date.now(), () => performance.now());
    if (shelf !== null) shelf.run = this.clock.run;
    this.#store = new MemoryStore(limit, (_key, variants) => this.#unpack(variants));
    this.budget = new RecordingBudget(limit);
  }

  /** Whether the lifetime of a response may be estimated that came from an address, `""` for an unknown one. */
  mayEstimate(address: string): boolean {
    if (this.estimates !== "public" || address === "") return this.estimates !== "none";
    // most responses come from where the one before came from
    if (address !== this.#judged) {
      const ip = ipOf(address);
      this.#isPublic = ip !== null && scopeOf(ip) === "public";
      this.#judged = address;
    }
    return this.#isPublic;
  }

  get limit(): number {
    return this.#store.limit;
  }

  set limit(limit: number) {
    this.#store.limit = this.budget.limit = limit;
  }

  /** The longest body that is kept in memory, bytes. */
  get keepable(): number {
    return this.#store.limit >> 3;
  }

  /** The longest body that is kept at all. */
  get longest(): number {
    return Math.max(this.keepable, this.shelf?.longest ?? 0);
  }

  get bytes(): number {
    return this.#store.bytes;
  }

  get count(): number {
    return this.#store.count;
  }

  /** What is stored for a key, the latest last. */
  variants(key: string): readonly Variant[] {
    const variants = this.#store.get(key);
    if (variants !== undefined) return variants;
    const shelved = this.#shelved(key);
    if (shelved.length > 0) this.#put(key, shelved);
    return shelved;
  }

  /** A response has answered a request. */
  used(key: string, variant: Variant): void {
    this.shelf?.used(key, variant);
  }

  /** What is on the disk. Others may have made it invalid before its owner came: from then on it went at once. */
  #shelved(key: string): readonly Variant[] {
    const found = this.shelf?.find(key) ?? NONE;
    if (found.length === 0) return NONE;
    const now = this.clock.now();
    const since = this.#meet(key);
    const { generation, time } = this.#dropped.get(markOf(urlOf(key))) ?? this.#floor;
    if (generation > since || time === 0) return found.map((each) => this.#notFromTheFuture(key, each, now));
    // by the clock of another run one may be from after all that has happened here
    const valid = found.filter(({ responseTime }) => responseTime > time && responseTime <= now);
    if (valid.length < found.length) {
      for (const variant of found) if (!valid.includes(variant)) this.shelf!.remove(key, variant);
    }
    return valid;
  }

  /**
   * What was stored when the system's clock was ahead of what it is now has come just now, for want of anything better,
   * and that is written down: it ages from now on, and is not young again when it is read the next time.
   */
  #notFromTheFuture(key: string, variant: Variant, now: number): Variant {
    if (variant.responseTime <= now) return variant;
    const head = { ...variant, fields: variant.fields, requestTime: now, responseTime: now };
    const next = variant.with({ ...head, behind: this.clock.behind });
    this.shelf!.replace(key, next);
    return next;
  }

  /** As of which generation the owner of a key is here. */
  #meet(key: string): number {
    const owner = ownerOf(key);
    const since = this.#owners.get(owner);
    if (since !== undefined) return since;
    this.#owners.set(copyOf(owner), this.#generation);
    return this.#generation;
  }

  /**
   * Keeps a whole response in the place of those that the same requests would get.
   *
   * @param writer has its body on the way to the disk already
   */
  keep(key: string, variant: Variant, writer: ShelfWriter | null = null): void {
    const before = this.variants(key);
    const same = before.find((other) => sameSelection(other, variant));
    if (same !== undefined && isLater(same, variant)) return;
    if (variant.range !== null && same !== undefined) {
      const joined = joinParts(same, variant, this.keepable);
      // a part that has nothing to do with it does not take the place of a whole
      if (joined === null && same.range === null) return;
      variant = joined ?? variant;
    }
    if (writer !== null) writer.finish(variant);
    else if (variant.body instanceof Array) this.shelf?.keep(key, variant, variant.body);
    const others = before.filter((other) => !sameSelection(other, variant));
    // a spread would leave room for more
    const variants = others.slice(-(MAX_VARIANTS - 1)).concat(variant);
    if (this.#put(key, variants)) return;
    // it does not fit beside the others
    if (variants.length > 1) this.#put(key, [variant]);
  }

  /** Puts another head in the place of one that is stored, if it still is. */
  replace(key: string, old: Variant, next: Variant): void {
    const variants = this.#store.peek(key);
    this.shelf?.replace(key, next);
    if (variants === undefined || !variants.includes(old)) return;
    const replaced = variants.map((each) => each === old ? next : each);
    this.#put(key, replaced);
  }

  /** Forgets one response. */
  remove(key: string, variant: Variant): void {
    this.shelf?.remove(key, variant);
    const left = (this.#store.peek(key) ?? NONE).filter((each) => each !== variant);
    if (left.length === 0) this.#forget(key);
    else this.#put(key, left);
  }

  /** Keeps variants in memory in the place of those that were there. False when they do not fit. */
  #put(key: string, variants: readonly Variant[]): boolean {
    this.#meet(key);
    const before = this.#store.peek(key);
    const kept = this.#store.set(key, variants, sizeOf(variants));
    if (before !== undefined) this.#unpack(kept ? before.filter((each) => !variants.includes(each)) : before);
    if (this.#store.peek(key) !== variants) return kept;
    for (const variant of variants) if (variant.isSmall && variant.page === null) this.#packing.add(variant);
    return kept;
  }

  #forget(key: string): boolean {
    const before = this.#store.peek(key);
    if (before !== undefined) this.#unpack(before);
    return this.#store.delete(key);
  }

  #unpack(variants: readonly Variant[]): void {
    for (const variant of variants) this.#packing.remove(variant);
  }

  /**
   * Forgets all that is stored for a URL, whosever it is (RFC 9111 §4.4), and what is being fetched for it. True when
   * there was anything. What is on the disk for somebody who has not been here since the start is found to be
   * invalid when they come; they have to before the next start.
   *
   * @param owner for whom it is, by {@link ownerOf}
   */
  drop(url: string, owner: string): boolean {
    this.#meet(owner);
    this.#generation++;
    const mark = markOf(url);
    this.#dropped.delete(mark);
    this.#dropped.set(mark, { generation: this.#generation, time: this.clock.now() });
    if (this.#dropped.size > MAX_DROPPED) {
      const [oldest, drop] = this.#dropped.entries().next().value!;
      this.#dropped.delete(oldest);
      this.#floor = drop;
    }
    let found = false;
    for (const each of this.#owners.keys()) {
      const key = each + url;
      // nobody who asks from now on joins what was asked for before
      this.#flights.delete(key);
      if (this.shelf?.drop(key)) found = true;
      if (this.#forget(key)) found = true;
    }
    return found;
  }

  /** A moment, for {@link isCurrent}. */
  get generation(): number {
    return this.#generation;
  }

  /** Whether what was asked for at that moment may still be kept: nothing has made it invalid meanwhile. */
  isCurrent(key: string, generation: number): boolean {
    return generation >= (this.#dropped.get(markOf(urlOf(key))) ?? this.#floor).generation;
  }

  clear(): void {
    for (const { value } of this.#store.entries()) this.#unpack(value);
    this.#store.clear();
  }

  /** The fetch under way that a request for this key may wait for. */
  flight(key: string): Flight | undefined {
    return this.#flights.get(key);
  }

  /**
   * Begins one, unless waiting for such responses was in vain before. It takes the place of one that takes too long.
   */
  begin(key: string, now: number): Flight | null {
    return this.#passed.has(key, now) ? null : this.#begin(key, now, true);
  }

  /** The same for a fetch that nobody waits for. */
  beginAlone(key: string, now: number): Flight {
    return this.#begin(key, now, false);
  }

  #begin(key: string, now: number, open: boolean): Flight {
    const flight = new Flight(now + this.longestWait, open);
    this.#meet(key);
    this.#flights.set(key, flight);
    return flight;
  }

  /**
   * Tells all who wait for it what came. While its body is recorded others may still join; then {@link end} it.
   *
   * @param variant `null` when it is not for others
   * @param lasting whether the same is to be expected of what comes next for the key
   */
  land(key: string, flight: Flight, variant: Variant | null, now: number, lasting = true): void {
    if (variant === null || !(variant.body instanceof Recording)) this.end(key, flight);
    if (variant !== null) this.#passed.delete(key);
    else if (lasting) this.#passed.set(key, now);
    flight.land(variant);
  }

  /**
   * Tells all who wait that nothing has come.
   *
   * @param abandoned for reasons that are not theirs
   */
  fail(key: string, flight: Flight, { abandoned = false, trouble = "" }: Failure): void {
    this.end(key, flight);
    flight.abandoned = abandoned;
    flight.trouble = trouble;
    flight.land(null);
  }

  /** Whether it may be validated behind a client's back: not just after that has failed. */
  maySendBackground(key: string, now: number): boolean {
    return !this.#resting.has(key, now);
  }

  /** That has failed. */
  rest(key: string, now: number): void {
    this.#resting.set(key, now);
  }

  /** Nobody joins a fetch any more: what it brought is stored, or is not. */
  end(key: string, flight: Flight): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}

/** Of all origins, of those on the internet, or of none. */
export type Estimates = "all" | "public" | "none";

/** That a URL was dropped: in the course of things, and in ms since the epoch. */
interface Drop {
  readonly generation: number;
  readonly time: number;
}

const NONE: readonly Variant[] = [];

function sizeOf(variants: readonly Variant[]): number {
  return variants.reduce((sum, each) => sum + each.size, 0);
}

/** Whether it was asked for later, and so is newer, though it has come earlier. */
function isLater(one: Variant, other: Variant): boolean {
  return one.requestTime > other.requestTime;
}

function sameSelection(one: Variant, other: Variant): boolean {
  return one.vary.length === other.vary.length &&
    one.vary.every(([name, value], index) => {
      const [otherName, otherValue] = other.vary[index];
      return name === otherName && value === otherValue;
    });
}
