/** What holds for policies and requests of any kind: made at random, smaller ones tried first when it does not. */

import { explain } from "../../src/policy/explanation.ts";
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { parseAuthority } from "../../src/http/authority.ts";
import { formatIp, type IpAddress, parseIp } from "../../src/http/ip_address.ts";
import { scopeOf } from "../../src/policy/address_scope.ts";
import { evaluate } from "../../src/policy/evaluation.ts";
import type { Facts } from "../../src/policy/facts.ts";
import type { HostList } from "../../src/policy/host_list.ts";
import { HostListReader } from "../../src/policy/host_list_reader.ts";
import { parseHostPattern } from "../../src/policy/host_pattern.ts";
import { parseNetworks } from "../../src/policy/network.ts";
import { parsePathPattern } from "../../src/policy/path_pattern.ts";
import { Policy } from "../../src/policy/policy.ts";
import { parsePorts } from "../../src/policy/port_range.ts";
import type { PolicySpec, RuleSpec } from "../../src/policy/spec.ts";

/** Few of each, so that they meet; of the networks every one holds an address of these, and some are in others. */
const ADDRESSES = [
  "8.8.8.8",
  "8.8.4.4",
  "93.184.216.34",
  "10.0.0.1",
  "10.1.0.1",
  "192.168.1.1",
  "127.0.0.1",
  "127.9.9.9",
  "169.254.169.254",
  "100.100.100.200",
  "192.0.2.1",
  "255.255.255.255",
  "::1",
  "::",
  "::ffff:10.0.0.1",
  "::ffff:8.8.8.8",
  "64:ff9b::8.8.8.8",
  "64:ff9b::169.254.169.254",
  "64:ff9b:1::10.0.0.1",
  "2002:a00:1::1",
  "2002:808:808::5efe:a00:1",
  "2001:0:808:808::f5ff:fffe",
  "2606:4700::1",
  "2606:4700::5efe:808:808",
  "fd00::1",
  "fd00:ec2::254",
  "fe80::1",
].map((text) => parseIp(text)!);

const NETWORKS = [
  "8.8.8.8",
  "8.8.0.0/16",
  "10.0.0.0/8",
  "10.1.0.0/16",
  "127.0.0.0/8",
  "169.254.169.254",
  "169.254.0.0/16",
  "192.0.2.1",
  "0.0.0.0/0",
  "::/0",
  "::1",
  "2606:4700::/32",
  "64:ff9b::/96",
  "fd00::/8",
  "fd00:ec2::254",
];

const CLIENTS = [
  "127.0.0.1",
  "10.0.0.9",
  "10.1.0.9",
  "8.8.4.4",
  "fe80::9",
  "fd00::9",
  "2606:4700::9",
  "192.0.2.9",
];

const LIST = (() => {
  const reader = new HostListReader();
  reader.read(new TextEncoder().encode("one.test\n*.two.test\n"));
  return reader.end().list;
})();
const LIST_WITH_NETWORKS = (() => {
  const reader = new HostListReader();
  reader.read(new TextEncoder().encode("three.test\n8.8.8.0/24\n10.1.0.0/16\n"));
  return reader.end().list;
})();
const LISTS: ReadonlyMap<string, HostList> = new Map([["names", LIST], ["networks", LIST_WITH_NETWORKS]]);

const network = fc.constantFrom(...NETWORKS).map((text) => parseNetworks(text)[0]);
const host = fc.oneof(
  fc.constantFrom(
    "one.test",
    "a.two.test",
    "*.two.test",
    ".two.test",
    "*.test",
    ".test",
    "*",
    "@names",
    "@networks",
    "@gone",
  ),
  fc.constantFrom(...NETWORKS),
).map(parseHostPattern);
const ports = fc.array(fc.constantFrom("25", "80", "443", "8000-8999", "*").map(parsePorts), {
  minLength: 1,
  maxLength: 2,
});
const some = <Value>(value: fc.Arbitrary<Value>) =>
  fc.option(fc.array(value, { minLength: 1, maxLength: 3 }), { nil: null, freq: 2 });
const tls = fc.constantFrom("any", "match", "require");
const tlsSetting = fc.constantFrom("auto", "any", "match", "require");
const mode = fc.constantFrom("enforce" as const, "enforce" as const, "report" as const);

const rule: fc.Arbitrary<Omit<RuleSpec, "name">> = fc.record({
  action: fc.constantFrom("allow" as const, "deny" as const),
  mode,
  note: fc.constantFrom("", "ask first"),
  clients: fc.option(
    fc.constantFrom("127.0.0.0/8", "10.0.0.0/8", "10.1.0.0/16", "::/0").map(parseNetworks),
    { nil: null, freq: 2 },
  ),
  users: fc.option(fc.constantFrom(["*"], ["anna"], ["anna", "ben"], []), { nil: null, freq: 2 }),
  hosts: some(host),
  ports: fc.option(ports, { nil: null, freq: 2 }),
  methods: fc.option(fc.constantFrom(["GET"], ["GET", "POST"], ["CONNECT"], ["GET", "CONNECT"]), {
    nil: null,
    freq: 2,
  }),
  encodedSlashes: fc.boolean(),
  paths: fc.option(fc.constantFrom("/*", "/a/*", "/b").map((text) => [parsePathPattern(text)]), {
    nil: null,
    freq: 2,
  }),
  tls: fc.option(tls, { nil: null }),
  rates: fc.option(
    fc.constant({ requests: 1, burst: 1, exchanges: 0, up: 0, down: 0, hourly: 0, daily: 0 }),
    { nil: null },
  ),
  source: fc.constant({ file: "weir.toml", lines: {}, line: 1 }),
});

/** Often more rules than a word of bits holds, most of which are for others. */
const padding: fc.Arbitrary<number> = fc.constantFrom(0, 0, 0, 31, 32, 40);
const OTHER: Omit<RuleSpec, "name"> = {
  action: "deny",
  mode: "enforce",
  note: "",
  clients: null,
  users: null,
  hosts: [parseHostPattern("other.test")],
  ports: null,
  methods: null,
  paths: null,
  encodedSlashes: false,
  tls: null,
  rates: null,
  source: { file: "weir.toml", lines: {}, line: 1 },
};

const policy: fc.Arbitrary<PolicySpec> = fc.record({
  mode,
  defaultAction: fc.constantFrom("allow" as const, "deny" as const),
  tls: tlsSetting,
  privateNetworks: fc.oneof(
    fc.constantFrom("own" as const, "deny" as const, "allow" as const),
    fc.array(fc.oneof({ weight: 3, arbitrary: network }, fc.constant("own" as const)), { maxLength: 3 }),
  ),
  clients: fc.option(fc.constantFrom(["10.0.0.0/8"], ["all"]).map((words) => words.flatMap(parseNetworks)), {
    nil: null,
    freq: 4,
  }),
  connectPorts: fc.option(fc.oneof(ports, fc.constant([])), { nil: null }),
  authentication: fc.constantFrom("none" as const, "always" as const, "by-rule" as const, "by-rule" as const),
  rules: fc.tuple(padding, fc.array(rule, { maxLength: 6 })).map(([padding, rules]) =>
    [...rules.slice(0, 2), ...Array<typeof OTHER>(padding).fill(OTHER), ...rules.slice(2)]
      .map((each, index): RuleSpec => ({ ...each, name: `rule ${index + 1}` }))
  ),
});

const facts: fc.Arbitrary<Facts> = fc.record({
  client: fc.constantFrom(...CLIENTS),
  user: fc.constantFrom(null, null, "anna", "ben", "eve"),
  method: fc.constantFrom("GET", "POST", "CONNECT", "CONNECT", "get"),
  host: fc.oneof(
    {
      weight: 3,
      arbitrary: fc.constantFrom("one.test", "two.test", "a.two.test", "three.test", "four.test"),
    },
    fc.constantFrom(...ADDRESSES).map((ip) => ip.family === 4 ? formatIp(ip) : `[${formatIp(ip)}]`),
  ),
  port: fc.constantFrom(22, 25, 80, 443, 8080),
  path: fc.constantFrom(null, "/", "/a/b", "/b", "/a/../b", "/%61/x", "//a//b", "/a%2fb", "/A/b;c"),
}).map(({ host, port, path, ...others }) => ({
  ...others,
  clientIp: parseIp(others.client)!,
  authority: parseAuthority(`${host}:${port}`, null),
  path: others.method === "CONNECT" ? null : path,
}));

const address = fc.option(fc.constantFrom(...ADDRESSES), { nil: null });

Deno.test("a decision is the one of the slow evaluation, for policies and requests of any kind", () => {
  fc.assert(
    fc.property(
      policy,
      fc.array(fc.tuple(facts, address), { minLength: 1, maxLength: 8 }),
      (spec, requests) => {
        const policy = new Policy(spec, LISTS);
        // each twice: what is remembered says the same
        for (const [facts, address] of [...requests, ...requests]) {
          assertEquals(policy.decide(facts, address), evaluate(spec, LISTS, facts, address).verdict);
          const elsewhere = policy.decide(facts, null, true);
          assertEquals(elsewhere, evaluate(spec, LISTS, facts, null, true).verdict);
          assertNotEquals(elsewhere.decision, "unresolved");
        }
      },
    ),
    { numRuns: 3000 },
  );
});

/** Whether the request goes on, as far as it can be said. */
const goesOn = (policy: Policy, facts: Facts, address: IpAddress | null) => {
  const { decision, enforced } = policy.decide(facts, address);
  return !enforced || decision === "allow" || decision === "unresolved";
};

Deno.test("what is refused before its name is resolved would be refused with any address", () => {
  fc.assert(
    fc.property(policy, facts, (spec, facts) => {
      const policy = new Policy(spec, LISTS);
      const verdict = policy.decide(facts, null);
      if (verdict.decision !== "deny" && verdict.decision !== "authenticate" || facts.authority.ip !== null) {
        return;
      }
      // a rule on trial refuses nothing, and by the address another one may decide before it
      if (spec.rules.some(({ mode, name }) => mode === "report" && name === verdict.rule)) return;
      for (const address of ADDRESSES) {
        assertNotEquals(policy.decide(facts, address).decision, "allow", formatIp(address));
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("a name is not left unresolved when all addresses lead to the same denial", () => {
  fc.assert(
    fc.property(policy, facts, (spec, facts) => {
      const policy = new Policy(spec, LISTS);
      const verdict = policy.decide(facts, null);
      if (verdict.decision !== "unresolved") return;
      assertEquals(facts.authority.ip, null, "an address is always judged");
      const verdicts = ADDRESSES.map((address) => policy.decide(facts, address));
      assert(verdicts.every(({ decision }) => decision !== "unresolved"));
      assert(
        verdicts.some(({ decision, rule }) => decision !== "deny" || rule !== verdicts[0].rule),
        `always ${verdicts[0].rule}`,
      );
    }),
    { numRuns: 2000 },
  );
});

Deno.test("a policy that is only reported stops nothing", () => {
  fc.assert(
    fc.property(policy, facts, address, (spec, facts, address) => {
      assert(goesOn(new Policy({ ...spec, mode: "report" }, LISTS), facts, address));
    }),
    { numRuns: 1000 },
  );
});

Deno.test("a rule that is only reported changes nothing of what is let through", () => {
  fc.assert(
    fc.property(policy, facts, address, (spec, facts, address) => {
      const without = { ...spec, rules: spec.rules.filter(({ mode }) => mode === "enforce") };
      assertEquals(
        goesOn(new Policy(spec, LISTS), facts, address),
        goesOn(new Policy(without, LISTS), facts, address),
      );
    }),
    { numRuns: 1000 },
  );
});

Deno.test("no rule leads to an address that is more private than the client, or to one that it does not name", () => {
  const deep = fc.constantFrom(
    "127.0.0.1",
    "::1",
    "0.0.0.0",
    "10.0.0.1",
    "2002:7f00:1::",
    "fd00::1",
    "169.254.1.1",
  );
  fc.assert(
    fc.property(policy, facts, deep, (spec, facts, deep) => {
      const policy = new Policy({ ...spec, mode: "enforce", privateNetworks: "own" }, LISTS);
      const outside = { ...facts, client: "8.8.4.4", clientIp: parseIp("8.8.4.4")! };
      assertNotEquals(policy.decide(outside, parseIp(deep)).decision, "allow");
    }),
    { numRuns: 1000 },
  );
});

Deno.test("the changes of an explanation turn the verdict", () => {
  fc.assert(
    fc.property(policy, facts, address, (spec, facts, address) => {
      if (facts.authority.ip !== null) address = null;
      const { verdict, changes } = explain(spec, LISTS, facts, address);
      if (verdict.decision === "unresolved") return assertEquals(changes, []);
      const changed = changes.at(-1)!.spec;
      if (changed === null) {
        // a client that has not said who it is has to, whatever is written; and nothing leads to the address of no host
        const ip = address ?? facts.authority.ip;
        return assert(facts.user === null || ip !== null && scopeOf(ip) === "unspecified");
      }
      const after = new Policy(changed, LISTS).decide(facts, address);
      // a name that got as far as the rules may wait for its address now
      if (after.decision === "unresolved") return assertNotEquals(verdict.decision, "allow");
      assertEquals(after.decision, verdict.decision === "allow" ? "deny" : "allow");
    }),
    { numRuns: 2000 },
  );
});
