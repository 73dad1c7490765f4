/** Which URLs `weir cache purge` means. */

import { UsageError } from "../config/errors.ts";
import { HttpError } from "../http/error.ts";
import { parseAuthority } from "../http/authority.ts";
import { readAsked } from "../policy/asked.ts";
import { nameMatches, parseHostPattern } from "../policy/host_pattern.ts";
import { PatternError } from "../policy/pattern_error.ts";

/**
 * Reads a URL, a URL with stars for any characters, or a host pattern: `http://example.com/a`,
 * `http://example.com/*.deb`, `*.example.com`.
 *
 * @returns tells whether it means a canonical URL
 * @throws {UsageError}
 */
export function patternOf(text: string): (url: string) => boolean {
  try {
    if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
      if (text.includes("*")) {
        // scheme and host of a canonical URL are in lower case
        const start = /^[^:]*:\/\/[^/?]*/.exec(text)![0];
        const pieces = (start.toLowerCase() + text.slice(start.length)).split("*");
        return (url) => globMatches(pieces, url);
      }
      const { target } = readAsked(text, "GET");
      return (url) => url === target;
    }
    const pattern = parseHostPattern(text);
    if (pattern.kind === "list" || pattern.kind === "network" && text.includes("/")) {
      throw new PatternError("name a host: example.com, *.example.com, or a URL with its http://");
    }
    return (url) => {
      const host = hostOf(url);
      return pattern.kind === "network"
        ? host === text.replace(/^\[(.*)\]$/, "$1")
        : nameMatches(pattern, host);
    };
  } catch (error) {
    if (!(error instanceof PatternError) && !(error instanceof HttpError)) throw error;
    throw new UsageError([`weir cache purge: ${error.message}`]);
  }
}

function hostOf(url: string): string {
  const text = /^[a-z]+:\/\/([^/?]*)/.exec(url)?.[1] ?? "";
  try {
    return parseAuthority(text, 80).host;
  } catch {
    return "";
  }
}

/** Whether the pieces stand in a text in this order, the first at its begin and the last at its end. */
export function globMatches(pieces: readonly string[], text: string): boolean {
  const [first] = pieces;
  const last = pieces[pieces.length - 1];
  if (pieces.length === 1) return text === first;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) {
    return false;
  }
  let from = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, from);
    if (found < 0) return false;
    from = found + piece.length;
  }
  return from <= text.length - last.length;
}
