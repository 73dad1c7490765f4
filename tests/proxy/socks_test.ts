/** SOCKS on the port of HTTP, by raw bytes. */

import { assert, assertEquals } from "@std/assert";
import type { ProxySettings } from "../../src/proxy/settings.ts";
import { NO_LIMITS } from "../../src/policy/rates.ts";
import { proxied, type Setting } from "./harness.ts";
import { KnownUsers } from "./known_users.ts";
import { CAN_RESET, type Peer, turn } from "./peer.ts";
import { Names, policy, SeenFrom } from "./policies.ts";
import { ask4, ask5, ask5Named, HELLO, HELLO_WITH_LOGIN, login } from "./socks_words.ts";
import { hello } from "../policy/hellos.ts";

const NO_LOGIN = "\x05\0";
const LOGIN = "\x05\x02";
const UNACCEPTABLE = "\x05\xff";
const WELCOME = "\x01\0";
const WRONG = "\x01\x01";

/** All names that these tests ask for lead to this machine, where the origin listens. */
const names = new Names({
  "a.example": ["127.0.0.1"],
  "b.example": ["127.0.0.1"],
  "xn--tda.example": ["127.0.0.1"],
});
const RESOLVER = { resolver: names.resolver };

/** Reads the reply to a request of version 5: its code, and the address that it tells. */
async function reply5(client: Peer): Promise<[code: number, address: string]> {
  const head = await client.exactly(4);
  assertEquals([head.charCodeAt(0), head.charCodeAt(2)], [5, 0], JSON.stringify(head));
  const rest = await client.exactly(head.charCodeAt(3) === 4 ? 18 : 6);
  return [head.charCodeAt(1), Array.from(rest.slice(0, -2), (byte) => byte.charCodeAt(0)).join(".")];
}

async function reply4(client: Peer): Promise<number> {
  const reply = await client.exactly(8);
  assertEquals(reply[0], "\0");
  return reply.charCodeAt(1);
}

/** Greets, asks, and reads the reply. */
async function ask(setting: Setting, authority: string): Promise<[Peer, number]> {
  const client = await setting.connect();
  await client.send(HELLO);
  assertEquals(await client.exactly(2), NO_LOGIN);
  await client.send(ask5(authority));
  return [client, (await reply5(client))[0]];
}

/** The tunnel is there, both ways. */
async function works(setting: Setting, client: Peer, sent = ""): Promise<void> {
  const upstream = await setting.origin.accept();
  await client.send("ping");
  assertEquals(await upstream.exactly(sent.length + 4), `${sent}ping`);
  await upstream.send("pong");
  assertEquals(await client.exactly(4), "pong");
  await client.closeWrite();
  assertEquals(await upstream.rest(), "");
  upstream.close();
  assertEquals(await client.rest(), "");
}

proxied("a client of SOCKS 5 gets a tunnel, and is told where it begins (RFC 1928)", async (setting) => {
  const { exchanges, origin, authority } = setting;
  const client = await setting.connect();
  await client.send(HELLO);
  assertEquals(await client.exactly(2), NO_LOGIN);
  await client.send(ask5(origin.authority));
  assertEquals(await reply5(client), [0, "127.0.0.1"]);
  await works(setting, client);
  const exchange = await exchanges.next();
  assertEquals(
    [exchange.kind, exchange.protocol, exchange.method, exchange.target, exchange.status],
    ["tunnel", "socks5", "CONNECT", origin.authority, 200],
  );
  assertEquals([exchange.host, exchange.port, exchange.scheme], ["127.0.0.1", origin.port, ""]);
  assertEquals([exchange.verdict, exchange.originAddress, exchange.listener], [
    "allow",
    "127.0.0.1",
    authority,
  ]);
  assertEquals([exchange.requestHeadBytes, exchange.requestBodyBytes], [3 + 10, 4]);
  assertEquals([exchange.responseHeadBytes, exchange.responseBodyBytes], [2 + 10, 4]);
  assertEquals([exchange.error, exchange.details, exchange.truncated], ["", "", false]);
});

proxied("a client of SOCKS 4 gets a tunnel", async (setting) => {
  const client = await setting.connect();
  await client.send(ask4(setting.origin.authority, "somebody"));
  assertEquals(await reply4(client), 90);
  await works(setting, client);
  const exchange = await setting.exchanges.next();
  assertEquals([exchange.protocol, exchange.user, exchange.status], ["socks4", "", 200]);
});

proxied("names are resolved here, those of SOCKS 4a too", RESOLVER, async (setting) => {
  const { port } = setting.origin;
  for (const [name, host] of [["a.example", "a.example"], ["A.Example.", "a.example"]]) {
    names.asked.length = 0;
    const [client, code] = await ask(setting, `${name}:${port}`);
    assertEquals(code, 0);
    await works(setting, client);
    const other = await setting.connect();
    await other.send(ask4(`${name}:${port}`));
    assertEquals(await reply4(other), 90);
    await works(setting, other);
    assertEquals(names.asked.every((asked) => asked === host), true);
    for (const protocol of ["socks5", "socks4a"]) {
      const exchange = await setting.exchanges.next();
      assertEquals([exchange.protocol, exchange.target], [protocol, `${host}:${port}`]);
    }
  }
});

proxied(
  "an address may stand where a name belongs, and a name may be of any letters",
  RESOLVER,
  async (setting) => {
    const { port } = setting.origin;
    for (const name of ["127.0.0.1", "\xc3\xbc.example"]) {
      const client = await setting.connect();
      await client.send(HELLO + ask5Named(`${name}:${port}`));
      assertEquals(await client.exactly(2), NO_LOGIN);
      assertEquals((await reply5(client))[0], 0);
      await works(setting, client);
    }
  },
);

for (
  const [name, words, answer] of [
    ["SOCKS 5", (to: string) => HELLO + ask5(to), NO_LOGIN.length + 10],
    ["SOCKS 4", (to: string) => ask4(to, "user"), 8],
    ["SOCKS 4a", (to: string) => ask4(to.replace("127.0.0.1", "a.example"), "user"), 8],
  ] as const
) {
  proxied(
    `${name}: the same at every split, and byte by byte, and what follows is the tunnel's`,
    RESOLVER,
    async (setting) => {
      const message = words(setting.origin.authority) + "first";
      const ways = [
        [...message],
        ...Array.from(message, (_, cut) => [message.slice(0, cut), message.slice(cut)]),
      ];
      for (const pieces of ways) {
        const client = await setting.connect();
        await client.sendInPieces(pieces);
        await client.exactly(answer);
        await works(setting, client, "first");
        client.close();
      }
    },
  );
}

const alice = () => new KnownUsers({ alice: "open sesame", bob: "swordfish" });
function withUsers(changes: Partial<ProxySettings> = {}) {
  const users = alice();
  return { users, settings: { users, policy: policy({ authentication: "always" }), ...changes } };
}

{
  const { settings, users } = withUsers();
  proxied(
    "where users are asked, user and password let in, and are remembered (RFC 1929)",
    { settings },
    async (setting) => {
      const { origin, exchanges } = setting;
      for (let i = 0; i < 3; i++) {
        const client = await setting.connect();
        await client.send(HELLO_WITH_LOGIN);
        assertEquals(await client.exactly(2), LOGIN);
        await client.send(login("alice", "open sesame"));
        assertEquals(await client.exactly(2), WELCOME);
        await client.send(ask5(origin.authority));
        assertEquals((await reply5(client))[0], 0);
        await works(setting, client);
        const exchange = await exchanges.next();
        assertEquals([exchange.user, exchange.verdict], ["alice", "allow"]);
      }
      // who is known by SOCKS is known by HTTP
      origin.answer("HTTP/1.1 204 No Content\r\n\r\n");
      const client = await setting.connect();
      await client.send(
        `GET ${origin.url}/ HTTP/1.1\r\nHost: ${origin.authority}\r\nProxy-Authorization: Basic ${
          btoa("alice:open sesame")
        }\r\n\r\n`,
      );
      assertEquals((await client.message()).status, 204);
      assertEquals(users.asked, ["alice:open sesame"]);
    },
  );
}

{
  const { settings, users } = withUsers();
  proxied(
    "all that a client has to say may come at once, before it is asked for",
    { settings },
    async (setting) => {
      for (let i = 0; i < 2; i++) {
        const client = await setting.connect();
        await client.send(
          HELLO_WITH_LOGIN + login("alice", "open sesame") + ask5(setting.origin.authority) + "first",
        );
        assertEquals(await client.exactly(4), LOGIN + WELCOME);
        assertEquals((await reply5(client))[0], 0);
        await works(setting, client, "first");
      }
      assertEquals(users.asked, ["alice:open sesame"]);
    },
  );
}

proxied("user and password come at every split", { settings: withUsers().settings }, async (setting) => {
  const message = "\x05\x01\x02" + login("alice", "open sesame") + ask5(setting.origin.authority);
  for (let cut = 1; cut < message.length; cut++) {
    const client = await setting.connect();
    await client.sendInPieces([message.slice(0, cut), message.slice(cut)]);
    assertEquals(await client.exactly(4), LOGIN + WELCOME);
    assertEquals((await reply5(client))[0], 0);
    await works(setting, client);
    client.close();
  }
});

proxied("who offers no password where one is asked for goes no further (RFC 1928 §3)", {
  settings: withUsers().settings,
}, async (setting) => {
  const client = await setting.connect();
  await client.send(HELLO + ask5(setting.origin.authority));
  assertEquals(await client.rest(), UNACCEPTABLE);
  const exchange = await setting.exchanges.next();
  assertEquals([exchange.verdict, exchange.rule, exchange.status], ["deny", "users", 407]);
  const other = await setting.connect();
  await other.send(ask4(setting.origin.authority, "alice"));
  assertEquals(await reply4(other), 91);
  assertEquals(await other.rest(), "");
  const second = await setting.exchanges.next();
  assertEquals([second.verdict, second.rule, second.status, second.user], ["deny", "users", 407, ""]);
  await setting.origin.assertNoFurtherConnection();
});

{
  const { settings, users } = withUsers();
  proxied("a wrong password is refused, and no record tells it", { settings }, async (setting) => {
    const { exchanges } = setting;
    exchanges.read = (exchange) => JSON.stringify({ ...exchange, fields: null });
    for (
      const [user, password] of [
        ["alice", "open barley"],
        ["alice", ""],
        ["", ""],
        ["alice:open", "sesame"],
        ["alice", "open\0sesame"],
      ]
    ) {
      const client = await setting.connect();
      await client.send("\x05\x01\x02" + login(user, password) + ask5(setting.origin.authority));
      assertEquals(await client.rest(), LOGIN + WRONG);
      const exchange = await exchanges.next();
      assertEquals([exchange.verdict, exchange.rule, exchange.status, exchange.user], [
        "deny",
        "users",
        407,
        "",
      ]);
      assert(!(exchanges.heads.at(-1) as string).includes("barley"));
    }
    // what no name or password can be is not worth a hash
    assertEquals(users.asked, ["alice:open barley", "alice:"]);
    await setting.origin.assertNoFurtherConnection();
  });
}

{
  const users = alice();
  const clients = policy({ authentication: "always", clients: [] });
  proxied("who is no client is refused without a password being looked at", {
    settings: { users, policy: clients },
  }, async (setting) => {
    const client = await setting.connect();
    await client.send(HELLO_WITH_LOGIN + ask5(setting.origin.authority));
    assertEquals(await client.exactly(2), NO_LOGIN);
    assertEquals((await reply5(client))[0], 2);
    const exchange = await setting.exchanges.next();
    assertEquals([exchange.rule, exchange.status, exchange.target], [
      "clients",
      403,
      setting.origin.authority,
    ]);
    const other = await setting.connect();
    await other.send("\x05\x01\x02" + login("alice", "open sesame") + ask5(setting.origin.authority));
    assertEquals(await other.exactly(4), LOGIN + WELCOME);
    assertEquals((await reply5(other))[0], 2);
    assertEquals(users.asked, []);
  });
}

{
  const users = alice();
  const byRule = policy({
    authentication: "by-rule",
    rules: [{ hosts: "a.example" }, { hosts: "b.example", users: "bob" }],
  });
  proxied("a rule for users asks those alone who want what it is for", {
    settings: { users, policy: byRule },
    ...RESOLVER,
  }, async (setting) => {
    const { port } = setting.origin;
    const [open, code] = await ask(setting, `a.example:${port}`);
    assertEquals(code, 0);
    await works(setting, open);
    const [, refused] = await ask(setting, `b.example:${port}`);
    assertEquals(refused, 2);
    const client = await setting.connect();
    await client.send(HELLO_WITH_LOGIN + login("bob", "swordfish") + ask5(`b.example:${port}`));
    assertEquals(await client.exactly(4), LOGIN + WELCOME);
    assertEquals((await reply5(client))[0], 0);
    await works(setting, client);
    assertEquals(setting.exchanges.all.map(({ status, user }) => [status, user]), [[200, ""], [407, ""], [
      200,
      "bob",
    ]]);
  });
}

proxied("where nobody is asked, a user and password are taken and mean nothing", async (setting) => {
  const client = await setting.connect();
  await client.send("\x05\x01\x02" + login("", "x") + ask5(setting.origin.authority));
  assertEquals(await client.exactly(4), LOGIN + WELCOME);
  assertEquals((await reply5(client))[0], 0);
  await works(setting, client);
  assertEquals((await setting.exchanges.next()).user, "");
});

proxied("in report mode nobody is refused for want of a password, nor for a wrong one", {
  settings: { users: alice(), policy: policy({ authentication: "always", mode: "report" }) },
}, async (setting) => {
  const [client, code] = await ask(setting, setting.origin.authority);
  assertEquals(code, 0);
  await works(setting, client);
  const other = await setting.connect();
  await other.send("\x05\x01\x02" + login("alice", "wrong") + ask5(setting.origin.authority));
  assertEquals(await other.exactly(4), LOGIN + WELCOME);
  assertEquals((await reply5(other))[0], 0);
  await works(setting, other);
  assertEquals(setting.exchanges.all.map(({ rule, enforced }) => [rule, enforced]), [["users", false], [
    "users",
    false,
  ]]);
});

proxied("what is asked for by the rules' leave alone is refused with code 2, by name and by address", {
  settings: { policy: policy({ rules: [{ name: "no", action: "deny", hosts: "a.example 127.0.0.1" }] }) },
  ...RESOLVER,
}, async (setting) => {
  for (const host of ["a.example", "b.example", "127.0.0.1"]) {
    const [client, code] = await ask(setting, `${host}:${setting.origin.port}`);
    assertEquals(code, 2);
    assertEquals(await client.rest(), "");
    const exchange = await setting.exchanges.next();
    assertEquals([exchange.rule, exchange.status, exchange.verdict], ["no", 403, "deny"]);
  }
  const other = await setting.connect();
  await other.send(ask4(setting.origin.authority));
  assertEquals(await reply4(other), 91);
  await setting.origin.assertNoFurtherConnection();
});

proxied("a client from elsewhere gets nothing more private than itself, nor another port than 443", {
  settings: { policy: new SeenFrom(policy(), "9.9.9.9") },
  ...RESOLVER,
}, async (setting) => {
  for (
    const [target, rule] of [["a.example:443", "private networks"], ["127.0.0.1:443", "private networks"], [
      "8.8.8.8:80",
      "connect ports",
    ], ["8.8.8.8:25", "port 25"]]
  ) {
    const [, code] = await ask(setting, target);
    assertEquals(code, 2);
    assertEquals((await setting.exchanges.next()).rule, rule);
  }
});

proxied("each failure has its reply (RFC 1928 §6)", {
  resolver: {
    lookup: (name: string) => {
      if (name === "none.example") {
        return Promise.reject(Object.assign(new Error("getaddrinfo ENOTFOUND"), { code: "ENOTFOUND" }));
      }
      return Promise.resolve(["127.0.0.1"]);
    },
  },
}, async (setting) => {
  const { port } = setting.another();
  const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port: nobody } = closed.addr;
  closed.close();
  assert(port !== nobody);
  const cases: [string, number, number][] = [
    [`127.0.0.1:${nobody}`, 5, 502],
    ["none.example:80", 4, 502],
    [setting.authority, 2, 502],
    ["127.0.0.1:0", 1, 400],
    ["127.1:80", 1, 400],
    ["a..b:80", 1, 400],
    ["user@a.example:80", 1, 400],
    ["\xff.example:80", 1, 400],
  ];
  for (const [target, expected, status] of cases) {
    const [client, code] = await ask(setting, target);
    assertEquals([code, await client.rest()], [expected, ""], target);
    const exchange = await setting.exchanges.next();
    assertEquals([exchange.status, exchange.ownAnswer], [status, true], target);
    assert(exchange.error !== "" && exchange.details !== "", target);
  }
});

proxied("what SOCKS can and weir does not is refused as such", async (setting) => {
  for (const command of [2, 3, 0, 9]) {
    const client = await setting.connect();
    await client.send(HELLO + ask5("0.0.0.0:0", command));
    assertEquals(await client.exactly(2), NO_LOGIN);
    assertEquals((await reply5(client))[0], 7);
    const exchange = await setting.exchanges.next();
    const method = { 2: "BIND", 3: "UDP-ASSOCIATE" }[command] ?? "";
    assertEquals([exchange.method, exchange.status], [method, 501]);
  }
  const client = await setting.connect();
  await client.send(ask4("192.0.2.1:80", "", 2));
  assertEquals(await reply4(client), 91);
});

proxied("what is no SOCKS is refused at the message that it is not", async (setting) => {
  const cases: [string, string][] = [
    ["\x05\0", UNACCEPTABLE],
    ["\x05\x02\x01\x80", UNACCEPTABLE],
    [HELLO + "\x04\x01", NO_LOGIN + "\x05\x01\0\x01\0\0\0\0\0\0"],
    [HELLO + "\x05\x01\x07\x01", NO_LOGIN + "\x05\x01\0\x01\0\0\0\0\0\0"],
    [HELLO + "\x05\x01\0\x09\x01", NO_LOGIN + "\x05\x08\0\x01\0\0\0\0\0\0"],
    ["\x05\x01\x02\x05\x01", LOGIN + WRONG],
    ["\x04\x01\0\x50\x7f\0\0\x01" + "x".repeat(400), "\0\x5b\0\0\0\0\0\0"],
  ];
  for (const [said, answer] of cases) {
    const client = await setting.connect();
    await client.send(said);
    assertEquals(await client.rest(), answer);
    const exchange = await setting.exchanges.next();
    assertEquals([exchange.status, exchange.kind, exchange.error], [
      400,
      exchange.kind,
      "http_request_error",
    ]);
    client.close();
  }
  await setting.origin.assertNoFurtherConnection();
});

proxied(
  "a handshake has the time of a head, however it is dripped",
  { settings: { headTimeout: 1 } },
  async (setting) => {
    for (const said of ["\x05", HELLO, HELLO + "\x05\x01\0\x03", "\x04\x01"]) {
      const client = await setting.connect();
      await client.send(said);
      await client.rest();
      const exchange = await setting.exchanges.next();
      assertEquals([exchange.status, exchange.truncated], [0, true]);
      assertEquals(exchange.details, "the client's SOCKS handshake took too long");
    }
  },
);

proxied("a client that goes away within its handshake leaves a record", async (setting) => {
  for (const said of ["\x05", HELLO, HELLO + "\x05\x01\0\x03", "\x04\x01\0"]) {
    const client = await setting.connect();
    await client.send(said);
    if (said.startsWith(HELLO)) await client.exactly(2);
    client.close();
    const exchange = await setting.exchanges.next();
    assertEquals([exchange.truncated, exchange.details], [true, "the client went away"]);
  }
});

{
  const { settings, users } = withUsers();
  proxied("a client that resets while its password waits takes nobody's time", {
    settings,
    ignore: !CAN_RESET,
  }, async (setting) => {
    users.hold();
    const client = await setting.connect({ resettable: true });
    await client.send("\x05\x01\x02" + login("alice", "open sesame"));
    while (users.asked.length === 0) await turn();
    client.reset();
    const exchange = await setting.exchanges.next();
    assertEquals([exchange.truncated, exchange.details], [true, "the client went away"]);
    users.letGo();
  });
}

proxied("the look at a tunnel's TLS is the same", {
  settings: { policy: policy({ tls: "match" }) },
  ...RESOLVER,
}, async (setting) => {
  const { port } = setting.origin;
  const [client, code] = await ask(setting, `a.example:${port}`);
  assertEquals(code, 0);
  const upstream = await setting.origin.accept();
  await client.send(hello("b.example"));
  assertEquals(await upstream.rest(), "");
  const exchange = await setting.exchanges.next();
  assertEquals([exchange.verdict, exchange.rule, exchange.serverName], ["deny", "tls", "b.example"]);
});

proxied("rates hold for SOCKS as for others", {
  settings: { clientRates: { ...NO_LIMITS, requests: 1, burst: 1 } },
}, async (setting) => {
  const [client, code] = await ask(setting, setting.origin.authority);
  assertEquals(code, 0);
  await works(setting, client);
  const [, second] = await ask(setting, setting.origin.authority);
  assertEquals(second, 2);
  assertEquals(setting.exchanges.all.map(({ status, rule }) => [status, rule])[1], [429, "rates"]);
});

proxied("a drain ends those that have not asked yet, and waits for tunnels", async (setting) => {
  const [client, code] = await ask(setting, setting.origin.authority);
  assertEquals(code, 0);
  const upstream = await setting.origin.accept();
  const drained = setting.proxy.drain();
  await upstream.send("still there");
  assertEquals(await client.exactly(11), "still there");
  upstream.close();
  client.close();
  await drained;
});

proxied(
  "without SOCKS its clients are told what to do, in the log",
  { settings: { socks: false } },
  async (setting) => {
    const client = await setting.connect();
    await client.send(HELLO);
    assertEquals((await client.message()).status, 400);
    const [{ message }] = setting.exchanges.notices;
    assert(message.includes("--no-socks") && message.includes(setting.authority), message);
    assertEquals((await setting.exchanges.next()).protocol, "http");
  },
);

proxied("SOCKS is what a connection begins with, and nothing in its midst", async (setting) => {
  setting.origin.answer("HTTP/1.1 204 No Content\r\n\r\n");
  const client = await setting.connect();
  const { origin } = setting;
  await client.send(`GET ${origin.url}/ HTTP/1.1\r\nHost: ${origin.authority}\r\n\r\n`);
  assertEquals((await client.message()).status, 204);
  await client.send(HELLO);
  assertEquals((await client.message()).status, 400);
});
