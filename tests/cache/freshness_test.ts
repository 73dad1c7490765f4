import { assertEquals } from "@std/assert";
import { MAX_SECONDS } from "../../src/cache/cache_control.ts";
import { ageOf, isHeuristicallyCacheable, lifetimeOf, madeAt, readAge } from "../../src/cache/freshness.ts";
import { after, at, NOON, stored } from "./making.ts";

/** The lifetime that something says, and `null` for an estimated one of nothing. */
function explicit(...lines: string[]): number | null {
  const { seconds, heuristic } = lifetimeOf(stored(...lines));
  return heuristic ? null : seconds;
}

function estimated(status: number, ...lines: string[]): number | null {
  const { seconds, heuristic } = lifetimeOf({ ...stored(...lines), status });
  return heuristic ? seconds : null;
}

Deno.test("s-maxage comes before max-age, and that before Expires, longer or shorter (RFC 9111 §4.2.1)", () => {
  const expires = [`Date: ${at(0)}`, `Expires: ${at(50)}`];
  assertEquals(explicit("Cache-Control: s-maxage=10, max-age=20", ...expires), 10);
  assertEquals(explicit("Cache-Control: max-age=0, s-maxage=3600", ...expires), 3600);
  assertEquals(explicit("Cache-Control: max-age=20", ...expires), 20);
  assertEquals(explicit("Cache-Control: max-age=20", "Expires: 0"), 20);
  assertEquals(explicit("Cache-Control: max-age=0", ...expires), 0);
  assertEquals(explicit("Cache-Control: max-age=x", ...expires), 0);
  assertEquals(explicit("Cache-Control: public", ...expires), 50);
  assertEquals(explicit("Cache-Control: max-age=99999999999"), MAX_SECONDS);
  assertEquals(explicit("Cache-Control: max-age=60", "Cache-Control: s-maxage=1"), 1);
});

Deno.test("Expires is held against the Date that came with it, or else the time of the response (RFC 9111 §4.2.1)", () => {
  assertEquals(explicit(`Expires: ${at(100)}`, `Date: ${at(40)}`), 60);
  assertEquals(explicit(`Expires: ${at(100)}`, `Date: ${at(-40)}`), 140);
  assertEquals(explicit(`Expires: ${at(100)}`), 100);
  assertEquals(explicit(`Expires: ${at(100)}`, "Date: foo"), 100);
  assertEquals(explicit(`Expires: ${at(100)}`, `Date: ${at(0)}`, `Date: ${at(0)}`), 100);
  assertEquals(explicit(`Expires: ${at(300)}`, `Date: ${at(400)}`), 0);
  assertEquals(explicit(`Expires: ${at(0)}`, `Date: ${at(0)}`), 0);
  assertEquals(explicit(`Expires: Fri, 15 Mar 9999 12:00:00 GMT`), MAX_SECONDS);
});

Deno.test("an Expires that is no date is in the past, and so are several (RFC 9111 §5.3)", () => {
  const next = "2050 02:01:18";
  const malformed = [
    "0",
    "-1",
    "now",
    `Thu, 18 Aug ${next} AEST`,
    `Thu 18 Aug ${next} GMT`,
    `Thu, 18  Aug  ${next} GMT`,
    `Thu, 18-Aug-${next} GMT`,
    "Thu, 18 Aug 2050 02.01.18 GMT",
    "Thu, 18 Aug 2050 2:01:18 GMT",
    "Thu, 18 Aug 50 02:01:18 GMT",
  ];
  for (const text of malformed) assertEquals(explicit(`Date: ${at(0)}`, `Expires: ${text}`), 0, text);
  assertEquals(explicit(`Expires: ${at(100)}`, `Expires: ${at(100)}`), 0);
});

Deno.test("without a word of it a tenth of the time since the last change is estimated, a day at most (RFC 9111 §4.2.2)", () => {
  const since = (seconds: number) => estimated(200, `Last-Modified: ${at(-seconds)}`, `Date: ${at(0)}`);
  assertEquals(since(86_400), 8640);
  assertEquals(since(99), 9);
  assertEquals(since(9), 0);
  assertEquals(since(0), 0);
  assertEquals(since(-100), 0);
  assertEquals(since(864_000), 86_400);
  assertEquals(since(86_400_000), 86_400);
  assertEquals(estimated(200), 0);
  assertEquals(estimated(200, `Last-Modified: ${at(-100)}`), 10, "without Date since it came");
  assertEquals(estimated(200, "Last-Modified: yesterday", `Date: ${at(0)}`), 0);
  assertEquals(estimated(200, `Last-Modified: ${at(-100)}`, `Last-Modified: ${at(-100)}`), 0);
});

Deno.test("only statuses that are defined so, or are public, are fresh by an estimate (RFC 9110 §15.1)", () => {
  const lines = [`Last-Modified: ${at(-86_400)}`, `Date: ${at(0)}`];
  const cacheable = [200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501];
  for (let status = 200; status < 600; status++) {
    assertEquals(isHeuristicallyCacheable(status), cacheable.includes(status), String(status));
    assertEquals(estimated(status, ...lines), cacheable.includes(status) ? 8640 : 0, String(status));
  }
  assertEquals(estimated(599, "Cache-Control: public", ...lines), 8640);
});

Deno.test("a response that says Pragma: no-cache is not fresh by an estimate, but by its word (RFC 9111 §5.4)", () => {
  const lines = [`Last-Modified: ${at(-86_400)}`, `Date: ${at(0)}`, "Pragma: No-Cache"];
  assertEquals(estimated(200, ...lines), 0);
  assertEquals(explicit("Cache-Control: max-age=60", ...lines), 60);
});

Deno.test("the age is that of the Age field or of the Date, whichever is older, and the time since (RFC 9111 §4.2.3)", () => {
  assertEquals(ageOf(stored(), NOON), 0);
  assertEquals(ageOf(stored(), after(5.9)), 5);
  assertEquals(ageOf(stored("Age: 30"), after(5)), 35);
  assertEquals(ageOf(stored(`Date: ${at(-40)}`), after(5)), 45);
  assertEquals(ageOf(stored(`Date: ${at(-40)}`, "Age: 30"), after(5)), 45);
  assertEquals(ageOf(stored(`Date: ${at(-40)}`, "Age: 50"), after(5)), 55);
  assertEquals(ageOf(stored(`Date: ${at(40)}`), after(5)), 5, "a clock that is ahead makes nothing younger");
  assertEquals(ageOf(stored(`Date: ${at(40)}`, "Age: 15"), after(5)), 20);
  assertEquals(ageOf(stored("Date: foo", "Age: 15"), after(5)), 20);
});

Deno.test("the time that a response took counts as age on top of its Age (RFC 9111 §4.2.3)", () => {
  const slow = { ...stored("Age: 30"), requestTime: after(-7) };
  assertEquals(ageOf(slow, after(5)), 42);
  assertEquals(ageOf({ ...stored(`Date: ${at(-3)}`), requestTime: after(-7) }, after(5)), 12);
  assertEquals(ageOf({ ...stored(), requestTime: after(7) }, after(5)), 5, "the clock went back meanwhile");
});

Deno.test("an Age that is no number is older than any (RFC 9111 §5.1)", () => {
  for (const text of ["abc", "-7200", "7200.0", "7200;foo=bar", "7200;foo=111", "+1", "1 2", '"1"', "1e3"]) {
    assertEquals(ageOf(stored(`Age: ${text}`), NOON), MAX_SECONDS, text);
  }
  assertEquals(ageOf(stored("Age: 99999999999"), NOON), MAX_SECONDS);
  assertEquals(ageOf(stored("Age: 0007"), NOON), 7);
});

Deno.test("of a list of ages the first counts; several fields, joined or not, are none (RFC 9111 §5.1)", () => {
  assertEquals(ageOf(stored("Age: 7200,0"), NOON), 7200);
  assertEquals(ageOf(stored("Age: 0,7200"), NOON), 0);
  assertEquals(ageOf(stored("Age: 0, 0"), NOON), MAX_SECONDS);
  assertEquals(ageOf(stored("Age: 3600, 3600"), NOON), MAX_SECONDS);
  assertEquals(ageOf(stored("Age: 0", "Age: 0"), NOON), MAX_SECONDS);
  assertEquals(ageOf(stored("Age: 0", "Age: 7200"), NOON), MAX_SECONDS);
  assertEquals(readAge(",5"), null);
});

Deno.test("what comes from the future is as old as it was when it came", () => {
  const old = stored("Age: 30");
  assertEquals(ageOf(old, after(-1)), 30);
  assertEquals(ageOf(old, after(-3600)), 30);
  assertEquals(ageOf(old, 0), 30);
  assertEquals(ageOf(old, NaN), MAX_SECONDS);
  assertEquals(ageOf({ ...old, responseTime: NaN }, NOON), MAX_SECONDS);
  assertEquals(ageOf({ ...old, requestTime: NaN }, NOON), MAX_SECONDS);
  assertEquals(ageOf(old, Infinity), MAX_SECONDS);
});

Deno.test("dates are compared with the system's clock, and times that pass with the one that is never set back", () => {
  // the system's clock was set back by an hour before it came
  const late = { ...stored(`Date: ${at(-3600)}`, `Expires: ${at(-3540)}`), behind: 3_600_000 };
  assertEquals([ageOf(late, NOON), lifetimeOf(late).seconds], [0, 60]);
  assertEquals(ageOf(late, after(59)), 59);
  const undated = { ...stored("Cache-Control: max-age=5"), behind: 3_600_000 };
  assertEquals([ageOf(undated, after(5)), madeAt(undated)], [5, after(-3600)]);
});

Deno.test("no lifetime is estimated for what was fetched with credentials, and one that is stated counts", () => {
  const modified = `Last-Modified: ${at(-86_400)}`;
  const seconds = (...lines: string[]) => lifetimeOf({ ...stored(...lines), noEstimate: true }).seconds;
  assertEquals([seconds(modified), seconds("Cache-Control: public", modified)], [0, 0]);
  assertEquals([seconds("Cache-Control: max-age=5", modified), seconds(`Expires: ${at(9)}`)], [5, 9]);
});
