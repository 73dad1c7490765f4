/** Names are looked up as they are, whatever the system's search list makes of them. */

import { assertEquals, assertRejects } from "@std/assert";
import { ResolveError, Resolver } from "../../src/net/resolve.ts";

interface World {
  /** `/etc/hosts`. */
  hosts?: Record<string, string[]>;
  /** What name servers say, by complete names. */
  servers?: Record<string, string[]>;
  search?: string;
  /** Names with fewer dots are tried with the search list first. */
  ndots?: number;
}

function none(host: string): Error {
  return Object.assign(new Error(`no ${host}`), { code: "ENOTFOUND" });
}

/** The system's resolver as it was seen to be: one that honours both, and the name servers alone. */
function resolverIn(
  { hosts = {}, servers = {}, search = "corp.test", ndots = 1 }: World,
  completes = false,
): Resolver {
  const byServers = (host: string) => {
    const completed = servers[`${host}.${search}`];
    const few = host.split(".").length - 1 < ndots;
    const found = host.endsWith(".")
      ? servers[host.slice(0, -1)]
      : few
      ? completed ?? servers[host]
      : servers[host] ?? completed;
    return found === undefined ? Promise.reject(none(host)) : Promise.resolve(found);
  };
  return new Resolver({
    lookup: (host) => hosts[host] !== undefined ? Promise.resolve(hosts[host]) : byServers(host),
    dns: byServers,
    completes: () => completes,
  });
}

for (const ndots of [1, 5]) {
  Deno.test(`a name is not completed where rules judge names, with ndots:${ndots}`, async () => {
    const resolver = resolverIn({ servers: { "api.allowed.example.corp.test": ["192.0.2.66"] }, ndots });
    const error = await assertRejects(() => resolver.resolve("api.allowed.example"), ResolveError);
    assertEquals(error.kind, "incomplete");
  });

  Deno.test(`a word is not completed either, with ndots:${ndots}`, async () => {
    const resolver = resolverIn({ servers: { "evil.corp.test": ["192.0.2.66"] }, ndots });
    assertEquals((await assertRejects(() => resolver.resolve("evil"), ResolveError)).kind, "incomplete");
  });

  Deno.test(`a name and a completed one that both exist: the name's own addresses, with ndots:${ndots}`, async () => {
    const resolver = resolverIn({
      servers: { "api.example": ["192.0.2.1"], "api.example.corp.test": ["192.0.2.66"] },
      ndots,
    });
    assertEquals(await resolver.resolve("api.example"), ["192.0.2.1"]);
  });

  Deno.test(`/etc/hosts comes first, be there such a name or not, with ndots:${ndots}`, async () => {
    const hosts = { "only.hosts.example": ["10.1.2.3"], "both.example": ["10.1.2.4"], db: ["10.1.2.5"] };
    const resolver = resolverIn({ hosts, servers: { "both.example": ["192.0.2.1"] }, ndots });
    for (const [host, addresses] of Object.entries(hosts)) {
      assertEquals(await resolver.resolve(host), addresses, host);
    }
  });
}

Deno.test("a word that is a name by itself is found", async () => {
  const resolver = resolverIn({ servers: { web: ["172.18.0.2"] } });
  assertEquals(await resolver.resolve("web"), ["172.18.0.2"]);
});

Deno.test("where it may be completed the system decides", async () => {
  const resolver = resolverIn({ servers: { "wiki.corp.test": ["192.0.2.66"] } }, true);
  assertEquals(await resolver.resolve("wiki"), ["192.0.2.66"]);
});

Deno.test("a name that does not exist is not found", async () => {
  assertEquals(
    (await assertRejects(() => resolverIn({}).resolve("a.example"), ResolveError)).kind,
    "not_found",
  );
});

Deno.test("an answer of a name with changing addresses is one of its own", async () => {
  let next = 0;
  const rotating = () => Promise.resolve([`192.0.2.${++next}`]);
  const resolver = new Resolver({ lookup: rotating, dns: rotating, completes: () => false });
  assertEquals(await resolver.resolve("cdn.example"), ["192.0.2.2"], "what the complete name has");
});

Deno.test("an entry of /etc/hosts is found while no name server says anything", async () => {
  const resolver = new Resolver({
    lookup: () => Promise.resolve(["10.1.2.3"]),
    dns: () => Promise.reject(new Error("no answer in time")),
    completes: () => false,
  });
  assertEquals(await resolver.resolve("only.hosts.example"), ["10.1.2.3"]);
});

Deno.test("an answer that may be another name's does not count while the servers say nothing of the complete one", async () => {
  const resolver = new Resolver({
    lookup: () => Promise.resolve(["192.0.2.66"]),
    dns: (host) => host.endsWith(".") ? Promise.reject(new Error("silent")) : Promise.resolve(["192.0.2.66"]),
    completes: () => false,
  });
  assertEquals((await assertRejects(() => resolver.resolve("a.example"), ResolveError)).kind, "failed");
});

Deno.test("what was found under another policy is forgotten", async () => {
  let completes = true;
  const resolver = new Resolver({
    lookup: () => Promise.resolve(["192.0.2.66"]),
    dns: (host) => host.endsWith(".") ? Promise.reject(none(host)) : Promise.resolve(["192.0.2.66"]),
    completes: () => completes,
  });
  assertEquals(await resolver.resolve("wiki"), ["192.0.2.66"]);
  completes = false;
  resolver.forget();
  assertEquals((await assertRejects(() => resolver.resolve("wiki"), ResolveError)).kind, "incomplete");
});
