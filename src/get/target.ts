/** What is asked for, and how it is written into a request. */

import type { Authority } from "../http/authority.ts";
import { DEFAULT_PORTS, type Scheme } from "../http/target.ts";
import { bytesOf } from "../http/text.ts";

export type FieldLine = readonly [name: string, value: string];

/** A URL in its parts. Texts have one character a byte. */
export interface GetTarget {
  readonly scheme: Scheme;
  readonly authority: Authority;
  /** Path and query, in which everything beyond ASCII is percent-encoded. */
  readonly path: string;
}

export interface GetRequest {
  readonly target: GetTarget;
  readonly method: string;
  /** What was given, in its order. Text as people write it. */
  readonly fields: readonly FieldLine[];
  readonly body: Uint8Array<ArrayBuffer> | null;
}

/**
 * A target of a canonical URL, `http://host/path?query`.
 *
 * @param url as `readAsked` gives it
 */
export function targetOf(url: string, authority: Authority): GetTarget {
  const scheme: Scheme = url.startsWith("https://") ? "https" : "http";
  const path = url.slice(url.indexOf("/", scheme.length + 3));
  return {
    scheme,
    authority,
    path: path.replace(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`),
  };
}

/** As people write it: the port left out where it is the scheme's own. */
export function urlOf({ scheme, authority, path }: GetTarget): string {
  return `${scheme}://${authority.hostField(DEFAULT_PORTS[scheme])}${path}`;
}

/**
 * The lines of a request's head, without the empty one.
 *
 * @param absolute whether a proxy gets it, which has to know the host (RFC 9112 §3.2.2)
 * @param authorization for the proxy; `null` for none
 */
export function requestLines(
  { target, method, fields, body }: GetRequest,
  agent: string,
  absolute: boolean,
  authorization: string | null,
): string[] {
  const host = target.authority.hostField(DEFAULT_PORTS[target.scheme]);
  const given = new Set(fields.map(([name]) => name.toLowerCase()));
  const own: FieldLine[] = [
    ["Host", host],
    ["User-Agent", agent],
    ["Accept", "*/*"],
    ...body === null ? [] : [["Content-Type", "application/x-www-form-urlencoded"] as const],
    ["Connection", "close"],
  ];
  return [
    `${method} ${absolute ? urlOf(target) : target.path} HTTP/1.1`,
    ...own.filter(([name]) => !given.has(name.toLowerCase())).map(line),
    ...fields.map(line),
    ...body === null ? [] : [`Content-Length: ${body.length}`],
    ...authorization === null ? [] : [`Proxy-Authorization: ${authorization}`],
  ];
}

/** The lines of the head that asks a proxy for a tunnel (RFC 9110 §9.3.6). */
export function connectLines(
  { authority }: GetTarget,
  agent: string,
  authorization: string | null,
): string[] {
  return [
    `CONNECT ${authority.text} HTTP/1.1`,
    `Host: ${authority.text}`,
    `User-Agent: ${agent}`,
    ...authorization === null ? [] : [`Proxy-Authorization: ${authorization}`],
  ];
}

function line([name, value]: FieldLine): string {
  return `${name}: ${value}`;
}

/** A head's bytes; what is beyond a byte a character goes as UTF-8. */
export function headBytes(lines: readonly string[]): Uint8Array<ArrayBuffer> {
  const text = `${lines.join("\r\n")}\r\n\r\n`;
  // deno-lint-ignore no-control-regex
  if (/[^\x00-\x7f]/.test(text)) return new TextEncoder().encode(text);
  return bytesOf(text) as Uint8Array<ArrayBuffer>;
}
