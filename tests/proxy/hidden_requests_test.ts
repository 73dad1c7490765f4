/** What rules with methods or paths cannot see does not walk round them: in tunnels, behind upgrades, by other fields. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { hello } from "../policy/hellos.ts";
import { proxied, type Setting } from "./harness.ts";
import { Names, policy, type RuleWords, SeenFrom } from "./policies.ts";
import { type Peer, valuesOf } from "./peer.ts";
import { get, OK } from "./round_trip.ts";
import { ask4, ask5Named, HELLO } from "./socks_words.ts";

const ADMIN: RuleWords = { name: "no admin", action: "deny", hosts: "a.example", paths: "/admin*" };
const POST: RuleWords = { name: "no post", action: "deny", hosts: "a.example", methods: "POST PUT" };
const RESOLVER = new Names({ "a.example": ["127.0.0.1"], "b.example": ["127.0.0.1"] }).resolver;

/** Each way opens a tunnel to `host:port`, and gives its two ends. */
const WAYS: Record<string, (setting: Setting, target: string) => Promise<{ client: Peer; upstream: Peer }>> =
  {
    async CONNECT({ connect, origin }, target) {
      const client = await connect();
      await client.send(`CONNECT ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
      const upstream = await origin.accept();
      assertStringIncludes(await client.head(), " 200 ");
      return { client, upstream };
    },
    async "SOCKS 5"({ connect, origin }, target) {
      const client = await connect();
      await client.send(HELLO + ask5Named(target));
      const upstream = await origin.accept();
      assertEquals((await client.exactly(2 + 10)).charCodeAt(3), 0);
      return { client, upstream };
    },
    async "SOCKS 4a"({ connect, origin }, target) {
      const client = await connect();
      await client.send(ask4(target));
      const upstream = await origin.accept();
      assertEquals((await client.exactly(8)).charCodeAt(1), 90);
      return { client, upstream };
    },
  };

const ASKED = "GET /admin HTTP/1.1\r\nHost: a.example\r\n\r\n";

for (const [way, open] of Object.entries(WAYS)) {
  for (const rule of [ADMIN, POST]) {
    for (
      const [what, rest] of [["the default", []], ["a rule behind it", [{ hosts: "a.example" }]]] as const
    ) {
      const settings = {
        policy: policy({ rules: [rule, ...rest], defaultAction: rest.length === 0 ? "allow" : "deny" }),
      };
      proxied(
        `${way}: what "${rule.name}" would deny goes into no tunnel that ${what} allows`,
        { settings, resolver: RESOLVER },
        async (setting) => {
          for (const sent of [ASKED, "\x15\x03\x01\0\0", hello("b.example"), hello(null)]) {
            const { client, upstream } = await open(setting, `a.example:${setting.origin.port}`);
            await client.send(sent);
            assertEquals(await upstream.rest(), "");
            await client.rest();
            client.close();
            const exchange = await setting.exchanges.next();
            assertEquals([exchange.verdict, exchange.rule], ["deny", "tls"]);
            assertStringIncludes(exchange.reason, `"${rule.name}" cannot see into it`);
          }
          const { client, upstream } = await open(setting, `a.example:${setting.origin.port}`);
          await client.send(hello("a.example"));
          assertEquals(await upstream.exactly(hello("a.example").length), hello("a.example"));
          client.close();
          upstream.close();
          assertEquals((await setting.exchanges.next()).verdict, "allow");
        },
      );
    }
  }

  proxied(`${way}: other hosts, and rules that say that anything may pass, are as they were`, {
    settings: {
      policy: policy({
        rules: [ADMIN, { hosts: "a.example", tls: "any" }, { hosts: "b.example" }],
      }),
    },
    resolver: RESOLVER,
  }, async (setting) => {
    for (const host of ["a.example", "b.example"]) {
      const { client, upstream } = await open(setting, `${host}:${setting.origin.port}`);
      await client.send(ASKED);
      assertEquals(await upstream.exactly(ASKED.length), ASKED);
      client.close();
      upstream.close();
      assertEquals((await setting.exchanges.next()).verdict, "allow");
    }
  });
}

proxied("a tunnel to port 80 would hide what a rule looks at, and is refused with that rule", {
  settings: {
    policy: policy({
      rules: [ADMIN, { hosts: "a.example" }, { hosts: "b.example", methods: "GET CONNECT" }],
    }),
  },
  resolver: RESOLVER,
}, async ({ connect, exchanges, origin }) => {
  for (const [host, rule] of [["a.example", "no admin"], ["b.example", "rule 3"]]) {
    const client = await connect();
    await client.send(`CONNECT ${host}:80 HTTP/1.1\r\nHost: a\r\n\r\n`);
    assertStringIncludes(await client.head(), `403 Forbidden: denied by ${rule}`);
    client.close();
    const exchange = await exchanges.next();
    assertEquals([exchange.rule, exchange.reason], [
      rule,
      "the rule looks at methods or paths, which a tunnel to port 80 hides",
    ]);
  }
  await origin.assertNoFurtherConnection();
});

const SWITCHES = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";

async function upgraded({ connect, origin }: Setting, early = ""): Promise<{ client: Peer; upstream: Peer }> {
  const client = await connect();
  await client.send(get(origin, "/chat", "Connection: Upgrade", "Upgrade: websocket") + early);
  const upstream = await origin.accept();
  await upstream.message();
  await upstream.send(SWITCHES);
  await client.head();
  return { client, upstream };
}

for (
  const [what, rules] of [
    ["a rule denies other paths", [{ action: "deny", paths: "/admin*" }, {}]],
    ["a rule allows this path alone", [{ paths: "/chat" }]],
  ] as [string, RuleWords[]][]
) {
  proxied(`where ${what}, no plain request follows an upgrade`, {
    settings: { policy: policy({ rules }) },
  }, async (setting) => {
    for (
      const sent of [
        "GET /admin HTTP/1.1\r\n\r\n",
        "POST ",
        "P",
        "\r\nGET ",
        "A\0",
        "\x16\x02",
        "\x81\x05GET /",
      ]
    ) {
      for (const early of ["", sent]) {
        const { client, upstream } = await upgraded(setting, early);
        if (early === "") await client.sendInPieces(sent);
        if (sent === "A\0" || sent.length === 1) await client.closeWrite();
        assertEquals(await upstream.rest(), "", JSON.stringify(sent));
        client.close();
        const exchange = await setting.exchanges.next();
        assertEquals([exchange.kind, exchange.verdict, exchange.rule], ["upgrade", "deny", "tls"]);
      }
    }
    for (const sent of ["\x81\x85key!GET /", "\x41\x80", "\x89\x80", hello("any.example")]) {
      const { client, upstream } = await upgraded(setting);
      await upstream.send("first");
      assertEquals(await client.exactly(5), "first");
      await client.sendInPieces([sent.slice(0, 1), sent.slice(1)]);
      assertEquals(await upstream.exactly(sent.length), sent);
      client.close();
      upstream.close();
      assertEquals((await setting.exchanges.next()).verdict, "allow");
    }
    const { client, upstream } = await upgraded(setting);
    await client.closeWrite();
    assertEquals(await upstream.rest(), "");
    client.close();
    upstream.close();
    assertEquals((await setting.exchanges.next()).verdict, "allow");
  });
}

const OVERRIDES = [
  "X-Original-URL: /admin",
  "X-ORIGINAL-URL: /admin",
  "X_Original_URL: /admin",
  "x-rewrite-url: /admin",
  "X-HTTP-Method-Override: DELETE",
  "X-HTTP-Method: DELETE",
  "X-Method-Override: DELETE",
  "X-Forwarded-Uri: /admin",
  "X-Forwarded-Prefix: /admin",
  "X-Forwarded-Path: /admin",
];

/** Which of the fields that change the method or the path reach the origin. */
async function overridesSent({ connect, origin }: Setting, path = "/"): Promise<string[]> {
  const client = await connect();
  await client.send(get(origin, path, "X-Other: kept", ...OVERRIDES, "X-Original-Host: kept"));
  const upstream = await origin.accept();
  const sent = await upstream.message();
  assertEquals([...valuesOf(sent, "x-other"), ...valuesOf(sent, "x-original-host")], ["kept", "kept"]);
  await upstream.send(OK);
  await client.head();
  client.close();
  upstream.close();
  return OVERRIDES.filter((line) => sent.head.includes(`\r\n${line}\r\n`));
}

for (
  const [rules, sends] of [
    [[{ methods: "GET" }], false],
    [[{ paths: "/*" }], false],
    [[{ action: "deny", paths: "/admin*" }, {}], false],
    [[{ action: "deny", methods: "DELETE" }], false],
    [[{ hosts: "127.0.0.1" }, { methods: "GET" }], true],
    [[{ hosts: "b.example", methods: "GET" }, {}], true],
    [[{ mode: "report", action: "deny", methods: "DELETE" }, {}], true],
    [[], true],
  ] as [RuleWords[], boolean][]
) {
  proxied(
    `fields that change the method or path are ${sends ? "" : "not "}sent on by ${JSON.stringify(rules)}`,
    { settings: { policy: policy({ rules }) } },
    async (setting) => assertEquals(await overridesSent(setting), sends ? OVERRIDES : []),
  );
}

Deno.test("plain requests of other machines go to usual ports, unless a rule names another", () => {
  const some = policy({ rules: [{ hosts: "b.example", ports: "22 443" }, { hosts: "a.example" }] });
  const decided = (client: string, host: string, port: number) => {
    const seen = new SeenFrom(some, client);
    const authority = { host, port, ip: null, text: `${host}:${port}`, hostField: () => "" };
    const facts = {
      client: "",
      clientIp: { family: 4 as const, bytes: new Uint8Array(4) },
      user: null,
      method: "GET",
      path: "/",
    };
    return seen.decide({ ...facts, authority } as unknown as Parameters<typeof seen.decide>[0], null);
  };
  for (const port of [21, 70, 80, 210, 280, 443, 488, 591, 777, 1025, 8080, 65535]) {
    assertEquals(decided("10.0.0.9", "a.example", port).decision, "allow", String(port));
  }
  for (const port of [1, 22, 23, 110, 143, 445, 587, 1024]) {
    const { decision, rule } = decided("10.0.0.9", "a.example", port);
    assertEquals([decision, rule], ["deny", "plain ports"], String(port));
    assertEquals(decided("127.0.0.1", "a.example", port).decision, "allow", String(port));
  }
  assertEquals(decided("10.0.0.9", "a.example", 25).rule, "port 25");
  assertEquals(decided("10.0.0.9", "b.example", 22).decision, "allow");
});

proxied("a deny rule takes its methods in letters of any case, and an allow rule as they are", {
  settings: {
    policy: policy({
      rules: [{ name: "no post", action: "deny", methods: "POST" }, { methods: "GET POST PATCH" }],
    }),
  },
}, async ({ connect, exchanges, origin }) => {
  for (
    const [method, rule] of [["post", "no post"], ["Post", "no post"], ["get", "default"], [
      "patch",
      "default",
    ]]
  ) {
    const client = await connect();
    await client.send(`${method} http://127.0.0.1:${origin.port}/ HTTP/1.1\r\nHost: a\r\n\r\n`);
    assert((await client.head()).includes(" 403 "), method);
    client.close();
    assertEquals((await exchanges.next()).rule, rule, method);
  }
  await origin.assertNoFurtherConnection();
});
