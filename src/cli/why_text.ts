/** What `weir why` prints. */

import { RATES } from "../config/rates.ts";
import { formatSize } from "../config/quantity.ts";
import type { HttpError } from "../http/error.ts";
import { formatIp, type IpAddress } from "../http/ip_address.ts";
import { BOLD, CYAN, DIM, GREEN, paint, RED, YELLOW } from "../observe/colors.ts";
import { printable } from "../observe/printable.ts";
import { scopeOf } from "../policy/address_scope.ts";
import type { Asked } from "../policy/asked.ts";
import type { Step } from "../policy/evaluation.ts";
import type { Explanation } from "../policy/explanation.ts";
import type { Facts } from "../policy/facts.ts";
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
  | { readonly state: "literal" | "given" | "resolved" | "needless" }
  | { readonly state: "unknown"; readonly reason: string };

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
}

const LONGEST = 300;
const COLUMN = 10;
/** Names of rules are cut in the column of names. */
const WIDEST_NAME = 24;
/** Of rules that do not match, so many are shown at the beginning and at the end. */
const MOST_UNMATCHED = 20;

/** What becomes of a target that is none. */
export function badRequestText(text: string, error: HttpError, color: boolean): string {
  return `${paint(color, RED, "✗")} ${paint(color, BOLD, "refused")} as no valid request\n\n` +
    row("asked", text, color) +
    row("answer", `${error.status} Bad Request: ${error.message}`, color);
}

export function whyText(question: Question, color: boolean): string {
  const { answer } = question;
  const { decisive, judged } = answer;
  const { explanation } = decisive;
  let text = `${heading(answer, color)}\n\n${requestText(question, color)}${whereText(answer, color)}\n`;
  for (const each of judged) {
    if (judged.length > 1) {
      text += `  ${paint(color, DIM, `to ${each.addresses.map(formatIp).join(", ")}`)}\n`;
    }
    text += `${stepsText(each.explanation.steps, color)}\n`;
  }
  text += afterwards(question, color);
  return `${text}${changesText(answer, explanation, color)}`;
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
  const changed = changesOf(text, asked);
  if (changed !== "") out += row("", changed, color, DIM);
  if (!chosen && method === "CONNECT" && text.includes("://")) {
    out += row("", "as a tunnel, which programs open for https: its path cannot be seen", color, DIM);
  }
  out += row(
    "client",
    `${facts.client}, ${facts.user === null ? "who has not said who it is" : `user ${facts.user}`}`,
    color,
  );
  return out;
}

/** What the canonical form of the authority differs in from what was written. */
function changesOf(text: string, { authority }: Asked): string {
  const written = text.replace(/^[a-z][a-z0-9+.-]*:\/\//i, "").replace(/[/?#].*/s, "");
  const host = written.startsWith("[") ? written.replace(/\].*/s, "]") : written.replace(/:[^:]*$/, "");
  const canonical = authority.text.slice(0, authority.text.lastIndexOf(":"));
  const parts: string[] = [];
  if (host !== canonical) parts.push(`${host} is ${canonical}`);
  if (host === written) parts.push(`port ${authority.port} goes with the scheme`);
  return parts.join("; ");
}

function whereText({ judged, where }: Answer, color: boolean): string {
  const addresses = judged.flatMap((each) => each.addresses);
  switch (where.state) {
    case "literal":
      return row("address", `the host itself, ${scopeOf(addresses[0])}`, color);
    case "needless":
      return row("address", "not looked up: the name is enough", color);
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
  reports: ["~", YELLOW],
  decides: ["→", CYAN],
};

function stepsText(steps: readonly Step[], color: boolean): string {
  const width = Math.min(WIDEST_NAME, Math.max(...steps.map((step) => step.name.length), 8));
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
    text += stepText(step, width, color);
  }
  return text;
}

function stepText({ name, result, rule, text }: Step, width: number, color: boolean): string {
  const [mark, markColor] = MARKS[result];
  const label = printable(name, WIDEST_NAME - 1).padEnd(width);
  const place = rule === null || rule.source.line === 0 ? "" : `  ${rule.source.file}:${rule.source.line}`;
  const line = printable(text, LONGEST);
  const words = result === "fails" ? paint(color, DIM, line) : line;
  return `  ${paint(color, markColor, mark)} ${
    result === "fails" ? paint(color, DIM, label) : label
  }  ${words}${paint(color, DIM, printable(place, LONGEST))}\n`;
}

/** What the client is told, or what still watches over what is let through. */
function afterwards({ answer, facts, rates }: Question, color: boolean): string {
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
  return text;
}

function tlsInWords({ tls }: Verdict, host: string): string {
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
function changesText({ goesOn }: Answer, { changes, verdict }: Explanation, color: boolean): string {
  if (changes.length === 0) return "";
  const turned = verdict.decision === "allow" ? "deny" : "allow";
  const what = turned === "allow" && goesOn ? "to allow it without a report" : `to ${turned} it`;
  const pieces = changes.map(({ text }) =>
    text.split("\n").map((line) => `  ${" ".repeat(COLUMN)}${paint(color, CYAN, printable(line, LONGEST))}\n`)
      .join("")
  );
  return `\n  ${paint(color, BOLD, what)}${changes.length > 1 ? ", all of these" : ""}:\n${pieces.join("")}`;
}

function row(label: string, text: string, color: boolean, textColor?: string): string {
  const line = printable(text, LONGEST);
  return `  ${paint(color, DIM, label.padEnd(COLUMN))}${
    textColor === undefined ? line : paint(color, textColor, line)
  }\n`;
}
