/** What the cache would do with a request, as far as a cache's folder tells. */

import { find } from "../cache/find.ts";
import type { Asked } from "../policy/asked.ts";
import { storedFor } from "./cache.ts";
import { freshness, nextText } from "./cache_text.ts";

/**
 * In words; unescaped text of the network is in it. The folder is looked into beside a weir that uses it, whose
 * memory is not seen.
 *
 * @param user whose cache it is where users have their own, else `""`
 * @param now ms since the epoch
 */
export async function cacheWords(folder: string, asked: Asked, user: string, now: number): Promise<string> {
  const { method } = asked;
  if (method === "CONNECT") return "nothing: what goes through a tunnel cannot be seen, and is not kept";
  if (method !== "GET" && method !== "HEAD") return `nothing: ${method} is not answered from what is stored`;
  if ((await Deno.permissions.query({ name: "read", path: folder })).state !== "granted") {
    return `${folder} cannot be looked into: that needs the permission --allow-read`;
  }
  let stored;
  try {
    stored = (await storedFor(folder, asked.target, now)).filter((each) => each.user === user);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  if (stored.length === 0) return "nothing is stored for it: it would be fetched";
  // as a program asks that says nothing of languages, encodings or cookies
  const request = { method, fields: { field: () => "" }, hasBody: false };
  const finding = find(stored.map(({ meta }) => meta), request, now);
  if ("stored" in finding) {
    const each = stored.find(({ meta }) => meta === finding.stored)!;
    return `${nextText(each, finding)}; ${freshness(each.left)}`;
  }
  const names = new Set(stored.flatMap(({ meta }) => meta.vary.map(([name]) => name)));
  return `what is stored is for requests with another ${[...names].join(" or ")}: it would be fetched`;
}
