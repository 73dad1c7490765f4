/** What `Cache-Control`, `Vary` and `Age` of a response mean (RFC 9111), in words. */

import { readResponseDirectives } from "../cache/cache_control.ts";
import { readAge } from "../cache/freshness.ts";
import { humanDuration } from "../observe/quantities.ts";

/** Unescaped text of the network is in it: names of fields. */
export function cacheControlWords(value: string): string[] {
  const says = readResponseDirectives(value);
  const words: string[] = [];
  const add = (applies: boolean, text: string) => applies && words.push(text);
  add(
    says.noStore,
    says.mustUnderstand ? "no cache may keep it that does not know its status" : "no cache may keep it",
  );
  if (says.private === true) words.push("only the cache of one person may keep it, and no shared one");
  else if (says.private !== false) words.push(`shared caches leave out ${says.private.join(", ")}`);
  if (says.noCache === true) words.push("before each use the origin is asked whether it still holds");
  else if (says.noCache !== false) {
    words.push(`${says.noCache.join(", ")} may not be used again without asking the origin`);
  }
  if (says.sMaxAge !== null) words.push(`fresh for ${seconds(says.sMaxAge)} in shared caches`);
  if (says.maxAge !== null) {
    words.push(
      `fresh for ${seconds(says.maxAge)}${says.sMaxAge === null ? "" : " in the cache of one person"}`,
    );
  }
  add(says.public, "any cache may keep it");
  add(says.immutable, "it never changes while it is fresh");
  add(says.mustRevalidate, "once stale it is not used without asking the origin");
  add(
    says.proxyRevalidate && !says.mustRevalidate,
    "once stale, shared caches ask the origin before its use",
  );
  if (says.staleWhileRevalidate !== null) {
    words.push(`may be used for ${seconds(says.staleWhileRevalidate)} more while the origin is asked`);
  }
  if (says.staleIfError !== null) {
    words.push(`may be used for ${seconds(says.staleIfError)} more if the origin fails`);
  }
  add(says.noTransform, "nobody on the way may change the body");
  return words.length === 0 ? ["it says nothing that caches know"] : words;
}

/** Unescaped text of the network is in it. */
export function varyWords(value: string): string {
  const names = value.split(",").map((name) => name.trim()).filter((name) => name !== "");
  if (names.includes("*")) return "it is the answer to this very request, and to no other";
  return `requests with another ${names.join(" or ")} may get another answer`;
}

export function ageWords(value: string): string {
  const age = readAge(value);
  if (age === null) return "it cannot be read: nobody knows how old it is";
  if (age === 0) return "the origin made it, or said that it still holds, less than a second ago";
  return `the origin made it, or said that it still holds, ${seconds(age)} ago`;
}

/** The word of a number of seconds, whole. */
function seconds(count: number): string {
  return count === 0 ? "0 s" : humanDuration(count * 1000);
}
