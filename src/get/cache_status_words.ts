/** What `Cache-Status` (RFC 9211) means, in words. */

import { humanDuration } from "../observe/quantities.ts";
import { type Member, readMembers } from "./structured_list.ts";

/** Why a cache asked further on (RFC 9211 §2.2). */
const FORWARDS: ReadonlyMap<string, string> = new Map([
  ["uri-miss", "had nothing stored for this URL"],
  ["vary-miss", "had only answers to other requests stored for this URL (Vary)"],
  ["miss", "had nothing stored that fits"],
  ["bypass", "did not look into its store"],
  ["method", "does not answer this method from its store"],
  ["request", "had an answer stored, but the request did not want it"],
  ["stale", "had an answer stored that is too old"],
  ["partial", "had a part stored, but not the bytes that are wanted"],
]);

/** A sentence for each cache on the way, the nearest to the origin first. Unescaped text of the network is in it. */
export function cacheStatusWords(value: string): string[] {
  const members = readMembers(value);
  if (members === null) return ["it cannot be read, and says nothing therefore"];
  return members.map((member) => `${member.name} ${sentence(member)}`);
}

/** What a cache did, in a word or two: `hit`, `miss stored`; for lists with one line a request. */
export function cacheStatusWord(value: string): string {
  const members = readMembers(value);
  if (members === null) return "cannot be read";
  return members.map((member) => members.length === 1 ? word(member) : `${member.name} ${word(member)}`)
    .join(", ");
}

/** Whether the cache nearest to the client answered from its store. */
export function isHit(value: string): boolean {
  return readMembers(value)?.at(-1)?.parameters.has("hit") ?? false;
}

function sentence({ parameters }: Member): string {
  const ttl = parameters.get("ttl");
  const freshness = typeof ttl !== "number"
    ? ""
    : ttl > 0
    ? `, fresh for another ${humanDuration(ttl * 1000)}`
    : ttl === 0
    ? ", no longer fresh"
    : `, stale for ${humanDuration(-ttl * 1000)}`;
  const detail = parameters.has("detail") ? ` (it says: ${parameters.get("detail")})` : "";
  if (parameters.has("hit")) return `answered from its store${freshness}${detail}`;
  const forward = parameters.get("fwd");
  if (forward === undefined) return `says no more than its name${detail}`;
  const why = FORWARDS.get(String(forward)) ?? `asked further on (${forward})`;
  const status = parameters.get("fwd-status");
  const came = parameters.get("collapsed") === true
    ? ", shared the answer to a request that was under way"
    : status === 304
    ? ", asked whether it still holds and heard yes"
    : status === undefined
    ? ""
    : `, asked further on and got ${status}`;
  const kept = parameters.get("stored") === true ? ", keeps it" : "";
  return `${why}${came}${kept}${freshness}${detail}`;
}

function word({ parameters }: Member): string {
  const ttl = parameters.get("ttl");
  if (parameters.has("hit")) return typeof ttl === "number" && ttl <= 0 ? "hit, stale" : "hit";
  const forward = parameters.get("fwd");
  if (forward === undefined) return "nothing";
  if (parameters.get("fwd-status") === 304 && (forward === "stale" || forward === "request")) {
    return "revalidated";
  }
  if (parameters.get("collapsed") === true) return "collapsed";
  const detail = parameters.has("detail") ? ` ${parameters.get("detail")}` : "";
  if (forward === "bypass" || forward === "method") return `bypass${detail || ` ${forward}`}`;
  return parameters.get("stored") === true ? "miss stored" : `miss${detail}`;
}
