/**
 * How much a client, a user or a rule may take.
 *
 * Requests and simultaneous exchanges over a limit are refused; bytes over a limit wait. What is used of an hour's or
 * a day's bytes is looked at when an exchange begins: one that is under way is not cut, the next is refused. An hour
 * and a day begin with the first byte after the last was over.
 *
 * The table of clients is bounded, since anybody can make entries in it. A client that is forgotten starts anew: with
 * full buckets, and with its quotas untouched. Clients with an exchange under way are not forgotten, and of others
 * those go first that have used the least, so that what somebody has used up is not forgotten because many others
 * come who use little. Whoever has more addresses than the table has entries, and uses as much from each of them, is
 * not held by limits of one client.
 *
 * All times are ms on one clock of the caller's, which may be a coarse one. It may jump back; then quotas and
 * buckets go on from where they are.
 */

import { BoundedTable } from "./bounded_table.ts";
import { Excess, RateAccount, type RateGroup } from "./rate_account.ts";
import type { RuleRates } from "./verdict.ts";

/** 0 is no limit everywhere. */
export interface RateLimits {
  /** Requests per second over time, and how many may come at once; burst 0 is as many as come in a second. */
  readonly requests: number;
  readonly burst: number;
  /** Simultaneous exchanges. */
  readonly exchanges: number;
  /** Bytes per second from the client and to it; what is over waits. */
  readonly up: number;
  readonly down: number;
  /** Bytes both ways in an hour and in a day. */
  readonly hourly: number;
  readonly daily: number;
}

export const NO_LIMITS: RateLimits = {
  requests: 0,
  burst: 0,
  exchanges: 0,
  up: 0,
  down: 0,
  hourly: 0,
  daily: 0,
};

/** The limits that hold for each client and for each user; those of rules come with their verdicts. */
export interface Limits {
  readonly client: RateLimits;
  readonly user: RateLimits;
}

/** Entries of each table: 26 MB with one limit, 42 MB with all of them, after a million different clients. */
const CAPACITY = 100_000;

/** An exchange under way, as it is counted against its client, its user and its rule. */
export class Usage {
  #ended = false;

  /** @param accounts one at least */
  constructor(
    readonly client: RateAccount | null,
    readonly user: RateAccount | null,
    public rule: RateAccount | null,
  ) {}

  /**
   * Counts bytes from the client that are about to go on, and returns for how many ms they have to wait before they
   * do. Whoever asks next waits for these too, so they are to be sent then, and not to be asked about again.
   */
  up(bytes: number, now: number): number {
    const client = this.client === null ? 0 : this.client.up(bytes, now);
    const user = this.user === null ? 0 : this.user.up(bytes, now);
    const rule = this.rule === null ? 0 : this.rule.up(bytes, now);
    return Math.max(client, user, rule);
  }

  /** The same for bytes to the client. */
  down(bytes: number, now: number): number {
    const client = this.client === null ? 0 : this.client.down(bytes, now);
    const user = this.user === null ? 0 : this.user.down(bytes, now);
    const rule = this.rule === null ? 0 : this.rule.down(bytes, now);
    return Math.max(client, user, rule);
  }

  /** How many bytes a read from the client should bring at most, so that waits are short; Infinity without limit. */
  get upRead(): number {
    return Math.min(
      this.client?.upRead ?? Infinity,
      this.user?.upRead ?? Infinity,
      this.rule?.upRead ?? Infinity,
    );
  }

  /** The same for reads of what goes to the client. */
  get downRead(): number {
    return Math.min(
      this.client?.downRead ?? Infinity,
      this.user?.downRead ?? Infinity,
      this.rule?.downRead ?? Infinity,
    );
  }

  /** The exchange is over. Further calls do nothing. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.client?.end();
    this.user?.end();
    this.rule?.end();
  }
}

export class Rates {
  readonly #clientGroup: RateGroup;
  readonly #userGroup: RateGroup;
  readonly #clients: BoundedTable<RateAccount>;
  readonly #users: BoundedTable<RateAccount>;
  readonly #rules: BoundedTable<RateAccount>;
  #limitsClients = false;
  #limitsUsers = false;

  /** @param capacity how many clients, users and rules are remembered at least while they are idle */
  constructor(limits: Limits = { client: NO_LIMITS, user: NO_LIMITS }, capacity = CAPACITY) {
    this.#clientGroup = { limits: NO_LIMITS, whose: "of one client" };
    this.#userGroup = { limits: NO_LIMITS, whose: "of one user" };
    const weigh = (account: RateAccount, now: number) => account.weight(now);
    this.#clients = new BoundedTable(capacity, weigh);
    this.#users = new BoundedTable(capacity, weigh);
    this.#rules = new BoundedTable(capacity, weigh);
    this.limits = limits;
  }

  get limits(): Limits {
    return { client: this.#clientGroup.limits, user: this.#userGroup.limits };
  }

  /** Other limits, for exchanges under way too. What was counted so far counts on. */
  set limits({ client, user }: Limits) {
    this.#clientGroup.limits = client;
    this.#userGroup.limits = user;
    this.#limitsClients = limitsAnything(client);
    this.#limitsUsers = limitsAnything(user);
  }

  /** How many clients, users and rules are remembered. */
  get size(): number {
    return this.#clients.size + this.#users.size + this.#rules.size;
  }

  /**
   * Counts a request that is about to begin against its client, its user and its rule, unless one of them has
   * reached a limit: then against none of them. `null` when nothing limits it. Whoever gets a {@link Usage} has to
   * end it.
   *
   * @param client what it is counted as: its address, or the network that it has its addresses in
   * @param user `""` when there is none
   */
  begin(client: string, user: string, rule: RuleRates | null, now: number): Usage | Excess | null {
    const limitsUser = this.#limitsUsers && user !== "";
    if (!this.#limitsClients && !limitsUser && rule === null) return null;
    const ofClient = this.#limitsClients ? accountIn(this.#clients, client, this.#clientGroup, now) : null;
    const ofUser = limitsUser ? accountIn(this.#users, user, this.#userGroup, now) : null;
    const ofRule = rule === null ? null : this.#accountOf(rule, now);
    const excess = longest(
      longest(ofClient?.refusal(now) ?? null, ofUser?.refusal(now) ?? null),
      ofRule?.refusal(now) ?? null,
    );
    if (excess !== null) return excess;
    ofClient?.begin(now);
    ofUser?.begin(now);
    ofRule?.begin(now);
    return new Usage(ofClient, ofUser, ofRule);
  }

  /**
   * Counts an exchange that has begun against another rule from now on, which is found when its address is known.
   * After an {@link Excess} it is counted as before, and still to be ended. Nothing happens when the rule is the
   * same.
   *
   * @param usage what {@link begin} or this gave, or `null`
   */
  changeRule(usage: Usage | null, rule: RuleRates | null, now: number): Usage | Excess | null {
    const before = usage?.rule ?? null;
    if (before === null && rule === null) return usage;
    const account = rule === null ? null : this.#accountOf(rule, now);
    if (account === before) return usage;
    const excess = account?.refusal(now) ?? null;
    if (excess !== null) return excess;
    account?.begin(now);
    before?.takeBack();
    if (usage === null) return new Usage(null, null, account);
    usage.rule = account;
    return usage;
  }

  #accountOf({ rule, limits }: RuleRates, now: number): RateAccount {
    let account = this.#rules.get(rule);
    if (account === undefined) {
      account = new RateAccount({ limits, whose: `under the rule ${rule}` });
      this.#rules.add(rule, account, now);
    }
    account.group.limits = limits;
    return account;
  }
}

function accountIn(
  table: BoundedTable<RateAccount>,
  key: string,
  group: RateGroup,
  now: number,
): RateAccount {
  let account = table.get(key);
  if (account === undefined) {
    account = new RateAccount(group);
    table.add(key, account, now);
  }
  return account;
}

/** The one that lasts longer, so that a client that waits as told is not refused by the other then. */
function longest(one: Excess | null, other: Excess | null): Excess | null {
  return one === null || (other !== null && other.retryAfter > one.retryAfter) ? other : one;
}

function limitsAnything(limits: RateLimits): boolean {
  const { requests, exchanges, up, down, hourly, daily } = limits;
  return requests > 0 || exchanges > 0 || up > 0 || down > 0 || hourly > 0 || daily > 0;
}
