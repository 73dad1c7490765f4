/** Asks the policy, writes its verdict into the record, and makes a refusal of it. */

import { HttpError } from "../http/error.ts";
import { type IpAddress, parseIp } from "../http/ip_address.ts";
import { Excess } from "../policy/rate_account.ts";
import type { Verdict } from "../policy/verdict.ts";
import type { Asker } from "./asker.ts";
import type { Exchange } from "./exchange.ts";
import type { Session } from "./session.ts";

/** What the record names as the rule when a request came too soon. */
const RATES = "rates";
/** Different addresses of origins that are remembered as bytes; when there are more, all are forgotten. */
const MAX_REMEMBERED = 4096;
const remembered = new Map<string, IpAddress | null>();

/** An address of an origin as bytes; `null` when it is none, such as one with a zone identifier. */
export function ipOf(address: string): IpAddress | null {
  let ip = remembered.get(address);
  if (ip === undefined) {
    ip = parseIp(address);
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
    remembered.set(address, ip);
  }
  return ip;
}

/** Whether the exchange goes on after such a verdict. */
export function passes(verdict: Verdict): boolean {
  return !verdict.enforced || verdict.decision === "allow" || verdict.decision === "unresolved";
}

/** Judges the request of the exchange under way, to `address` or as far as can be said without one. */
export function judge(session: Asker, address: IpAddress | null): Verdict {
  return session.services.settings.policy.decide(session.facts, address);
}

/**
 * The same by the address that was or would be reached, as text; `""` is one that nobody here gets to know, since a
 * parent looks the name up.
 */
export function judgeAt(session: Asker, address: string): Verdict {
  if (address !== "") return judge(session, ipOf(address));
  return session.services.settings.policy.decide(session.facts, null, true);
}

/**
 * The same for what was stored from there. `null` where nothing can be said: of an address that cannot be read, and of
 * none where the origin is reached directly now.
 */
export function judgeStored(session: Asker, address: string): Verdict | null {
  const { services: { parents }, facts: { authority } } = session;
  const unknown = address === "" ? parents.firstWay(authority) === null : ipOf(address) === null;
  return unknown ? null : judgeAt(session, address);
}

/**
 * Writes a verdict into the record and stands by it. What it lets through counts against the rates from now on.
 * Throws {@link HttpError}: 403 or 407 when the verdict refuses, 429 when the rates do.
 */
export function obey(session: Asker, exchange: Exchange, verdict: Verdict): void {
  keepTo(session, exchange, verdict);
  if (!passes(verdict)) throw refusal(verdict);
  const { services: { rates, clock, settings }, facts, clientKey, counted } = session;
  const usage = counted
    ? rates.changeRule(session.usage ?? session.countedOnly, verdict.rates, clock.now)
    : rates.begin(clientKey, facts.user ?? "", verdict.rates, clock.now);
  session.counted = true;
  if (!(usage instanceof Excess)) {
    if (settings.policy.reportsOnly) session.countedOnly = usage;
    else session.usage = usage;
    return;
  }
  exchange.verdict = "deny";
  exchange.rule = RATES;
  exchange.reason = usage.limit;
  exchange.enforced = !settings.policy.reportsOnly;
  if (exchange.enforced) {
    const later = `Retry-After: ${usage.retryAfter}`;
    throw new HttpError(429, "http_request_denied", `too much: ${usage.limit}`, [later]);
  }
}

/** Writes a verdict that has been obeyed into the record. */
export function keepTo(session: Asker, exchange: Exchange, verdict: Verdict): void {
  session.verdict = verdict;
  const { decision } = verdict;
  // that its rates would have refused it is not undone by an address that is fine
  if (!exchange.enforced && exchange.rule === RATES && decision === "allow") return;
  exchange.verdict = decision === "unresolved" ? "none" : decision === "allow" ? "allow" : "deny";
  exchange.rule = verdict.rule;
  exchange.reason = verdict.reason;
  exchange.enforced = verdict.enforced;
}

/** No rule is asked, since nothing goes out: this counts the request against its client's rates. */
const NOTHING_DECIDED: Verdict = {
  decision: "unresolved",
  rule: "",
  reason: "",
  note: "",
  enforced: true,
  tls: "any",
  rates: null,
};

/**
 * Whether the client may ask weir for something of its own, whoever it is, and has not asked too often. Nobody is asked
 * for a password. Throws {@link HttpError} as {@link obey} does.
 */
export function receive(session: Session, exchange: Exchange): void {
  const { facts } = session;
  facts.user = null;
  const received = session.services.settings.policy.receive({ ...facts, user: "" });
  obey(session, exchange, received ?? NOTHING_DECIDED);
}

/** What a refused client is told: the rule and its note. Why, and what would help, is the operator's to know. */
export function refusal(verdict: Verdict): HttpError {
  if (verdict.decision === "authenticate") {
    return new HttpError(407, "http_request_denied", "say who you are", [CHALLENGE]);
  }
  const { rule, note } = verdict;
  const told = note === "" ? "" : `: ${note}`;
  return new HttpError(403, "http_request_denied", `denied by ${rule}${told}`, [], note);
}

/** How a client says who it is (RFC 9110 §11.7.1, RFC 7617 §2.1). */
export const CHALLENGE = 'Proxy-Authenticate: Basic realm="weir", charset="UTF-8"';
