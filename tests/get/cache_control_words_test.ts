import { assertEquals } from "@std/assert";
import { ageWords, cacheControlWords, varyWords } from "../../src/get/cache_control_words.ts";

Deno.test("each directive of a response has its words (RFC 9111 §5.2.2)", () => {
  const words: [string, string[]][] = [
    ["max-age=300", ["fresh for 5m 00s"]],
    ["s-maxage=60, max-age=0", [
      "fresh for 1m 00s in shared caches",
      "fresh for 0 s in the cache of one person",
    ]],
    ["no-store", ["no cache may keep it"]],
    ["private, no-cache", [
      "only the cache of one person may keep it, and no shared one",
      "before each use the origin is asked whether it still holds",
    ]],
    ['private="x-a", no-cache="set-cookie"', [
      "shared caches leave out x-a",
      "set-cookie may not be used again without asking the origin",
    ]],
    ["public, immutable, must-revalidate", [
      "any cache may keep it",
      "it never changes while it is fresh",
      "once stale it is not used without asking the origin",
    ]],
    ["stale-while-revalidate=30, stale-if-error=90", [
      "may be used for 30 s more while the origin is asked",
      "may be used for 1m 30s more if the origin fails",
    ]],
    ["no-transform, proxy-revalidate", [
      "once stale, shared caches ask the origin before its use",
      "nobody on the way may change the body",
    ]],
    ["flying-saucer", ["it says nothing that caches know"]],
  ];
  for (const [value, expected] of words) assertEquals(cacheControlWords(value), expected, value);
});

Deno.test("Vary and Age have theirs (RFC 9110 §12.5.5, RFC 9111 §5.1)", () => {
  assertEquals(varyWords("Accept, *"), "it is the answer to this very request, and to no other");
  assertEquals(varyWords("Accept,Cookie"), "requests with another Accept or Cookie may get another answer");
  assertEquals(ageWords("12"), "the origin made it, or said that it still holds, 12 s ago");
  assertEquals(ageWords("0"), "the origin made it, or said that it still holds, less than a second ago");
  assertEquals(ageWords("old"), "it cannot be read: nobody knows how old it is");
});
