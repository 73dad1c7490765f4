import { assert, assertEquals } from "@std/assert";
import { CAN_COLLECT, heapInUse } from "../heap.ts";
import { readLine } from "../../src/review/log_reader.ts";
import { Replay } from "../../src/review/replay.ts";
import { parseHostPattern } from "../../src/policy/host_pattern.ts";
import { NO_ROUTES, Routes } from "../../src/policy/routes.ts";
import { policyIn } from "./learning.ts";
import { deniedLine, jsonLine } from "./logs.ts";

const DENY = '[policy]\ndefault = "deny"\n';
const NPM = `${DENY}[[rule]]\nname = "npm"\naction = "allow"\nhosts = ["registry.corp.test"]\n`;

async function replayed(policy: string, ...lines: string[]): Promise<Replay> {
  const replay = new Replay(await policyIn(policy));
  for (const line of lines) replay.add(readLine(line));
  return replay;
}

/** What has changed: before and after, each with its rule, and how often. */
async function changes(policy: string, ...lines: string[]): Promise<string[]> {
  const { changes } = await replayed(policy, ...lines);
  return changes.sorted(({ count }) => count).map(([, each]) =>
    `${each.count} ${each.target} ${each.before} ${each.ruleBefore} > ${each.after} ${each.ruleAfter}`
  );
}

async function reasons(policy: string, ...lines: string[]): Promise<string[]> {
  const { unjudged, same, differing } = await replayed(policy, ...lines);
  assertEquals([same, differing], [0, 0]);
  return unjudged.sorted(({ count }) => count).map(([reason]) => reason);
}

Deno.test("what is decided as before is no change, by whatever rule", async () => {
  const replay = await replayed(
    NPM,
    jsonLine({ rule: "npm" }),
    jsonLine({ rule: "old" }),
    deniedLine({ host: "x.org" }),
  );
  assertEquals([replay.same, replay.byAnotherRule, replay.differing, replay.changes.size], [3, 1, 0, 0]);
});

Deno.test("changes are told by host, port and the rules before and after", async () => {
  assertEquals(
    await changes(
      NPM,
      jsonLine({ host: "x.org" }),
      jsonLine({ host: "x.org" }),
      deniedLine(),
      jsonLine({ host: "y.org" }),
    ),
    [
      "2 x.org:443 allow  > deny default",
      "1 registry.corp.test:443 deny default > allow npm",
      "1 y.org:443 allow  > deny default",
    ],
  );
});

Deno.test("the address of the log is the address that is judged", async () => {
  const line = jsonLine({ client: "203.0.114.5", origin: "10.0.0.9" });
  assertEquals(await changes(NPM, line), ["1 registry.corp.test:443 allow  > deny private networks"]);
});

Deno.test("a denial that was only reported is a denial", async () => {
  assertEquals((await replayed(NPM, jsonLine({ host: "x.org", verdict: "deny", enforced: false }))).same, 1);
});

Deno.test("a challenge is compared as such", async () => {
  const asks = `${DENY}users = "users"\nauthentication = "always"\n`;
  const challenge = deniedLine({ status: 407, rule: "users" });
  assertEquals((await replayed(asks, challenge)).same, 1);
  assertEquals(await changes(asks, jsonLine()), ["1 registry.corp.test:443 allow  > authenticate users"]);
});

Deno.test("a tunnel's name is held to the new policy where the log has it", async () => {
  assertEquals(await changes(NPM, jsonLine({ serverName: "front.example" })), [
    "1 registry.corp.test:443 allow  > deny tls",
  ]);
  assertEquals(await changes(NPM, jsonLine({ serverName: "registry.corp.test" })), []);
  const required = NPM.replace("\n", '\ntls = "require"\n');
  // what goes to the port of HTTPS is taken for that
  assertEquals(await changes(required, jsonLine()), []);
  assertEquals(await reasons(required.replaceAll("443", "8443"), jsonLine({ port: 8443 })), [
    "it depends on what came through the tunnel",
  ]);
  assertEquals(await reasons(NPM, deniedLine({ rule: "tls" })), [
    "it depends on what came through the tunnel",
  ]);
});

Deno.test("what cannot be judged is counted with its reason", async () => {
  assertEquals(await reasons(NPM, jsonLine({ verdict: "none" })), ["they were not decided by a policy then"]);
  assertEquals(await reasons(NPM, jsonLine({ host: "" })), ["the log does not say what was asked for"]);
  assertEquals(await reasons(NPM, jsonLine({ client: "laptop.lan" })), [
    "the log does not say by whose address",
  ]);
  assertEquals(await reasons(NPM, deniedLine({ rule: "own listeners" })), [
    "they were not decided by a policy then",
  ]);
  const networks = `${DENY}[[rule]]\naction = "allow"\nhosts = ["104.16.0.0/16"]\n`;
  assertEquals(await reasons(networks, deniedLine()), [
    "it depends on an address that the log does not have",
  ]);
  const path = `/${"a".repeat(9000)}`;
  const cut = jsonLine({
    method: "GET",
    host: "a.org",
    port: 80,
    target: `${`http://a.org${path}`.slice(0, 8192)}…`,
  });
  const paths = `${DENY}[[rule]]\naction = "allow"\npaths = ["/a*"]\n`;
  assertEquals(await reasons(paths, cut), ["the log has cut their path"]);
  assertEquals(await changes(NPM, cut), ["1 a.org:80 allow  > deny default"]);
});

Deno.test("paths are judged as they were logged, without their query", async () => {
  const policy = `${DENY}[[rule]]\nname = "api"\naction = "allow"\npaths = ["/api/*"]\n`;
  const at = (path: string) =>
    jsonLine({ method: "GET", host: "a.org", port: 80, target: `http://a.org${path}` });
  assertEquals(
    await changes(policy, at("/api/x?y=/z"), at("/other?/api/x"), at("/api/%C3%A4"), at("/api/ä")),
    [
      "1 a.org:80 allow  > deny default",
    ],
  );
});

/** What would take another way, by a route for `registry.corp.test` through `corp`, and `spare` after it. */
async function detours(...lines: string[]): Promise<string[]> {
  const hosts = [parseHostPattern("registry.corp.test")];
  const routes = new Routes([{ hosts, via: [{ name: "corp" }, { name: "spare" }] }], new Map());
  const replay = new Replay(await policyIn(NPM), routes);
  for (const line of lines) replay.add(readLine(line));
  const all = replay.detours.sorted(({ count }) => count);
  assertEquals(replay.rerouted, all.reduce((sum, [, { count }]) => sum + count, 0));
  return all.map(([, { count, target, before, after }]) =>
    `${count} ${target} ${before} > ${after.join(", ")}`
  );
}

Deno.test("a way that is not among those that there are now is told", async () => {
  const line = "1795246057.467 2 127.0.0.1 TCP_TUNNEL/200 219 CONNECT registry.corp.test:443 -";
  assertEquals(
    await detours(
      jsonLine(),
      jsonLine({ parent: "old" }),
      `${line} FIRSTUP_PARENT/old -`,
      `${line} HIER_DIRECT/192.0.2.1 -`,
    ),
    ["2 registry.corp.test:443 direct > corp, spare", "2 registry.corp.test:443 old > corp, spare"],
  );
});

Deno.test("a way that is the second choice now, one that nobody took, and one that has no name are none", async () => {
  assertEquals(
    await detours(
      jsonLine({ parent: "corp" }),
      jsonLine({ parent: "spare" }),
      jsonLine({ cache: "hit" }),
      deniedLine(),
      jsonLine({ origin: undefined }),
      "1795246057.467 2 127.0.0.1 TCP_MISS/200 219 GET http://registry.corp.test/ - FIRSTUP_PARENT/10.0.0.9 -",
    ),
    [],
  );
});

Deno.test("what goes through a parent now is judged by its name", async () => {
  const networks = `${DENY}[[rule]]\nname = "net"\naction = "allow"\nhosts = ["104.16.0.0/16"]\n`;
  const hosts = [parseHostPattern("*")];
  const routes = new Routes([{ hosts, via: [{ name: "corp" }] }], new Map());
  const replay = new Replay(await policyIn(networks), routes);
  replay.add(readLine(jsonLine({ rule: "net" })));
  assertEquals([replay.differing, replay.same], [1, 0]);
});

Deno.test({
  name: "of a way that a log names nothing is kept but its name",
  ignore: !CAN_COLLECT,
  async fn() {
    const LONG = 50_000;
    const MANY = 128;
    const replay = new Replay(await policyIn(""), NO_ROUTES);
    const before = heapInUse();
    for (let i = 0; i < MANY; i++) {
      const target = `http://a${i}.example/${"x".repeat(LONG)}`;
      const line =
        `1795240825.105 12 127.0.0.1 TCP_MISS/200 1 GET ${target} - FIRSTUP_PARENT/parent.corp.example -`;
      // as logs are read: many lines in one piece
      const log = new TextDecoder().decode(new TextEncoder().encode(`${line}\nanother`));
      replay.add(readLine(log.slice(0, line.length)));
    }
    assertEquals(replay.detours.size, MANY);
    const grown = heapInUse() - before;
    assert(grown < MANY * LONG / 2, `${grown} bytes for ${MANY} ways`);
  },
});
