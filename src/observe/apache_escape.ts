/** Escaping of Apache's access logs (`ap_escape_logitem`): bytes that do not print, quotes and backslashes. */

import { bounded, byteText, hexadecimal } from "./printable.ts";

const SPECIAL = /[^\x20\x21\x23-\x5b\x5d-\x7e]/;
const EACH_SPECIAL = /[^\x20\x21\x23-\x5b\x5d-\x7e]/g;

const NAMED: Record<string, string> = {
  "\b": "\\b",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  '"': '\\"',
  "\\": "\\\\",
};

/** A text as it stands between the quotes of a log line: `\"`, `\\`, `\n`, and `\xhh` for each other byte. */
export function apacheEscaped(text: string, limit: number): string {
  const short = bounded(text, limit, "...");
  if (!SPECIAL.test(short)) return short;
  return byteText(short).replace(
    EACH_SPECIAL,
    (character) => NAMED[character] ?? `\\x${hexadecimal(character.charCodeAt(0))}`,
  );
}
