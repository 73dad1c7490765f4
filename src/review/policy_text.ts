/** Writes what was learned as a policy that a person reads, and as the rules of one. */

import { formatIp, parseIp } from "../http/ip_address.ts";
import { wrongName } from "../config/rules.ts";
import { printable } from "../config/printable.ts";
import type { Learning, Left } from "./learn.ts";
import { exchangesInWords, period } from "./evidence.ts";
import type { LearnedRule } from "./learned_rule.ts";
import { tomlString } from "../policy/toml_string.ts";
import type { Tally } from "./tally.ts";
import { wildcards } from "./wildcards.ts";

/** Hosts that a line of a rule holds; of more each has a line of its own. */
const HOSTS_IN_LINE = 3;
/** Lines that each list of what was not learned has. */
const MOST_LEFT = 50;

/** Writes a number of bytes for people. */
export type SizeText = (bytes: number) => string;

/** A learned rule and its name, unlike any other's. */
export interface NamedRule extends LearnedRule {
  readonly name: string;
}

/** @param taken names that other rules have */
export function withNames(rules: readonly LearnedRule[], taken: Iterable<string>): NamedRule[] {
  const names = new Set(taken);
  return rules.map((rule) => {
    const name = freeName(rule, names);
    names.add(name);
    return { ...rule, name };
  });
}

function freeName({ hosts, ports }: LearnedRule, taken: ReadonlySet<string>): string {
  const base = hosts.length === 1 ? hosts[0] : `${hosts.length} hosts`;
  const first = `${base}${base.includes(":") ? " port " : ":"}${ports[0]}`;
  for (const name of [base, first]) if (!taken.has(name) && wrongName(name) === null) return name;
  for (let number = 2;; number++) if (!taken.has(`${first} (${number})`)) return `${first} (${number})`;
}

/** A rule with its evidence above it, as lines. */
export function ruleLines(rule: NamedRule, size: SizeText): string[] {
  const lines = [...rule.evidence.lines(size).map(comment)];
  if (rule.hosts.some((host) => parseIp(host) !== null)) {
    lines.push(comment("an address: every name that leads to it is allowed too"));
  }
  lines.push(
    "[[rule]]",
    `name = ${tomlString(rule.name)}`,
    'action = "allow"',
    ...hostLines(rule.hosts),
    `ports = [${rule.ports.join(", ")}]`,
  );
  if (rule.methods !== null) lines.push(`methods = ${list(rule.methods)}`);
  if (rule.clients !== null) lines.push(`clients = ${list(rule.clients)}`);
  if (rule.users !== null) lines.push(`users = ${list(rule.users)}`);
  return lines;
}

/** A case for each rule that holds with it: one that was seen. */
export function testBlocks(rules: readonly NamedRule[]): string[][] {
  // what the guard of addresses may refuse all the same is no case to hold a policy to
  return rules.filter(({ evidence, sample }) =>
    evidence.morePrivate.size === 0 || sample.facts.authority.ip === null
  ).map(testLines);
}

function testLines({ name, sample, methods, users, evidence }: NamedRule): string[] {
  const { facts, address, secure } = sample;
  const { authority, method } = facts;
  const tunnel = method === "CONNECT" || method === "";
  const url = tunnel
    ? authority.text
    : `${secure ? "https" : "http"}://${authority.hostField(secure ? 443 : 80)}/`;
  const lines = ["[[test]]", `url = ${tomlString(url)}`];
  if (facts.client !== "127.0.0.1") lines.push(`client = ${tomlString(facts.client)}`);
  if (users !== null && facts.user !== null) lines.push(`user = ${tomlString(facts.user)}`);
  if (methods !== null && !tunnel && (secure || method !== "GET")) {
    lines.push(`method = ${tomlString(method)}`);
  }
  // an address that the defaults refuse would make the case fail
  if (address !== null && authority.ip === null && evidence.morePrivate.size === 0) {
    lines.push(`addresses = [${tomlString(formatIp(address))}]`);
  }
  lines.push('expect = "allow"', `rule = ${tomlString(name)}`);
  return lines;
}

/** A whole policy. */
export function policyText(
  learning: Learning,
  rules: readonly NamedRule[],
  size: SizeText,
  tests: boolean,
): string {
  const blocks = [headLines(learning), policyLines(rules)];
  for (const rule of rules) blocks.push(ruleLines(rule, size));
  if (tests) blocks.push(...testBlocks(rules));
  for (const remark of remarks(learning, rules)) blocks.push(remark.map(comment));
  return blocks.map((lines) => `${lines.join("\n")}\n`).join("\n");
}

/** Rules for users need to know who they are. */
function policyLines(rules: readonly NamedRule[]): string[] {
  const lines = ["[policy]", 'default = "deny"'];
  if (rules.every(({ users }) => users === null)) return lines;
  return [
    ...lines,
    comment("the file of their passwords; weir passwd users NAME writes it"),
    'users = "users"',
    'authentication = "by-rule"',
  ];
}

function headLines({ exchanges, through, first, last }: Learning): string[] {
  if (exchanges === 0) return [comment("Learned from a log without exchanges: nothing is allowed.")];
  return [
    comment(`Learned from ${exchangesInWords(exchanges)}, ${period(first, last)}; ${through} went through.`),
    comment("What was asked for is not yet what should be: read it before it is in force."),
  ];
}

/** What a person should know besides the rules, each a heading and its lines. */
export function remarks(learning: Learning, rules: readonly LearnedRule[]): string[][] {
  const found: string[][] = [];
  const patterns = wildcards(rules.flatMap(({ hosts }) => hosts));
  if (patterns.length > 0) {
    found.push([
      "Names of one domain. A pattern would cover them, and all names that anybody adds to it:",
      ...patterns.map(({ domain, names }) => `  ${names} below ${domain}: "*.${domain}"`),
    ]);
  }
  found.push(
    ...leftLines("Denied in the log, and not allowed here:", learning.denied),
    ...leftLines("Decided by the policy otherwise than by its default, and left so:", learning.decided),
    ...leftLines("Left to a rule that is written by hand, if it has to be:", learning.byHand),
    ...leftLines("Allowed in the log, but never reached, and not allowed here:", learning.unreached),
  );
  if (learning.beyond > 0) {
    found.push([
      `Not all is covered: there are too many hosts, and ${learning.beyond} exchanges went to others than these.`,
    ]);
  }
  return found;
}

function leftLines(heading: string, tally: Tally<Left>): string[][] {
  if (tally.size === 0) return [];
  const all = tally.sorted(({ count }) => count).map(([, left]) => left);
  const lines = all.slice(0, MOST_LEFT).map(({ count, target, why }) =>
    `  ${count} ${target}${why === "" ? "" : `, ${printable(why)}`}`
  );
  const others = all.slice(MOST_LEFT).reduce((sum, { count }) => sum + count, tally.rest?.count ?? 0);
  if (others > 0) lines.push(`  ${others} of others`);
  return [[heading, ...lines]];
}

function hostLines(hosts: readonly string[]): string[] {
  if (hosts.length <= HOSTS_IN_LINE) return [`hosts = ${list(hosts)}`];
  return ["hosts = [", ...hosts.map((host) => `  ${tomlString(host)},`), "]"];
}

function list(texts: readonly string[]): string {
  return `[${texts.map(tomlString).join(", ")}]`;
}

/** Everything in it has been read as a host, an address or a number, or made printable. */
function comment(text: string): string {
  return `# ${text}`.trimEnd();
}
