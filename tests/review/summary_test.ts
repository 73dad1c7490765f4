import { assert, assertEquals } from "@std/assert";
import { readLine } from "../../src/review/log_reader.ts";
import { Summary } from "../../src/review/summary.ts";
import { deniedLine, jsonLine } from "./logs.ts";

function summaryOf(lines: Iterable<string>): Summary {
  const summary = new Summary();
  for (const line of lines) summary.add(readLine(line));
  return summary;
}

Deno.test("each exchange is counted as one thing", () => {
  const summary = summaryOf([
    jsonLine(),
    jsonLine({ verdict: "deny", enforced: false }),
    deniedLine(),
    deniedLine({ status: 407, rule: "users" }),
    jsonLine({ verdict: "none", host: "" }),
  ]);
  const { allowed, reported, refused, challenged, undecided, withoutTarget, total, denied } = summary;
  assertEquals([allowed, reported, refused, challenged, undecided, withoutTarget], [1, 1, 1, 1, 1, 1]);
  assertEquals([total.count, total.up, total.down, total.denied, denied], [5, 5000, 100195, 2, 2]);
});

Deno.test("denials are told apart by host, port and rule", () => {
  const summary = summaryOf([
    deniedLine(),
    deniedLine({ rule: "no npm", reason: "later" }),
    deniedLine({ rule: "no npm", verdict: "deny", enforced: false }),
    deniedLine({ port: 80, target: "registry.corp.test:80" }),
  ]);
  assertEquals(
    summary.denials.sorted(({ count }) => count).map((
      [, { authority, rule, count, reported }],
    ) => [authority!.text, rule, count, reported]),
    [
      ["registry.corp.test:443", "no npm", 2, 1],
      ["registry.corp.test:443", "default", 1, 0],
      ["registry.corp.test:80", "default", 1, 0],
    ],
  );
});

Deno.test("the time runs from the first to the last, in whatever order they are logged", () => {
  const { first, last } = summaryOf(
    ["T03", "T01", "T02"].map((hour) => jsonLine({ time: `2026-11-21${hour}:00:00.000Z` })),
  );
  assertEquals([new Date(first).getUTCHours(), new Date(last).getUTCHours()], [1, 3]);
});

Deno.test("tunnels have no part in how long requests took", () => {
  const { durations } = summaryOf([
    jsonLine({ durationMs: 1e6 }),
    jsonLine({ method: "GET", durationMs: 20 }),
  ]);
  assertEquals([durations.count, durations.longest], [1, 20]);
});

Deno.test("a log of any number of hosts takes bounded memory, and says so", () => {
  const { hosts, total } = summaryOf(function* () {
    for (let i = 0; i < 12_000; i++) yield jsonLine({ host: `h${i}.example` });
  }());
  assertEquals([hosts.size, hosts.rest?.count, total.count], [10_000, 2000, 12_000]);
  assert(hosts.rest!.down > 0);
});
