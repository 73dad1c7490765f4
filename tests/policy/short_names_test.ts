import { assertEquals } from "@std/assert";
import { HostListReader } from "../../src/policy/host_list_reader.ts";
import { ShortNames } from "../../src/policy/short_names.ts";
import type { PolicySpec } from "../../src/policy/spec.ts";
import { policyOfRules, rule } from "./policy_samples.ts";

const reader = new HostListReader();
reader.read(new TextEncoder().encode("listed\n"));
const LISTS = new Map([["list", reader.end().list]]);

function completed(spec: PolicySpec, ...names: string[]): string[] {
  const short = new ShortNames(spec, LISTS);
  return names.filter((name) => short.mayComplete(name));
}

const NAMES = ["wiki", "evil", "listed", "api.example"];

Deno.test("where no rule is about names the system may complete them", () => {
  assertEquals(completed(policyOfRules([]), ...NAMES), NAMES);
  const others = [rule({ action: "deny", hosts: ["10.0.0.0/8"] }), rule({ hosts: ["*"], ports: ["80"] }, 2)];
  assertEquals(completed(policyOfRules(others), ...NAMES), NAMES);
});

Deno.test("where one is, only a single label that a rule allows by this name", () => {
  for (
    const [hosts, expected] of [
      [["wiki"], ["wiki"]],
      [[".wiki"], ["wiki"]],
      [["*.wiki"], []],
      [["api.example"], []],
      [["@list"], ["listed"]],
      [["*", "api.example"], []],
    ]
  ) {
    assertEquals(completed(policyOfRules([rule({ hosts })]), ...NAMES), expected, `${hosts}`);
    assertEquals(completed(policyOfRules([rule({ action: "deny", hosts })]), ...NAMES), [], `${hosts}`);
  }
});

Deno.test("rules that are only reported keep nothing from being completed", () => {
  const denies = rule({ action: "deny", hosts: ["evil.corp.test"] });
  assertEquals(completed(policyOfRules([denies], { mode: "report" }), ...NAMES), NAMES);
  assertEquals(completed(policyOfRules([{ ...denies, mode: "report" }]), ...NAMES), NAMES);
});
