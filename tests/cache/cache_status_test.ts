import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type CacheFacts, cacheStatus, cacheWords, NO_FACTS } from "../../src/cache/cache_status.ts";

const CASES: [facts: Partial<CacheFacts>, status: string, words: string][] = [
  [{ ttl: 30 }, "hit; ttl=30", "hit"],
  [{}, "hit", "hit"],
  [{ ttl: 29.9 }, "hit; ttl=29", "hit"],
  [{ ttl: -3 }, "hit; ttl=-3", "stale"],
  [{ ttl: -0 }, "hit; ttl=0", "stale"],
  [
    { forward: "uri-miss", forwardStatus: 200, stored: true, ttl: 60 },
    "fwd=uri-miss; fwd-status=200; stored; ttl=60",
    "miss stored",
  ],
  [
    { forward: "vary-miss", forwardStatus: 200, reason: "private" },
    "fwd=vary-miss; fwd-status=200; detail=private",
    "miss private",
  ],
  [
    { forward: "miss", forwardStatus: 404, reason: "no validator and no freshness" },
    'fwd=miss; fwd-status=404; detail="no validator and no freshness"',
    "miss no validator and no freshness",
  ],
  [{ forward: "miss" }, "fwd=miss", "miss"],
  [
    { forward: "partial", forwardStatus: 206, stored: true },
    "fwd=partial; fwd-status=206; stored",
    "miss stored",
  ],
  [
    { forward: "stale", forwardStatus: 304, stored: true, ttl: 60 },
    "fwd=stale; fwd-status=304; stored; ttl=60",
    "revalidated",
  ],
  [{ forward: "request", forwardStatus: 304 }, "fwd=request; fwd-status=304", "revalidated"],
  // the client's own condition, of which nothing was stored
  [{ forward: "uri-miss", forwardStatus: 304 }, "fwd=uri-miss; fwd-status=304", "miss"],
  [
    { forward: "stale", forwardStatus: 200, stored: true },
    "fwd=stale; fwd-status=200; stored",
    "miss stored",
  ],
  [
    { forward: "stale", forwardStatus: 503, fallback: true, ttl: -10 },
    "fwd=stale; fwd-status=503; ttl=-10; detail=stale-if-error",
    "stale",
  ],
  [
    { forward: "stale", fallback: true, ttl: -10, reason: "connection_refused" },
    "fwd=stale; ttl=-10; detail=connection_refused",
    "stale",
  ],
  [
    { forward: "uri-miss", forwardStatus: 200, stored: true, collapsed: true },
    "fwd=uri-miss; fwd-status=200; stored; collapsed",
    "collapsed",
  ],
  [
    { forward: "request", bypassed: true, forwardStatus: 200, reason: "request no-store" },
    'fwd=request; fwd-status=200; detail="request no-store"',
    "bypass no-store",
  ],
  [{ forward: "method", bypassed: true, reason: "method" }, "fwd=method; detail=method", "bypass method"],
  [
    { forward: "bypass", bypassed: true, reason: "request body" },
    'fwd=bypass; detail="request body"',
    "bypass body",
  ],
  [{ forward: "bypass", bypassed: true }, "fwd=bypass", "bypass"],
];

Deno.test("a member of Cache-Status says what the cache did (RFC 9211 §2)", () => {
  for (const [facts, status] of CASES) {
    assertEquals(cacheStatus("weir-1f3a", { ...NO_FACTS, ...facts }), `weir-1f3a; ${status}`);
  }
});

Deno.test("the access log has a word or a few for it", () => {
  for (const [facts, , words] of CASES) assertEquals(cacheWords({ ...NO_FACTS, ...facts }), words);
});

Deno.test("a name that is no token is a string (RFC 9651 §3.3)", () => {
  const named = (name: string) => cacheStatus(name, NO_FACTS);
  assertEquals(named("proxy.example:8888/x"), "proxy.example:8888/x; hit");
  assertEquals(named("1proxy"), '"1proxy"; hit');
  assertEquals(named('a "b\\c" \u00e4\r\n'), '"a \\"b\\\\c\\" ???"; hit');
  assertEquals(named(""), '""; hit');
});

Deno.test("numbers stay within those of a structured field (RFC 9651 §3.3.1)", () => {
  const ttl = (ttl: number) => cacheStatus("a", { ...NO_FACTS, ttl });
  assertEquals(ttl(Infinity), "a; hit; ttl=999999999999999");
  assertEquals(ttl(-1e300), "a; hit; ttl=-999999999999999");
  assertEquals(ttl(NaN), "a; hit");
  for (const forwardStatus of [0, 99, 1000, NaN]) {
    assertEquals(cacheStatus("a", { ...NO_FACTS, forward: "miss", forwardStatus }), "a; fwd=miss");
  }
});

Deno.test("whatever the facts are, the member is one member, and the words are printable and few", () => {
  const anything = fc.string({ unit: "binary", maxLength: 100 });
  const item = String.raw`(?:[A-Za-z*][!#$%&'*+\-.^_\x60|~0-9A-Za-z:/]*|"(?:[ !#-\[\]-~]|\\["\\])*")`;
  const member = new RegExp(
    `^${item}(?:; (?:hit|stored|collapsed|ttl=-?[0-9]{1,15}|fwd=[a-z-]+|fwd-status=[0-9]{3}|detail=${item}))*$`,
  );
  fc.assert(fc.property(
    anything,
    fc.record({
      forward: fc.constantFrom(null, "bypass", "method", "uri-miss", "stale", "partial"),
      bypassed: fc.boolean(),
      forwardStatus: fc.integer(),
      fallback: fc.boolean(),
      stored: fc.boolean(),
      collapsed: fc.boolean(),
      ttl: fc.option(fc.double(), { nil: null }),
      reason: anything,
    }),
    (name, facts) => {
      const made = cacheStatus(name, facts as CacheFacts);
      assert(member.test(made), made);
      const words = cacheWords(facts as CacheFacts);
      assert(/^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/.test(words) && words.length < 64, words);
    },
  ));
});
