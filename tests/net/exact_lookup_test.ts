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

/** The resolvers as they were seen to be: the system's, to which a final dot means name servers alone, and `dns`. */
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
    dns: (host) => {
      const entry = host.endsWith(".") ? hosts[host.slice(0, -1)] : undefined;
      return entry !== undefined ? Promise.resolve(entry) : byServers(host);
    },
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

Deno.test("a name that is known from elsewhere is found, be there name servers, silent ones or none", async () => {
  for (const code of ["ETIMEOUT", "ENOTFOUND", undefined]) {
    const resolver = new Resolver({
      lookup: (host) =>
        host.endsWith(".")
          ? Promise.reject(Object.assign(new Error("no server"), { code: "EAI_AGAIN" }))
          : Promise.resolve(["10.1.2.3"]),
      dns: () => Promise.reject(Object.assign(new Error("no answer"), { code })),
      completes: () => false,
    });
    assertEquals(await resolver.resolve("printer.local"), ["10.1.2.3"], code);
  }
});

Deno.test("a name of which the name servers say nothing is not completed for that", async () => {
  let now = 0;
  const resolver = new Resolver({
    // the system waits in vain for an answer about the name, and goes on to the next one
    lookup: () => {
      now += 1_000;
      return Promise.resolve(["192.0.2.66"]);
    },
    dns: () => Promise.reject(Object.assign(new Error("no answer in time"), { code: "ETIMEOUT" })),
    completes: () => false,
    now: () => now,
  });
  assertEquals(
    (await assertRejects(() => resolver.resolve("n.allowed.example"), ResolveError)).kind,
    "failed",
  );
});

for (
  const [known, expected] of [["ENOTFOUND", "incomplete"], ["EAI_AGAIN", "failed"], [
    "192.0.2.1",
    "192.0.2.1",
  ]]
) {
  Deno.test(`a name that only the system can ask for is not completed: ${expected}`, async () => {
    const resolver = new Resolver({
      lookup: (host) => {
        if (!host.endsWith(".")) return Promise.resolve(["192.0.2.66"]);
        if (!known.startsWith("E")) return Promise.resolve([known]);
        return Promise.reject(Object.assign(new Error("no address"), { code: known }));
      },
      dns: () => Promise.reject(new Error("invalid characters")),
      completes: () => false,
    });
    const found = await resolver.resolve("foo_.allowed.example").catch(({ kind }: ResolveError) => [kind]);
    assertEquals(found, [expected]);
  });
}

Deno.test("an answer that may be another name's does not count while the servers say nothing of the complete one", async () => {
  for (const code of [undefined, "ETIMEOUT"]) {
    const resolver = new Resolver({
      lookup: (host) =>
        host.endsWith(".") ? Promise.reject(new Error("silent")) : Promise.resolve(["192.0.2.66"]),
      dns: (host) =>
        host.endsWith(".")
          ? Promise.reject(Object.assign(new Error("silent"), { code }))
          : Promise.resolve(["192.0.2.66"]),
      completes: () => false,
    });
    assertEquals((await assertRejects(() => resolver.resolve("a.example"), ResolveError)).kind, "failed");
  }
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
