/** Rules, ports and addresses from outside: plain requests, tunnels and upgrades pass the same decision. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { proxied, PSEUDONYM } from "./harness.ts";
import { NO_LIMITS } from "../../src/policy/rates.ts";
import { valuesOf } from "./peer.ts";
import { Names, policy, SeenFrom } from "./policies.ts";
import { OK } from "./round_trip.ts";
import { eachWay, passes, refused, SWITCHED, WAYS } from "./ways.ts";

const LOCAL = { "a.example": ["127.0.0.1"], "b.example": ["127.0.0.1"] };

eachWay(
  "a rule that allows lets it through, and what no rule allows is refused",
  {
    settings: { policy: policy({ rules: [{ name: "mirror", hosts: "a.example" }] }) },
    resolver: new Names(LOCAL).resolver,
  },
  async (setting, way) => {
    const { port } = setting.origin;
    await passes(setting, way, `a.example:${port}`);
    assertEquals(setting.exchanges.all[0].rule, "mirror");
    await passes(setting, way, `A.EXAMPLE.:${port}`);
    await refused(setting, way, `b.example:${port}`);
    assertEquals(setting.exchanges.all[2].rule, "default");
    await refused(setting, way, `a.example.evil.example:${port}`);
  },
);

const names = new Names(LOCAL);
eachWay(
  "a name that is refused is never looked up",
  {
    settings: { policy: policy({ rules: [{ hosts: "a.example" }] }) },
    resolver: names.resolver,
  },
  async (setting, way) => {
    names.asked.length = 0;
    await refused(setting, way, `b.example:${setting.origin.port}`);
    await refused(setting, way, `secret.b.example:${setting.origin.port}`);
    assertEquals(names.asked, []);
  },
);

eachWay(
  "a refused client is told the rule, its note and an identifier that the log has too",
  {
    settings: {
      policy: policy({
        rules: [{ name: "no telemetry", action: "deny", hosts: ".b.example", note: 'ask "ops"' }],
      }),
    },
    resolver: new Names(LOCAL).resolver,
  },
  async (setting, way) => {
    const answer = await refused(setting, way, `b.example:${setting.origin.port}`);
    const [exchange] = setting.exchanges.all;
    const identifier = `${PSEUDONYM}/${exchange.reference}`;
    const told = `denied by no telemetry: ask "ops"`;
    assertEquals(answer.startLine, `HTTP/1.1 403 Forbidden: ${told} (${identifier})`);
    assertEquals(valuesOf(answer, "proxy-status"), [
      `${PSEUDONYM}; error=http_request_denied; details="${told.replaceAll('"', '\\"')} (${identifier})"`,
    ]);
    assertStringIncludes(answer.content, told);
    assertStringIncludes(answer.content, identifier);
    assertEquals(exchange.rule, "no telemetry");
  },
);

// —— addresses ——

eachWay(
  "a name is refused when all its addresses are, and the log has the address",
  {
    settings: { policy: new SeenFrom(policy(), "192.0.2.77") },
    resolver: new Names({ "a.example": ["127.0.0.1", "10.0.0.1", "::1"] }).resolver,
  },
  async (setting, way) => {
    const authority = `a.example:${way === "a tunnel" ? 443 : setting.origin.port}`;
    await refused(setting, way, authority);
    const [exchange] = setting.exchanges.all;
    assertEquals(exchange.rule, "private networks");
    assertStringIncludes(exchange.reason, "127.0.0.1");
  },
);

eachWay(
  "if some addresses are refused, only the others are tried",
  {
    settings: {
      policy: policy({
        rules: [{ name: "not there", action: "deny", hosts: "::1" }, { hosts: "a.example" }],
      }),
    },
    resolver: new Names({ "a.example": ["::1", "127.0.0.1"] }).resolver,
  },
  async (setting, way) => {
    await passes(setting, way, `a.example:${setting.origin.port}`);
    const [exchange] = setting.exchanges.all;
    assertEquals([exchange.originAddress, exchange.rule], ["127.0.0.1", "rule 2"]);
  },
);

{
  // an answer that is harmless when it is looked at and something else when it is dialled
  const rebinding = { "a.example": ["127.0.0.1"] };
  const answers = new Names(rebinding);
  eachWay(
    "a name that means another address at the second look is judged anew (DNS rebinding)",
    {
      settings: {
        policy: policy({ rules: [{ name: "not there", action: "deny", hosts: "::1" }, { hosts: "*" }] }),
      },
      resolver: answers.resolver,
    },
    async (setting, way) => {
      rebinding["a.example"] = ["127.0.0.1"];
      answers.asked.length = 0;
      await passes(setting, way, `a.example:${setting.origin.port}`);
      assertEquals(answers.asked.length, 1, "the name is resolved once for an exchange");
      rebinding["a.example"] = ["::1"];
      await refused(setting, way, `a.example:${setting.origin.port}`);
      assertEquals(setting.exchanges.all[1].rule, "not there");
    },
  );
}

proxied(
  "a kept connection is not lent to a client that may not reach its address",
  {
    settings: { policy: policy() },
    resolver: new Names({ "a.example": ["127.0.0.1"] }).resolver,
  },
  async ({ proxy, origin, connect, exchanges }) => {
    const authority = `a.example:${origin.port}`;
    const first = await connect();
    await first.send(WAYS["a plain request"](authority));
    const upstream = await origin.accept();
    await upstream.message();
    await upstream.send(OK);
    assertEquals((await first.message()).status, 200);
    // the same proxy, seen by somebody from outside: the pool holds a connection to loopback
    const { SETTINGS } = await import("./harness.ts");
    proxy.update({ ...SETTINGS, policy: new SeenFrom(policy(), "192.0.2.77") });
    const second = await connect();
    await second.send(WAYS["a plain request"](authority));
    assertEquals((await second.message()).status, 403);
    assertEquals(exchanges.all[1].rule, "private networks");
    // and it is still there for who may
    proxy.update({ ...SETTINGS, policy: policy() });
    await second.send(WAYS["a plain request"](authority));
    await upstream.message();
    await upstream.send(OK);
    assertEquals((await second.message()).status, 200);
    assertEquals(origin.accepted, 1);
  },
);

for (
  const [client, address, allowed] of [
    ["127.0.0.1", "127.0.0.1", true],
    ["::1", "127.0.0.1", true],
    ["10.1.2.3", "127.0.0.1", false],
    ["192.0.2.77", "127.0.0.1", false],
    ["2001:db8::1", "::ffff:127.0.0.1", false],
  ] as const
) {
  eachWay(
    `a client at ${client} ${allowed ? "reaches" : "does not reach"} ${address}`,
    {
      settings: { policy: new SeenFrom(policy({ connectPorts: [{ first: 1, last: 65535 }] }), client) },
      resolver: new Names({ "a.example": [address] }).resolver,
    },
    async (setting, way) => {
      const authority = `a.example:${setting.origin.port}`;
      if (allowed) await passes(setting, way, authority);
      else await refused(setting, way, authority);
      const literal = `${address.includes(":") ? `[${address}]` : address}:${setting.origin.port}`;
      if (allowed) await passes(setting, way, literal);
      else await refused(setting, way, literal);
    },
  );
}

eachWay(
  "cloud metadata is out of reach of everybody, whatever it is called",
  {
    settings: { policy: policy() },
    resolver: new Names({
      "metadata.example": ["169.254.169.254"],
      "mapped.example": ["::ffff:169.254.169.254"],
    }).resolver,
  },
  async (setting, way) => {
    for (
      const host of [
        "169.254.169.254",
        "metadata.example",
        "mapped.example",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:a9fe:a9fe::]",
        "[fd00:ec2::254]",
        "100.100.100.200",
        "168.63.129.16",
        "[fe80::1]",
      ]
    ) {
      await refused(setting, way, `${host}:80`);
      assertEquals(setting.exchanges.all.at(-1)!.rule, "metadata addresses", host);
    }
  },
);

// —— ports ——

proxied(
  "CONNECT reaches 443 alone from other machines, and any port from this one",
  {
    settings: { policy: new SeenFrom(policy({ privateNetworks: "allow" }), "10.0.0.9") },
  },
  async (setting) => {
    await refused(setting, "a tunnel", setting.origin.authority);
    assertEquals(setting.exchanges.all[0].rule, "connect ports");
    // a plain request goes to any
    await passes(setting, "a plain request", setting.origin.authority);
  },
);

eachWay("port 25 is never reached by default", { settings: { policy: policy() } }, async (setting, way) => {
  await refused(setting, way, "127.0.0.1:25");
  assertEquals(setting.exchanges.all[0].rule, "port 25");
});

// —— conditions ——

proxied(
  "methods and paths decide where they can be seen",
  {
    settings: {
      policy: policy({
        rules: [{ hosts: "127.0.0.1", methods: "GET HEAD", paths: "/pub/*" }],
      }),
    },
  },
  async ({ connect, origin, exchanges }) => {
    const client = await connect();
    const ask = async (method: string, path: string): Promise<number> => {
      await client.send(`${method} http://${origin.authority}${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      const before = exchanges.all.length;
      const answer = client.message({ method });
      await Promise.race([answer, exchanges.until(() => exchanges.all.length > before)]);
      return (await answer).status;
    };
    origin.answer(OK);
    assertEquals(await ask("GET", "/pub/a?b"), 200);
    assertEquals(await ask("POST", "/pub/a"), 403);
    for (
      const path of [
        "/",
        "/private",
        "/pub/../private",
        "/pub/%2e%2e/private",
        "/pub/..%2fprivate",
        "/pub/%252e%252e/private",
        "/pub\\..\\private",
        "/PUB/a",
        "//pub/a",
      ]
    ) {
      assertEquals(await ask("GET", path), 403, path);
    }
  },
);

proxied(
  "a path that takes long to judge is too long, a query is not, nor a path that no rule looks at",
  { settings: { policy: policy({ rules: [{ hosts: "127.0.0.1", paths: "/pub/*" }] }) } },
  async ({ connect, origin, proxy, exchanges }) => {
    const client = await connect();
    const ask = async (path: string): Promise<number> => {
      await client.send(`GET http://${origin.authority}${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      return (await client.message()).status;
    };
    origin.answer(OK);
    const longest = "/pub/".padEnd(8192, "x");
    assertEquals(await ask(longest), 200);
    assertEquals(await ask(`${longest}?${longest}`), 200);
    assertEquals(await ask(`${longest}x`), 414);
    assertEquals(await ask("/pub/" + "/..%2f%5c;%25..".repeat(4000)), 414);
    assertEquals(exchanges.all.at(-1)!.verdict, "none");
    const { SETTINGS } = await import("./harness.ts");
    proxy.update({ ...SETTINGS, policy: policy() });
    assertEquals(await ask(`${longest}x`), 200);
  },
);

// —— report mode ——

eachWay(
  "in report mode nothing is refused, and the record says what would have been",
  {
    settings: {
      policy: new SeenFrom(policy({ mode: "report", rules: [{ hosts: "b.example" }] }), "192.0.2.77"),
    },
    resolver: new Names(LOCAL).resolver,
  },
  async (setting, way) => {
    for (const host of ["a.example", "b.example"]) {
      const client = await setting.connect();
      await client.send(WAYS[way](`${host}:${setting.origin.port}`));
      const upstream = await setting.origin.accept();
      if (way === "a tunnel") {
        assertEquals((await client.message({ method: "CONNECT" })).status, 200);
      } else {
        await upstream.message();
        await upstream.send(way === "an upgrade" ? SWITCHED : OK);
        await client.message();
      }
      upstream.close();
      client.close();
      const exchange = await setting.exchanges.next();
      assertEquals([exchange.verdict, exchange.enforced], ["deny", false]);
    }
    assertEquals(setting.exchanges.all[0].rule, "default");
    // b.example is allowed by its name and not by its address; a tunnel's port comes first
    assertEquals(setting.exchanges.all[1].rule, way === "a tunnel" ? "connect ports" : "private networks");
  },
);

eachWay(
  "a rule in report mode is recorded, and the next one decides",
  {
    settings: {
      policy: policy({
        rules: [
          { name: "on trial", action: "deny", mode: "report", hosts: "a.example" },
          { hosts: "a.example b.example" },
        ],
      }),
    },
    resolver: new Names(LOCAL).resolver,
  },
  async (setting, way) => {
    const client = await setting.connect();
    await client.send(WAYS[way](`a.example:${setting.origin.port}`));
    const upstream = await setting.origin.accept();
    upstream.close();
    client.close();
    const exchange = await setting.exchanges.next();
    assertEquals([exchange.verdict, exchange.enforced, exchange.rule], ["deny", false, "on trial"]);
  },
);

// —— clients ——

eachWay(
  "who is not among the clients is refused",
  { settings: { policy: new SeenFrom(policy({ clients: [] }), "192.0.2.77") } },
  async (setting, way) => {
    await refused(setting, way, setting.origin.authority);
    assertEquals(setting.exchanges.all[0].rule, "clients");
  },
);

// —— order of things ——

proxied(
  "a loop is a loop and not a matter of rules",
  { settings: { policy: policy({ rules: [{ hosts: "127.0.0.1" }] }) } },
  async ({ connect, authority, exchanges }) => {
    const client = await connect();
    await client.send(WAYS["a plain request"](authority));
    assertEquals((await client.message()).status, 502);
    assertEquals((await exchanges.next()).error, "proxy_loop_detected");
  },
);

eachWay(
  "a reload judges the next exchange by the new policy, and a listener's own name by none",
  { settings: { policy: policy({ rules: [{ hosts: "127.0.0.1" }] }) } },
  async (setting, way) => {
    await passes(setting, way, setting.origin.authority);
    const { SETTINGS } = await import("./harness.ts");
    setting.proxy.update({ ...SETTINGS, policy: policy({ rules: [{ hosts: "b.example" }] }) });
    await refused(setting, way, setting.origin.authority);
  },
);

eachWay(
  "in report mode rates are counted and refuse nothing",
  {
    settings: {
      policy: policy({ mode: "report" }),
      clientRates: { ...NO_LIMITS, requests: 1, burst: 1, daily: 1 },
    },
  },
  async (setting, way) => {
    for (let index = 0; index < 3; index++) {
      const client = await setting.connect();
      await client.send(WAYS[way](setting.origin.authority));
      const upstream = await setting.origin.accept();
      upstream.close();
      client.close();
      await setting.exchanges.next();
    }
    const [first, second] = setting.exchanges.all;
    assertEquals([first.verdict, first.enforced], ["allow", true]);
    assertEquals([second.verdict, second.enforced, second.rule], ["deny", false, "rates"]);
    assertStringIncludes(second.reason, "of one client");
  },
);
