import { explain } from "../../src/policy/explanation.ts";
import { assertEquals } from "@std/assert";
import { parseIp } from "../../src/http/ip_address.ts";
import { parseNetworks } from "../../src/policy/network.ts";
import { parsePorts } from "../../src/policy/port_range.ts";
import type { PolicySpec, RuleSpec } from "../../src/policy/spec.ts";
import { ALLOWED, policy, PRIVATE_CLIENT, PUBLIC_CLIENT } from "./deciding.ts";
import { facts, rule } from "./policy_samples.ts";

type Others = Parameters<typeof facts>[1];

function steps(
  rules: RuleSpec[],
  others: Partial<PolicySpec>,
  target: string,
  request: Others = {},
  address = "",
) {
  const explanation = explain(
    policy(rules, others).spec,
    new Map(),
    facts(target, request),
    address === "" ? null : parseIp(address),
  );
  return explanation.steps.map(({ name, result, text }) => `${name} ${result}: ${text}`);
}

function changes(
  rules: RuleSpec[],
  others: Partial<PolicySpec>,
  target: string,
  request: Others = {},
  address = "",
) {
  const explanation = explain(
    policy(rules, others).spec,
    new Map(),
    facts(target, request),
    address === "" ? null : parseIp(address),
  );
  return explanation.changes.map(({ text }) => text);
}

Deno.test("every station and every rule up to the one that decides says what came of it", () => {
  const rules = [
    rule({ name: "office", clients: ["192.168.0.0/16"] }),
    rule({ name: "watch", action: "deny", mode: "report", hosts: ["*.test"] }),
    rule({ name: "by name", hosts: ["b.test", "*.a.test"], ports: ["443"] }),
    rule({ name: "written", methods: ["POST", "PUT"] }),
    rule({ name: "docs", paths: ["/docs/*"] }),
    rule({ name: "anna's", users: ["anna"] }),
    rule({ name: "all", hosts: ["*"], ports: ["80", "8000-8999"] }),
    rule({ name: "never tried" }),
  ];
  assertEquals(
    steps(rules, {}, "a.test:8080", { client: PRIVATE_CLIENT, user: "ben", path: "/x" }, "10.0.0.1"),
    [
      "clients passes: everybody may use the proxy",
      "users passes: it is ben",
      "office fails: clients: 10.0.0.9 is not among 192.168.0.0/16",
      "watch reports: deny: hosts: a.test is matched by *.test",
      "by name fails: hosts: a.test at 10.0.0.1 is not among b.test, *.a.test",
      "written fails: methods: GET is not among POST, PUT",
      "docs fails: paths: /x is not matched by /docs/*",
      "anna's fails: users: ben is not among anna",
      "all decides: allow: hosts: a.test is matched by *; ports: 8080 is among 80, 8000-8999",
      "ports passes: the port may be reached",
      "address passes: it is private",
    ],
  );
});

Deno.test("the station that refuses has the last word", () => {
  assertEquals(steps([], { clients: parseNetworks("loopback") }, "a.test", { client: PUBLIC_CLIENT }), [
    "clients decides: 8.8.4.4 is not among the clients",
  ]);
  assertEquals(steps([], { authentication: "always" }, "a.test").slice(1), [
    "users decides: the client has not said who it is",
  ]);
  assertEquals(steps([], ALLOWED, "a.test:22", { client: PUBLIC_CLIENT, method: "CONNECT" }).slice(2), [
    "default decides: no rule matches: allow",
    "ports decides: a tunnel to port 22 needs a rule that names the port, or connect-ports",
  ]);
  assertEquals(steps([], ALLOWED, "127.0.0.1", { client: PRIVATE_CLIENT }).slice(3), [
    "ports passes: the port may be reached",
    "address decides: 127.0.0.1 is more private than the client (loopback, 10.0.0.9 is private)",
  ]);
});

Deno.test("a rule that waits for the address says so", () => {
  assertEquals(steps([rule({ hosts: ["8.8.8.0/24"] })], {}, "a.test").slice(2), [
    "rule 1 waits: hosts: a.test is matched by its address or not at all",
    "default decides: no rule matches: deny",
  ]);
});

Deno.test("of long conditions the beginning is said", () => {
  const hosts = Array.from({ length: 9 }, (_, index) => `h${index}.test`);
  assertEquals(
    steps([rule({ hosts })], {}, "a.test")[2],
    "rule 1 fails: hosts: a.test is not among h0.test, h1.test, h2.test, h3.test, h4.test and 4 more",
  );
});

Deno.test("a path that may be read in two ways is told by the one that does not match", () => {
  assertEquals(
    steps([rule({ paths: ["/a/*"] })], {}, "a.test", { path: "/a/../b" })[2],
    "rule 1 fails: paths: servers may take /a/../b for different paths, which no paths allow: it has a segment of " +
      "dots (..)",
  );
  assertEquals(
    steps([rule({ action: "deny", paths: ["/b"] })], {}, "a.test", { path: "/a/../b" })[2],
    "rule 1 decides: deny: paths: /a/../b may mean any path to servers, /b too: it has a segment of dots (..)",
  );
  assertEquals(
    steps([rule({ paths: ["/a;x"] })], {}, "a.test", { path: "/a;y" })[2],
    "rule 1 fails: paths: /a;y may be read as /a;y, which is not matched by /a;x",
  );
  assertEquals(
    steps([rule({ paths: ["/a;*"] })], {}, "a.test", { path: "/b;y" })[3],
    "default decides: no rule matches: deny",
  );
  assertEquals(
    steps([rule({ paths: ["/a/*"] })], {}, "a.test", { path: "/a%2fb" })[3],
    "default decides: no rule matches: servers may take the path for different ones: deny",
  );
  assertEquals(
    steps([rule({ action: "deny", paths: ["/b"] })], {}, "a.test", { path: "/b;x" })[2],
    "rule 1 decides: deny: paths: /b;x may be read as a path that is matched by /b",
  );
});

Deno.test("what a rule cannot see in a tunnel is told, and what it makes of the tunnel", () => {
  const rules = [rule({ action: "deny", paths: ["/b"], name: "no b" }), rule({}, 2)];
  assertEquals(
    steps(rules, {}, "a.test:8080", { method: "CONNECT" })[2],
    "no b assumes: paths: the tunnel has to be TLS: what is in it cannot be seen, and /b may be in it",
  );
  assertEquals(
    steps(rules, {}, "a.test:80", { method: "CONNECT" }).at(-1),
    "ports decides: the rule looks at methods or paths, which a tunnel to port 80 hides",
  );
  assertEquals(changes(rules, {}, "a.test:80", { method: "CONNECT" }), [
    '# before the rule "no b", weir.toml:1\n[[rule]]\naction = "allow"\nhosts = ["a.test"]\nports = [80]',
  ]);
});

Deno.test("what no rule allows is allowed by an option", () => {
  assertEquals(changes([], {}, "example.com:443"), ["--allow example.com:443"]);
  assertEquals(changes([], {}, "[2606:4700::1]:443"), ["--allow [2606:4700::1]:443"]);
});

Deno.test("what a rule denies is allowed by one before it", () => {
  assertEquals(changes([rule({ action: "deny", name: 'no "ads"' }, 7)], {}, "a.test:80"), [
    '# before the rule "no \\"ads\\"", weir.toml:7\n[[rule]]\naction = "allow"\nhosts = ["a.test"]\nports = [80]',
  ]);
});

Deno.test("a rule that lacks one entry gets it", () => {
  const only = (words: Parameters<typeof rule>[0], request: Others = {}) =>
    changes([rule({ name: "x", ...words }, 3)], {}, "a.test:8443", request);
  const at = '# in the rule "x", weir.toml:3\n';
  assertEquals(only({ hosts: ["a.test"], ports: ["443", "80-81"] }), [`${at}ports = [443, "80-81", 8443]`]);
  assertEquals(only({ methods: ["POST"] }), [`${at}methods = ["POST", "GET"]`]);
  assertEquals(only({ users: ["anna"] }, { user: "ben" }), [`${at}users = ["anna", "ben"]`]);
  assertEquals(only({ clients: ["10.0.0.0/8"] }), [`${at}clients = ["10.0.0.0/8", "127.0.0.1"]`]);
  assertEquals(only({ ports: ["443"], methods: ["POST"] }), [
    "--allow a.test:8443",
  ], "two things are missing");
});

Deno.test("a path that is ambiguous by encoded slashes alone is opened by the rule's reading of them", () => {
  const npm = rule({ name: "npm", paths: ["/@*"] }, 3);
  const line = (name: string, place: number) =>
    `# in the rule "${name}", weir.toml:${place}\nencoded-slashes = true`;
  assertEquals(changes([npm], {}, "a.test:80", { path: "/@scope%2fname" }), [line("npm", 3)]);
  const deny = rule({ name: "no admin", action: "deny", paths: ["/admin*"] }, 2);
  assertEquals(changes([deny, npm], {}, "a.test:80", { path: "/@scope%2Fname" }), [
    line("no admin", 2),
    line("npm", 3),
  ]);
  for (const path of ["/admin%2fx", "/@scope%2f..%2fadmin"]) {
    assertEquals(
      changes([deny, npm], {}, "a.test:80", { path }).some((text) => text.includes("encoded")),
      false,
    );
  }
});

Deno.test("ports are opened by a rule that names them", () => {
  const request = { client: PUBLIC_CLIENT, method: "CONNECT" };
  assertEquals(changes([], {}, "a.test:8443", request), ["--allow a.test:8443"]);
  assertEquals(changes([], { ...ALLOWED, connectPorts: [parsePorts("443")] }, "a.test:25", request), [
    "--default-action allow --allow a.test:25",
  ]);
});

Deno.test("the first rule that allows something does not turn the default around unsaid", () => {
  const denies = (line: number) => rule({ action: "deny", name: "ads", hosts: ["a.test"] }, line);
  const tried = rule({ name: "tried", mode: "report", hosts: ["b.test"] });
  for (const rules of [[denies(7)], [denies(7), tried]]) {
    assertEquals(changes(rules, ALLOWED, "a.test:80"), [
      '# in [policy], since by a first rule that allows something "auto" becomes deny\ndefault = "allow"\n\n' +
      '# before the rule "ads", weir.toml:7\n[[rule]]\naction = "allow"\nhosts = ["a.test"]\nports = [80]',
    ]);
  }
  const allows = rule({ name: "b", hosts: ["b.test"] });
  assertEquals(changes([denies(7), allows], ALLOWED, "a.test:80"), [
    '# before the rule "ads", weir.toml:7\n[[rule]]\naction = "allow"\nhosts = ["a.test"]\nports = [80]',
  ]);
});

Deno.test("addresses are opened by the setting, or by the rule that names them", () => {
  assertEquals(changes([], ALLOWED, "a.test", { client: PUBLIC_CLIENT }, "10.0.0.1"), [
    '[policy]\nprivate-networks = ["own", "10.0.0.1"]',
  ]);
  const more = { ...ALLOWED, privateNetworks: ["own" as const, ...parseNetworks("10.0.0.2")] };
  assertEquals(changes([], more, "a.test", { client: PUBLIC_CLIENT }, "10.0.0.1"), [
    '[policy]\nprivate-networks = ["own", "10.0.0.2", "10.0.0.1"]',
  ]);
  assertEquals(changes([], { ...ALLOWED, privateNetworks: "deny" }, "a.test", {}, "10.0.0.1"), [
    '[policy]\nprivate-networks = ["10.0.0.1"]',
  ]);
  const listed = { ...ALLOWED, privateNetworks: parseNetworks("loopback") };
  assertEquals(changes([], listed, "a.test", {}, "2002:a00:1::1"), [
    '[policy]\nprivate-networks = ["loopback", "10.0.0.1"]',
  ]);
  assertEquals(changes([], ALLOWED, "a.test", {}, "169.254.169.254"), [
    "--default-action allow --allow 169.254.169.254:80",
  ]);
  assertEquals(changes([], ALLOWED, "a.test", {}, "fd00:ec2::254"), [
    "--default-action allow --allow [fd00:ec2::254]:80",
  ]);
});

Deno.test("several changes are said when it takes several", () => {
  assertEquals(
    changes([], { clients: parseNetworks("10.0.0.0/8") }, "a.test", { client: PUBLIC_CLIENT }, "127.0.0.1"),
    [
      '[policy]\nclients = ["10.0.0.0/8", "8.8.4.4"]',
      "--allow a.test:80",
      '[policy]\nprivate-networks = ["own", "127.0.0.1"]',
    ],
  );
});

Deno.test("a client that lacks a name is told apart from one that lacks a rule", () => {
  assertEquals(changes([rule({ users: ["anna"] })], { authentication: "by-rule" }, "a.test"), [
    "the name and the password of a user, which the client has to send",
  ]);
});

Deno.test("what is allowed is denied by a rule before all others", () => {
  assertEquals(changes([rule({ name: "all" }, 4)], {}, "a.test:80"), [
    '# before the rule "all", weir.toml:4\n[[rule]]\naction = "deny"\nhosts = ["a.test"]\nports = [80]',
  ]);
  assertEquals(changes([], ALLOWED, "a.test:80"), ["--deny a.test:80"]);
});
