/** What weir serves of its own: how to set it up, the file for browsers, and whether it is well. */

import type { Authority } from "../../http/authority.ts";
import { formatDate } from "../../http/date.ts";
import { HttpError } from "../../http/error.ts";
import { contentPolicy, pageKind } from "./answer.ts";
import type { Exchange } from "../exchange.ts";
import { receive } from "../judgement.ts";
import { pacText } from "./pac.ts";
import { setupHtml, setupText } from "./setup_page.ts";
import { styleHash } from "./style.ts";
import { ownScheme } from "./own_host.ts";
import type { Request } from "../request.ts";
import { sendAnswer } from "./send_answer.ts";
import type { Session } from "../session.ts";

/** A page by itself, such as one of weir's own. */
interface Page {
  readonly status: "200 OK" | "503 Service Unavailable";
  readonly type: string;
  readonly text: string;
}

const PLAIN = "text/plain; charset=utf-8";
const ALLOW = "Allow: GET, HEAD";

/** Nobody else's pages embed or read what is here. */
const GUARDS: readonly string[] = ["X-Frame-Options: DENY", "Cross-Origin-Resource-Policy: same-origin"];

/**
 * Answers a request for a page of weir's own, to whom the policy is for. Nobody is asked for a password: browsers
 * fetch their configuration without one, and so do those that look whether weir is well. Throws {@link HttpError}.
 *
 * @param host by which the client knows weir
 */
export async function answerOwnPage(
  session: Session,
  exchange: Exchange,
  request: Request,
  host: Authority,
): Promise<boolean> {
  receive(session, exchange);
  const page = pageAt(pathOf(request), session, request, host);
  if (page === null) {
    throw new HttpError(
      404,
      "http_request_error",
      "weir has no such page: / says how to use it as a proxy",
      GUARDS,
    );
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    throw new HttpError(405, "http_request_error", "weir's own pages are only read", [
      ALLOW,
      ...GUARDS,
    ]);
  }
  const body = new TextEncoder().encode(page.text);
  const again = await sendAnswer(session, exchange, request, [
    `HTTP/1.1 ${page.status}`,
    `Date: ${formatDate(Date.now())}`,
    `Content-Type: ${page.type}`,
    `Content-Length: ${body.length}`,
    "Cache-Control: no-store",
    contentPolicy(await styleHash()),
    "Referrer-Policy: no-referrer",
    ...GUARDS,
  ], request.method === "HEAD" ? new Uint8Array() : body);
  session.usage?.down(exchange.responseHeadBytes + exchange.responseBodyBytes, session.services.clock.now);
  return again;
}

/** The path without a query, as text. */
function pathOf({ target, head }: Request): string {
  return head.text(target.pathStart, target.pathEnd).replace(/\?.*$/s, "");
}

function pageAt(path: string, session: Session, request: Request, host: Authority): Page | null {
  const { draining, settings } = session.services;
  switch (path) {
    case "/":
      return setupPage(session, request, host);
    case "/wpad.dat":
      if (!settings.frontPage.wpad) return null;
      // falls through
    case "/proxy.pac": {
      const text = pacText(host, ownScheme(session), settings.frontPage.rules, session.facts.clientIp);
      return { status: "200 OK", type: "application/x-ns-proxy-autoconfig", text };
    }
    case "/-/healthy":
      return { status: "200 OK", type: PLAIN, text: "ok\n" };
    case "/-/ready":
      return draining
        ? { status: "503 Service Unavailable", type: PLAIN, text: "draining\n" }
        : { status: "200 OK", type: PLAIN, text: "ready\n" };
    default:
      return null;
  }
}

function setupPage(session: Session, request: Request, host: Authority): Page {
  const { settings } = session.services;
  const page = {
    proxy: host,
    scheme: ownScheme(session),
    name: settings.showVersion ? `weir ${settings.version}` : "weir",
    passwordNeed: settings.policy.passwordNeed(session.facts),
  };
  return pageKind(request.head.field("accept")) === "html"
    ? { status: "200 OK", type: "text/html; charset=utf-8", text: setupHtml(page) }
    : { status: "200 OK", type: PLAIN, text: setupText(page) };
}
