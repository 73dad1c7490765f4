/** What `weir why` prints. */

import { RATES } from "../config/rates.ts";
import { formatSize } from "../config/quantity.ts";
import type { HttpError } from "../http/error.ts";
import { formatIp, type IpAddress } from "../http/ip_address.ts";
import { BOLD, CYAN, DIM, GREEN, paint, RED, YELLOW } from "../observe/colors.ts";
import { withoutPassword } from "../http/user_information.ts";
import { printable } from "../observe/printable.ts";
import { scopeOf } from "../policy/address_scope.ts";
import type { Asked } from "../policy/asked.ts";
import type { Step } from "../policy/evaluation.ts";
import type { Explanation } from "../policy/explanation.ts";
import type { Facts } from "../policy/facts.ts";
import { DIRECT } from "../policy/routes.ts";
import type { RateLimits } from "../policy/rates.ts";
import type { Verdict } from "../policy/verdict.ts";
import { refusal } from "../proxy/judgement.ts";

/** What is said to some addresses alike; to none when it is said to the name. */
export interface Judged {
  readonly addresses: readonly IpAddress[];
  readonly explanation: Explanation;
  /** Whether it is weir itself that listens there. */
  readonly own: boolean;
}

/** Where the addresses come from, or why there are none. */
export type Where =
  | { readonly state: "literal"; readonly parent: string }
  | { readonly state: "given" | "resolved" | "needless" }
  | { readonly state: "unknown"; readonly reason: string }
  | { readonly state: "elsewhere"; readonly parent: string };

export interface Answer {
  readonly judged: readonly Judged[];
  /** The one that counts. */
  readonly decisive: Judged;
  readonly where: Where;
  /** Whether the proxy would send the request on. */
  readonly goesOn: boolean;
}

export interface Question {
  /** As it was written. */
  readonly text: string;
  readonly asked: Asked;
  readonly facts: Facts;
  readonly answer: Answer;
  readonly rates: { readonly client: RateLimits; readonly user: RateLimits };
  /** Whether the method was given. */
  readonly chosen: boolean;
  /** What the cache would do, in words; `null` where nothing can be said of it. */
  readonly cache: string | null;
}

const LONGEST = 300;
const COLUMN = 10;
/** Names of rules are cut in the column of names. */
const WIDEST_NAME = 24;
const WIDEST_PLACE = 32;
/** Of rules that do not match, so many are shown at the beginning and at the end. */
const MOST_UNMATCHED = 20;
const MOST_ADDRESSES = 8;

/** What becomes of a target that is none. */
export function badRequestText(text: string, error: HttpError, color: boolean): string {
  return `${paint(color, RED, "✗")} ${paint(color, BOLD, "refused")} as no valid request\n\n` +
    row("asked", withoutPassword(text), color) +
    row("answer", `${error.status} Bad Request: ${error.message}`, color);
}

export function whyText(question: Question, color: boolean): string {
  const { answer } = question;
  const { decisive, judged } = answer;
  const { explanation } = decisive;
  let text = `${heading(answer, color)}\n\n${requestText(question, color)}${whereText(answer, color)}\n`;
  text += stepsText(explanation, 0, color);
  for (const each of judged) {
    if (each === decisive) continue;
    const { length } = sameBeginning(explanation.steps, each.explanation.steps);
    text += `\n  ${paint(color, DIM, `and to ${addressesText(each.addresses)}, from there on:`)}\n` +
      stepsText(each.explanation, length, color);
  }
  return [text, afterwards(question, color), changesText(answer, explanation, color)]
    .filter((part) => part !== "").join("\n");
}

/** The verdict in one line. */
function heading({ decisive, goesOn, where }: Answer, color: boolean): string {
  const { explanation: { verdict }, own } = decisive;
  const by = verdict.rule === "" ? "" : ` by ${name(verdict.rule)}`;
  const says = (mark: string, paintedIn: string, what: string, more: string) =>
    `${paint(color, paintedIn, mark)} ${paint(color, BOLD, what)}${printable(more, LONGEST)}`;
  if (own) return says("✗", RED, "refused", ", for it is weir itself that listens there: 502");
  if (verdict.decision === "unresolved") {
    return says("?", YELLOW, "undecided", ": it depends on the address, which is not known");
  }
  if (verdict.decision === "authenticate") {
    return says("?", YELLOW, "asked for a password", `: ${verdict.reason}`);
  }
  if (verdict.decision === "deny" && goesOn) {
    return says("✓", YELLOW, "let through", `, and only reported as denied${by}: ${verdict.reason}`);
  }
  if (verdict.decision === "deny") return says("✗", RED, "denied", `${by}: ${verdict.reason}`);
  if (where.state === "unknown") return says("✓", YELLOW, "allowed", `${by} as far as the name goes`);
  return says("✓", GREEN, "allowed", `${by}: ${verdict.reason}`);
}

function name(rule: string): string {
  return `"${rule}"`;
}

/** Who asks, for what, and what the proxy takes it for. */
function requestText({ text, asked, facts, chosen }: Question, color: boolean): string {
  let out = row("asked", text, color);
  const { authority, method } = asked;
  out += row("judged", `${method} ${method === "CONNECT" ? authority.text : asked.target}`, color);
  const changed = changeOf(text, asked);
  if (changed !== "") out += row("", changed, color, DIM);
  if (!chosen && method === "CONNECT" && !/^[^/?#]*:[0-9]+$/.test(text)) {
    out += row("", "as a tunnel, which programs open for https: its path cannot be seen", color, DIM);
  }
  return out +
    row("client", facts.user === null ? facts.client : `${facts.client}, user ${facts.user}`, color);
}

/** What the canonical form of the host differs in from what was written; `""` when it does not. */
function changeOf(text: string, { authority }: Asked): string {
  const written = text.replace(/^[a-z][a-z0-9+.-]*:\/\//i, "").replace(/[/?#].*/s, "");
  const host = written.startsWith("[") ? written.replace(/\].*/s, "]") : written.replace(/:[^:]*$/, "");
  const canonical = authority.text.slice(0, authority.text.lastIndexOf(":"));
  return host === canonical ? "" : `${host} is ${canonical}`;
}

function whereText({ judged, where }: Answer, color: boolean): string {
  const addresses = judged.flatMap((each) => each.addresses);
  switch (where.state) {
    case "literal":
      return (where.parent === DIRECT ? "" : row("parent", where.parent, color)) +
        row("address", `the host itself, ${scopeOf(addresses[0])}`, color);
    case "needless":
      return row("address", "not looked up: the name is enough", color);
    case "elsewhere":
      return row("parent", where.parent, color) +
        row(
          "address",
          "looked up by the parent: rules and settings for addresses do not hold",
          color,
          YELLOW,
        );
    case "unknown":
      return row("address", `unknown: ${where.reason}; --address names one`, color, YELLOW);
  }
  const shown = addresses.slice(0, 8).map((ip) => `${formatIp(ip)} ${paint(color, DIM, scopeOf(ip))}`).join(
    ", ",
  );
  const more = addresses.length > 8 ? `, and ${addresses.length - 8} more` : "";
  return `  ${paint(color, DIM, "address".padEnd(COLUMN))}${shown}${more}${
    where.state === "given" ? paint(color, DIM, ", as given") : ""
  }\n`;
}

const MARKS: Readonly<Record<Step["result"], readonly [mark: string, color: string]>> = {
  passes: ["✓", GREEN],
  fails: ["·", DIM],
  waits: ["?", YELLOW],
  assumes: ["!", YELLOW],
  reports: ["~", YELLOW],
  decides: ["→", RED],
};

/** The steps at the beginning that say the same of two addresses. */
function sameBeginning(steps: readonly Step[], others: readonly Step[]): readonly Step[] {
  const end = steps.findIndex(({ result }, index) => result !== others[index]?.result);
  return end < 0 ? steps : steps.slice(0, end);
}

function addressesText(addresses: readonly IpAddress[]): string {
  return addresses.slice(0, MOST_ADDRESSES).map(formatIp).join(", ") + moreThan(addresses);
}

function moreThan({ length }: readonly IpAddress[]): string {
  return length > MOST_ADDRESSES ? ` and ${length - MOST_ADDRESSES} more` : "";
}

/** @param from the first step that is shown */
function stepsText({ steps: all, verdict }: Explanation, from: number, color: boolean): string {
  // what has the last word if no address comes to light has none yet
  const known = verdict.decision !== "unresolved";
  const steps = all.slice(from).filter(({ result }) => known || result !== "decides");
  const width = widest(steps.map(({ name }) => name), WIDEST_NAME);
  const placeWidth = widest(steps.map(placeText), WIDEST_PLACE);
  const unmatched = steps.filter(({ result }) => result === "fails").length;
  let skipped = 0;
  let seen = 0;
  let text = "";
  for (const step of steps) {
    if (step.result === "fails" && unmatched > 2 * MOST_UNMATCHED) {
      seen++;
      if (seen > MOST_UNMATCHED && seen <= unmatched - MOST_UNMATCHED) {
        skipped++;
        continue;
      }
    }
    if (skipped > 0) {
      text += `  ${paint(color, DIM, `· ${skipped} more rules that do not match`)}\n`;
      skipped = 0;
    }
    text += stepText(step, width, placeWidth, color);
  }
  return text;
}

function stepText(step: Step, width: number, placeWidth: number, color: boolean): string {
  const { name, result, text } = step;
  const [mark, usualColor] = MARKS[result];
  const markColor = result === "decides" && allows(step) ? GREEN : usualColor;
  const label = printable(name, WIDEST_NAME - 1).padEnd(width);
  const place = printable(placeText(step), WIDEST_PLACE - 1).padEnd(placeWidth);
  const quiet = result === "fails";
  const words = (each: string) => quiet ? paint(color, DIM, each) : each;
  const gap = placeWidth === 0 ? "" : "  ";
  const parts = text.split("; ").map((part) => printable(part, LONGEST));
  const indent = " ".repeat(4 + width + gap.length + placeWidth + 2);
  return `  ${paint(color, markColor, mark)} ${words(label)}${gap}${paint(color, DIM, place)}  ` +
    `${parts.map(words).join(`\n${indent}`)}\n`;
}

/** Whether a step that decides does so by allowing. */
function allows({ rule, station, text }: Step): boolean {
  return rule === null ? station === "default" && text.endsWith("allow") : rule.action === "allow";
}

/** Where the rule of a step was written. */
function placeText({ rule }: Step): string {
  if (rule === null) return "";
  const { file, line } = rule.source;
  return line === 0 ? file : `${file}:${line}`;
}

/** The width of a column, without a spread that a policy of any size would make too long. */
function widest(texts: readonly string[], most: number): number {
  return texts.reduce((width, text) => Math.min(most, Math.max(width, text.length)), 0);
}

/** What the client is told, or what still watches over what is let through. */
function afterwards({ answer, facts, rates, cache }: Question, color: boolean): string {
  const { explanation: { verdict }, own } = answer.decisive;
  if (own || verdict.decision === "unresolved") return "";
  if (!answer.goesOn) {
    const { status, message } = refusal(verdict);
    return row("answer", `${status} ${message}`, color);
  }
  let text = "";
  if (facts.method === "CONNECT") text += row("tls", tlsInWords(verdict, facts.authority.host), color);
  const lines = [
    ...verdict.rates === null ? [] : [`${name(verdict.rates.rule)}: ${limitsInWords(verdict.rates.limits)}`],
    ...limited(rates.client) ? [`each client: ${limitsInWords(rates.client)}`] : [],
    ...facts.user !== null && limited(rates.user) ? [`each user: ${limitsInWords(rates.user)}`] : [],
  ];
  lines.forEach((line, index) => text += row(index === 0 ? "rates" : "", line, color));
  if (cache !== null) text += row("cache", cache, color);
  return text;
}

function tlsInWords({ tls, unseenBy }: Verdict, host: string): string {
  if (unseenBy !== undefined) {
    return `require: it has to be TLS, and to ask for ${host}, since ${name(unseenBy)} cannot see into it`;
  }
  switch (tls) {
    case "any":
      return "any: what goes through the tunnel is not looked at";
    case "match":
      return `match: TLS has to ask for ${host}, or for no name; other protocols may pass`;
    case "require":
      return `require: it has to be TLS, and to ask for ${host}`;
  }
}

function limited(limits: RateLimits): boolean {
  return Object.values(limits).some((limit) => limit > 0);
}

function limitsInWords(limits: RateLimits): string {
  return RATES.filter((rate) => limits[rate.name] > 0).map((rate) => {
    const limit = limits[rate.name];
    return `${rate.name} ${rate.type === "size" ? formatSize(limit) : limit}`;
  }).join(", ");
}

/** What would have to be written so that it came out otherwise. */
function changesText(
  { goesOn, decisive }: Answer,
  { changes, verdict }: Explanation,
  color: boolean,
): string {
  // weir's own listeners are out of reach whatever the policy says
  if (changes.length === 0 || decisive.own) return "";
  const turned = verdict.decision === "allow" ? "deny" : "allow";
  const what = turned === "allow" && goesOn ? "to allow it without a report" : `to ${turned} it`;
  const pieces = changes.map(({ text }) =>
    text.split("\n").map((line) => `  ${" ".repeat(COLUMN)}${paint(color, CYAN, printable(line, LONGEST))}\n`)
      .join("")
  );
  return `  ${paint(color, BOLD, what)}${changes.length > 1 ? ", all of these" : ""}:\n${pieces.join("")}`;
}

function row(label: string, text: string, color: boolean, textColor?: string): string {
  const line = printable(text, LONGEST);
  return `  ${paint(color, DIM, label.padEnd(COLUMN))}${
    textColor === undefined ? line : paint(color, textColor, line)
  }\n`;
}
