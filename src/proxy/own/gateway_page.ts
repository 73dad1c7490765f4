/** The page that says what a gateway is, and the same for a terminal. */

import { formatDate } from "../../http/date.ts";
import type { Exchange } from "../exchange.ts";
import type { Request } from "../request.ts";
import type { Session } from "../session.ts";
import { hasOwnOrigins } from "../gateway_access.ts";
import { contentPolicy, escaped, pageKind } from "./answer.ts";
import { ownHost } from "./own_host.ts";
import { sendAnswer } from "./send_answer.ts";
import { STYLE, styleHash } from "./style.ts";

export interface GatewayPage {
  /** Where the client finds the gateway: `http://127.0.0.1:8889`. */
  readonly own: string;
  /** Its port as the client sees it, `:8889`, where browsers see each site at an origin of its own; else `null`. */
  readonly port: string | null;
}

/** Answers a request for a gateway's own page. True when another may follow. */
export async function answerGatewayPage(
  session: Session,
  exchange: Exchange,
  request: Request,
): Promise<boolean> {
  // who came to this page asked by one of weir's names
  const own = ownHost(session, request)!;
  const page = { own: `http://${own.text}`, port: hasOwnOrigins(session, own) ? `:${own.port}` : null };
  const isHtml = pageKind(request.head.field("accept")) === "html";
  const body = new TextEncoder().encode(isHtml ? gatewayHtml(page) : gatewayText(page));
  return await sendAnswer(session, exchange, request, [
    "HTTP/1.1 200 OK",
    `Date: ${formatDate(Date.now())}`,
    `Content-Type: text/${isHtml ? "html" : "plain"}; charset=utf-8`,
    `Content-Length: ${body.length}`,
    "Cache-Control: no-store",
    "Cross-Origin-Resource-Policy: same-origin",
    ...(isHtml ? [contentPolicy(await styleHash()), "Referrer-Policy: no-referrer"] : []),
  ], request.method === "HEAD" ? new Uint8Array() : body);
}

const WHAT = "It fetches the page that its path names:";
const NOTES = "Redirects stay in the gateway, and so do links within a site. Scripts do not run.";

/** Where a browser sees a site, in a sentence that ends with its address. */
const OWN_ORIGIN = "Chromium and Firefox then show each site at an origin of its own:";

function ownOrigin(port: string): string {
  return `http://example-com.localhost${port}/path?query`;
}

/** The page for a browser. */
export function gatewayHtml({ own, port }: GatewayPage): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Gateway at ${escaped(own.slice("http://".length))}</title>
<style>${STYLE}</style>
<h1>This is a gateway: <b>${escaped(own.slice("http://".length))}</b></h1>
<p>${WHAT}</p>
<pre>${escaped(own)}/example.com/path?query</pre>
<pre>${escaped(own)}/https://example.com/path?query</pre>
${port === null ? "" : `<p>${OWN_ORIGIN}</p>\n<pre>${escaped(ownOrigin(port))}</pre>\n`}<p>${NOTES}</p>
</html>
`;
}

/** The same for who asks by a program. */
export function gatewayText({ own, port }: GatewayPage): string {
  return `This is a gateway. ${WHAT}\n\n` +
    `  ${own}/example.com/path?query\n  ${own}/https://example.com/path?query\n\n` +
    (port === null ? "" : `${OWN_ORIGIN}\n\n  ${ownOrigin(port)}\n\n`) +
    `${NOTES}\n`;
}
