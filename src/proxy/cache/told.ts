/** What the cache had to do with a response that is relayed, in the words of the log and of `Cache-Status`. */

import { type CacheFacts, cacheStatus, cacheWords } from "../../cache/cache_status.ts";
import { fieldLine } from "../../http/head_writer.ts";

export interface Told {
  /** For the access log. */
  readonly words: string;
  /** The line `Cache-Status: …`. */
  readonly line: Uint8Array;
}

/** The same few facts are told again and again. */
const KEPT = 16;
const kept: { name: string; facts: CacheFacts; told: Told }[] = [];
let next = 0;

/** @param name what names this instance in `Via` too */
export function tellOf(name: string, facts: CacheFacts): Told {
  // a lifetime is another one each second
  if (facts.ttl === null) {
    for (const known of kept) if (known.name === name && areSame(known.facts, facts)) return known.told;
  }
  const told = { words: cacheWords(facts), line: fieldLine("Cache-Status", cacheStatus(name, facts)) };
  if (facts.ttl === null) {
    kept[next] = { name, facts, told };
    next = (next + 1) % KEPT;
  }
  return told;
}

function areSame(one: CacheFacts, other: CacheFacts): boolean {
  return one.forward === other.forward && one.bypassed === other.bypassed &&
    one.forwardStatus === other.forwardStatus && one.fallback === other.fallback &&
    one.stored === other.stored && one.collapsed === other.collapsed && one.ttl === other.ttl &&
    one.reason === other.reason;
}
