/** What one client, one user or one rule has taken, and whether it may take more. */

import { QuotaWindow } from "./quota_window.ts";
import type { RateLimits } from "./rates.ts";
import { TokenBucket } from "./token_bucket.ts";

const SECOND = 1_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** The least that a read takes where bytes are limited: less costs more than it smooths. */
const LEAST_READ = 1024;
/** Reads a second that a full rate is cut into, so that many exchanges share it in small turns. */
const READS_A_SECOND = 4;

/** Why a request has to come later. */
export class Excess {
  /**
   * @param limit what is exceeded, for the client to read: `requests of one client: 10 a second`
   * @param retryAfter whole seconds from now, 1 at least, until it may be tried again (RFC 9110 §10.2.3)
   */
  constructor(readonly limit: string, readonly retryAfter: number) {}
}

/** Accounts that have the same limits, which may change at any time. */
export interface RateGroup {
  limits: RateLimits;
  /** How their limits are named: `of one client`. */
  readonly whose: string;
}

export class RateAccount {
  /** How many are under way. */
  exchanges = 0;
  // each is made when its limit is first asked about: most limits are not set
  #requests: TokenBucket | null = null;
  #up: TokenBucket | null = null;
  #down: TokenBucket | null = null;
  #hour: QuotaWindow | null = null;
  #day: QuotaWindow | null = null;

  constructor(readonly group: RateGroup) {}

  /** Why one more exchange may not begin now; `null` when it may. Counts nothing. */
  refusal(now: number): Excess | null {
    const { limits, whose } = this.group;
    const { requests, exchanges, hourly, daily } = limits;
    if (daily > 0 && this.#day !== null) {
      const left = this.#day.left(DAY, now);
      if (this.#day.used >= daily) return excess(`bytes ${whose}: ${size(daily)} a day`, left);
    }
    if (hourly > 0 && this.#hour !== null) {
      const left = this.#hour.left(HOUR, now);
      if (this.#hour.used >= hourly) return excess(`bytes ${whose}: ${size(hourly)} an hour`, left);
    }
    if (requests > 0 && this.#requests !== null) {
      const tokens = this.#requests.fill(requests, burstOf(limits), now);
      if (tokens < 1) {
        return excess(`requests ${whose}: ${requests} a second`, (1 - tokens) * SECOND / requests);
      }
    }
    if (exchanges > 0 && this.exchanges >= exchanges) {
      return excess(`simultaneous exchanges ${whose}: ${exchanges}`, SECOND);
    }
    return null;
  }

  /** Counts one more exchange, which is under way until {@link end}. */
  begin(now: number): void {
    this.exchanges++;
    const { limits } = this.group;
    if (limits.requests === 0) return;
    const burst = burstOf(limits);
    const bucket = this.#requests ??= new TokenBucket(burst, now);
    bucket.fill(limits.requests, burst, now);
    bucket.tokens -= 1;
  }

  end(): void {
    this.exchanges--;
  }

  /** Ends one that has turned out to be none of this account's: it has not been a request either. */
  takeBack(): void {
    this.exchanges--;
    // what is too much in it is poured off when it is filled
    if (this.#requests !== null) this.#requests.tokens += 1;
  }

  /** Counts bytes from the client; returns for how many ms they have to wait before they go on. */
  up(bytes: number, now: number): number {
    const { up } = this.group.limits;
    this.#count(bytes, now);
    return up === 0 ? 0 : (this.#up ??= new TokenBucket(up, now)).reserve(bytes, up, up, now);
  }

  /** The same for bytes to the client. */
  down(bytes: number, now: number): number {
    const { down } = this.group.limits;
    this.#count(bytes, now);
    return down === 0 ? 0 : (this.#down ??= new TokenBucket(down, now)).reserve(bytes, down, down, now);
  }

  /** How many bytes the client should be read at once, so that nobody waits long; Infinity where it is all the same. */
  get upRead(): number {
    return this.#share(this.group.limits.up);
  }

  /** The same for what goes to the client. */
  get downRead(): number {
    return this.#share(this.group.limits.down);
  }

  /**
   * What would be forgotten with this account: 0 is nothing, Infinity must not be. Quotas, which last, weigh more
   * than all that heals within seconds.
   */
  weight(now: number): number {
    if (this.exchanges > 0) return Infinity;
    const { limits } = this.group;
    const { requests, up, down, hourly, daily } = limits;
    return usedPart(this.#day, daily, DAY, now) + usedPart(this.#hour, hourly, HOUR, now) +
      (takenPart(this.#requests, requests, burstOf(limits), now) + takenPart(this.#up, up, up, now) +
          takenPart(this.#down, down, down, now)) / 1_000;
  }

  #count(bytes: number, now: number): void {
    const { hourly, daily } = this.group.limits;
    if (hourly > 0) (this.#hour ??= new QuotaWindow(now)).add(bytes, HOUR, now);
    if (daily > 0) (this.#day ??= new QuotaWindow(now)).add(bytes, DAY, now);
  }

  #share(rate: number): number {
    if (rate === 0) return Infinity;
    return Math.max(LEAST_READ, Math.floor(rate / READS_A_SECOND / Math.max(1, this.exchanges)));
  }
}

function burstOf({ requests, burst }: RateLimits): number {
  return burst > 0 ? Math.max(1, burst) : Math.max(1, Math.ceil(requests));
}

function usedPart(window: QuotaWindow | null, quota: number, length: number, now: number): number {
  if (window === null || quota === 0) return 0;
  window.left(length, now);
  return window.used / quota;
}

/** At most 1 each, however much was taken in advance. */
function takenPart(bucket: TokenBucket | null, rate: number, capacity: number, now: number): number {
  if (bucket === null || rate === 0) return 0;
  return Math.min(1, 1 - bucket.fill(rate, capacity, now) / capacity);
}

function excess(limit: string, milliseconds: number): Excess {
  return new Excess(limit, Math.max(1, Math.ceil(milliseconds / SECOND)));
}

const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB"];

/** A number of bytes in the largest unit of which it is a whole number. */
function size(bytes: number): string {
  let unit = 0;
  for (; bytes % 1024 === 0 && unit < UNITS.length - 1; unit++) bytes /= 1024;
  return `${bytes} ${UNITS[unit]}`;
}
