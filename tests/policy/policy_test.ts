import { assertEquals, assertStrictEquals } from "@std/assert";
import { parseIp } from "../../src/http/ip_address.ts";
import { parseNetworks } from "../../src/policy/network.ts";
import { parsePorts } from "../../src/policy/port_range.ts";
import { ALLOWED, decide, policy, PRIVATE_CLIENT, PUBLIC_CLIENT, said } from "./deciding.ts";
import { facts, rule } from "./policy_samples.ts";

Deno.test("the first rule that matches decides, and the default when none does", () => {
  const rules = [
    rule({ action: "deny", hosts: ["bad.example.com"] }, 1),
    rule({ hosts: ["*.example.com"] }, 2),
    rule({ action: "deny", hosts: ["*"] }, 3),
    rule({ hosts: ["never.test"] }, 4),
  ];
  const some = policy(rules);
  assertEquals(decide(some, "bad.example.com"), "deny by rule 1");
  assertEquals(decide(some, "a.b.example.com"), "allow");
  assertEquals(decide(some, "never.test"), "deny by rule 3");
  assertEquals(decide(policy([]), "example.com"), "deny by default");
  assertEquals(decide(policy([], ALLOWED), "example.com"), "allow");
});

Deno.test("hosts are exact, subdomains, domains with themselves, or any", () => {
  const matches = (host: string, target: string) =>
    decide(policy([rule({ hosts: [host] })]), target) === "allow";
  for (
    const [host, ...targets] of [
      ["example.com", "example.com"],
      ["*.example.com", "a.example.com", "a.b.example.com"],
      [".example.com", "example.com", "a.example.com", "a.b.example.com"],
      ["*", "example.com", "a.example.com", "a.b.example.com", "notexample.com", "com", "8.8.8.8"],
    ]
  ) {
    for (
      const target of ["example.com", "a.example.com", "a.b.example.com", "notexample.com", "com", "8.8.8.8"]
    ) assertEquals(matches(host, target), targets.includes(target), `${host} for ${target}`);
  }
});

Deno.test("a network of hosts holds for the address that is dialled, written or resolved", () => {
  const some = policy([rule({ hosts: ["8.8.8.0/24", "2606:4700::/32"] })]);
  assertEquals(decide(some, "8.8.8.8"), "allow");
  assertEquals(decide(some, "8.8.9.8"), "deny by default");
  assertEquals(decide(some, "[2606:4700::1]"), "allow");
  assertEquals(decide(some, "example.com", {}, "8.8.8.8"), "allow");
  assertEquals(decide(some, "example.com", {}, "8.8.9.8"), "deny by default");
});

Deno.test("a rule whose hosts are names and networks matches by either", () => {
  const some = policy([rule({ hosts: ["example.com", "8.8.8.8"] })]);
  assertEquals(decide(some, "example.com", {}, "93.184.216.34"), "allow");
  assertEquals(decide(some, "other.test", {}, "8.8.8.8"), "allow");
  assertEquals(decide(some, "other.test", {}, "93.184.216.34"), "deny by default");
});

Deno.test("a list holds for its names, and for its addresses", () => {
  const lists = { names: "one.test\n.two.test\n", mixed: "three.test\n8.8.8.0/24\n" };
  const some = policy([rule({ hosts: ["@names", "@gone"] }), rule({ hosts: ["@mixed"] }, 2)], {}, lists);
  assertEquals(decide(some, "one.test"), "allow");
  assertEquals(decide(some, "a.two.test"), "allow");
  assertEquals(decide(some, "three.test"), "allow");
  assertEquals(decide(some, "four.test"), "unresolved");
  assertEquals(decide(some, "four.test", {}, "8.8.8.8"), "allow");
  assertEquals(decide(some, "four.test", {}, "8.8.4.4"), "deny by default");
});

Deno.test("a literal address is always judged, with the address or without it", () => {
  assertEquals(
    decide(policy([rule({ hosts: ["*"] })]), "127.0.0.1", { client: PUBLIC_CLIENT }),
    "deny by private networks",
  );
});

Deno.test("a name is looked up only where its address can still let it through", () => {
  const rules = [rule({ hosts: ["example.com"] }), rule({ hosts: ["8.8.8.0/24"], ports: ["443"] }, 2)];
  const some = policy(rules);
  assertEquals(decide(some, "example.com"), "allow");
  assertEquals(decide(some, "other.test:443"), "unresolved");
  assertEquals(decide(some, "other.test:80"), "deny by default", "no rule waits for that port");
  assertEquals(
    decide(policy([rule({ action: "deny", hosts: ["8.8.8.0/24"] })]), "other.test"),
    "deny by default",
  );
  assertEquals(
    decide(policy([rule({ action: "deny", hosts: ["8.8.8.0/24"] })], ALLOWED), "other.test"),
    "allow",
    "the address is judged when it is there",
  );
});

Deno.test("a name is not looked up for a network that the client could not reach anyway", () => {
  const some = policy([rule({ hosts: ["10.0.0.0/8"] }), rule({ hosts: ["169.254.0.0/16"] }, 2)]);
  assertEquals(decide(some, "other.test", { client: PUBLIC_CLIENT }), "deny by default");
  assertEquals(decide(some, "other.test", { client: PRIVATE_CLIENT }), "unresolved");
});

Deno.test("a tunnel that no rule opens to its port is denied without a look-up", () => {
  const some = policy([rule({ hosts: ["8.8.8.0/24"] })], ALLOWED);
  const others = { client: PRIVATE_CLIENT, method: "CONNECT" };
  assertEquals(decide(some, "other.test:8443", others), "deny by connect ports");
});

Deno.test("clients of the policy come first, whatever the rules say", () => {
  const some = policy([rule({ hosts: ["*"] })], {
    clients: parseNetworks("10.0.0.0/8"),
    authentication: "always",
  });
  assertEquals(decide(some, "example.com", { client: PUBLIC_CLIENT, user: "anna" }), "deny by clients");
  assertEquals(
    decide(some, "example.com", { client: PUBLIC_CLIENT }),
    "deny by clients",
    "before it is asked who it is",
  );
  assertEquals(decide(some, "example.com", { client: PRIVATE_CLIENT, user: "anna" }), "allow");
});

Deno.test("clients of a rule are those of its networks", () => {
  const some = policy([rule({ clients: ["10.0.0.0/8", "loopback"] })]);
  assertEquals(decide(some, "example.com", { client: "10.1.2.3" }), "allow");
  assertEquals(decide(some, "example.com", { client: "::1" }), "allow");
  assertEquals(decide(some, "example.com", { client: "11.0.0.1" }), "deny by default");
});

Deno.test("where everybody has to say who they are, that is asked before any rule", () => {
  const some = policy([rule({ action: "deny", hosts: ["bad.test"] })], {
    ...ALLOWED,
    authentication: "always",
  });
  assertEquals(decide(some, "bad.test"), "authenticate");
  assertEquals(decide(some, "bad.test", { user: "anna" }), "deny by rule 1");
  assertEquals(decide(some, "good.test", { user: "anna" }), "allow");
});

Deno.test("where a rule lacks only the user, the client is asked for it", () => {
  const rules = [
    rule({ hosts: ["internal.test"], users: ["anna"], ports: ["80"] }),
    rule({ hosts: ["*"], ports: ["80"] }, 2),
  ];
  const some = policy(rules, { authentication: "by-rule" });
  assertEquals(decide(some, "internal.test"), "authenticate");
  assertEquals(decide(some, "internal.test", { user: "anna" }), "allow");
  assertEquals(some.decide(facts("internal.test", { user: "ben" }), null).rule, "rule 2");
  assertEquals(decide(some, "internal.test:81"), "deny by default", "it lacks the port too");
  assertEquals(decide(some, "other.test"), "allow");
  assertEquals(
    decide(policy(rules), "internal.test"),
    "allow",
    "nobody can say who they are: the rule is for none",
  );
});

Deno.test("a star among users is anybody who has said who they are", () => {
  const some = policy([rule({ users: ["*"] })], { authentication: "by-rule" });
  assertEquals(decide(some, "example.com"), "authenticate");
  assertEquals(decide(some, "example.com", { user: "anybody" }), "allow");
});

Deno.test("a client that has yet to say who it is has no name looked up", () => {
  const some = policy([rule({ hosts: ["8.8.8.0/24"], users: ["anna"] })], { authentication: "by-rule" });
  assertEquals(decide(some, "other.test"), "authenticate");
  assertEquals(decide(some, "other.test", { user: "anna" }), "unresolved");
  assertEquals(decide(some, "other.test", { user: "ben" }), "deny by default");
});

Deno.test("methods are told apart by their case", () => {
  const some = policy([rule({ methods: ["GET", "HEAD"] })]);
  assertEquals(["GET", "HEAD", "get", "POST"].map((method) => decide(some, "a.test", { method })), [
    "allow",
    "allow",
    "deny by default",
    "deny by default",
  ]);
});

Deno.test("to allow a path every reading of it has to match, to deny it one is enough", () => {
  const allowing = policy([rule({ paths: ["/public/*"] })]);
  assertEquals(decide(allowing, "a.test", { path: "/public/a" }), "allow");
  assertEquals(decide(allowing, "a.test", { path: "/public/../secret" }), "deny by default");
  assertEquals(decide(allowing, "a.test", { path: "/public/%2e%2e/secret" }), "deny by default");
  const denying = policy([rule({ action: "deny", paths: ["/secret*"] })], ALLOWED);
  assertEquals(decide(denying, "a.test", { path: "/secret" }), "deny by rule 1");
  assertEquals(decide(denying, "a.test", { path: "/public/../secret" }), "deny by rule 1");
  assertEquals(decide(denying, "a.test", { path: "/%73ecret" }), "deny by rule 1");
  assertEquals(decide(denying, "a.test", { path: "/public" }), "allow");
});

Deno.test("a rule with paths is not for tunnels, in which no path can be seen", () => {
  for (const action of ["allow", "deny"] as const) {
    const some = policy([rule({ action, paths: ["*"] })], {
      defaultAction: action === "allow" ? "deny" : "allow",
    });
    const others = { method: "CONNECT" };
    assertEquals(some.decide(facts("a.test:443", others), null).rule, "default");
  }
});

Deno.test("paths are looked at only where a rule has some", () => {
  assertEquals(policy([rule({ hosts: ["*"] })]).looksAtPaths, false);
  assertEquals(policy([rule({ hosts: ["*"] }), rule({ paths: ["/*"] }, 2)]).looksAtPaths, true);
});

Deno.test("when a client is asked for a password depends on the rules that are for it", () => {
  const local = facts("127.0.0.1");
  const needs = (rules: Parameters<typeof policy>[0], changes: Parameters<typeof policy>[1]) =>
    policy(rules, changes).passwordNeed(local);
  const byRule = { authentication: "by-rule" } as const;
  const some = rule({ users: ["alice"] });
  assertEquals(needs([some], {}), "never");
  assertEquals(needs([], { authentication: "always" }), "always");
  assertEquals(needs([], byRule), "never");
  assertEquals(needs([rule({ hosts: ["*"] })], byRule), "never");
  assertEquals(needs([some], byRule), "by-rule");
  assertEquals(needs([rule({ action: "deny", users: ["bob"] })], byRule), "by-rule");
  assertEquals(needs([rule({ users: ["alice"], clients: ["127.0.0.0/8"] })], byRule), "by-rule");
  assertEquals(needs([rule({ users: ["alice"], clients: ["10.0.0.0/8"] })], byRule), "never");
  assertEquals(needs([rule({ users: ["alice"], mode: "report" })], byRule), "never");
  assertEquals(needs([some], { ...byRule, mode: "report" }), "never");
  assertEquals(needs([], { authentication: "always", mode: "report" }), "never");
  const many = Array.from({ length: 40 }, (_, index) => rule({ hosts: ["*"] }, index));
  assertEquals(needs([...many, some], byRule), "by-rule");
});

Deno.test("a policy says whether it is only reported", () => {
  assertEquals(policy([]).reportsOnly, false);
  assertEquals(policy([], { mode: "report" }).reportsOnly, true);
});

Deno.test("tunnels go to all ports for loopback clients, and to 443 alone for others", () => {
  const some = policy([], ALLOWED);
  const tunnel = (client: string, port: number) =>
    decide(some, `a.test:${port}`, { client, method: "CONNECT" });
  for (const client of ["127.0.0.1", "::1"]) {
    assertEquals([443, 22, 8080].map((port) => tunnel(client, port)), ["allow", "allow", "allow"]);
  }
  for (const client of [PRIVATE_CLIENT, PUBLIC_CLIENT, "fe80::1"]) {
    assertEquals(tunnel(client, 443), "allow");
    assertEquals(tunnel(client, 22), "deny by connect ports");
  }
  assertEquals(decide(some, "a.test:8080", { client: PUBLIC_CLIENT }), "allow", "it is no tunnel");
});

Deno.test("connect-ports opens its ports for everybody and closes others, and a rule opens those that it names", () => {
  const rules = [rule({ hosts: ["ssh.test"], ports: ["22"] }), rule({ hosts: ["other.test"] }, 2)];
  const some = policy(rules, { ...ALLOWED, connectPorts: [parsePorts("8443")] });
  const tunnel = (target: string, client = PUBLIC_CLIENT) =>
    decide(some, target, { client, method: "CONNECT" });
  assertEquals(tunnel("a.test:8443"), "allow");
  assertEquals(tunnel("a.test:443"), "deny by connect ports");
  assertEquals(tunnel("a.test:443", "127.0.0.1"), "deny by connect ports");
  assertEquals(tunnel("ssh.test:22"), "allow");
  assertEquals(tunnel("other.test:22"), "deny by connect ports", "the rule that allows it names no ports");
});

Deno.test("port 25 is reached only by a rule that names it, by whatever method", () => {
  const some = policy([rule({ hosts: ["mail.test"], ports: ["25"] }), rule({ hosts: ["other.test"] }, 2)], {
    ...ALLOWED,
    connectPorts: [parsePorts("*")],
  });
  for (const method of ["GET", "POST", "CONNECT"]) {
    assertEquals(decide(some, "a.test:25", { method }), "deny by port 25");
    assertEquals(decide(some, "other.test:25", { method }), "deny by port 25");
    assertEquals(decide(some, "mail.test:25", { method }), "allow");
  }
});

Deno.test("a rule that is only reported is recorded when it denies, and the next ones decide", () => {
  const rules = [
    rule({ action: "deny", mode: "report", hosts: ["*.test"], name: "first", note: "ask" }),
    rule({ action: "deny", mode: "report", hosts: ["*"], name: "second" }, 2),
    rule({ hosts: ["a.test"], tls: "require", rates: RATES, name: "lets through" }, 3),
    rule({ mode: "report", hosts: ["*"] }, 4),
  ];
  const some = policy(rules);
  const verdict = some.decide(facts("a.test", { method: "CONNECT" }), null);
  assertEquals(verdict, {
    decision: "deny",
    rule: "first",
    reason: "the rule matches",
    note: "ask",
    enforced: false,
    tls: "require",
    rates: { rule: "lets through", limits: RATES },
  });
  assertEquals(decide(some, "b.test"), "deny by default", "an allow that is only reported allows nothing");
  assertEquals(decide(some, "a.test", { client: PUBLIC_CLIENT }, "127.0.0.1"), "deny by private networks");
});

const RATES = { requests: 5, burst: 10, exchanges: 0, up: 0, down: 0, hourly: 0, daily: 0 };

Deno.test("a policy that is only reported decides as it would, and enforces nothing", () => {
  const some = policy([rule({ action: "deny", hosts: ["bad.test"], tls: "require", note: "no" })], {
    ...ALLOWED,
    mode: "report",
    authentication: "by-rule",
    clients: parseNetworks("loopback"),
  });
  assertEquals(some.decide(facts("bad.test"), null), {
    decision: "deny",
    rule: "rule 1",
    reason: "the rule matches",
    note: "no",
    enforced: false,
    tls: "any",
    rates: null,
  });
  assertEquals(decide(some, "good.test"), "allow");
  assertEquals(decide(some, "good.test", { client: PUBLIC_CLIENT }), "deny by clients (reported)");
  assertEquals(decide(some, "good.test:25"), "deny by port 25 (reported)");
  assertEquals(decide(some, "169.254.169.254"), "deny by metadata addresses (reported)");
});

Deno.test("a password is not asked for by a policy that is only reported", () => {
  for (const authentication of ["always", "by-rule"] as const) {
    const some = policy([rule({ users: ["anna"] })], { mode: "report", authentication });
    const verdict = some.decide(facts("a.test"), null);
    assertEquals(said(verdict), "deny by users (reported)");
    assertEquals(verdict.reason, "would be asked for a password");
  }
});

Deno.test("the TLS check is the rule's, else the policy's; the rates are the rule's", () => {
  const some = policy([
    rule({ hosts: ["a.test"], tls: "require", rates: RATES }),
    rule({ hosts: ["b.test"] }, 2),
  ], {
    ...ALLOWED,
    tls: "match",
  });
  const of = (target: string) => some.decide(facts(target, { method: "CONNECT" }), null);
  assertEquals([of("a.test").tls, of("b.test").tls, of("c.test").tls], ["require", "match", "match"]);
  assertEquals(of("a.test").rates, { rule: "rule 1", limits: RATES });
  assertEquals([of("b.test").rates, of("c.test").rates], [null, null]);
});

Deno.test("the note of a rule is for those that it denies", () => {
  const some = policy([
    rule({ action: "deny", hosts: ["a.test"], note: "ask first" }),
    rule({ note: "welcome" }, 2),
  ]);
  assertEquals(some.decide(facts("a.test"), null).note, "ask first");
  assertEquals(some.decide(facts("b.test"), null).note, "");
});

Deno.test("to allow makes no new verdict", () => {
  const some = policy([rule({ hosts: ["a.test"], rates: RATES })], ALLOWED);
  for (const target of ["a.test", "b.test"]) {
    assertStrictEquals(some.decide(facts(target), null), some.decide(facts(target), parseIp("8.8.8.8")));
  }
});

Deno.test("more hosts and clients than are remembered are judged as the first ones", () => {
  const some = policy([rule({ hosts: ["*.test"], clients: ["10.0.0.0/8"] })]);
  for (let i = 0; i < 10_000; i++) {
    const client = `${i % 2 === 0 ? 10 : 11}.${i >> 8}.${i & 255}.1`;
    const host = i % 3 === 0 ? `h${i}.other` : `h${i}.test`;
    const expected = i % 2 === 0 && i % 3 !== 0 ? "allow" : "deny by default";
    assertEquals(decide(some, host, { client }), expected, `${client} ${host}`);
  }
});
