/** Answers of weir's own: why there is none from the origin, in the form that the client can show. */

import { formatDate } from "../../http/date.ts";
import type { HttpError } from "../../http/error.ts";
import { bytesOf } from "../../http/text.ts";
import { ParentError } from "../parents/parent_error.ts";
import type { ProxySettings } from "../settings.ts";

const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  407: "Proxy Authentication Required",
  408: "Request Timeout",
  413: "Content Too Large",
  414: "URI Too Long",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
};

/** A page loads nothing, runs nothing and is in no other: all that it has is its style, which `style` allows. */
export function contentPolicy(style: string): string {
  return `Content-Security-Policy: default-src 'none'; style-src '${style}'; ` +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
}

/** Pages of errors have a style of their own, and nothing in them that is not escaped. */
const PAGE_GUARDS: readonly string[] = [contentPolicy("unsafe-inline"), "Referrer-Policy: no-referrer"];

/** Answers that say that the policy refuses. */
const REFUSALS: ReadonlySet<number> = new Set([403, 407, 429]);

/** What kind of page a client wants to see. */
export type PageKind = "html" | "json" | "text";

/** Chooses by the client's Accept: a browser names `text/html`, a program may name JSON, the rest gets text. */
export function pageKind(accept: string): PageKind {
  const lower = accept.toLowerCase();
  if (lower.includes("text/html")) return "html";
  if (/\bapplication\/(?:[a-z0-9.+-]+\+)?json\b/.test(lower)) return "json";
  return "text";
}

export interface AnswerOptions {
  kind: PageKind;
  /** What the exchange is called, in the log line too. */
  reference: string;
  /** HEAD and refused methods get the head alone. */
  withoutBody: boolean;
  /** Whether the connection ends with this answer. */
  close: boolean;
}

/** An answer as it goes out, in one piece, and how much of it is body. */
export interface Answer {
  readonly bytes: Uint8Array;
  readonly bodyLength: number;
}

/** The answer that `error` deserves. */
export function answerTo(error: HttpError, settings: ProxySettings, options: AnswerOptions): Answer {
  const { status } = error;
  const reason = printable(error.message);
  const standard = REASONS[status] ?? "Error";
  const identifier = `${settings.pseudonym}/${options.reference}`;
  // a terminal may not know which script it is shown
  const said = options.kind === "text" ? reason : visible(error.message);
  const text = page(options.kind, status, standard, said, visible(error.note), identifier, settings);
  const body = new TextEncoder().encode(text);
  // whoever was refused can name to the operator what it was, by what little their program shows
  const told = REFUSALS.has(status) ? `${reason} (${identifier})` : reason;
  const lines = [
    // for CONNECT the reason phrase is all that most clients show, so it says why and not only what
    `HTTP/1.1 ${status} ${standard}: ${told}`,
    `Date: ${formatDate(Date.now())}`,
    `Content-Type: ${CONTENT_TYPES[options.kind]}`,
    `Content-Length: ${body.length}`,
    "Cache-Control: no-store",
    `Proxy-Status: ${settings.pseudonym}; error=${error.error}${hopOf(error)}; details="${quoted(told)}"`,
    ...(status === 503 ? ["Retry-After: 5"] : []),
    ...(options.kind === "html" ? PAGE_GUARDS : []),
    ...error.fields,
    ...(options.close ? ["Connection: close"] : []),
  ];
  return withBody(lines, options.withoutBody ? new Uint8Array() : body);
}

/** Which parent has to do with it, and what it said (RFC 9209 §2.1.2 and §2.1.4). */
function hopOf(error: HttpError): string {
  if (!(error instanceof ParentError)) return "";
  const { nextHop, receivedStatus } = error;
  const status = receivedStatus === 0 ? "" : `; received-status=${receivedStatus}`;
  return `; next-hop="${quoted(printable(nextHop))}"${status}`;
}

/** Whatever an answer is, it is what its type says. */
const NOSNIFF = "X-Content-Type-Options: nosniff";

/** A head of these lines and a body, as an answer. */
export function withBody(lines: readonly string[], body: Uint8Array): Answer {
  const head = bytesOf(`${lines.join("\r\n")}\r\n${NOSNIFF}\r\n\r\n`);
  const bytes = new Uint8Array(head.length + body.length);
  bytes.set(head);
  bytes.set(body, head.length);
  return { bytes, bodyLength: body.length };
}

const CONTENT_TYPES: Readonly<Record<PageKind, string>> = {
  html: "text/html; charset=utf-8",
  json: "application/json",
  text: "text/plain; charset=utf-8",
};

function page(
  kind: PageKind,
  status: number,
  standard: string,
  reason: string,
  note: string,
  identifier: string,
  settings: ProxySettings,
): string {
  const by = settings.showVersion ? `weir ${settings.version}` : "weir";
  if (kind === "json") {
    return JSON.stringify({ status, title: standard, detail: reason, proxy: by, exchange: identifier }) +
      "\n";
  }
  if (kind === "text") return `${by}: ${status} ${standard}: ${reason} (${identifier})\n`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${status} ${standard}</title>
<style>
:root { color-scheme: light dark }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 36rem; margin: 15vh auto 0; padding: 0 1.5rem }
h1 { font-size: 1.25rem; margin: 0 } h1 b { font-size: 3rem; display: block; font-weight: 300; line-height: 1.2 }
p { overflow-wrap: anywhere } footer { margin-top: 3rem; font-size: .8rem; opacity: .6 }
</style>
<h1><b>${status}</b>${standard}</h1>
${paragraphs(reason, note)}
<footer>This answer is from the proxy, ${by}, and not from the site. Exchange ${escaped(identifier)}.</footer>
</html>
`;
}

/** The reason, and the note at its end as somebody wrote it. */
function paragraphs(reason: string, note: string): string {
  const isApart = note !== "" && reason.endsWith(`: ${note}`);
  const said = isApart ? reason.slice(0, -note.length - 2) : reason;
  return `<p>${escaped(sentence(said))}</p>${isApart ? `\n<p>${escaped(sentence(note))}</p>` : ""}`;
}

function sentence(text: string): string {
  return `${capital(text)}${/[.!?]$/.test(text) ? "" : "."}`;
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** For text and attributes of HTML. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** The same for a page, which is UTF-8: without controls, and what turns the direction of text around. */
function visible(text: string): string {
  return text.slice(0, 300).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "?");
}

/** ASCII without controls, bounded: nothing that came from a network can leave its line. */
function printable(text: string): string {
  return text.slice(0, 300).replace(/[^\x20-\x7e]/g, "?");
}

/** For a quoted string of a structured field (RFC 8941 §3.3.3). */
function quoted(text: string): string {
  return text.replace(/["\\]/g, "\\$&");
}
