/** Who a client says it is, from outside: challenged, verified once, remembered, and slowed after a wrong guess. */

import { assert, assertEquals } from "@std/assert";
import { Networks, parseNetworks } from "../../src/policy/network.ts";
import type { ProxySettings } from "../../src/proxy/settings.ts";
import { proxied, type Setting } from "./harness.ts";
import { KnownUsers } from "./known_users.ts";
import { CAN_RESET, type Message, type Peer, turn, valuesOf } from "./peer.ts";
import { policy } from "./policies.ts";
import { OK } from "./round_trip.ts";

const CHALLENGE = 'Basic realm="weir", charset="UTF-8"';

interface UsersSetting extends Setting {
  users: KnownUsers;
}

/** A proxy that knows Alice and Bob, and asks everybody; or as `settings` have it. */
function withUsers(
  name: string,
  run: (setting: UsersSetting) => Promise<void>,
  settings: Partial<ProxySettings> = {},
  ignore = false,
): void {
  const users = new KnownUsers({ alice: "open sesame", bob: "swordfish" });
  const all = { users, policy: policy({ authentication: "always" }), ...settings };
  proxied(name, { settings: all, ignore }, (setting) => run({ ...setting, users }));
}

function basic(text: string): string {
  return `Proxy-Authorization: Basic ${btoa(text)}\r\n`;
}

const ALICE = basic("alice:open sesame");
const BOB = basic("bob:swordfish");
const WRONG = basic("alice:open barley");

function get({ origin }: Setting, fields = "", path = "/"): string {
  return `GET ${origin.url}${path} HTTP/1.1\r\nHost: ${origin.authority}\r\n${fields}\r\n`;
}

/** Sends a request and reads its answer, which the origin gives if it is asked. */
async function ask(setting: Setting, client: Peer, fields = ""): Promise<Message> {
  await client.send(get(setting, fields));
  return await client.message();
}

withUsers("who says nothing is told how to say it (RFC 9110 §11.7.1)", async (setting) => {
  const client = await setting.connect();
  for (let i = 0; i < 2; i++) {
    const answer = await ask(setting, client);
    assertEquals([answer.status, valuesOf(answer, "Proxy-Authenticate")], [407, [CHALLENGE]]);
  }
  await client.send(
    `CONNECT ${setting.origin.authority} HTTP/1.1\r\nHost: ${setting.origin.authority}\r\n\r\n`,
  );
  const answer = await client.message();
  assertEquals([answer.status, valuesOf(answer, "Proxy-Authenticate")], [407, [CHALLENGE]]);
  const exchange = await setting.exchanges.next();
  assertEquals([exchange.user, exchange.verdict, exchange.error], ["", "deny", "http_request_denied"]);
  await setting.origin.assertNoFurtherConnection();
});

withUsers("the right password lets in, and no record tells it", async (setting) => {
  const { origin, exchanges, users } = setting;
  exchanges.read = (exchange) => JSON.stringify({ ...exchange, fields: null });
  origin.answer(OK);
  const client = await setting.connect();
  assertEquals((await ask(setting, client, ALICE)).status, 200);
  const exchange = await exchanges.next();
  assertEquals([exchange.user, exchange.verdict], ["alice", "allow"]);
  assertEquals(users.asked, ["alice:open sesame"]);
  const [record] = exchanges.heads as string[];
  assert(!record.includes("sesame") && !record.includes(btoa("alice:open sesame")));
});

withUsers("an origin sees neither password nor user, in requests, tunnels and upgrades", async (setting) => {
  const { origin } = setting;
  const client = await setting.connect();
  await client.send(get(setting, ALICE));
  const upstream = await origin.accept();
  const request = await upstream.message();
  assertEquals(valuesOf(request, "Proxy-Authorization"), []);
  assert(!request.head.toLowerCase().includes("alice"));
  await upstream.send(OK);
  await client.message();
  await client.send(get(setting, `${ALICE}Connection: upgrade\r\nUpgrade: echo\r\n`));
  assertEquals(valuesOf(await upstream.message(), "Proxy-Authorization"), []);
  await upstream.send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
  assertEquals((await client.message()).status, 101);
  client.close();
  upstream.close();

  const other = await setting.connect();
  await other.send(
    `CONNECT ${origin.authority} HTTP/1.1\r\nHost: ${origin.authority}\r\n${ALICE}\r\nfirst bytes`,
  );
  const through = await origin.accept();
  assertEquals((await other.message({ method: "CONNECT" })).status, 200);
  assertEquals(await through.exactly(11), "first bytes");
});

withUsers("a password is verified once, for all connections of all ways in", async (setting) => {
  const { origin, users } = setting;
  origin.answer(OK);
  for (let i = 0; i < 3; i++) {
    const client = await setting.connect();
    for (let j = 0; j < 3; j++) assertEquals((await ask(setting, client, ALICE)).status, 200);
    client.close();
  }
  const client = await setting.connect();
  await client.send(`CONNECT ${origin.authority} HTTP/1.1\r\nHost: ${origin.authority}\r\n${ALICE}\r\n`);
  assertEquals((await client.message({ method: "CONNECT" })).status, 200);
  assertEquals(users.asked, ["alice:open sesame"]);
});

withUsers("a wrong password is 407, and the next unknown one takes longer", async (setting) => {
  const { origin, users, exchanges } = setting;
  origin.answer(OK);
  const client = await setting.connect();
  const answer = await ask(setting, client, WRONG);
  assertEquals([answer.status, valuesOf(answer, "Proxy-Authenticate")], [407, [CHALLENGE]]);
  assert(!answer.head.includes("barley") && !answer.content.includes("barley"));
  const exchange = await exchanges.next();
  assertEquals([exchange.user, exchange.verdict, exchange.rule], ["", "deny", "users"]);
  // on the same connection, and after the time that a wrong guess costs at least
  assertEquals((await ask(setting, client, ALICE)).status, 200);
  const { duration } = await exchanges.next();
  assert(duration >= 100, `${duration} ms`);
  assertEquals(users.asked, ["alice:open barley", "alice:open sesame"]);
});

withUsers("whose password is remembered is not slowed by who guesses beside them", async (setting) => {
  const { origin, users } = setting;
  origin.answer(OK);
  const client = await setting.connect();
  assertEquals((await ask(setting, client, ALICE)).status, 200);
  const other = await setting.connect();
  assertEquals((await ask(setting, other, WRONG)).status, 407);
  users.hold();
  await other.send(get(setting, basic("alice:other")));
  // the guess is under way for as long as the test wants
  for (let i = 0; i < 3; i++) assertEquals((await ask(setting, client, ALICE)).status, 200);
  users.letGo();
  assertEquals((await other.message()).status, 407);
});

withUsers("a password that is changed is asked for again at once", async (setting) => {
  setting.origin.answer(OK);
  const client = await setting.connect();
  assertEquals((await ask(setting, client, ALICE)).status, 200);
  setting.users.set({ alice: "other" });
  assertEquals((await ask(setting, client, ALICE)).status, 407);
  assertEquals((await ask(setting, client, basic("alice:other"))).status, 200);
});

withUsers("each of several requests in one piece is judged by its own password", async (setting) => {
  const { origin, exchanges } = setting;
  origin.answer(OK);
  const client = await setting.connect();
  await client.send(
    get(setting, ALICE) + get(setting) + get(setting, BOB) + get(setting, WRONG) + get(setting, ALICE) +
      get(setting, basic("bob:open sesame")) + get(setting),
  );
  const statuses: number[] = [];
  for (let i = 0; i < 7; i++) statuses.push((await client.message()).status);
  assertEquals(statuses, [200, 407, 200, 407, 200, 407, 407]);
  await exchanges.until(() => exchanges.all.length === 7);
  assertEquals(exchanges.all.map(({ user }) => user), ["alice", "", "bob", "", "alice", "", ""]);
});

withUsers("a body waits for its sender to be known", async (setting) => {
  const { origin } = setting;
  const client = await setting.connect();
  const post = (fields: string) =>
    `POST ${origin.url}/ HTTP/1.1\r\nHost: ${origin.authority}\r\nContent-Length: 5\r\n${fields}\r\n`;
  await client.send(post(ALICE) + "he");
  await client.send("llo");
  const upstream = await origin.accept();
  assertEquals((await upstream.message()).content, "hello");
  await upstream.send(OK);
  assertEquals((await client.message()).status, 200);
  await client.send(post(WRONG) + "hello");
  assertEquals((await client.message()).status, 407);
  assertEquals(await client.rest(), "");
});

withUsers("what is no Basic credential is as good as none", async (setting) => {
  const client = await setting.connect();
  for (
    const value of ["", "Basic", "Basic !!!!", "Basic YWxpY2U=", "Bearer abc", 'Digest username="alice"', "x"]
  ) {
    assertEquals((await ask(setting, client, `Proxy-Authorization: ${value}\r\n`)).status, 407, value);
  }
  const large = `Proxy-Authorization: Basic ${"A".repeat(60_000)}\r\n`;
  assertEquals((await ask(setting, client, large)).status, 407);
  assertEquals(setting.users.asked, []);
});

withUsers("the scheme is read in any case, with blanks behind it", async (setting) => {
  setting.origin.answer(OK);
  const client = await setting.connect();
  const token = btoa("alice:open sesame");
  for (const value of [`basic ${token}`, `BASIC   ${token}`, `bAsIc ${token}  \t`]) {
    assertEquals((await ask(setting, client, `proxy-AUTHORIZATION:${value}\r\n`)).status, 200, value);
  }
});

withUsers("two credentials are one too many, whatever they are", async (setting) => {
  const client = await setting.connect();
  assertEquals((await ask(setting, client, ALICE + ALICE)).status, 400);
  const other = await setting.connect();
  assertEquals((await ask(setting, other, `${ALICE}Proxy-Authorization: \r\n`)).status, 400);
  assertEquals(setting.users.asked, []);
});

withUsers("a field of a megabyte ends at the limit of heads", async (setting) => {
  const client = await setting.connect();
  const sending = client.send(get(setting, `Proxy-Authorization: Basic ${"A".repeat(1 << 20)}\r\n`));
  assertEquals((await client.message()).status, 431);
  client.close();
  await sending.catch(() => {});
});

withUsers(
  "a client that vanishes while its password is verified ends its exchange",
  async (setting) => {
    const { users, exchanges, proxy } = setting;
    users.hold();
    const client = await setting.connect({ resettable: true });
    await client.send(get(setting, ALICE));
    while (users.asked.length === 0) await turn();
    client.reset();
    const exchange = await exchanges.next();
    assertEquals([exchange.status, exchange.truncated, exchange.user], [0, true, ""]);
    while (proxy.connections > 0) await turn();
    users.letGo();
  },
  {},
  !CAN_RESET,
);

withUsers("a stop does not wait for passwords", async (setting) => {
  const { users, exchanges, proxy } = setting;
  const first = await setting.connect();
  assertEquals((await ask(setting, first, WRONG)).status, 407);
  await exchanges.next();
  users.hold();
  const client = await setting.connect();
  const other = await setting.connect();
  await client.send(get(setting, ALICE));
  await other.send(get(setting, BOB));
  while (proxy.active < 2) await turn();
  await proxy.stop();
  await exchanges.until(() => exchanges.all.length === 3);
  assertEquals(exchanges.all.map(({ details }) => details).slice(1), [
    "the proxy was stopped",
    "the proxy was stopped",
  ]);
  users.letGo();
});

withUsers(
  "guessers at many addresses do not keep out a client that logs in for the first time, by HTTP or SOCKS",
  async (setting) => {
    const { users, origin, exchanges } = setting;
    origin.answer(OK);
    users.hold();
    const from = async (address: string, bytes: string) => {
      const client = await setting.connect();
      await client.send(`PROXY TCP4 ${address} 127.0.0.1 4711 8888\r\n${bytes}`);
      return client;
    };
    const guesses: Promise<Message>[] = [];
    // as many as can wait
    for (let i = 0; i < 256; i++) {
      const guesser = await from(`203.0.113.${i >> 3}`, get(setting, basic(`user${i}:x`)));
      guesses.push(guesser.message().catch(() => ({ status: 0 }) as Message));
    }
    while (setting.proxy.active < 256) await turn();
    const newcomer = await from("198.51.100.7", get(setting, ALICE));
    assertEquals((await Promise.race(guesses)).status, 429);
    const other = await from("198.51.100.8", "\x05\x01\x02" + "\x01\x03bob\x09swordfish");
    await exchanges.until(() => exchanges.all.length === 2);
    users.letGo();
    assertEquals((await newcomer.message()).status, 200);
    assertEquals(await other.exactly(4), "\x05\x02\x01\x00");
    // first the one that was under way, then the two that have never failed; guessers come later
    assertEquals(users.asked.slice(1, 3).sort(), ["alice:open sesame", "bob:swordfish"]);
    await setting.proxy.stop();
    await Promise.all(guesses);
  },
  {
    trustedProxies: new Networks(parseNetworks("loopback")),
    policy: policy({ authentication: "always", privateNetworks: "allow" }),
  },
);

withUsers("too many unknown passwords of one client are told to come later", async (setting) => {
  const { users, origin } = setting;
  origin.answer(OK);
  users.hold();
  const clients: Peer[] = [];
  for (let i = 0; i < 9; i++) {
    const client = await setting.connect();
    await client.send(get(setting, basic(`user${i}:x`)));
    clients.push(client);
  }
  const answers = clients.map((client) => client.message());
  const first = await Promise.race(answers);
  assertEquals([first.status, valuesOf(first, "Retry-After")], [429, ["5"]]);
  for (const client of clients) client.close();
  users.letGo();
  await Promise.allSettled(answers);
});

proxied("without users a credential says nothing, and is not sent on either", async (setting) => {
  const client = await setting.connect();
  await client.send(get(setting, ALICE));
  const upstream = await setting.origin.accept();
  assertEquals(valuesOf(await upstream.message(), "Proxy-Authorization"), []);
  await upstream.send(OK);
  assertEquals((await client.message()).status, 200);
  assertEquals((await setting.exchanges.next()).user, "");
});

withUsers("where denials are only reported, a wrong password is too", async (setting) => {
  const { origin, exchanges } = setting;
  origin.answer(OK);
  const client = await setting.connect();
  for (const fields of ["", WRONG]) {
    assertEquals((await ask(setting, client, fields)).status, 200);
    const exchange = await exchanges.next();
    assertEquals([exchange.user, exchange.verdict, exchange.enforced], ["", "deny", false]);
  }
}, { policy: policy({ authentication: "always", mode: "report" }) });

const byRule = policy({
  authentication: "by-rule",
  rules: [{ hosts: "127.0.0.1", users: "bob", methods: "POST" }, { hosts: "127.0.0.1", methods: "GET" }],
});

withUsers("a rule for a user lets that user in and no other", async (setting) => {
  const { origin, exchanges } = setting;
  origin.answer(OK);
  const client = await setting.connect();
  const post = (fields: string) =>
    `POST ${origin.url}/ HTTP/1.1\r\nHost: ${origin.authority}\r\nContent-Length: 0\r\n${fields}\r\n`;
  for (
    const [request, status, user] of [
      [get(setting), 200, ""],
      [post(""), 407, ""],
      [post(ALICE), 403, "alice"],
      [post(BOB), 200, "bob"],
      [get(setting, ALICE), 200, "alice"],
    ] as const
  ) {
    await client.send(request);
    assertEquals((await client.message()).status, status);
    assertEquals((await exchanges.next()).user, user);
  }
}, { policy: byRule });

withUsers("who is refused whoever they are makes nobody verify a password", async (setting) => {
  const client = await setting.connect();
  const answer = await ask(setting, client, ALICE);
  assertEquals(answer.status, 403);
  assertEquals((await setting.exchanges.next()).rule, "clients");
  assertEquals(setting.users.asked, []);
}, { policy: policy({ authentication: "always", clients: [] }) });
