import { assertEquals } from "@std/assert";
import { parseIp } from "../../src/http/ip_address.ts";
import { CaseRunner, outcomeInWords } from "../../src/policy/cases.ts";
import { parseHostPattern } from "../../src/policy/host_pattern.ts";
import { Routes } from "../../src/policy/routes.ts";
import type { PolicySpec } from "../../src/policy/spec.ts";
import type { TestCase } from "../../src/policy/test_case.ts";
import { policyOfRules, rule, type RuleWords } from "./policy_samples.ts";

interface CaseWords {
  client?: string;
  user?: string;
  method?: string;
  addresses?: string[];
  rule?: string;
  via?: string[];
  /** Hosts and the ways to them. */
  routes?: [hosts: string, via: string][];
}

function run(
  rules: RuleWords[],
  url: string,
  expect: TestCase["expect"],
  words: CaseWords = {},
  others: Partial<PolicySpec> = {},
): string {
  const spec = policyOfRules(rules.map((each, index) => rule(each, index + 1)), others);
  const { client = "127.0.0.1", user = null, method, addresses = [] } = words;
  const routes = new Routes(
    (words.routes ?? []).map(([hosts, via], index) => ({
      hosts: hosts.split(" ").map(parseHostPattern),
      via: via.split(" ").map((name) => name === "direct" ? null : { name }),
      place: `weir.toml:${index + 90}`,
    })),
    new Map(),
  );
  const outcome = new CaseRunner(spec, new Map(), routes).run({
    url,
    client,
    clientIp: parseIp(client)!,
    user,
    method: method ?? (url.startsWith("http://") ? "GET" : "CONNECT"),
    addresses: addresses.map((each) => parseIp(each)!),
    expect,
    rule: words.rule ?? null,
    via: words.via ?? null,
    file: "weir.toml",
    line: 1,
  });
  const what = outcomeInWords(outcome.got, outcome.rule, words.via === undefined ? null : outcome.via);
  return outcome.passed ? `passed: ${what}` : `failed: ${what}: ${outcome.reason}`;
}

const NPM: RuleWords = { name: "npm", hosts: ["npm.test"] };

Deno.test("a case passes when it is decided as expected, and by the rule if one is named", () => {
  assertEquals(run([NPM], "https://npm.test/", "allow"), 'passed: allow by "npm"');
  assertEquals(run([NPM], "https://npm.test/", "allow", { rule: "npm" }), 'passed: allow by "npm"');
  assertEquals(
    run([NPM], "https://npm.test/", "allow", { rule: "default" }),
    'failed: allow by "npm": weir.toml:1: allow: hosts: npm.test is matched by npm.test',
  );
  assertEquals(run([NPM], "http://evil.test/", "deny", { rule: "default" }), 'passed: deny by "default"');
  assertEquals(
    run([NPM], "http://evil.test/", "allow"),
    'failed: deny by "default": no rule matches: deny',
  );
});

Deno.test("one address that is allowed is enough, as it is for the proxy", () => {
  const client = "8.8.8.8";
  assertEquals(
    run([NPM], "https://npm.test/", "allow", { client, addresses: ["10.0.0.1", "1.1.1.1"] }),
    'passed: allow by "npm"',
  );
  assertEquals(
    run([NPM], "https://npm.test/", "deny", { client, addresses: ["10.0.0.1"] }),
    'passed: deny by "private networks"',
  );
});

Deno.test("without addresses the name alone is judged, and what depends on the address is asked for", () => {
  const lab: RuleWords = { name: "lab", hosts: ["10.0.0.0/8"] };
  assertEquals(run([NPM], "https://npm.test/", "allow", { client: "8.8.8.8" }), 'passed: allow by "npm"');
  assertEquals(
    run([lab], "http://db.internal/", "allow"),
    'failed: no answer: it depends on the address: write addresses = ["…"] into the case',
  );
  assertEquals(
    run([lab], "http://db.internal/", "allow", { addresses: ["10.1.1.1"] }),
    'passed: allow by "lab"',
  );
  assertEquals(run([lab], "http://10.1.1.1/", "allow"), 'passed: allow by "lab"');
});

Deno.test("localhost is known to be loopback", () => {
  const open = { defaultAction: "allow" as const };
  for (const url of ["http://localhost/", "http://app.localhost:3000/"]) {
    assertEquals(run([], url, "deny", { client: "10.0.0.1" }, open), 'passed: deny by "private networks"');
    assertEquals(run([], url, "allow", {}, open), 'passed: allow by "default"');
  }
});

Deno.test("a request that nobody could make fails with what the proxy would say", () => {
  assertEquals(
    run([], "http://0x7f.1/", "deny"),
    'failed: no answer: "0x7f.1" is no plain IPv4 address: write four decimal numbers, as in 192.0.2.1',
  );
});

Deno.test("who has not said who it is gets asked", () => {
  const staff: RuleWords = { name: "staff", users: ["ann"] };
  const others = { authentication: "by-rule" as const };
  assertEquals(run([staff], "http://a.test/", "authenticate", {}, others), 'passed: authenticate by "users"');
  assertEquals(run([staff], "http://a.test/", "allow", { user: "ann" }, others), 'passed: allow by "staff"');
  assertEquals(run([staff], "http://a.test/", "deny", { user: "eve" }, others), 'passed: deny by "default"');
});

Deno.test("a policy in report mode is tested as it would be enforced, without rules that are only tried out", () => {
  const trial: RuleWords = { name: "trial", action: "deny", mode: "report", hosts: ["npm.test"] };
  const others = { mode: "report" as const };
  assertEquals(run([NPM], "http://evil.test/", "deny", {}, others), 'passed: deny by "default"');
  assertEquals(
    run([trial, NPM], "https://npm.test/", "allow", { rule: "npm" }, others),
    'passed: allow by "npm"',
  );
  assertEquals(
    run([trial, NPM], "https://npm.test/", "deny", { rule: "trial" }),
    'failed: allow by "npm": weir.toml:2: allow: hosts: npm.test is matched by npm.test; the rule "trial" decides ' +
      'nothing, its mode is "report"',
  );
});

Deno.test("a case passes when all ways are those that are expected, in their order", () => {
  const routes: [string, string][] = [["npm.test", "corp spare"], ["a.test", "direct"]];
  const npm = (...via: string[]) => run([NPM], "https://npm.test/", "allow", { routes, via });
  assertEquals(npm("corp", "spare"), 'passed: allow by "npm", via corp, spare');
  const told =
    'failed: allow by "npm", via corp, spare: weir.toml:90: the route for npm.test decides the way';
  assertEquals([npm("corp"), npm("spare", "corp"), npm("direct")], [told, told, told]);
  assertEquals(
    run([], "http://a.test/", "deny", { routes, via: ["direct"] }),
    'passed: deny by "default", via direct',
  );
  assertEquals(
    run([], "http://b.test/", "allow", { routes, via: ["corp"] }),
    'failed: deny by "default", via direct: no rule matches: deny; no route names b.test',
  );
});

Deno.test("a name that goes through a parent is judged without its address, as the proxy does", () => {
  const lab: RuleWords = { name: "lab", hosts: ["10.0.0.0/8"] };
  const addresses = ["10.0.0.1"];
  const routes: [string, string][] = [["a.test 10.0.0.0/8", "corp direct"], ["b.test", "direct corp"]];
  assertEquals(
    run([lab], "http://a.test/", "allow", { routes, addresses }),
    'failed: deny by "default": no rule matches: deny; its parent looks the name up: addresses change nothing',
  );
  assertEquals(run([lab], "http://b.test/", "allow", { routes, addresses }), 'passed: allow by "lab"');
  assertEquals(run([lab], "http://10.0.0.7/", "allow", { routes }), 'passed: allow by "lab"');
});
