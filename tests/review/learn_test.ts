import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseAuthority } from "../../src/http/authority.ts";
import { parseIp } from "../../src/http/ip_address.ts";
import { readLine } from "../../src/review/log_reader.ts";
import { factsOf } from "../../src/review/logged_facts.ts";
import { learnFrom, policyIn, textFrom } from "./learning.ts";
import { deniedLine, jsonLine } from "./logs.ts";

const hostsOf = (lines: string[], options = {}) =>
  learnFrom(lines, options).rules().map(({ hosts, ports }) => `${hosts.join(",")} ${ports.join(",")}`);

Deno.test("a host has one rule with the ports that were seen, and domains stand together", () => {
  assertEquals(
    hostsOf([
      jsonLine({ host: "b.example.com" }),
      jsonLine({ host: "z.org", port: 8443 }),
      jsonLine({ host: "192.0.9.1" }),
      jsonLine({ host: "example.com", port: 80 }),
      jsonLine({ host: "a.example.com" }),
      jsonLine({ host: "z.org" }),
    ]),
    ["example.com 80", "a.example.com 443", "b.example.com 443", "z.org 443,8443", "192.0.9.1 443"],
  );
});

Deno.test("what was refused, was never reached or asked for credentials is not allowed", () => {
  const learning = learnFrom([
    deniedLine({ host: "evil.example" }),
    deniedLine({ host: "asks.example", status: 407, rule: "users" }),
    jsonLine({
      host: "typo.example",
      ownAnswer: true,
      status: 502,
      connectedMs: undefined,
      origin: undefined,
    }),
    jsonLine({ host: "none.example", verdict: "none" }),
  ]);
  assertEquals(learning.rules(), []);
  assertEquals([learning.denied.size, learning.unreached.size, learning.through], [1, 1, 0]);
});

Deno.test("what was only reported to be denied is allowed", () => {
  assertEquals(
    hostsOf([jsonLine({ host: "api.example", verdict: "deny", enforced: false, rule: "default" })]),
    [
      "api.example 443",
    ],
  );
});

Deno.test("addresses that hand out secrets are never allowed, by whatever name they were reached", () => {
  for (
    const changes of [
      { host: "169.254.169.254", origin: "169.254.169.254" },
      { host: "metadata.example", origin: "169.254.169.254" },
      { host: "metadata.example", origin: "::ffff:169.254.169.254" },
      { host: "metadata.example", origin: "64:ff9b::a9fe:a9fe" },
      { host: "fd00:ec2::254", origin: "fd00:ec2::254" },
      { host: "224.0.0.1", origin: "224.0.0.1" },
      { host: "169.254.169.254", origin: undefined },
    ]
  ) {
    const learning = learnFrom([jsonLine(changes)]);
    assertEquals([learning.rules(), learning.byHand.size], [[], 1], JSON.stringify(changes));
  }
});

Deno.test("an address that is more private than its client is allowed with a warning", () => {
  const text = textFrom([jsonLine({ host: "db.internal", client: "203.0.114.5", origin: "10.0.0.9" })]);
  assert(
    text.includes("# warning: 10.0.0.9: more private than a client, which private-networks has to allow\n"),
  );
  assert(!textFrom([jsonLine({ host: "db.internal", origin: "10.0.0.9" })]).includes("warning"));
});

Deno.test("a tunnel that asked for another name is told of", () => {
  const text = textFrom([jsonLine({ serverName: "front.example" })]);
  assert(
    text.includes(`# warning: a tunnel asked for another name, front.example: tls = "match" refuses that\n`),
  );
});

Deno.test("rules by method, client or user allow the combinations that were seen, and no other", async () => {
  const lines = [
    jsonLine({ method: "GET", host: "a.example", port: 80, client: "10.0.0.1" }),
    jsonLine({ method: "GET", host: "a.example", port: 80, client: "10.0.0.2" }),
    jsonLine({ method: "POST", host: "a.example", port: 80, client: "10.0.0.1" }),
    jsonLine({ host: "a.example", client: "10.0.0.1" }),
  ];
  const policy = await policyIn(textFrom(lines, { methods: true, clients: true }));
  const asks = (method: string, port: number, client: string) => {
    const authority = parseAuthority(`a.example:${port}`, null);
    const clientIp = parseIp(client)!;
    return policy.decide({ client, clientIp, user: null, method, authority, path: null }, null).decision;
  };
  for (const method of ["GET", "POST", "CONNECT"]) {
    for (const port of [80, 443]) {
      for (const client of ["10.0.0.1", "10.0.0.2", "10.0.0.3"]) {
        const seen = lines.map(readLine).some((each) =>
          each.method === method && each.authority!.port === port && each.client === client
        );
        assertEquals(asks(method, port, client), seen ? "allow" : "deny", `${method} ${port} ${client}`);
      }
    }
  }
});

Deno.test("a user is a condition only where it was asked for and the log has one", () => {
  const lines = [jsonLine({ user: "alice" }), jsonLine({ user: "bob" }), jsonLine({ host: "b.example" })];
  assertEquals(learnFrom(lines, { users: true }).rules().map(({ users }) => users), [null, ["alice", "bob"]]);
  assertEquals(learnFrom(lines).rules().map(({ users }) => users), [null, null]);
});

Deno.test("many hosts share rules, so that the policy stays one that can be read", async () => {
  const lines = Array.from(
    { length: 3000 },
    (_, i) => jsonLine({ host: `h${i}.example`, port: 443 + i % 3 }),
  );
  const rules = learnFrom(lines).rules();
  assertEquals(rules.map(({ ports }) => ports), [[443], [444], [445]]);
  assertEquals(rules.flatMap(({ hosts }) => hosts).length, 3000);
  const policy = await policyIn(textFrom(lines));
  for (const line of lines) {
    const exchange = readLine(line);
    assertEquals(policy.decide(factsOf(exchange, exchange.authority!), exchange.originIp).decision, "allow");
  }
});

Deno.test("beyond the most that are learned, exchanges are counted and told of", () => {
  const lines = Array.from({ length: 20_010 }, (_, i) => jsonLine({ host: `h${i}.example` }));
  const learning = learnFrom(lines);
  assertEquals([learning.beyond, learning.rules()[0].hosts.length], [10, 20_000]);
  assert(textFrom(lines).includes("# Not all is covered: there are too many hosts, and 10 exchanges"));
});

const label = fc.constantFrom("a", "b", "cdn", "www", "xn--bcher-kva", "x_y", "default", "rule", "tls");
const host = fc.oneof(
  fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join(".")),
  fc.constantFrom("93.184.216.34", "2606:4700::1111", "10.0.0.9", "127.0.0.1", "::1"),
);
const exchange = fc.record({
  host,
  port: fc.constantFrom(80, 443, 8443, 25, 1, 65535),
  client: fc.constantFrom("127.0.0.1", "::1"),
  method: fc.constantFrom("CONNECT", "GET", "POST"),
  outcome: fc.constantFrom("through", "reported", "refused"),
});

Deno.test("what went through is allowed by what was learned, and of other hosts and ports nothing", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(exchange, { maxLength: 12 }),
      fc.array(exchange, { maxLength: 12 }),
      async (seen, others) => {
        const lines = seen.map(({ outcome, ...parts }) =>
          outcome === "through"
            ? jsonLine({ ...parts, origin: undefined })
            : outcome === "reported"
            ? jsonLine({ ...parts, origin: undefined, verdict: "deny", enforced: false })
            : deniedLine(parts)
        );
        const policy = await policyIn(textFrom(lines, {}, true));
        // where names lead: to none of the addresses that were asked for
        const elsewhere = parseIp("104.16.0.35");
        const allowed = new Set(
          seen.filter(({ outcome }) => outcome !== "refused").map(({ host, port }) => `${host} ${port}`),
        );
        for (const each of [...seen, ...others]) {
          const { outcome: _, ...parts } = each;
          const logged = readLine(jsonLine(parts));
          const { decision } = policy.decide(
            factsOf(logged, logged.authority!),
            logged.authority!.ip ?? elsewhere,
          );
          assertEquals(
            decision,
            allowed.has(`${each.host} ${each.port}`) ? "allow" : "deny",
            JSON.stringify(each),
          );
        }
      },
    ),
    { numRuns: 100 },
  );
});

Deno.test("a second look with the learned policy finds nothing to add", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(exchange, { maxLength: 12 }), async (seen) => {
      const lines = seen.map(({ outcome: _, ...parts }) => jsonLine({ ...parts, origin: undefined }));
      const policy = await policyIn(textFrom(lines));
      const again = learnFrom(lines, {}, { policy, catchAlls: new Set() });
      assertEquals([again.rules(), again.covered], [[], again.through]);
    }),
    { numRuns: 50 },
  );
});

Deno.test("a method that no rule can name is left to a person", () => {
  const learning = learnFrom([jsonLine({ method: "get", host: "a.example", port: 80 })], { methods: true });
  assertEquals([learning.rules(), learning.byHand.size], [[], 1]);
});

Deno.test("a rule for an address says that names may lead there", () => {
  const text = textFrom([jsonLine({ host: "93.184.216.34", origin: "93.184.216.34" })]);
  assert(text.includes("# an address: every name that leads to it is allowed too\n[[rule]]\n"));
});

Deno.test("of the one exchange that is kept for a rule, a path that is long is not", () => {
  const pathsOf = (length: number) => {
    const path = "/".padEnd(length, "x");
    const line =
      `1795240825.105 12 127.0.0.1 TCP_MISS/200 1234 GET http://a.example${path} - HIER_DIRECT/93.184.216.34 -`;
    return learnFrom([line]).rules().map(({ sample }) => sample.facts.path?.length ?? null);
  };
  assertEquals([pathsOf(2048), pathsOf(2049), pathsOf(60_000)], [[2048], [null], [null]]);
});
