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
import { receive } from "./judgement.ts";
import { ownHost } from "./own/own_host.ts";
import type { Request } from "./request.ts";
import { sendAnswer } from "./own/send_answer.ts";
import type { Session } from "./session.ts";

/** A request that came to a gateway: what its answer is rewritten by. */
export class Gateway {
  #place: Place | null = null;

  constructor(readonly request: Request, readonly prefix: string) {}

  /** A head, whole, as the client gets it. */
  head(bytes: Uint8Array): Uint8Array {
    const { head, target } = this.request;
    this.#place ??= { prefix: this.prefix, url: targetText(head, target) };
    return bytesOf(responseHead(decodeText(bytes, 0, bytes.length, true), this.#place));
  }
}

/**
 * Makes of a request to the gateway one to the origin, in place; `null` for one that asks for the gateway's own page.
 * Throws {@link HttpError} for one that is not answered here, whatever it asks for.
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
  return new Gateway(request, prefix);
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

/** The page that says what this is. Throws {@link HttpError} for whom the policy is not for. */
export function answerGatewayPage(session: Session, exchange: Exchange, request: Request): Promise<boolean> {
  exchange.kind = "own";
  receive(session, exchange);
  const own = `http://${session.listener}`;
  const body = bytesOf(
    `This is a gateway: it fetches the page that its path names.\n\n` +
      `  ${own}/example.com/path?query\n  ${own}/https://example.com/path?query\n\n` +
      "Redirects stay in the gateway; links in pages are left as they are, and scripts do not run.\n",
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

/** An error as it is said to who asks a web server, and knows of no proxy. */
export function gatewayError(error: HttpError): HttpError {
  const { error: type, message, note } = error;
  if (error instanceof NoSuchHost) return new HttpError(404, type, message, [], note);
  if (error.status !== 407) return error;
  const fields = error.fields.map((field) => field.replace(/^Proxy-Authenticate:/i, "WWW-Authenticate:"));
  return new HttpError(401, type, message, fields, note);
}
