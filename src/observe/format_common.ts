/** The Common Log Format, Apache's `%h %l %u %t "%r" %>s %b`. */

import type { Exchange } from "../proxy/exchange.ts";
import { apacheEscaped } from "./apache_escape.ts";
import { withoutUserInformation } from "../http/user_information.ts";
import { commonTime } from "./timestamps.ts";

const MAX_TARGET = 8192;
const MAX_METHOD = 64;
const MAX_USER = 256;

/**
 * `127.0.0.1 - alice [21/Nov/2026:06:49:01 +0100] "GET http://example.com/ HTTP/1.1" 200 1234`, at the time when the
 * request began, with the bytes of the body. As in Apache, `-` stands for a request that could not be read, for no
 * status and for no bytes.
 */
export function formatCommon(exchange: Exchange): string {
  const user = exchange.user === "" ? "-" : apacheEscaped(exchange.user, MAX_USER);
  const status = exchange.status === 0 ? "-" : exchange.status;
  const bytes = exchange.responseBodyBytes === 0 ? "-" : exchange.responseBodyBytes;
  return `${exchange.clientAddress || "-"} - ${user} [${commonTime(exchange.startedAt)}] ` +
    `"${requestLine(exchange)}" ${status} ${bytes}`;
}

function requestLine(exchange: Exchange): string {
  if (exchange.method === "") return "-";
  const target = apacheEscaped(withoutUserInformation(exchange.target), MAX_TARGET) || "-";
  return `${apacheEscaped(exchange.method, MAX_METHOD)} ${target} HTTP/1.${exchange.minorVersion}`;
}
