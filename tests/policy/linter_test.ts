import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { findingText } from "../../src/policy/finding.ts";
import type { HostList } from "../../src/policy/host_list.ts";
import { parseIp } from "../../src/http/ip_address.ts";
import { lint } from "../../src/policy/linter.ts";
import { Policy } from "../../src/policy/policy.ts";
import { parseNetworks } from "../../src/policy/network.ts";
import type { PolicySpec } from "../../src/policy/spec.ts";
import { facts, policyOfRules, rule, type RuleWords } from "./policy_samples.ts";

const NO_LISTS: ReadonlyMap<string, HostList> = new Map();
const NO_RATES = { requests: 0, burst: 0, exchanges: 0, up: 0, down: 0, hourly: 0, daily: 0 };

function findings(rules: RuleWords[], others: Partial<PolicySpec> = {}, lists = NO_LISTS): string[] {
  const spec = policyOfRules(rules.map((words, index) => rule(words, index + 1)), others);
  return lint(spec, lists).map((finding) => `${finding.severity} ${findingText(finding)}`);
}

function one(rules: RuleWords[], others: Partial<PolicySpec> = {}, lists = NO_LISTS): string {
  const found = findings(rules, others, lists);
  assertEquals(found.length, 1, found.join("\n"));
  return found[0];
}

Deno.test("a rule behind one that takes all of its requests never decides, and both places are named", () => {
  assertEquals(
    one([{ name: "all", hosts: [".example.com"] }, {
      name: "one",
      hosts: ["www.example.com"],
      ports: ["443"],
    }]),
    'warning weir.toml:2: "one" never decides: "all" (line 1) takes all that it would take; remove "one", or move ' +
      "it up if its tls, rates or note are meant",
  );
});

Deno.test("the same conditions twice are one rule too many, and an error when they contradict each other", () => {
  const words: RuleWords = { hosts: ["example.com", "example.org"], ports: ["80", "443"], methods: ["GET"] };
  const other: RuleWords = { hosts: ["example.org", "example.com"], ports: ["443", "80"], methods: ["GET"] };
  assertEquals(
    one([words, other]),
    'warning weir.toml:2: "rule 2" never decides: "rule 1" (line 1) says the same before it; remove one of them',
  );
  assertEquals(
    one([words, { ...other, action: "deny" }]),
    'error weir.toml:2: "rule 2" denies exactly what "rule 1" (line 1) allows before it, and never decides; remove ' +
      "one of them",
  );
});

Deno.test("a rule that several take together never decides, and all of them are named", () => {
  assertEquals(
    one([
      { name: "a", hosts: [".a.test"] },
      { name: "b", hosts: ["b.test"], ports: ["1-500"] },
      { name: "both", hosts: ["x.a.test", "b.test"], ports: ["80", "443"] },
    ]),
    'warning weir.toml:3: "both" never decides: "a" (line 1) and "b" (line 2) take all of it together before; ' +
      'remove "both", or move it up if its tls, rates or note are meant',
  );
  assertEquals(
    one([{ name: "a", hosts: ["a.test"] }, { name: "b", hosts: ["*.a.test"] }, { hosts: [".a.test"] }]),
    'warning weir.toml:3: "rule 3" never decides: "a" (line 1) and "b" (line 2) take all of it together before; ' +
      'remove "rule 3", or move it up if its tls, rates or note are meant',
  );
  // so many domains are not taken apart, and found all the same
  const many = Array.from({ length: 40 }, (_, index) => `.a${index}.test`);
  assertStringIncludes(
    one([{ hosts: many.slice(0, 20) }, { hosts: many.slice(20) }, { hosts: many }]),
    "take all of it together",
  );
  const clients = ["10.0.0.0/8", "192.168.0.0/16"];
  assertEquals(
    one([
      { name: "a", action: "deny", clients: ["10.0.0.0/8"] },
      { name: "b", methods: ["GET"], clients: ["192.168.0.0/16"] },
      { name: "c", methods: ["PUT"], clients: ["192.168.0.0/16"] },
      { name: "late", action: "deny", hosts: ["evil.test"], clients, methods: ["GET", "PUT"] },
    ]),
    'error weir.toml:4: "late" never decides: "a" (line 1), "b" (line 2) and "c" (line 3) take all of it together ' +
      'before; move "late" above "b", which allows',
  );
});

Deno.test("a rule of which a part is left decides, and so does one with paths or networks that only look divided", () => {
  const left: RuleWords[][] = [
    [{ hosts: ["a.test"] }, { hosts: ["b.test"] }, { hosts: ["a.test", "b.test", "c.test"] }],
    [{ hosts: ["a.test"] }, { hosts: ["*.b.a.test"] }, { hosts: [".a.test"] }],
    [{ hosts: ["a.test"], ports: ["80"] }, { ports: ["443"] }, { hosts: ["a.test"], ports: ["80-443"] }],
    [{ paths: ["/a/*"] }, { paths: ["/b/*"] }, { paths: ["/a/*", "/b/*"] }],
    [{ hosts: ["10.0.0.0/8"] }, { hosts: ["64:ff9b::/96"] }, { hosts: ["10.0.0.0/8", "64:ff9b::/96"] }],
  ];
  for (const rules of left) {
    assertEquals(findings(rules).filter((text) => text.includes("together")), [], JSON.stringify(rules));
  }
});

Deno.test("a denial behind what allows all of it is an error: it denies nothing", () => {
  for (const hosts of [undefined, ["*"], ["0.0.0.0/0", "::/0"]]) {
    assertEquals(
      one([{ name: "open", hosts }, { action: "deny", hosts: ["evil.test", "@bad.txt"] }]),
      'error weir.toml:2: "rule 2" denies nothing: "open" (line 1) allows all of it before; move "rule 2" above it',
    );
  }
});

Deno.test("a flag may overrule the file's denials: that is told, and no error", () => {
  const flag = { ...rule({ name: "--allow *" }), source: { file: "command line", line: 0, lines: {} } };
  const spec = policyOfRules([flag, rule({ action: "deny", hosts: ["evil.test"] }, 2)]);
  assertEquals(lint(spec, NO_LISTS).map((finding) => [finding.severity, findingText(finding)]), [[
    "warning",
    'weir.toml:2: "rule 2" denies nothing: "--allow *" (command line) allows all of it before; move "rule 2" above it',
  ]]);
});

Deno.test("a denial that odd paths or addresses alone come to is as good as none", () => {
  for (
    const [first, second] of [
      [{ hosts: ["0.0.0.0/0"] }, { hosts: ["evil.test"] }],
      [{ hosts: ["10.0.0.0/8"] }, { hosts: ["10.1.2.3"] }],
      [{ paths: ["/api/*"] }, { paths: ["/api/secret"] }],
    ]
  ) {
    const found = one([first, { action: "deny", ...second }], { privateNetworks: "allow" });
    assert(found.startsWith('error weir.toml:2: "rule 2" denies hardly anything: "rule 1" (line 1)'), found);
  }
});

Deno.test("what a rule leaves to the next one is seen", () => {
  const pairs: [RuleWords, RuleWords][] = [
    [{ hosts: ["*.example.com"] }, { hosts: ["example.com"] }],
    [{ hosts: ["*.example.com"] }, { hosts: [".example.com"] }],
    [{ hosts: ["example.com"] }, { hosts: ["www.example.com"] }],
    [{ hosts: ["example.com"] }, { hosts: ["example.com", "example.org"] }],
    [{ hosts: ["example.com"] }, {}],
    [{ hosts: ["ample.com"] }, { hosts: ["example.com"] }],
    [{ hosts: [".ample.com"] }, { hosts: ["example.com"] }],
    [{ hosts: ["10.0.0.0/8"] }, { hosts: ["0.0.0.0/0"] }],
    [{ hosts: ["10.0.0.0/8"] }, { hosts: ["10.example.com"] }],
    [{ ports: ["80-90"] }, { ports: ["85-95"] }],
    [{ ports: ["80"] }, {}],
    [{ methods: ["GET"] }, { methods: ["GET", "HEAD"] }],
    [{ clients: ["10.0.0.0/8"] }, { clients: ["10.0.0.0/7"] }],
    [{ clients: ["10.0.0.0/8"] }, {}],
    [{ clients: ["0.0.0.0/0"] }, {}],
    [{ users: ["*"] }, {}],
    [{ users: ["ann"] }, { users: ["*"] }],
    [{ paths: ["/a/*"] }, { paths: ["/a"] }],
    [{ paths: ["/a/*"] }, { paths: ["/b/*"] }],
    [{ paths: ["*"] }, {}],
    [{ mode: "report", action: "deny" }, {}],
  ];
  for (const [first, second] of pairs) {
    const found = findings([first, second], { privateNetworks: "allow", authentication: "by-rule" });
    assertEquals(found, [], JSON.stringify([first, second]));
  }
});

Deno.test("ranges that touch take what lies across them", () => {
  const found = one([{ ports: ["80-89", "90-99"] }, { ports: ["85-95"] }]);
  assert(found.includes("never decides"), found);
});

Deno.test("conditions that exclude each other never match", () => {
  for (
    const [words, others, why, severity = "error"] of [
      [{ methods: ["CONNECT"], paths: ["/x"] }, {}, "paths cannot be seen in a tunnel"],
      [{ users: ["ann"] }, {}, "nobody is asked who they are"],
      [{ hosts: [] }, {}, "hosts is empty"],
      [
        { clients: ["192.168.0.0/16", "10.9.0.0/16"] },
        { clients: parseNetworks("10.0.0.0/16") },
        "clients of the policy are 10.0.0.0/16, and nobody else comes in; add 192.168.0.0/16, 10.9.0.0/16 there",
        "warning",
      ],
    ] as [RuleWords, Partial<PolicySpec>, string, string?][]
  ) {
    const found = one([words], others);
    assert(
      found.startsWith(`${severity} weir.toml:1: "rule 1" never matches: `) && found.includes(why),
      found,
    );
  }
});

Deno.test("clients of a rule that the policy leaves out are named, but not a word that says something still", () => {
  const others = { clients: [...parseNetworks("10.0.0.0/8"), ...parseNetworks("loopback")] };
  assertEquals(
    one([{ clients: ["10.1.0.0/16", "192.168.0.0/16"] }], others),
    'warning weir.toml:1: "rule 1": clients: 192.168.0.0/16 has no effect, since clients of the policy are ' +
      "10.0.0.0/8, loopback; add it there",
  );
  assertEquals(findings([{ clients: ["private", "loopback"] }], others), []);
});

Deno.test("what a rule says of what it never does has no effect", () => {
  for (
    const [words, why] of [
      [{ action: "deny", tls: "match" }, "tls has no effect in a rule that denies"],
      [{ action: "deny", rates: { ...NO_RATES, up: 1 } }, "rates have no effect in a rule that denies"],
      [{ tls: "require", paths: ["/x"] }, "it has paths"],
      [{ tls: "require", methods: ["GET"] }, "its methods are without CONNECT"],
      [{ rates: NO_RATES }, "rates limit nothing: each of them is 0"],
      [{ rates: { ...NO_RATES, burst: 5 } }, "rates limit nothing: burst says"],
      [{ mode: "report" }, "a rule that allows is passed over"],
    ] as [RuleWords, string][]
  ) {
    const found = one([words]);
    assert(found.startsWith("warning ") && found.includes(why), found);
  }
});

Deno.test("a wildcard over names that anybody may take is told where it allows, and nowhere else", () => {
  for (const host of ["*.com", ".com", "*.co.uk", "*.github.io", ".s3.amazonaws.com", "*.xn--p1ai"]) {
    const found = one([{ hosts: [host] }]);
    assert(found.includes(`${host} allows names that anybody may take`), found);
  }
  for (
    const host of ["*.example.com", "co.uk", "*.weir.github.io", "*.internal", "*.test", "*.cluster.local"]
  ) {
    assertEquals(findings([{ hosts: [host] }]), [], host);
  }
  assertEquals(findings([{ action: "deny", hosts: ["*.com"] }]), []);
});

Deno.test("an allow rule for what the guard refuses is told with what would open it", () => {
  const cases: [RuleWords, Partial<PolicySpec>, string][] = [
    [
      { hosts: ["169.254.169.254"] },
      {},
      "is a metadata address, which is reached only by a rule that names the port",
    ],
    [{ hosts: ["169.254.0.0/16"], ports: ["80"] }, {}, "holds metadata addresses"],
    [{ hosts: ["240.0.0.1"] }, {}, "is a reserved address"],
    [
      { hosts: ["10.0.0.0/8"] },
      { privateNetworks: "deny" },
      'by private-networks = "deny": write private-networks',
    ],
    [{ hosts: ["localhost"] }, { privateNetworks: "deny" }, 'write private-networks = ["loopback"]'],
    [
      { hosts: ["10.0.0.0/8"] },
      { privateNetworks: parseNetworks("192.168.0.0/16") },
      "is not among private-networks",
    ],
    [{ hosts: ["127.0.0.1"], clients: ["10.0.0.0/8"] }, {}, "more private than each client of the rule"],
    [{ hosts: ["10.0.0.1"] }, { clients: parseNetworks("198.51.100.0/24") }, "more private than each client"],
  ];
  for (const [words, others, why] of cases) {
    const found = one([words], others);
    assert(found.startsWith("warning ") && found.includes(why), found);
  }
});

Deno.test("an allow rule for addresses that some client may reach is fine", () => {
  const cases: [RuleWords, Partial<PolicySpec>][] = [
    [{ hosts: ["169.254.169.254"], ports: ["80"] }, {}],
    [{ hosts: ["10.0.0.0/8", "127.0.0.1", "localhost"] }, {}],
    [{ hosts: ["10.0.0.0/8"] }, { privateNetworks: parseNetworks("10.1.0.0/16") }],
    [{ hosts: ["10.0.0.0/8"], clients: ["192.168.0.0/16"] }, {}],
    [{ hosts: ["127.0.0.1"], clients: ["all"] }, {}],
    [{ hosts: ["8.8.8.8", "2606:4700::/32", "0.0.0.0/0"] }, { privateNetworks: "deny" }],
    [{ action: "deny", hosts: ["169.254.0.0/16", "10.0.0.0/8"] }, { privateNetworks: "deny" }],
  ];
  for (const [words, others] of cases) assertEquals(findings([words], others), [], JSON.stringify(words));
});

Deno.test("what a tunnel would hide from a rule is told, and what waives that", () => {
  const told: [RuleWords, string][] = [
    [{ action: "deny", paths: ["/admin*"] }, "paths cannot be seen in tunnels"],
    [{ action: "deny", methods: ["POST"] }, "methods cannot be seen in tunnels"],
    [{ action: "deny", methods: ["POST", "CONNECT"], paths: ["/a"] }, "paths cannot be seen in tunnels"],
    [{ methods: ["GET", "CONNECT"] }, "methods cannot be seen in tunnels"],
  ];
  for (const [words, why] of told) {
    const found = one([words]);
    assert(found.startsWith("warning ") && found.includes(why), found);
  }
  for (
    const words of [
      { action: "deny" as const },
      { action: "deny" as const, mode: "report" as const, paths: ["/a"] },
      { action: "deny" as const, methods: ["CONNECT", "TRACE"] },
      { methods: ["GET"], paths: ["/a"] },
      { methods: ["CONNECT"] },
    ]
  ) assertEquals(findings([words]), [], JSON.stringify(words));
  const waived = findings([
    { action: "deny", hosts: [".a.test"], paths: ["/admin*"], name: "no admin" },
    { hosts: ["b.a.test"], tls: "any" },
  ]);
  assertEquals(waived.length, 2);
  assertStringIncludes(waived[1], 'tls = "any" lets tunnels carry what "no admin" denies');
});

Deno.test("a path that no request can match is told with what would let it", () => {
  for (
    const [path, advice] of [
      ["/@scope%2f*", "add encoded-slashes = true"],
      ["/100%25", "leave paths out"],
      ["/a//b", "leave paths out"],
      ["/a;x/b", "leave paths out"],
    ]
  ) {
    const found = one([{ paths: [path] }]);
    assert(found.includes("allows no path that is written so") && found.includes(advice), found);
  }
  for (const path of ["*", "/*", "/**", "/a/*", "/ü", "/a;x", "/a b"]) {
    assertEquals(findings([{ paths: [path] }]), [], path);
  }
  assertEquals(findings([{ paths: ["/@scope%2f*"], encodedSlashes: true }]), []);
});

Deno.test("a list that is empty is told, one that is not is not", () => {
  const list = (size: number) =>
    ({ size, hasAddresses: false, includesName: () => false }) as unknown as HostList;
  const lists = new Map([["empty.txt", list(0)], ["full.txt", list(3)]]);
  assertEquals(
    one([{ action: "deny", hosts: ["@empty.txt", "@full.txt"] }], {}, lists),
    'warning weir.toml:1: "rule 1" denies nothing by it: the list empty.txt is empty; write a host a line into it',
  );
});

Deno.test("settings that do nothing are told, without a line", () => {
  assertEquals(one([], { mode: "report" }).split(":")[0], "warning nothing is refused");
  assertEquals(findings([], { mode: "report", defaultAction: "allow" }), []);
  assert(one([], { connectPorts: [{ first: 25, last: 25 }] }).includes("25 has no effect"));
  assertEquals(findings([], { connectPorts: [{ first: 1, last: 65535 }] }), []);
  assert(one([], { privateNetworks: parseNetworks("169.254.169.254") }).includes("has no effect"));
});

Deno.test("a finding stands at the line of its key", () => {
  const spec = rule({ tls: "match", action: "deny" }, 3);
  const at = { ...spec, source: { ...spec.source, lines: { tls: 7 } } };
  assertEquals(lint(policyOfRules([at]), NO_LISTS).map(({ line }) => line), [7]);
});

Deno.test("a usual policy is found to be in order", () => {
  assertEquals(
    findings([
      { name: "no trackers", action: "deny", hosts: ["@trackers.txt", "*.ads.test"], note: "ask ops" },
      { name: "npm", hosts: ["registry.corp.test"], ports: ["443"] },
      { name: "api", hosts: ["api.example.com"], methods: ["GET"], paths: ["/v1/*"] },
      { name: "api writes", hosts: ["api.example.com"], methods: ["POST"], paths: ["/v1/*"], users: ["ann"] },
      { name: "lab", hosts: ["10.20.0.0/16"], clients: ["private"] },
      { name: "try", action: "deny", mode: "report", hosts: ["*.example.com"] },
      { name: "rest", hosts: [".example.com"], tls: "require", rates: { ...NO_RATES, requests: 5 } },
    ], { authentication: "by-rule" }),
    [],
  );
});

const pick = (...words: string[]) =>
  fc.option(fc.uniqueArray(fc.constantFrom(...words), { minLength: 1, maxLength: 3 }), { nil: undefined });

const words: fc.Arbitrary<RuleWords> = fc.record({
  action: fc.constantFrom("allow" as const, "deny" as const),
  mode: fc.constantFrom("enforce" as const, "enforce" as const, "enforce" as const, "report" as const),
  hosts: pick(
    "*",
    "a.test",
    "*.a.test",
    ".a.test",
    "b.a.test",
    ".test",
    "10.0.0.0/8",
    "10.1.2.3",
    "0.0.0.0/0",
    "::/0",
  ),
  ports: pick("80", "443", "80-443", "*", "25"),
  methods: pick("GET", "POST", "CONNECT"),
  clients: pick("loopback", "10.0.0.0/8", "10.1.0.0/16", "all"),
  users: pick("ann", "bob", "*"),
  paths: pick("*", "/*", "/a", "/a/*", "/a/b/*", "/a*"),
});

const requests = fc.record({
  target: fc.constantFrom(
    "a.test",
    "b.a.test",
    "c.b.a.test",
    "test",
    "z.invalid",
    "10.1.2.3",
    "10.9.9.9",
    "[::1]",
  ),
  port: fc.constantFrom(80, 443, 25, 8080),
  client: fc.constantFrom("127.0.0.1", "10.1.0.1", "10.2.0.1", "8.8.8.8"),
  user: fc.constantFrom(null, "ann", "bob", "eve"),
  method: fc.constantFrom("GET", "POST", "PUT", "CONNECT"),
  path: fc.constantFrom("/", "/a", "/a/", "/a/b/c", "/a/../x", "//a/b/", "/%61/b/x", "/a%2fb/", "/x\\..\\a"),
  address: fc.constantFrom(
    null,
    "10.1.2.3",
    "8.8.8.8",
    "::1",
    "::ffff:10.1.2.3",
    "2002:a01:203::1",
    "2606:4700::1",
  ),
});

/** A rule behind two that have its conditions, but share one of them out among them. */
const divided = fc.tuple(
  words,
  fc.constantFrom(
    "hosts" as const,
    "ports" as const,
    "clients" as const,
    "methods" as const,
    "paths" as const,
  ),
  fc.nat({ max: 4 }),
  fc.tuple(...[1, 2].map(() => fc.constantFrom("allow" as const, "deny" as const))),
).map(([whole, key, at, [first, second]]) => {
  const items = whole[key] ?? [];
  return [
    { ...whole, action: first, mode: "enforce" as const, [key]: items.slice(0, at) },
    { ...whole, action: second, mode: "enforce" as const, [key]: items.slice(at) },
    whole,
  ].filter((each) => each[key]?.length !== 0);
});

Deno.test("what is called shadowed or never matching decides nothing, in random policies", () => {
  let called = 0;
  let together = 0;
  fc.assert(
    fc.property(
      fc.oneof(fc.array(words, { minLength: 2, maxLength: 6 }), divided),
      fc.array(requests, { minLength: 30, maxLength: 30 }),
      fc.constantFrom("none" as const, "by-rule" as const),
      (rules, asked, authentication) => {
        const specs = rules.map((each, index) => rule({ ...each, name: `r${index}` }, index + 1));
        const spec = policyOfRules(specs, { authentication, privateNetworks: "allow" });
        const found = lint(spec, NO_LISTS);
        together += found.filter(({ message }) => message.includes(" together before; ")).length;
        const dead = new Set(
          found
            .filter(({ message }) =>
              /^"r\d" (?:never|denies (?:nothing|exactly)|allows (?:nothing|exactly))/.test(message)
            )
            .map(({ line }) => `r${line - 1}`),
        );
        called += dead.size;
        const policy = new Policy(spec, NO_LISTS);
        for (const { target, port, address, ...rest } of asked) {
          // nobody has a name where nobody is asked for one
          const others = { ...rest, user: authentication === "none" ? null : rest.user };
          const verdict = policy.decide(
            facts(`${target}:${port}`, others),
            address === null ? null : parseIp(address),
          );
          // a rule that decides nothing may still keep tunnels from hiding what it denies
          assert(
            !dead.has(verdict.rule) || verdict.reason.endsWith(" hides"),
            `${verdict.rule} decides ${JSON.stringify({ target, port, address, others })}`,
          );
        }
      },
    ),
    { numRuns: 1500 },
  );
  assert(called > 1000, `${called} rules called dead`);
  assert(together > 0, `${together} of them by several together`);
});

Deno.test("a policy of a thousand rules is read through in the time that people wait", () => {
  const rules = Array.from(
    { length: 1000 },
    (_, index) => rule({ hosts: [`host${index}.test`, `*.host${index}.test`] }, index + 1),
  );
  assertEquals(lint(policyOfRules(rules), NO_LISTS), []);
});
