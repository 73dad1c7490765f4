import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { ConfigError } from "../../src/config/errors.ts";
import { RESERVED_NAMES } from "../../src/config/rules.ts";
import { policyOf } from "../../src/config/policy.ts";
import { RULE_FIELDS, TEST_FIELDS } from "../../src/config/rule_fields.ts";
import { readToml, type TomlContents } from "../../src/config/toml.ts";
import { formatIp } from "../../src/http/ip_address.ts";
import { parseListenAddress } from "../../src/net/listen.ts";
import { NO_LIMITS } from "../../src/policy/rates.ts";

const read = (text: string): Promise<TomlContents> => readToml(text, "weir.toml", parseListenAddress);

async function problemsOf(text: string): Promise<readonly string[]> {
  const error = await assertRejects(() => read(text), ConfigError);
  return (error as ConfigError).problems;
}

Deno.test("a rule says all that it may, with the lines on which it says it", async () => {
  const { rules: [rule] } = await read(`
[[rule]]
name = "packages"
action = "allow"
mode = "report"
note = "Ask the platform team, room 12"
clients = ["10.0.0.0/8", "loopback"]
users = ["alice", "*"]
hosts = ["registry.corp.test", "*.pypi.org", ".example.com", "192.0.2.0/24", "@packages.txt"]
ports = [443, "8000-8999"]
methods = ["GET", "CONNECT"]
paths = ["/simple/*"]
tls = "require"
rates = { requests = 5, burst = 20, down = "1m", daily = "10g" }
`);
  assertEquals([rule.name, rule.action, rule.mode, rule.tls], ["packages", "allow", "report", "require"]);
  assertEquals(rule.note, "Ask the platform team, room 12");
  assertEquals(rule.clients?.map(({ text }) => text), ["10.0.0.0/8", "loopback", "loopback"]);
  assertEquals(rule.users, ["alice", "*"]);
  assertEquals(rule.hosts?.map(({ kind }) => kind), ["name", "subdomains", "domain", "network", "list"]);
  assertEquals(rule.ports, [{ first: 443, last: 443 }, { first: 8000, last: 8999 }]);
  assertEquals(rule.methods, ["GET", "CONNECT"]);
  assertEquals(rule.paths?.map(({ text }) => text), ["/simple/*"]);
  assertEquals(rule.rates, { ...NO_LIMITS, requests: 5, burst: 20, down: 2 ** 20, daily: 10 * 2 ** 30 });
  assertEquals([rule.source.file, rule.source.line, rule.source.lines.hosts], ["weir.toml", 2, 9]);
});

Deno.test("what a rule does not say holds for everything", async () => {
  const { rules: [rule] } = await read('[[rule]]\naction = "deny"\n');
  const { name, mode, note, source, action, encodedSlashes, ...conditions } = rule;
  assertEquals(encodedSlashes, false);
  assertEquals([name, action, mode, note], ["", "deny", "enforce", ""]);
  assertEquals(new Set(Object.values(conditions)), new Set([null]));
  assertEquals(source.lines, { action: 2 });
});

Deno.test("a single value is a list of one", async () => {
  const { rules: [rule] } = await read(`[[rule]]
action = "allow"
clients = "private"
users = "alice"
hosts = "example.com"
ports = 443
methods = "GET"
paths = "/"
`);
  assertEquals([rule.users, rule.methods], [["alice"], ["GET"]]);
  assertEquals([rule.hosts?.length, rule.paths?.length], [1, 1]);
  assertEquals(rule.ports, [{ first: 443, last: 443 }]);
});

Deno.test("rules and tests keep their order, however they are mixed", async () => {
  const { rules, tests } = await read(`
[[rule]]
name = "b"
action = "allow"
[[test]]
url = "https://b.example/"
expect = "allow"
[policy]
mode = "report"
[[rule]]
name = "a"
action = "deny"
[[test]]
url = "https://a.example/"
expect = "deny"
rule = "a"
`);
  assertEquals(rules.map(({ name }) => name), ["b", "a"]);
  assertEquals(tests.map(({ url, rule }) => [url, rule]), [
    ["https://b.example/", null],
    ["https://a.example/", "a"],
  ]);
});

Deno.test("a rule without an action is an error, on the line of its header", async () => {
  assertEquals(await problemsOf('\n[[rule]]\nhosts = "example.com"\n'), [
    'weir.toml:2: a rule needs an action: write action = "allow" or "deny"',
  ]);
});

Deno.test("what a rule cannot say is told with its line and what was meant", async () => {
  for (
    const [line, expected] of [
      ['host = "example.com"', "a rule has no key host; did you mean hosts?"],
      ['zebra = "example.com"', "a rule has no key zebra"],
      ['action = "alow"', 'action: must be one of allow, deny, not "alow"; did you mean allow?'],
      ["action = true", "action: must be a text in quotes, not true"],
      ["hosts = []", "hosts: is empty, so that nothing could match: leave it out for any"],
      ["hosts = 5", 'hosts: must be a host or a list of them, such as "example.com"'],
      ["ports = []", "ports: is empty, so that nothing could match: leave it out for any"],
      ["ports = [true]", 'ports: must be a port or a list of them, such as 443 or [443, "8000-8999"]'],
      ['methods = ["GET", "get"]', 'methods: must be a method as requests have it: write "GET"'],
      ['methods = "G T"', 'methods: must be a method such as GET, not "G T"'],
      ['users = ["a:b"]', `users: must be a user's name without a colon, not "a:b"`],
      ['note = ""', "note: is empty: write a text, or leave it out"],
      ['note = "a\\nb"', 'note: must be a single line without control characters, not "a\\u{a}b"'],
      ['name = "default"', 'name: "default" is what decisions without a rule are called: take another'],
      ['name = "rule 7"', 'name: "rule 7" is what rules without a name are called: take another'],
      ["rates = 5", 'rates: must be a table such as { requests = 5, down = "1m" }, not 5'],
      ["rates = { request = 5 }", 'rates: there is no rate "request"; did you mean requests?'],
      ['rates = { down = "lots" }', "rates: down must be a size such as 64k, 256m, 1g or plain bytes, not"],
    ]
  ) {
    const action = line.startsWith("action") ? "" : 'action = "deny"\n';
    const [problem, ...others] = await problemsOf(`[[rule]]\n${line}\n${action}`);
    assertEquals(others, [], line);
    assert(problem.startsWith(`weir.toml:2: ${expected}`), `${line}: ${problem}`);
  }
});

Deno.test("an item of a list that is wrong is told with its own line", async () => {
  const [problem] = await problemsOf(
    '[[rule]]\naction = "deny"\nhosts = [\n  "a.example",\n  "b.example/x",\n]\n',
  );
  assert(problem.startsWith('weir.toml:5: hosts: "b.example/x" has a path'), problem);
  const [rate] = await problemsOf('[[rule]]\naction = "deny"\n[rule.rates]\nup = "1m"\ndown = 1.5\n');
  assertEquals(rate, "weir.toml:5: rates: down must be a whole number, not 1.5");
});

Deno.test("no two rules have one name", async () => {
  const rule = '[[rule]]\naction = "deny"\nname = "same"\n';
  assertEquals(await problemsOf(rule + rule), [
    'weir.toml:6: name: "same" is the name of the rule on line 3 too',
  ]);
});

Deno.test("no rule has a name by which decisions without one are called", async () => {
  for (const name of RESERVED_NAMES) {
    const [problem] = await problemsOf(`[[rule]]\naction = "deny"\nname = "${name}"\n`);
    assert(problem.includes("take another"), name);
  }
});

Deno.test("what is no array of tables says how to write it", async () => {
  const expected = ["weir.toml:1: write [[rule]], with two brackets on each side, above each rule"];
  for (
    const text of ['[rule]\naction = "deny"\n', 'rule = "deny"\n', "rule = [1]\n", "rule = []\nrule = 1"]
  ) {
    const [problem] = await problemsOf(text);
    if (text.startsWith("rule = []")) assert(problem.includes("is there twice"), problem);
    else assertEquals([problem], expected, text);
  }
  assertEquals((await read("rule = []\n")).rules, []);
  assertEquals((await read('rule = [{ action = "deny" }, { action = "allow" }]\n')).rules.length, 2);
});

Deno.test("a test case has defaults for all but what is asked for and what is expected", async () => {
  const { tests } = await read(`
[[test]]
url = "https://example.com/a"
expect = "allow"
[[test]]
url = "example.com:443"
expect = "authenticate"
client = "::ffff:10.0.0.1"
user = "alice"
addresses = ["192.0.2.1", "2001:DB8::1"]
rule = "packages"
[[test]]
url = "http://example.com/"
method = "POST"
expect = "deny"
`);
  assertEquals(
    tests.map(({ url, client, user, method, addresses, expect, rule, line }) => [
      ...[url, client, user, method],
      ...[addresses.map(formatIp), expect, rule, line],
    ]),
    [
      // a tunnel, as programs have it
      ["https://example.com/a", "127.0.0.1", null, "CONNECT", [], "allow", null, 2],
      [
        ...["example.com:443", "10.0.0.1", "alice", "CONNECT"],
        ...[["192.0.2.1", "2001:db8::1"], "authenticate", "packages", 5],
      ],
      ["http://example.com/", "127.0.0.1", null, "POST", [], "deny", null, 12],
    ],
  );
});

Deno.test("a test case that lacks something, or has something else, is told so", async () => {
  assertEquals(await problemsOf('[[test]]\nclients = "10.0.0.1"\naddresses = "example.com"\n'), [
    'weir.toml:1: a test needs a url: write url = "https://example.com/"',
    'weir.toml:1: a test needs what to expect: write expect = "allow" or "deny"',
    "weir.toml:2: a test has no key clients; did you mean client?",
    'weir.toml:3: addresses: must be an address such as 192.0.2.1, not "example.com"',
  ]);
});

Deno.test("ten thousand rules are read, and not one more", async () => {
  const rules = (count: number) =>
    '[[rule]]\naction = "deny"\nhosts = ["a.example", "b.example"]\n'.repeat(count);
  assertEquals((await read(rules(10_000))).rules.length, 10_000);
  const [problem] = await problemsOf(rules(10_001));
  assertEquals(problem, "weir.toml:30001: there are more than 10000 of [[rule]]");
});

Deno.test("no rule and no test throws anything but a ConfigError, and no message obeys a terminal", async () => {
  const key = fc.constantFrom(...[...RULE_FIELDS, ...TEST_FIELDS].map(({ key }) => key), "x", "hots");
  const word = fc.constantFrom(
    "allow",
    "deny",
    "*",
    "@a",
    "10.0.0.0/8",
    "::/0",
    "[::1]",
    "GET",
    "/a*",
    "report",
  );
  const text = fc.oneof(word, fc.string(), fc.string({ unit: "binary" })).map((each) => JSON.stringify(each));
  const number = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })).map(String);
  const scalar = fc.oneof(text, number, fc.constantFrom("true", "{}", "[]", "{ requests = 1, up = '1m' }"));
  const value = fc.oneof(scalar, fc.array(scalar, { maxLength: 3 }).map((each) => `[${each.join(", ")}]`));
  const pairs = fc.uniqueArray(fc.tuple(key, value), { selector: ([each]) => each, maxLength: 6 });
  const table = fc.tuple(fc.constantFrom("[[rule]]", "[[test]]", "[rule]"), pairs).map(([head, each]) =>
    [head, ...each.map(([key, value]) => `${key} = ${value}`), ""].join("\n")
  );
  let understood = 0;
  await fc.assert(fc.asyncProperty(fc.array(table, { maxLength: 4 }), async (tables) => {
    try {
      const { values, rules } = await read(tables.join(""));
      policyOf(values, rules);
      understood++;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      for (const problem of error.problems) assertEquals(/[\p{Cc}\u2028]/u.test(problem), false, problem);
    }
  }));
  assert(understood > 0);
});
