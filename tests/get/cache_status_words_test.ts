import { assertEquals } from "@std/assert";
import { cacheStatus, NO_FACTS } from "../../src/cache/cache_status.ts";
import { cacheStatusWord, cacheStatusWords, isHit } from "../../src/get/cache_status_words.ts";

Deno.test("each parameter of Cache-Status has its words (RFC 9211 §2)", () => {
  const words: [string, string][] = [
    ["c; hit; ttl=30", "c answered from its store, fresh for another 30 s"],
    ["c; hit; ttl=0", "c answered from its store, no longer fresh"],
    ["c; hit; ttl=-90", "c answered from its store, stale for 1m 30s"],
    [
      "c; fwd=uri-miss; fwd-status=200; stored; ttl=60",
      "c had nothing stored for this URL, asked further on and got 200, keeps it, fresh for another 1m 00s",
    ],
    ["c; fwd=vary-miss", "c had only answers to other requests stored for this URL (Vary)"],
    [
      "c; fwd=stale; fwd-status=304",
      "c had an answer stored that is too old, asked whether it still holds and heard yes",
    ],
    [
      "c; fwd=uri-miss; collapsed",
      "c had nothing stored for this URL, shared the answer to a request that was under way",
    ],
    ["c; fwd=bypass; detail=no-store", "c did not look into its store (it says: no-store)"],
    ["c; fwd=moon", "c asked further on (moon)"],
    ["c", "c says no more than its name"],
    ["c; hit, (", "it cannot be read, and says nothing therefore"],
  ];
  for (const [value, expected] of words) assertEquals(cacheStatusWords(value), [expected]);
  assertEquals(cacheStatusWords("origin; fwd=miss, near; hit").length, 2);
});

Deno.test("what weir itself says has a short word, as in its log", () => {
  const said = (facts: Partial<typeof NO_FACTS>) =>
    cacheStatusWord(cacheStatus("w", { ...NO_FACTS, ...facts }));
  assertEquals(said({ ttl: 3 }), "hit");
  assertEquals(said({ ttl: -3 }), "hit, stale");
  assertEquals(said({ forward: "uri-miss", forwardStatus: 200, stored: true }), "miss stored");
  assertEquals(said({ forward: "uri-miss", forwardStatus: 200, reason: "no-store" }), "miss no-store");
  assertEquals(said({ forward: "stale", forwardStatus: 304, stored: true }), "revalidated");
  assertEquals(said({ forward: "uri-miss", collapsed: true }), "collapsed");
  assertEquals(said({ forward: "method", bypassed: true }), "bypass method");
  assertEquals(cacheStatusWord("a; hit, b; fwd=stale"), "a hit, b miss");
});

Deno.test("a hit is one of the cache that is next to the client, which stands last", () => {
  assertEquals(["a; hit", "a; fwd=miss, b; hit", "a; hit, b; fwd=miss", "", "("].map(isHit), [
    ...[true, true, false, false, false],
  ]);
});
