/** A request that a person asks about, `https://example.com/` or `example.com:443`, read as the proxy reads one. */

import type { Authority } from "../http/authority.ts";
import { badRequest } from "../http/error.ts";
import { shownPlace } from "../http/host_name.ts";
import { HeadReader } from "../http/head_reader.ts";
import { readRequestLine } from "../http/start_line.ts";
import { readTarget, targetText } from "../http/target.ts";

export interface Asked {
  readonly method: string;
  readonly authority: Authority;
  /** Without its query, one character a byte; `null` in a tunnel. */
  readonly path: string | null;
  /** As records show it: `http://example.com/path?query`, `example.com:443`. */
  readonly target: string;
}

const LONGEST = 16_384;

/**
 * Reads a URL or `host:port`. What is neither is a URL without its beginning: `https://` for a tunnel, else `http://`.
 *
 * @param method `null`: as programs do it, which fetch `http://` and open a tunnel for all else
 * @throws {HttpError} with what the proxy would answer
 */
export function readAsked(text: string, method: string | null): Asked {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1].toLowerCase();
  const chosen = method ?? (scheme === undefined || scheme === "https" ? "CONNECT" : "GET");
  // `example.com:8080` is what a tunnel is asked for by; anything else is a URL without its beginning
  const isPlace = scheme === undefined && /^(?:\[[^\]]*\]|[^/?#:[]*):[^/?#]*$/.test(text);
  if (chosen !== "CONNECT") return readLine(chosen, scheme === undefined ? `http://${text}` : text);
  if (isPlace) return readLine(chosen, text);
  if (scheme === undefined) text = `https://${text}`;
  // a tunnel for a URL is one to its host and port; the rest of it has to be in order too
  return readLine(chosen, readLine("GET", text).authority.text);
}

function readLine(method: string, target: string): Asked {
  if (target.length > LONGEST) throw badRequest("the target is too long", 414);
  // in a request these would end the target or the line; what else does not belong is found by the readers
  if (/[ \r\n]/.test(target)) throw badRequest("a space or a line break in the request target: write %20");
  const bytes = new TextEncoder().encode(`${method} ${target} HTTP/1.1\r\n\r\n`);
  const head = new HeadReader("request", { maxHeadSize: bytes.length, maxFields: 1 });
  head.begin(bytes, 0);
  head.read(bytes.length);
  const line = { methodEnd: 0, targetStart: 0, targetEnd: 0, minorVersion: 1 };
  readRequestLine(head, line);
  const read = readTarget(head, line, method);
  if (read.authority === null) {
    throw badRequest(
      `${shownPlace(target)} names no host: write http://example.com/ or example.com:443`,
    );
  }
  const whole = head.text(read.pathStart, read.pathEnd);
  const query = whole.indexOf("?");
  const path = (query < 0 ? whole : whole.slice(0, query)) || "/";
  return {
    method,
    authority: read.authority,
    path: read.form === "authority" ? null : path,
    target: targetText(head, read),
  };
}
