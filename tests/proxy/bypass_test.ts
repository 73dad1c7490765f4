/** Ways around the policy that others have fallen for, tried over sockets. */

import { assertEquals } from "@std/assert";
import { proxied, type Setting, SETTINGS } from "./harness.ts";
import { KnownUsers } from "./known_users.ts";
import { type Peer, turn, valuesOf } from "./peer.ts";
import { Names, policy, SeenFrom } from "./policies.ts";
import { OK } from "./round_trip.ts";
import { eachWay, passes, refused, WAYS } from "./ways.ts";

const LOCAL = { "a.example": ["127.0.0.1"], "b.example": ["127.0.0.1"] };
const resolver = new Names(LOCAL).resolver;
const onlyA = policy({ rules: [{ name: "only a", hosts: "a.example" }] });

/** Sends what may be several requests, and reads so many answers. */
async function statuses(client: Peer, messages: string, count: number): Promise<number[]> {
  await client.send(messages);
  const all: number[] = [];
  for (let i = 0; i < count; i++) all.push((await client.message()).status);
  return all;
}

function get({ origin }: Setting, host: string, fields = ""): string {
  const authority = `${host}:${origin.port}`;
  return `GET http://${authority}/ HTTP/1.1\r\nHost: ${authority}\r\n${fields}\r\n`;
}

// what a request says twice

eachWay("Host has no say, the target has", {
  settings: { policy: onlyA },
  resolver,
}, async (setting, way) => {
  const { connect, origin, exchanges } = setting;
  const send = async (target: string, host: string) => {
    const client = await connect();
    const authority = `${target}:${origin.port}`;
    await client.send(WAYS[way](authority).replace(/Host: .*\r\n/, `Host: ${host}:${origin.port}\r\n`));
    return client;
  };
  const denied = await send("b.example", "a.example");
  assertEquals((await denied.message()).status, 403);
  const allowed = await send("a.example", "b.example");
  const upstream = await origin.accept();
  if (way !== "a tunnel") {
    assertEquals(valuesOf(await upstream.message(), "host"), [`a.example:${origin.port}`]);
  }
  upstream.close();
  allowed.close();
  await exchanges.until(() => exchanges.all.length === 2);
  assertEquals(exchanges.all.map(({ host, verdict }) => [host, verdict]), [
    ["b.example", "deny"],
    ["a.example", "allow"],
  ]);
});

for (
  const target of [
    "http://a.example@b.example:PORT/",
    "http://b.example:PORT\\@a.example/",
    "http:///a.example:PORT/",
    "http:a.example:PORT/",
    "//a.example:PORT/",
    "/http://a.example:PORT/",
    "a.example:PORT",
    "ftp://a.example:PORT/",
  ]
) {
  proxied(`${target} goes nowhere`, { settings: { policy: onlyA }, resolver }, async (setting) => {
    const client = await setting.connect();
    await client.send(
      `GET ${target.replace("PORT", `${setting.origin.port}`)} HTTP/1.1\r\nHost: a.example\r\n\r\n`,
    );
    assertEquals((await client.message()).status, 400);
    await setting.origin.assertNoFurtherConnection();
  });
}

// a fragment is no part of what is asked for (RFC 9110 §7.1): the host before it is judged
proxied("a name in a fragment does not count", { settings: { policy: onlyA }, resolver }, async (setting) => {
  const { origin } = setting;
  const client = await setting.connect();
  await client.send(`GET http://b.example:${origin.port}#@a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n`);
  assertEquals((await client.message()).status, 403);
  client.close();
  await origin.assertNoFurtherConnection();
});

proxied("a host within a path or a query is none", {
  settings: { policy: onlyA },
  resolver,
}, async (setting) => {
  const client = await setting.connect();
  for (
    const path of ["/http://a.example/", "/@a.example/", "?@a.example/", "/..//a.example", "/%2f%2fa.example"]
  ) {
    await client.send(
      `GET http://b.example:${setting.origin.port}${path} HTTP/1.1\r\nHost: a.example\r\n\r\n`,
    );
    assertEquals((await client.message()).status, 403, path);
  }
  await setting.origin.assertNoFurtherConnection();
});

// one connection, several requests

proxied("each of several requests in one packet is judged by itself", {
  settings: { policy: onlyA },
  resolver,
}, async (setting) => {
  setting.origin.answer(OK);
  const client = await setting.connect();
  const a = get(setting, "a.example");
  const b = get(setting, "b.example");
  assertEquals(await statuses(client, a + b + a + b + b + a, 6), [200, 403, 200, 403, 403, 200]);
  const rules = setting.exchanges.all.map(({ rule }) => rule);
  assertEquals(rules, ["only a", "default", "only a", "default", "default", "only a"]);
});

proxied("what follows a refused CONNECT is no request", {
  settings: { policy: onlyA },
  resolver,
}, async (setting) => {
  const client = await setting.connect();
  await client.send(WAYS["a tunnel"](`b.example:${setting.origin.port}`) + get(setting, "a.example"));
  assertEquals((await client.message()).status, 403);
  assertEquals(await client.rest(), "");
  await setting.origin.assertNoFurtherConnection();
});

proxied("what follows a body that was refused is no request", {
  settings: { policy: onlyA },
  resolver,
}, async (setting) => {
  const client = await setting.connect();
  const inner = get(setting, "a.example");
  await client.send(
    get(setting, "b.example", `Content-Length: ${inner.length}\r\n`).replace("GET", "POST") + inner,
  );
  assertEquals((await client.message()).status, 403);
  assertEquals(await client.rest(), "");
  await setting.origin.assertNoFurtherConnection();
});

const basic = (text: string) => `Proxy-Authorization: Basic ${btoa(text)}\r\n`;

proxied("nobody is who the last one on the same connection was, to either side", {
  settings: {
    users: new KnownUsers({ alice: "a", bob: "b" }),
    policy: policy({
      authentication: "by-rule",
      rules: [{ name: "alice's", hosts: "a.example", users: "alice" }],
    }),
  },
  resolver,
}, async (setting) => {
  setting.origin.answer(OK);
  const client = await setting.connect();
  const ask = (fields: string) => get(setting, "a.example", fields);
  const alice = basic("alice:a");
  assertEquals(
    await statuses(client, ask(alice) + ask("") + ask(basic("bob:b")) + ask(alice) + ask(""), 5),
    [200, 407, 403, 200, 407],
  );
  // the kept connection to the origin is lent to Alice alone
  assertEquals(setting.origin.accepted, 1);
  assertEquals(setting.exchanges.all.map(({ user }) => user), ["alice", "", "bob", "alice", ""]);
});

proxied("credentials count in their own field alone", {
  settings: {
    users: new KnownUsers({ alice: "a" }),
    policy: policy({ authentication: "always" }),
  },
  resolver,
}, async (setting) => {
  const client = await setting.connect();
  const right = btoa("alice:a");
  for (
    const fields of [
      `Authorization: Basic ${right}\r\n`,
      `Proxy-Authenticate: Basic ${right}\r\n`,
      `Cookie: Proxy-Authorization=Basic ${right}\r\n`,
      `X-A: b\r\nProxy_Authorization: Basic ${right}\r\n`,
      `Proxy-Authorization: Bearer ${right}\r\n`,
      `Proxy-Authorization: Basic${right}\r\n`,
      `Proxy-Authorization: Basic ${right.replace("=", "")}\r\n`,
      `Proxy-Authorization: Basic ${right}, Basic ${right}\r\n`,
      `Proxy-Authorization: Basic\r\n`,
      `Proxy-Authorization: Basic ${btoa("alice:a\0")}\r\n`,
      `Proxy-Authorization: Basic ${btoa("\0alice:a")}\r\n`,
      `Proxy-Authorization: Basic ${btoa("ALICE:a")}\r\n`,
    ]
  ) {
    const before = setting.exchanges.all.length;
    assertEquals(await statuses(client, get(setting, "a.example", fields), 1), [407], fields);
    assertEquals(setting.exchanges.all[before].user, "", fields);
  }
  assertEquals(
    await statuses(client, get(setting, "a.example", basic("alice:a") + basic("alice:a")), 1),
    [400],
  );
  await setting.origin.assertNoFurtherConnection();
});

proxied("credentials in a trailer or behind the head are not read", {
  settings: {
    users: new KnownUsers({ alice: "a" }),
    policy: policy({ authentication: "always" }),
  },
}, async (setting) => {
  const client = await setting.connect();
  await client.send(
    get(setting, "127.0.0.1", "Transfer-Encoding: chunked\r\nTrailer: Proxy-Authorization\r\n") +
      `0\r\n${basic("alice:a")}\r\n`,
  );
  assertEquals((await client.message()).status, 407);
  assertEquals(await client.rest(), "");
  await setting.origin.assertNoFurtherConnection();
});

// methods of weir's own

proxied("what weir answers itself goes nowhere, and what goes on is judged", {
  settings: { policy: onlyA },
  resolver,
}, async (setting) => {
  const client = await setting.connect();
  const authority = `b.example:${setting.origin.port}`;
  for (
    const [message, status] of [
      ["OPTIONS * HTTP/1.1\r\nHost: b.example\r\n\r\n", 200],
      [`OPTIONS http://${authority} HTTP/1.1\r\nHost: a\r\n\r\n`, 403],
      [`OPTIONS http://${authority} HTTP/1.1\r\nHost: a\r\nMax-Forwards: 1\r\n\r\n`, 403],
      [`OPTIONS http://${authority} HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n`, 403],
      [`TRACE http://${authority}/ HTTP/1.1\r\nHost: a\r\nMax-Forwards: 1\r\n\r\n`, 403],
      [`TRACE http://${authority}/ HTTP/1.1\r\nHost: a\r\n${basic("a:b")}Max-Forwards: 0\r\n\r\n`, 403],
      [`GET http://${authority}/ HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n`, 403],
      [`GET https://${authority}/ HTTP/1.1\r\nHost: a\r\n\r\n`, 403],
      [`FOO http://${authority}/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n`, 403],
    ] as const
  ) {
    assertEquals(await statuses(client, message, 1), [status], message);
  }
  await setting.origin.assertNoFurtherConnection();
});

// addresses

eachWay("of addresses that are none, or that lead to one network of this machine, none is dialled", {
  settings: { policy: policy({ connectPorts: [{ first: 1, last: 65535 }] }) },
  resolver: new Names({
    "zone.example": ["fe80::1%lo", "fe80::1%1", "::1%lo"],
    "odd.example": ["127.1", "0x7f000001", "2130706433", "[::1]", "127.0.0.1:80", "localhost", ""],
  }).resolver,
}, async ({ connect, origin, exchanges }, way) => {
  for (const host of ["zone.example", "odd.example"]) {
    const client = await connect();
    await client.send(WAYS[way](`${host}:${origin.port}`));
    assertEquals((await client.message()).status, 502);
    client.close();
    assertEquals((await exchanges.next()).error, "destination_ip_unroutable");
  }
  await origin.assertNoFurtherConnection();
});

eachWay("among odd and refused addresses the one that is fine is dialled", {
  settings: {
    policy: policy({ rules: [{ action: "deny", hosts: "127.0.0.2 ::1" }, { hosts: "a.example" }] }),
  },
  resolver: new Names({
    "a.example": ["::1%lo", "169.254.169.254", "::ffff:127.0.0.2", "::1", "127.1", "127.0.0.1", "10.0.0.1"],
  }).resolver,
}, async (setting, way) => {
  await passes(setting, way, `a.example:${setting.origin.port}`);
  assertEquals(setting.exchanges.all[0].originAddress, "127.0.0.1");
});

{
  const answers: Record<string, string[]> = { "a.example": ["127.0.0.1"] };
  const names = new Names(answers);
  proxied("a request that is sent again goes to an address that is judged again", {
    settings: {
      policy: policy({ rules: [{ name: "not there", action: "deny", hosts: "::1" }, { hosts: "*" }] }),
    },
    resolver: names.resolver,
  }, async (setting) => {
    const { origin, connect, exchanges } = setting;
    const client = await connect();
    await client.send(get(setting, "a.example"));
    const upstream = await origin.accept();
    await upstream.message();
    await upstream.send(OK);
    assertEquals((await client.message()).status, 200);
    // the kept connection is lost with the next request, and the name leads elsewhere now
    answers["a.example"] = ["::1"];
    await client.send(get(setting, "a.example"));
    await upstream.message();
    upstream.close();
    const answer = await client.message();
    assertEquals(answer.status, 403);
    await exchanges.until(() => exchanges.all.length === 2);
    assertEquals([exchanges.all[1].rule, exchanges.all[1].retries], ["not there", 1]);
    await origin.assertNoFurtherConnection();
  });
}

proxied("an answer about a name is shared by all clients, what it means to each is not", {
  settings: { policy: policy() },
  resolver: { ...new Names({ "a.example": ["127.0.0.1"] }).resolver, lifetime: 60_000 },
}, async (setting) => {
  const authority = `a.example:${setting.origin.port}`;
  await passes(setting, "a tunnel", authority);
  setting.proxy.update({ ...SETTINGS, policy: new SeenFrom(policy(), "192.0.2.77") });
  await refused(setting, "a plain request", authority);
  await refused(setting, "an upgrade", authority);
});

// what is open while the policy changes

proxied("a tunnel that is open stays open, and no other is opened", {
  settings: { policy: onlyA },
  resolver,
}, async (setting) => {
  const { connect, origin, proxy } = setting;
  const authority = `a.example:${origin.port}`;
  const client = await connect();
  await client.send(WAYS["a tunnel"](authority));
  const upstream = await origin.accept();
  assertEquals((await client.message({ method: "CONNECT" })).status, 200);
  const idle = await connect();
  assertEquals(await statuses(idle, get(setting, "b.example"), 1), [403]);
  proxy.update({ ...SETTINGS, policy: policy({ rules: [{ hosts: "b.example" }] }) });
  await client.send("ping");
  assertEquals(await upstream.exactly(4), "ping");
  client.close();
  upstream.close();
  await setting.exchanges.until(() => setting.exchanges.all.length === 2);
  assertEquals(await statuses(idle, get(setting, "a.example"), 1), [403]);
  while (proxy.active > 0) await turn();
});
