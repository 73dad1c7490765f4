/**
 * The gateway: a listener that is asked for pages of others as for its own, `/example.com/path`. Its requests become
 * ones in absolute form before they are understood, so that everything behind takes them for what they are.
 */

import { formatDate } from "../http/date.ts";
import { badRequest, HttpError } from "../http/error.ts";
import { Field } from "../http/field_names.ts";
import type { HeadReader } from "../http/head_reader.ts";
import { readRequestLine } from "../http/start_line.ts";
import { DEFAULT_PORTS, targetText } from "../http/target.ts";
import { bytesOf, decodeText } from "../http/text.ts";
import { maskUserInformation } from "../http/user_information.ts";
import { NoSuchHost } from "./dialling.ts";
import type { Exchange } from "./exchange.ts";
import { gatewayAsked, showsPage } from "./gateway_access.ts";
import { type Place, requestFields } from "./gateway_fields.ts";
import { ownUrl, siteLink } from "./gateway_links.ts";
import { responseHead } from "./gateway_response.ts";
import { targetOf } from "./gateway_target.ts";
import { receive } from "./judgement.ts";
import type { Request } from "./request.ts";
import { sendAnswer, sendError } from "./own/send_answer.ts";
import type { Session } from "./session.ts";

/** A request that came to a gateway: what its answer is rewritten by. */
export class Gateway {
  #place: Place | null = null;

  /**
   * @param prefix what of its target stands for its origin; `""` where it names none
   * @param elsewhere a target in the gateway to which the client is sent when there is no such origin; or `""`
   * @param ownOrigin the gateway's port where the site has an origin of its own; `null` where it is in the paths
   */
  constructor(
    readonly request: Request,
    readonly prefix: string,
    readonly elsewhere: string,
    readonly ownOrigin: number | null = null,
  ) {}

  /** A head, whole, as the client gets it. */
  head(bytes: Uint8Array): Uint8Array {
    const { head, target } = this.request;
    this.#place ??= { prefix: this.prefix, url: targetText(head, target), ownOrigin: this.ownOrigin };
    return bytesOf(responseHead(decodeText(bytes, 0, bytes.length, true), this.#place));
  }
}

/**
 * Makes of a request to the gateway one to the origin, in place, unless it is one that {@link answerInGateway} answers:
 * for the gateway's own page, which is `null`, or for a link that lacks its site or leads to the site's own origin.
 * Throws {@link HttpError} for one that is not answered here, whatever it asks for.
 */
export function enterGateway(session: Session, exchange: Exchange, request: Request): Gateway | null {
  const { head } = request;
  readRequestLine(head, request);
  const method = request.method = exchange.method = head.text(head.start, request.methodEnd);
  const target = withoutFragment(head.text(request.targetStart, request.targetEnd));
  if (!target.startsWith("/")) {
    throw badRequest(
      "this is a gateway, not a proxy: ask it for /example.com/ instead of http://example.com/",
    );
  }
  // what the log shows until it is understood: a URL in it may hold a password
  exchange.target = `/${maskUserInformation(target.slice(1))}`;
  const { site, port, ownOrigins } = gatewayAsked(session, request);
  if (method !== "GET" && method !== "HEAD") {
    throw new HttpError(405, "http_request_error", "the gateway fetches pages: it takes GET and HEAD alone", [
      "Allow: GET, HEAD",
    ]);
  }
  if (site !== null) {
    const { scheme, authority } = site;
    becomes(request, `${scheme}://${authority.hostField(DEFAULT_PORTS[scheme])}${target}`, true);
    return new Gateway(request, "", "", port);
  }
  const link = siteLink(target, refererOf(head));
  if (link !== null && !link.unlessHost) return new Gateway(request, "", link.target);
  if (target === "/" || target.startsWith("/?")) return null;
  const written = targetOf(target);
  const origin = link === null && ownOrigins && showsPage(head) ? ownUrl(written, port) : null;
  if (origin !== null) return new Gateway(request, "", origin);
  becomes(request, written.url, false);
  return new Gateway(request, written.prefix, link?.target ?? "");
}

/** Makes of a request, in place, one for a URL in absolute form. */
function becomes(request: Request, url: string, ownOrigin: boolean): void {
  const { head } = request;
  const lines = [
    `${request.method} ${url}${head.text(request.targetEnd, head.startLineEnd)}`,
    // what the origin gets is made from the target
    "Host:",
    ...requestFields(fieldsOf(head), ownOrigin),
  ];
  const bytes = bytesOf(lines.join("\r\n") + "\r\n\r\n");
  head.begin(bytes, 0);
  head.read(bytes.length);
}

/** A target as its site is asked for it (RFC 9110 §7.1). */
function withoutFragment(target: string): string {
  const at = target.indexOf("#");
  return at < 0 ? target : target.slice(0, at);
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
 * Sends the client to where its link leads, or says what this is. True when another request may follow. Throws
 * {@link HttpError} for whom the policy is not for.
 */
export async function answerInGateway(
  session: Session,
  exchange: Exchange,
  request: Request,
): Promise<boolean> {
  exchange.kind = "own";
  receive(session, exchange);
  const { gateway } = session;
  if (gateway !== null) return await sendElsewhere(session, exchange, request, gateway.elsewhere);
  // most gateways are never asked for it
  const { answerGatewayPage } = await import("./own/gateway_page.ts");
  return await answerGatewayPage(session, exchange, request);
}

/**
 * Sends the client to a target in the gateway, which is judged when it is asked for. Nobody is told anything that they
 * have not said themselves.
 */
function sendElsewhere(session: Session, exchange: Exchange, request: Request, to: string): Promise<boolean> {
  const why = exchange.host === "" ? "" : `there is no host ${exchange.host}: `;
  const isOrigin = !to.startsWith("/");
  exchange.details = isOrigin
    ? `sent to the site's own origin, ${to}`
    : `${why}sent to ${to}, by the page it is from`;
  return sendAnswer(session, exchange, request, [
    "HTTP/1.1 307 Temporary Redirect",
    `Date: ${formatDate(Date.now())}`,
    `Location: ${to}`,
    "Content-Length: 0",
    "Cache-Control: no-store",
    "Vary: Referer",
    "Cross-Origin-Resource-Policy: same-origin",
    // where it leads it has to be seen that it is from the gateway, and within the paths from which page
    ...(isOrigin ? ["Referrer-Policy: origin"] : []),
  ], new Uint8Array());
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
