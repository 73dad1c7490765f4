import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Excess } from "../../src/policy/rate_account.ts";
import { type Limits, NO_LIMITS, type RateLimits, Rates, Usage } from "../../src/policy/rates.ts";
import type { RuleRates } from "../../src/policy/verdict.ts";

const CLIENT = "192.0.2.1";
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const perClient = (client: Partial<RateLimits>): Limits => ({
  client: { ...NO_LIMITS, ...client },
  user: NO_LIMITS,
});
const perUser = (user: Partial<RateLimits>): Limits => ({
  client: NO_LIMITS,
  user: { ...NO_LIMITS, ...user },
});
const ofRule = (rule: string, limits: Partial<RateLimits>): RuleRates => ({
  rule,
  limits: { ...NO_LIMITS, ...limits },
});

type Outcome = Usage | Excess | null;

function usageIn(outcome: Outcome): Usage {
  if (!(outcome instanceof Usage)) throw new Error(`let through and limited, not ${JSON.stringify(outcome)}`);
  return outcome;
}

function excessIn(outcome: Outcome): Excess {
  if (!(outcome instanceof Excess)) throw new Error("refused, not let through");
  return outcome;
}

/** A request that has to be let through and to be limited by something. */
function begun(rates: Rates, now: number, client = CLIENT, user = "", rule: RuleRates | null = null): Usage {
  return usageIn(rates.begin(client, user, rule, now));
}

/** A request that has to be refused. */
function refused(
  rates: Rates,
  now: number,
  client = CLIENT,
  user = "",
  rule: RuleRates | null = null,
): Excess {
  return excessIn(rates.begin(client, user, rule, now));
}

Deno.test("where nothing is limited nothing is counted, and nobody remembered", () => {
  const rates = new Rates();
  assertEquals(rates.begin(CLIENT, "ada", null, 0), null);
  rates.limits = perUser({ requests: 1 });
  assertEquals(rates.begin(CLIENT, "", null, 0), null, "limits of users are nothing to one who is none");
  assertEquals(rates.size, 0);
});

Deno.test("requests: as many at once as the burst, and then the rate", () => {
  const rates = new Rates(perClient({ requests: 2, burst: 5 }));
  for (let i = 0; i < 5; i++) begun(rates, 0).end();
  assertEquals(refused(rates, 0), new Excess("requests of one client: 2 a second", 1));
  refused(rates, 499);
  begun(rates, 500).end();
  refused(rates, 999);
  begun(rates, 1_000).end();
  for (let i = 0; i < 5; i++) begun(rates, 100_000).end();
  refused(rates, 100_000);
});

Deno.test("requests: without a burst as many as come in a second, and one at least", () => {
  for (const [requests, atOnce] of [[10, 10], [2.5, 3], [0.1, 1]]) {
    const rates = new Rates(perClient({ requests }));
    for (let i = 0; i < atOnce; i++) begun(rates, 0).end();
    refused(rates, 0);
  }
});

Deno.test("requests: one who comes again after Retry-After is let through", () => {
  const rates = new Rates(perClient({ requests: 0.1 }));
  begun(rates, 0).end();
  const { retryAfter } = refused(rates, 1);
  assertEquals(retryAfter, 10);
  begun(rates, 1 + retryAfter * 1_000).end();
});

Deno.test("requests: never more pass than the burst and the rate, and one is let through as soon as it may be", () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 3_000 }), { maxLength: 200 });
  const limits = fc.record({
    requests: fc.double({ min: 0.05, max: 50, noNaN: true }),
    burst: fc.integer({ min: 1, max: 20 }),
  });
  fc.assert(fc.property(gaps, limits, (gaps, { requests, burst }) => {
    const rates = new Rates(perClient({ requests, burst }));
    const passed: number[] = [];
    let now = 0;
    for (const gap of gaps) {
      now += gap;
      const outcome = rates.begin(CLIENT, "", null, now);
      if (outcome instanceof Usage) passed.push(now);
      // after a second at that rate since the last one that passed there is room for another
      else assert(now - passed.at(-1)! < 1_000 / requests + 1e-6, "starved");
    }
    for (let from = 0; from < passed.length; from++) {
      for (let to = from; to < passed.length; to++) {
        const allowed = burst + requests * (passed[to] - passed[from]) / 1_000;
        assert(to - from + 1 <= allowed + 1e-6, `${to - from + 1} where ${allowed} are allowed`);
      }
    }
  }));
});

Deno.test("a clock that jumps back, by however much, neither locks out nor lets more through than was left", () => {
  const rates = new Rates(perClient({ requests: 1, burst: 2, hourly: 100 }));
  const usage = begun(rates, 100 * HOUR);
  usage.up(99, 100 * HOUR);
  usage.end();
  begun(rates, HOUR).end();
  refused(rates, HOUR);
  begun(rates, HOUR + 1_000).down(1, HOUR + 1_000);
  assertEquals(refused(rates, HOUR + 5_000).limit, "bytes of one client: 100 bytes an hour");
  begun(rates, 2 * HOUR + 10_000);
});

Deno.test("simultaneous exchanges: as many as are allowed, and the next when one is over", () => {
  const rates = new Rates(perClient({ exchanges: 2 }));
  const first = begun(rates, 0);
  begun(rates, 0);
  assertEquals(refused(rates, 0), new Excess("simultaneous exchanges of one client: 2", 1));
  first.end();
  first.end();
  begun(rates, 0);
  refused(rates, 0);
});

Deno.test("bytes over the rate wait, those of all exchanges of one client together, each way apart", () => {
  const rates = new Rates(perClient({ up: 1_000, down: 10_000 }));
  const [one, other] = [begun(rates, 0), begun(rates, 0)];
  assertEquals(one.up(3_000, 0), 0, "the first read goes at once");
  assertEquals(one.up(1_000, 0), 2_000);
  assertEquals(other.up(0, 0), 3_000);
  assertEquals(other.down(5_000, 0), 0);
  assertEquals(other.up(10, 3_000), 0);
});

for (const way of ["up", "down"] as const) {
  Deno.test(`what several limits make wait on its way ${way} waits for the slowest`, () => {
    const rates = new Rates({
      client: { ...NO_LIMITS, [way]: 1_000 },
      user: { ...NO_LIMITS, [way]: 100 },
    });
    const usage = begun(rates, 0, CLIENT, "ada", ofRule("slow", { [way]: 500 }));
    assertEquals(usage[way](2_000, 0), 0);
    assertEquals(usage[way](0, 0), 19_000);
    const other = begun(rates, 0, CLIENT, "grace");
    assertEquals(other[way](0, 0), 1_000, "the same client, another user, no rule");
  });
}

Deno.test("a read takes a quarter of a second's bytes, divided among the exchanges, and 1 KiB at least", () => {
  const rates = new Rates(perClient({ up: 400_000, down: 1 }));
  const usage = begun(rates, 0);
  assertEquals([usage.upRead, usage.downRead], [100_000, 1024]);
  begun(rates, 0);
  assertEquals(usage.upRead, 50_000);
  const free = new Rates(perClient({ requests: 1 }));
  assertEquals([begun(free, 0).upRead, begun(free, 0, "192.0.2.2").downRead], [Infinity, Infinity]);
});

for (const [key, length, words] of [["hourly", HOUR, "an hour"], ["daily", DAY, "a day"]] as const) {
  Deno.test(`${key} bytes, both ways: the exchange under way goes on, the next is refused until ${words} is over`, () => {
    const rates = new Rates(perClient({ [key]: 100 * 1024 * 1024 }));
    const usage = begun(rates, 5_000);
    usage.up(60 * 1024 * 1024, 5_000);
    begun(rates, 5_000).end();
    assertEquals(usage.down(40 * 1024 * 1024, 6_000), 0);
    const limit = `bytes of one client: 100 MiB ${words}`;
    assertEquals(refused(rates, 10_500), new Excess(limit, length / 1_000 - 5));
    assertEquals(usage.down(1, 11_000), 0);
    assertEquals(refused(rates, 5_000 + length - 1), new Excess(limit, 1));
    begun(rates, 5_000 + length);
  });
}

Deno.test("what is refused by one limit is counted against none", () => {
  const rule = ofRule("npm", { requests: 1 });
  const rates = new Rates({
    client: { ...NO_LIMITS, requests: 1, burst: 2, exchanges: 2 },
    user: { ...NO_LIMITS, requests: 1, burst: 3, exchanges: 2 },
  });
  begun(rates, 0, CLIENT, "ada", rule).end();
  for (let i = 0; i < 10; i++) {
    assertEquals(refused(rates, 0, CLIENT, "ada", rule).limit, "requests under the rule npm: 1 a second");
  }
  begun(rates, 0, CLIENT, "ada").end();
  assertEquals(refused(rates, 0, CLIENT, "ada").limit, "requests of one client: 1 a second");
  begun(rates, 0, "192.0.2.2", "ada").end();
  assertEquals(refused(rates, 0, "192.0.2.3", "ada").limit, "requests of one user: 1 a second");
  begun(rates, 0, "192.0.2.3", "grace");
  begun(rates, 0, "192.0.2.3", "grace");
  refused(rates, 10_000, "192.0.2.3", "grace");
});

Deno.test("of several limits that are reached the one is told that lasts longest", () => {
  const rates = new Rates({
    client: { ...NO_LIMITS, requests: 1 },
    user: { ...NO_LIMITS, requests: 0.1 },
  });
  begun(rates, 0, CLIENT, "ada");
  assertEquals(refused(rates, 0, CLIENT, "ada"), new Excess("requests of one user: 0.1 a second", 10));
});

Deno.test("what one client takes is nothing to another: any two are as if each were alone", () => {
  const limits = perClient({ requests: 2, burst: 3, exchanges: 2, up: 100, down: 1_000, hourly: 5_000 });
  const steps = fc.array(
    fc.record({
      gap: fc.integer({ min: 0, max: 700 }),
      who: fc.integer({ min: 0, max: 1 }),
      what: fc.constantFrom("begin", "up", "down", "end"),
      bytes: fc.integer({ min: 0, max: 400 }),
    }),
    { maxLength: 100 },
  );
  fc.assert(fc.property(steps, (steps) => {
    const together = new Rates(limits);
    const alone = [new Rates(limits), new Rates(limits)];
    const open: Usage[][][] = [[[], []], [[], []]];
    let now = 0;
    for (const { gap, who, what, bytes } of steps) {
      now += gap;
      const outcomes = [together, alone[who]].map((rates, place) => {
        const mine = open[place][who];
        if (what === "begin") {
          const outcome = rates.begin(`192.0.2.${who}`, "", null, now);
          if (!(outcome instanceof Usage)) return outcome;
          return mine.push(outcome);
        }
        if (mine.length === 0) return null;
        if (what === "end") return mine.pop()!.end();
        return what === "up" ? mine[0].up(bytes, now) : mine[0].down(bytes, now);
      });
      assertEquals(outcomes[0], outcomes[1]);
    }
  }));
});

Deno.test("other limits hold at once, for exchanges under way too, and what was counted counts on", () => {
  const rates = new Rates(perClient({ down: 1_000, hourly: 10_000, exchanges: 5 }));
  const usage = begun(rates, 0);
  usage.down(3_000, 0);
  rates.limits = perClient({ down: 100, hourly: 3_000, exchanges: 1 });
  assertEquals(usage.down(0, 0), 20_000);
  assertEquals(refused(rates, 0).limit, "bytes of one client: 3000 bytes an hour");
  rates.limits = perClient({ exchanges: 1 });
  assertEquals(usage.down(1_000_000, 0), 0);
  assertEquals(refused(rates, 0).limit, "simultaneous exchanges of one client: 1");
  rates.limits = { client: NO_LIMITS, user: NO_LIMITS };
  assertEquals(rates.begin(CLIENT, "", null, 0), null);
  usage.end();
  rates.limits = perClient({ exchanges: 1 });
  begun(rates, 0);
});

Deno.test("a rule's limits are those that its last verdict came with", () => {
  const rates = new Rates();
  begun(rates, 0, CLIENT, "", ofRule("npm", { exchanges: 1 }));
  refused(rates, 0, CLIENT, "", ofRule("npm", { exchanges: 1 }));
  begun(rates, 0, CLIENT, "", ofRule("npm", { exchanges: 2 }));
});

Deno.test("an exchange goes over to another rule without being a request twice", () => {
  const rates = new Rates(perClient({ requests: 1 }));
  const first = ofRule("first", { requests: 1, exchanges: 1 });
  const second = ofRule("second", { requests: 1, exchanges: 1 });
  const usage = begun(rates, 0, CLIENT, "", first);
  assertEquals(rates.changeRule(usage, first, 0), usage, "the same rule");
  assertEquals(rates.changeRule(usage, second, 0), usage);
  const other = begun(rates, 0, "192.0.2.2", "", first);
  const excess = excessIn(rates.changeRule(other, second, 0));
  assertEquals(excess.limit, "requests under the rule second: 1 a second");
  other.end();
  usage.end();
  begun(rates, 1_000, "192.0.2.2", "", second).end();
  const back = begun(rates, 2_000, CLIENT, "", first);
  assertEquals(rates.changeRule(back, null, 2_000), back);
  begun(rates, 2_000, "192.0.2.3", "", first);
});

Deno.test("an exchange that nothing limited so far may come under a rule that does, and out of it", () => {
  const rates = new Rates();
  assertEquals(rates.changeRule(null, null, 0), null);
  const usage = usageIn(rates.changeRule(null, ofRule("slow", { exchanges: 1 }), 0));
  refused(rates, 0, CLIENT, "", ofRule("slow", { exchanges: 1 }));
  usage.end();
  begun(rates, 0, CLIENT, "", ofRule("slow", { exchanges: 1 }));
});

Deno.test("a million clients leave no more behind than the table holds", () => {
  const rates = new Rates(perClient({ requests: 1, daily: 1_000 }), 1_000);
  for (let i = 0; i < 1_000_000; i++) {
    const usage = begun(rates, i / 100, `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
    usage.up(i % 10, i / 100);
    usage.end();
  }
  assertEquals(rates.size, 1_000);
});

Deno.test("a client with an exchange under way is not forgotten, whoever comes", () => {
  const rates = new Rates(perClient({ exchanges: 1 }), 100);
  const usages = Array.from({ length: 200 }, (_, i) => begun(rates, 0, `192.0.2.${i}`));
  for (let i = 0; i < 10_000; i++) begun(rates, 0, `10.0.${i >> 8}.${i & 255}`).end();
  for (let i = 0; i < 200; i++) refused(rates, 0, `192.0.2.${i}`);
  for (const usage of usages) usage.end();
  for (let i = 0; i < 10_000; i++) begun(rates, 0, `10.1.${i >> 8}.${i & 255}`).end();
  assertEquals(rates.size, 100);
});

Deno.test("a client that has used up its day is not forgotten because a hundred thousand come that use little", () => {
  const rates = new Rates(perClient({ requests: 1, daily: 1_000_000 }), 1_000);
  const usage = begun(rates, 0);
  usage.down(1_000_000, 0);
  usage.end();
  for (let i = 0; i < 100_000; i++) {
    const other = begun(rates, i, `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
    other.down(1_000, i);
    other.end();
  }
  assertEquals(refused(rates, HOUR).limit, "bytes of one client: 1000000 bytes a day");
});
