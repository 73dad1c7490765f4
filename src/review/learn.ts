/** Finds out from logs what a policy has to allow, and nothing more. */

import type { Authority } from "../http/authority.ts";
import type { IpAddress } from "../http/ip_address.ts";
import { clientScopeOf, PRIVACY, scopeOf } from "../policy/address_scope.ts";
import type { Facts } from "../policy/facts.ts";
import type { Decider } from "../policy/verdict.ts";
import { Evidence } from "./evidence.ts";
import { factsOf } from "./logged_facts.ts";
import { compact, type LearnedRule, type Sample } from "./learned_rule.ts";
import { type LoggedExchange, wasRefused, wentThrough } from "./logged_exchange.ts";
import { ownCopy, Tally } from "./tally.ts";

/** Different hosts and ports, with what else is asked for, that are learned; a policy has no room for more. */
const MOST_LEARNED = 20_000;
const MOST_LEFT = 1000;

/** Characters of a path that is worth keeping for a rule: as many of the longest would take a gigabyte. */
const LONGEST_PATH = 2048;

/** What else than hosts and ports a rule is to hold. */
export interface LearnOptions {
  readonly methods: boolean;
  readonly clients: boolean;
  readonly users: boolean;
}

/** The policy that there is already. */
export interface Known {
  readonly policy: Decider;
  /** The names of rules that deny whatever comes to them: what they deny may be allowed before them. */
  readonly catchAlls: ReadonlySet<string>;
}

/** Something that is not learned: a host and port, and in a few words why. */
export interface Left {
  count: number;
  readonly target: string;
  readonly why: string;
}

interface Seen {
  readonly rule: Omit<LearnedRule, "evidence">;
  readonly evidence: Evidence;
}

/** Denials without a rule that a rule with hosts and ports turns. */
const BY_RULE = new Set(["default", "connect ports", "port 25"]);

export class Learning {
  exchanges = 0;
  /** Those that went through, or would have but for a report. */
  through = 0;
  /** Those of them that the known policy allows. */
  covered = 0;
  /** Those for which there was no room. */
  beyond = 0;
  first = Infinity;
  last = -Infinity;
  /** Denied for good. */
  readonly denied = tallyOfLeft();
  /** Allowed, and never reached: a mistaken name, a server that is down. */
  readonly unreached = tallyOfLeft();
  /** What only a person may allow: addresses that hand out secrets, and what a rule cannot say. */
  readonly byHand = tallyOfLeft();
  /** What the known policy decides otherwise than by its default: it is not turned around. */
  readonly decided = tallyOfLeft();

  #options: LearnOptions;
  #known: Known | null;
  #seen = new Map<string, Seen>();

  /** @param known `null` when a policy is made from nothing */
  constructor(options: LearnOptions, known: Known | null) {
    this.#options = options;
    this.#known = known;
  }

  add(exchange: LoggedExchange): void {
    this.exchanges++;
    this.first = Math.min(this.first, exchange.time);
    this.last = Math.max(this.last, exchange.time);
    const { authority } = exchange;
    if (authority === null) return;
    if (wasRefused(exchange)) {
      return leave(this.denied, authority, exchange.rule === "" ? "" : `by ${exchange.rule}`);
    }
    if (!wentThrough(exchange)) {
      if (exchange.verdict === "allow") leave(this.unreached, authority, exchange.error);
      return;
    }
    this.through++;
    const address = exchange.originIp ?? authority.ip;
    if (address !== null && isGuarded(address)) return leave(this.byHand, authority, exchange.origin);
    if (this.#options.methods && exchange.method !== exchange.method.toUpperCase()) {
      return leave(this.byHand, authority, `method ${exchange.method}`);
    }
    const facts = factsOf(exchange, authority);
    if (this.#known !== null && !this.#isOpen(this.#known, facts, address, authority)) return;
    this.#learn(exchange, authority, { facts, address, secure: exchange.secure });
  }

  /** The rules that have to be added, in order. */
  rules(): LearnedRule[] {
    return compact([...this.#seen.values()].map(({ rule, evidence }) => ({ ...rule, evidence })));
  }

  /** Whether a rule for the exchange is wanted; counts it where not. */
  #isOpen(
    { policy, catchAlls }: Known,
    facts: Facts,
    address: IpAddress | null,
    authority: Authority,
  ): boolean {
    const { decision, rule, enforced } = policy.decide(facts, address);
    // what a single rule only reports goes on
    if (decision === "allow" || !enforced && !policy.reportsOnly) {
      this.covered++;
      return false;
    }
    if (decision === "unresolved") return true;
    if (decision === "deny" && (BY_RULE.has(rule) || catchAlls.has(rule))) return true;
    leave(
      this.decided,
      authority,
      decision === "authenticate" ? "asks for credentials" : `denied by ${rule}`,
    );
    return false;
  }

  #learn(exchange: LoggedExchange, authority: Authority, sample: Sample): void {
    const { host, port } = authority;
    const methods = this.#options.methods && exchange.method !== "" ? [ownCopy(exchange.method)] : null;
    const clients = this.#options.clients && exchange.client !== "" ? [exchange.client] : null;
    const users = this.#options.users && exchange.user !== null ? [ownCopy(exchange.user)] : null;
    const key = JSON.stringify([host, port, methods, clients, users]);
    let seen = this.#seen.get(key);
    if (seen === undefined) {
      if (this.#seen.size >= MOST_LEARNED) {
        this.beyond++;
        return;
      }
      const rule = { hosts: [host], ports: [port], methods, clients, users, sample: kept(sample) };
      seen = { rule, evidence: new Evidence() };
      this.#seen.set(key, seen);
    }
    const { evidence } = seen;
    evidence.add(exchange);
    if (exchange.serverName !== "" && exchange.serverName !== host) {
      evidence.otherNames.add(exchange.serverName);
    }
    const { address, facts } = sample;
    if (address !== null && PRIVACY[scopeOf(address)] > PRIVACY[clientScopeOf(facts.clientIp)]) {
      evidence.morePrivate.add(exchange.origin || host);
    }
  }
}

/** The sample without the lines of the log that its texts are parts of, and without a path that is too long. */
function kept({ facts, ...sample }: Sample): Sample {
  const { client, user, method, path } = facts;
  return {
    ...sample,
    facts: {
      ...facts,
      client: ownCopy(client),
      user: user === null ? null : ownCopy(user),
      method: ownCopy(method),
      path: path === null || path.length > LONGEST_PATH ? null : ownCopy(path),
    },
  };
}

/** Addresses to which only a rule leads that names them, and that nobody should have written by a program. */
function isGuarded(address: IpAddress): boolean {
  const scope = scopeOf(address);
  return scope === "metadata" || scope === "reserved" || scope === "unspecified";
}

function tallyOfLeft(): Tally<Left> {
  return new Tally(MOST_LEFT, (key) => {
    const space = key.indexOf(" ");
    return { count: 0, target: key.slice(0, space), why: key.slice(space + 1) };
  });
}

function leave(tally: Tally<Left>, authority: Authority, why: string): void {
  tally.of(`${authority.text} ${why}`).count++;
}
