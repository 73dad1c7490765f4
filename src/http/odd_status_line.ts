/** Status lines that are not quite HTTP/1.1's, and the one that each of them stands for. */

import { badResponse } from "./error.ts";

/** Version, status, and what follows it: white space or nothing, and the reason phrase. */
const STATUS_LINE = /^(?:(http)\/(1\.[0-9]|[23](?:\.[0-9])?)|ICY) ([1-9][0-9][0-9])(?![0-9])([ \t]?)(.*)$/is;

/**
 * The canonical form of a status line, and what was odd about it. What names HTTP/2 or 3 here is a server that
 * speaks HTTP/1.1 and says otherwise; `ICY` is what audio streams say for HTTP/1.0.
 *
 * @param text one character a byte, without its line end and without control characters but tab
 * @throws {HttpError} 502
 */
export function canonicalStatusLine(text: string): { line: string; odd: string[] } {
  const parts = STATUS_LINE.exec(text);
  const [, protocol, version, status, space, reason] = parts ?? [];
  if (parts === null || (protocol === undefined && !text.startsWith("ICY"))) {
    throw badResponse("the origin's answer does not begin with HTTP/1.1 or HTTP/1.0, a space and a status");
  }
  const odd: string[] = [];
  if (protocol === undefined) odd.push("ICY for HTTP");
  else {
    if (protocol !== "HTTP") odd.push("lower-case HTTP");
    if (!version.startsWith("1.")) odd.push(`HTTP/${version[0]} in HTTP/1.1`);
  }
  if (space === "\t" || (space === "" && reason !== "")) odd.push("no space before the reason");
  const minor = protocol === undefined || version === "1.0" ? 0 : 1;
  return { line: `HTTP/1.${minor} ${status} ${reason}`, odd };
}
