/** What fields of a head mean for who reads it, in words. */

import { parseDate } from "../http/date.ts";
import { humanDuration, humanSize } from "../observe/quantities.ts";
import { ageWords, cacheControlWords, varyWords } from "./cache_control_words.ts";
import { cacheStatusWords } from "./cache_status_words.ts";
import { proxyStatusWords } from "./proxy_status_words.ts";
import { viaWords } from "./via_words.ts";

type Words = (value: string, now: number) => readonly string[];

/** Fields of a response, by name in lower case. */
const OF_RESPONSES: Readonly<Record<string, Words>> = {
  "age": (value) => [ageWords(value)],
  "cache-control": cacheControlWords,
  "cache-status": cacheStatusWords,
  "connection": (
    value,
  ) => [/\bclose\b/i.test(value) ? "this connection ends with it" : "for this connection alone"],
  "content-encoding": (value) => [`the body is packed by ${value}`],
  "content-length": (value) => /^[0-9]{1,15}$/.test(value) ? [`a body of ${humanSize(Number(value))}`] : [],
  "date": (value, now) => [dateWords("made", value, now)],
  "etag": (value) => [
    value.startsWith("W/")
      ? "names this version; bytes may differ under the same name"
      : "names this version, byte for byte",
  ],
  "expires": (value, now) => [dateWords("it is stale", value, now)],
  "last-modified": (value, now) => [dateWords("changed last", value, now)],
  "location": () => ["where to go instead"],
  "proxy-authenticate": () => ["the proxy asks who you are: -x http://USER:PASSWORD@HOST:PORT"],
  "proxy-status": proxyStatusWords,
  "retry-after": () => ["when to try again, in seconds or as a date"],
  "set-cookie": () => ["a cookie, which is not kept here"],
  "transfer-encoding": () => ["the body comes in pieces, and says itself when it is over"],
  "vary": (value) => [varyWords(value)],
  "via": viaWords,
  "www-authenticate": () => ["the origin asks who you are: -H 'Authorization: …'"],
};

/** Fields of requests that are sent from here. */
const OF_REQUESTS: Readonly<Record<string, Words>> = {
  "accept": (value) => value === "*/*" ? ["any kind of answer will do"] : [],
  "connection": (value) => /\bclose\b/i.test(value) ? ["nothing more will be asked on this connection"] : [],
  "host": () => ["whom it is for"],
  "proxy-authorization": () => ["who asks, for the proxy alone"],
  "user-agent": () => ["the program that asks"],
};

/**
 * What a field means; nothing for one of which there is nothing to say. Unescaped text of the network is in it.
 *
 * @param now ms since the epoch
 */
export function fieldWords(
  kind: "request" | "response",
  name: string,
  value: string,
  now: number,
): readonly string[] {
  const table = kind === "request" ? OF_REQUESTS : OF_RESPONSES;
  const lower = name.toLowerCase();
  return Object.hasOwn(table, lower) ? table[lower](value, now) : [];
}

/** Fields whose meaning is told beside the head whether or not each line is explained, and what they are called. */
export const TOLD: readonly (readonly [name: string, title: string])[] = [
  ["via", "via"],
  ["cache-status", "cache"],
  ["proxy-status", "proxy"],
  ["age", "age"],
  ["proxy-authenticate", "login"],
  ["www-authenticate", "login"],
];

function dateWords(what: string, value: string, now: number): string {
  const date = parseDate(value, now);
  if (date === null) return "it is no date";
  const apart = Math.abs(now - date);
  if (apart < 1000) return `${what} now`;
  return date < now ? `${what} ${humanDuration(apart)} ago` : `${what} in ${humanDuration(apart)}`;
}
