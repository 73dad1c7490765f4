/**
 * The gateway: a listener that is asked for pages of others as for its own, `/example.com/path`. Its requests become
 * ones in absolute form before they are understood, so that everything behind takes them for what they are.
 */

import { formatDate } from "../http/date.ts";
import { badRequest, HttpError } from "../http/error.ts";
import { Field } from "../http/field_names.ts";
import type { HeadReader } from "../http/head_reader.ts";
import { readRequestLine } from "../http/start_line.ts";
import { targetText } from "../http/target.ts";
import { bytesOf, decodeText } from "../http/text.ts";
import { NoSuchHost } from "./dialling.ts";
import type { Exchange } from "./exchange.ts";
import { type Place, requestFields, responseHead, targetOf } from "./gateway_fields.ts";
import { siteLink } from "./gateway_links.ts";
import { receive } from "./judgement.ts";
import { ownHost } from "./own/own_host.ts";
import type { Request } from "./request.ts";
import { sendAnswer, sendError } from "./own/send_answer.ts";
import type { Session } from "./session.ts";

/** A request that came to a gateway: what its answer is rewritten by. */
export class Gateway {
  #place: Place | null = null;

  /**
   * @param prefix what of its target stands for its origin; `""` where it names none
   * @param elsewhere a target in the gateway to which the client is sent when there is no such origin; or `""`
   */
  constructor(readonly request: Request, readonly prefix: string, readonly elsewhere: string) {}

  /** A head, whole, as the client gets it. */
  head(bytes: Uint8Array): Uint8Array {
    const { head, target } = this.request;
    this.#place ??= { prefix: this.prefix, url: targetText(head, target) };
    return bytesOf(responseHead(decodeText(bytes, 0, bytes.length, true), this.#place));
  }
}

/**
 * Makes of a request to the gateway one to the origin, in place, unless it is one that {@link answerInGateway} answers:
 * for the gateway's own page, which is `null`, or for a link that lacks its site. Throws {@link HttpError} for one that
 * is not answered here, whatever it asks for.
 */
export function enterGateway(session: Session, exchange: Exchange, request: Request): Gateway | null {
  const { head } = request;
  readRequestLine(head, request);
  const method = request.method = exchange.method = head.text(head.start, request.methodEnd);
  const target = exchange.target = head.text(request.targetStart, request.targetEnd);
  if (!target.startsWith("/")) {
    throw badRequest(
      "this is a gateway, not a proxy: ask it for /example.com/ instead of http://example.com/",
    );
  }
  refuseOthers(session, request);
  if (method !== "GET" && method !== "HEAD") {
    throw new HttpError(405, "http_request_error", "the gateway fetches pages: it takes GET and HEAD alone", [
      "Allow: GET, HEAD",
    ]);
  }
  const link = siteLink(target, refererOf(head));
  if (link !== null && !link.unlessHost) return new Gateway(request, "", link.target);
  if (target === "/" || target.startsWith("/?")) return null;
  const { url, prefix } = targetOf(target);
  const lines = [
    `${method} ${url}${head.text(request.targetEnd, head.startLineEnd)}`,
    // what the origin gets is made from the target
    "Host:",
    ...requestFields(fieldsOf(head)),
  ];
  const bytes = bytesOf(lines.join("\r\n") + "\r\n\r\n");
  head.begin(bytes, 0);
  head.read(bytes.length);
  return new Gateway(request, prefix, link?.target ?? "");
}

/** The page that the request is from; `""` where it does not say, or says it twice. */
function refererOf(head: HeadReader): string {
  const index = head.find(Field.Referer);
  return index < 0 || head.find(Field.Referer, index + 1) >= 0 ? "" : head.value(index);
}

function* fieldsOf(head: HeadReader): Generator<[string, string]> {
  for (let index = 0; index < head.count; index++) yield [head.name(index), head.value(index)];
}

/**
 * Refuses what a page of another site sends: it could otherwise learn what only this machine reaches. That goes for
 * links too, since who opens a window can watch it.
 */
function refuseOthers(session: Session, request: Request): void {
  const { head } = request;
  if (head.find(Field.Host) < 0 && request.minorVersion === 1) throw badRequest("a request without Host");
  if (ownHost(session, request) === null) {
    throw refusal(
      "the gateway is not known by this name: ask it by its address, or give it the name with --name",
    );
  }
  const site = head.field("sec-fetch-site");
  const own = head.values(Field.Host).toLowerCase();
  const fromHere = (value: string) => value === "" || URL.parse(value)?.host === own;
  if (
    (site !== "" && site !== "same-origin" && site !== "none") || !fromHere(head.field("origin")) ||
    !fromHere(head.values(Field.Referer))
  ) {
    throw refusal(
      "another site's page has asked for this: type the address, or open it from a page of the gateway",
    );
  }
}

function refusal(message: string): HttpError {
  return new HttpError(403, "http_request_denied", message);
}

/**
 * Sends the client to where its link leads, or says what this is. True when another request may follow. Throws
 * {@link HttpError} for whom the policy is not for.
 */
export function answerInGateway(session: Session, exchange: Exchange, request: Request): Promise<boolean> {
  exchange.kind = "own";
  receive(session, exchange);
  const { gateway } = session;
  return gateway === null
    ? answerPage(session, exchange, request)
    : sendElsewhere(session, exchange, request, gateway.elsewhere);
}

/**
 * Sends the client to a target in the gateway, which is judged when it is asked for. Nobody is told anything that they
 * have not said themselves.
 */
function sendElsewhere(session: Session, exchange: Exchange, request: Request, to: string): Promise<boolean> {
  const why = exchange.host === "" ? "" : `there is no host ${exchange.host}: `;
  exchange.details = `${why}sent to ${to}, by the page it is from`;
  return sendAnswer(session, exchange, request, [
    "HTTP/1.1 307 Temporary Redirect",
    `Date: ${formatDate(Date.now())}`,
    `Location: ${to}`,
    "Content-Length: 0",
    "Cache-Control: no-store",
    "Vary: Referer",
    "Cross-Origin-Resource-Policy: same-origin",
  ], new Uint8Array());
}

function answerPage(session: Session, exchange: Exchange, request: Request): Promise<boolean> {
  const own = `http://${session.listener}`;
  const body = bytesOf(
    `This is a gateway: it fetches the page that its path names.\n\n` +
      `  ${own}/example.com/path?query\n  ${own}/https://example.com/path?query\n\n` +
      "Redirects stay in the gateway, and so do links within a site. Scripts do not run.\n",
  );
  return sendAnswer(session, exchange, request, [
    "HTTP/1.1 200 OK",
    `Date: ${formatDate(Date.now())}`,
    "Content-Type: text/plain; charset=utf-8",
    `Content-Length: ${body.length}`,
    "Cache-Control: no-store",
    "X-Content-Type-Options: nosniff",
    "Cross-Origin-Resource-Policy: same-origin",
  ], request.method === "HEAD" ? new Uint8Array() : body);
}

/**
 * Tells a gateway's client why its request is not answered by an origin, or where it may be. True when its connection
 * can go on.
 *
 * @param close whether it is clear already that the connection cannot
 */
export function sendGatewayError(
  session: Session,
  exchange: Exchange,
  request: Request,
  error: HttpError,
  close: boolean,
): Promise<boolean> {
  const elsewhere = session.gateway?.elsewhere ?? "";
  return error instanceof NoSuchHost && elsewhere !== ""
    ? sendElsewhere(session, exchange, request, elsewhere)
    : sendError(session, exchange, request, gatewayError(error), close);
}

/** An error as it is said to who asks a web server, and knows of no proxy. */
function gatewayError(error: HttpError): HttpError {
  const { error: type, message, note } = error;
  if (error instanceof NoSuchHost) return new HttpError(404, type, message, [], note);
  if (error.status !== 407) return error;
  const fields = error.fields.map((field) => field.replace(/^Proxy-Authenticate:/i, "WWW-Authenticate:"));
  return new HttpError(401, type, message, fields, note);
}
