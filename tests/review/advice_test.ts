import { assert, assertEquals } from "@std/assert";
import { readFlags } from "../../src/config/flags.ts";
import { policyOf } from "../../src/config/policy.ts";
import { parseAuthority } from "../../src/http/authority.ts";
import { parseIp } from "../../src/http/ip_address.ts";
import { parseListenAddress } from "../../src/net/listen.ts";
import { Policy } from "../../src/policy/policy.ts";
import { adviceFor } from "../../src/review/advice.ts";
import { allowRules } from "../../src/review/rule_toml.ts";
import { policyIn } from "./learning.ts";

/** A target, its client, the address it leads to, and a policy that denies it. */
const DENIED: [target: string, client: string, address: string, policy: string][] = [
  ["a.example:443", "127.0.0.1", "93.184.216.34", 'default = "deny"'],
  [
    "a.example:443",
    "127.0.0.1",
    "93.184.216.34",
    '[[rule]]\nname = "no a"\naction = "deny"\nhosts = ["a.example"]',
  ],
  ["[2606:4700::1111]:443", "127.0.0.1", "2606:4700::1111", 'default = "deny"'],
  ["a.example:22", "203.0.114.5", "93.184.216.34", ""],
  ["a.example:25", "127.0.0.1", "93.184.216.34", ""],
  ["10.0.0.9:443", "203.0.114.5", "10.0.0.9", ""],
  ["169.254.169.254:80", "127.0.0.1", "169.254.169.254", ""],
  ["224.0.0.1:80", "127.0.0.1", "224.0.0.1", ""],
  ["a.example:443", "203.0.114.5", "93.184.216.34", 'clients = ["10.0.0.0/8"]'],
];

for (const [target, client, address, text] of DENIED) {
  const written = text.startsWith("[[") ? text : `[policy]\n${text}\n`;
  const authority = parseAuthority(target, null);
  const facts = { client, clientIp: parseIp(client)!, user: null, method: "CONNECT", authority, path: null };
  const policy = await policyIn(written);
  const { rule } = policy.decide(facts, parseIp(address));

  Deno.test(`the advice against ${rule || "nothing"} for ${target} allows it`, async () => {
    const advice = adviceFor(authority, rule, client, false);
    assert(advice.flag !== "");
    const line = readFlags(advice.flag.split(" "), parseListenAddress);
    const values = { ...line.values };
    const changed = new Policy(policyOf(values, [...line.rules, ...policy.spec.rules]), new Map());
    assertEquals(changed.decide(facts, parseIp(address)).decision, "allow");
    if (advice.rule === null) return;
    const file = await policyIn(
      `${written.startsWith("[policy]") ? written : ""}${allowRules([advice.rule])}`,
    );
    assertEquals(file.decide(facts, parseIp(address)).decision, "allow");
  });
}

Deno.test("where no line would do, none is given", () => {
  const name = parseAuthority("a.example:443", null);
  for (const rule of ["users", "own listeners", "private networks", "metadata addresses"]) {
    const { flag, remark } = adviceFor(name, rule, "127.0.0.1", false);
    assertEquals([flag, remark !== ""], ["", true], rule);
  }
  assertEquals(adviceFor(null, "default", "127.0.0.1", true).flag, "");
});

Deno.test("advice that may turn the default around says so, unless the default is known to deny", () => {
  const name = parseAuthority("a.example:443", null);
  const metadata = parseAuthority("169.254.169.254:80", null);
  const warns = (authority: typeof name, rule: string, defaultDenies: boolean) =>
    adviceFor(authority, rule, "127.0.0.1", defaultDenies).remark.includes('default = "allow"');
  const rules = [[name, "no a"], [name, "connect ports"], [name, "port 25"], [
    metadata,
    "metadata addresses",
  ]];
  for (const [authority, rule] of rules as [typeof name, string][]) {
    assertEquals([warns(authority, rule, false), warns(authority, rule, true)], [true, false], rule);
  }
  for (const rule of ["default", "clients", "users", "private networks"]) {
    assertEquals(warns(name, rule, false), false, rule);
  }
});

Deno.test("rules for hosts of the same port are one", () => {
  const host = (host: string, port: number, tls = false) => ({ host, port, tls });
  assertEquals(
    allowRules([host("b", 443), host("a", 80), host("a", 443), host("b", 443), host("c", 443, true)]),
    '[[rule]]\naction = "allow"\nhosts = ["b", "a"]\nports = [443]\n\n' +
      '[[rule]]\naction = "allow"\nhosts = ["a"]\nports = [80]\n\n' +
      '[[rule]]\naction = "allow"\nhosts = ["c"]\nports = [443]\ntls = "any"\n',
  );
});
