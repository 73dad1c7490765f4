import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { withNames } from "../../src/review/policy_text.ts";
import { learnFrom, policyIn, textFrom } from "./learning.ts";
import { deniedLine, jsonLine } from "./logs.ts";

const LOG = [
  jsonLine({ client: "10.0.0.3" }),
  jsonLine({ time: "2026-11-21T06:10:25.105Z" }),
  jsonLine({ method: "GET", host: "deb.debian.org", port: 80 }),
  jsonLine({ host: "deb.debian.org" }),
  deniedLine({ host: "evil.example" }),
  jsonLine({ host: "exmaple.com", ownAnswer: true, status: 502, connectedMs: undefined, error: "dns_error" }),
];

Deno.test("a learned policy is one that a person can read", () => {
  assertEquals(
    textFrom(LOG, {}, true),
    `# Learned from 6 exchanges, 2026-11-21 06:00:25Z to 2026-11-21 06:10:25Z; 4 went through.
# What was asked for is not yet what should be: read it before it is in force.

[policy]
default = "deny"

# 2 exchanges, 2026-11-21 06:00:25Z, 2.0 kB up, 40 kB down
# ports 80 (1), 443 (1); clients 127.0.0.1
[[rule]]
name = "deb.debian.org"
action = "allow"
hosts = ["deb.debian.org"]
ports = [80, 443]

# 2 exchanges, 2026-11-21 06:00:25Z to 2026-11-21 06:10:25Z, 2.0 kB up, 40 kB down
# ports 443; clients 10.0.0.3, 127.0.0.1
[[rule]]
name = "registry.corp.test"
action = "allow"
hosts = ["registry.corp.test"]
ports = [443]

[[test]]
url = "http://deb.debian.org/"
addresses = ["104.16.0.35"]
expect = "allow"
rule = "deb.debian.org"

[[test]]
url = "registry.corp.test:443"
client = "10.0.0.3"
addresses = ["104.16.0.35"]
expect = "allow"
rule = "registry.corp.test"

# Denied in the log, and not allowed here:
#   1 evil.example:443, by default

# Allowed in the log, but never reached, and not allowed here:
#   1 exmaple.com:443, dns_error
`,
  );
});

Deno.test("the order of a log makes no difference", () => {
  const text = textFrom(LOG.slice(0, 4));
  for (let turn = 1; turn < 4; turn++) {
    assertEquals(textFrom([...LOG.slice(turn, 4), ...LOG.slice(0, turn)]), text);
  }
});

Deno.test("an empty log makes a policy that allows nothing", async () => {
  assertEquals((await policyIn(textFrom([]))).spec.defaultAction, "deny");
});

Deno.test("a pattern is suggested and never written", () => {
  const text = textFrom(["a", "b", "c"].map((name) => jsonLine({ host: `${name}.cdn.example.com` })));
  assert(text.includes('\n#   3 below cdn.example.com: "*.cdn.example.com"\n'));
  assertEquals(text.split("\n").filter((line) => line.includes("*") && !line.startsWith("#")), []);
});

Deno.test("names are nobody else's, and not what decisions without a rule are called", () => {
  const rules = learnFrom(["default", "tls", "users", "a.example"].map((host) => jsonLine({ host }))).rules();
  assertEquals(withNames(rules, ["a.example", "tls:443"]).map(({ name }) => name).sort(), [
    "a.example:443",
    "default:443",
    "tls:443 (2)",
    "users:443",
  ]);
});

Deno.test("nothing in a log becomes more than a comment or a text", async () => {
  const nasty = fc.oneof(
    fc.constantFrom('"', "\n[[rule]]\n", "\r", "\u2028", "\x7f", "\\", "]", "#", "'''", '"""', "\u0085"),
    fc.string({ unit: "binary", maxLength: 8 }),
  );
  const text = fc.array(nasty, { maxLength: 6 }).map((parts) => parts.join("").toWellFormed());
  await fc.assert(
    fc.asyncProperty(text, text, text, text, async (user, rule, reason, serverName) => {
      const lines: string[] = [];
      const add = (make: () => string) => {
        try {
          const line = make();
          learnFrom([line]);
          lines.push(line);
        } catch {
          // a line that is passed over
        }
      };
      add(() => jsonLine({ user, rule, reason, serverName }));
      add(() => deniedLine({ rule, reason, error: reason }));
      add(() => jsonLine({ ownAnswer: true, status: 502, connectedMs: undefined, error: rule }));
      const { spec } = await policyIn(textFrom(lines, { users: true }, true));
      assert(spec.rules.length <= 1);
      assertEquals(
        spec.rules.map(({ action, hosts }) => [action, hosts!.length]),
        spec.rules.map(() => ["allow", 1]),
      );
    }),
    { numRuns: 200 },
  );
});

Deno.test("a case that the guard of addresses may refuse is not written", () => {
  const near = jsonLine({ host: "10.0.0.9", origin: "10.0.0.9" });
  const far = jsonLine({ host: "10.0.0.9", origin: "10.0.0.9", client: "203.0.114.5" });
  assert(textFrom([near], {}, true).includes("[[test]]"));
  assert(!textFrom([far], {}, true).includes("[[test]]"));
});
