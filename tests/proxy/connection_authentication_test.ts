/** Connections that a user has authenticated belong to one client (http-rules §5, RFC 4559, RFC 9110 §3.3). */

import { assert, assertEquals } from "@std/assert";
import { AUTHORITY, KEY, VALID } from "../net/tls_certificates.ts";
import { cached } from "./cached.ts";
import { random } from "./damage.ts";
import { proxied, type Setting, type SettingOptions, SETTINGS } from "./harness.ts";
import { KnownUsers } from "./known_users.ts";
import { type Message, Peer, turn, valuesOf } from "./peer.ts";
import { get, OK, request, roundTrip } from "./round_trip.ts";
import { through, waysOf } from "./through.ts";

const CHALLENGES = "HTTP/1.1 401 Who?\r\nWWW-Authenticate: NTLM VHlwZTI=\r\nContent-Length: 0\r\n\r\n";
const OFFERS = "HTTP/1.1 401 Who?\r\nWWW-Authenticate: Negotiate, NTLM\r\nContent-Length: 0\r\n\r\n";
const NTLM_1 = "Authorization: NTLM VHlwZTE=";
const NTLM_3 = "Authorization: NTLM VHlwZTM=";
const NEGOTIATE = "Authorization: Negotiate YII=";

/** Sends a request that has to come on this connection of the origin's, and answers it there. */
async function on(upstream: Peer, client: Peer, message: string, response = OK): Promise<Message> {
  await client.send(message);
  await upstream.message();
  await upstream.send(response);
  return await client.message();
}

/** A client that has authenticated its connection to the origin. */
async function authenticated(setting: Setting, origin = setting.origin): Promise<[client: Peer, up: Peer]> {
  const { client, upstream } = await roundTrip(setting, get(origin, "/", NTLM_1), CHALLENGES, { origin });
  assertEquals((await on(upstream, client, get(origin, "/", NTLM_3))).status, 200);
  return [client, upstream];
}

proxied("each step of a handshake goes over one connection, whatever the method", async (setting) => {
  const { origin } = setting;
  for (const method of ["GET", "POST", "PUT", "PATCH"]) {
    const body = method === "GET" ? "" : "hi";
    const lines = method === "GET" ? [] : ["Content-Length: 2"];
    const ask = (...more: string[]) => request(origin, method, "/", ...lines, ...more) + body;
    const { client, upstream } = await roundTrip(setting, ask(NTLM_1), CHALLENGES);
    await on(upstream, client, ask(NTLM_3));
    // and what follows too, without credentials
    await on(upstream, client, ask());
    await on(upstream, client, request(origin, "POST", "/", "Transfer-Encoding: chunked") + "0\r\n\r\n");
    await on(upstream, client, get(origin));
    client.close();
    assertEquals(await upstream.rest(), "");
  }
});

for (
  const credentials of [NTLM_1, NEGOTIATE, "Authorization: Basic YTpi, NTLM x", "Authorization: X-New 1"]
) {
  proxied(`no other client gets a connection that has carried ${credentials}`, async (setting) => {
    const { client, upstream } = await roundTrip(setting, get(setting.origin, "/", credentials));
    const other = await roundTrip(setting, get(setting.origin));
    assertEquals([other.got.status, setting.origin.accepted], [200, 2]);
    await on(upstream, client, get(setting.origin));
    await on(other.upstream, other.client, get(setting.origin));
  });
}

proxied("no other client gets it when its client has gone: it ends with the client", async (setting) => {
  const [client, upstream] = await authenticated(setting);
  client.close();
  assertEquals(await upstream.rest(), "");
  await roundTrip(setting, get(setting.origin));
});

proxied("it ends when its client goes while the answer is on its way", async (setting) => {
  const [client, upstream] = await authenticated(setting);
  await client.send(get(setting.origin));
  await upstream.message();
  client.close();
  await upstream.send(OK);
  assertEquals(await upstream.rest(), "");
  await roundTrip(setting, get(setting.origin));
});

proxied("a client that is asked to authenticate the connection keeps that one", async (setting) => {
  const { origin } = setting;
  const { client, upstream } = await roundTrip(setting, get(origin), OFFERS);
  const other = await roundTrip(setting, get(origin));
  await on(upstream, client, get(origin, "/", NTLM_1), CHALLENGES);
  await on(other.upstream, other.client, get(origin));
  await on(upstream, client, request(origin, "POST", "/", NTLM_3, "Content-Length: 2") + "hi");
});

proxied(
  "a kept connection that others have used may be authenticated, and has one client from then on",
  async (setting) => {
    const { origin, connect } = setting;
    const { upstream } = await roundTrip(setting, get(origin));
    const client = await connect();
    await on(upstream, client, get(origin, "/", NTLM_1), CHALLENGES);
    await roundTrip(setting, get(origin));
    await on(upstream, client, get(origin, "/", NTLM_3));
  },
);

for (const scheme of ["Basic YTpi", "Bearer abc", 'Digest username="a", realm="NTLM, b"', "token abc"]) {
  proxied(`a connection that has carried ${scheme} is shared`, async (setting) => {
    const challenge = 'HTTP/1.1 401 Who?\r\nWWW-Authenticate: Basic realm="NTLM, Negotiate"\r\n' +
      "Content-Length: 0\r\n\r\n";
    const { upstream } = await roundTrip(
      setting,
      get(setting.origin, "/", `Authorization: ${scheme}`),
      challenge,
    );
    await on(upstream, await setting.connect(), get(setting.origin));
  });
}

proxied(
  "a client has its own connection to each of several origins, and the oldest makes room",
  async (setting) => {
    const client = await setting.connect();
    const origins = Array.from({ length: 9 }, () => setting.another());
    const ups: Peer[] = [];
    for (const origin of origins) {
      ups.push((await roundTrip(setting, get(origin, "/", NEGOTIATE), OK, { client, origin })).upstream);
    }
    assertEquals(await ups[0].rest(), "");
    for (let i = 1; i < origins.length; i++) await on(ups[i], client, get(origins[i]));
    client.close();
    for (const up of ups.slice(1)) assertEquals(await up.rest(), "");
  },
);

proxied(
  "it counts against the limits of all kept connections",
  { settings: { poolSize: 1 } },
  async (setting) => {
    const [client, upstream] = await authenticated(setting);
    const origin = setting.another();
    await roundTrip(setting, get(origin), OK, { origin });
    assertEquals(await upstream.rest(), "");
    await roundTrip(setting, get(setting.origin), OK, { client });
  },
);

proxied("one that says or closes anything while it waits is dropped", async (setting) => {
  const [client, upstream] = await authenticated(setting);
  await upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
  assertEquals(await upstream.rest(), "");
  const { got } = await roundTrip(setting, get(setting.origin), OK, { client });
  assertEquals(got.content, "ok");
});

proxied(
  "a request that may not be repeated is not sent twice when the connection is lost",
  async (setting) => {
    const [client, upstream] = await authenticated(setting);
    await client.send(request(setting.origin, "POST", "/", "Content-Length: 2") + "hi");
    await upstream.message();
    upstream.close();
    assertEquals((await client.message()).status, 502);
    await setting.origin.assertNoFurtherConnection();
  },
);

proxied(
  "another user of the proxy on the same client connection does not get it",
  { settings: { users: new KnownUsers({ ann: "1", bob: "2" }) } },
  async (setting) => {
    const as = (login: string) => `Proxy-Authorization: Basic ${btoa(login)}`;
    const { origin } = setting;
    const { client, upstream } = await roundTrip(setting, get(origin, "/", NEGOTIATE, as("ann:1")));
    await on(upstream, client, get(origin, "/", as("ann:1")));
    await roundTrip(setting, get(origin, "/", as("bob:2")), OK, { client });
    assertEquals(await upstream.rest(), "");
  },
);

proxied("a connection that its routes do not lead to any more is not used", async (setting) => {
  const [client, upstream] = await authenticated(setting);
  const parent = setting.another();
  setting.proxy.update({ ...SETTINGS, routes: waysOf(parent.url) });
  await roundTrip(setting, get(setting.origin), OK, { client, origin: parent });
  assertEquals(await upstream.rest(), "");
});

proxied("through a parent each origin has a connection of its own", async (setting) => {
  through(setting);
  const [a, b] = [{ authority: "a.example" }, { authority: "b.example" }];
  const { client, upstream: first } = await roundTrip(setting, get(a, "/", NTLM_1), CHALLENGES);
  const { upstream: second } = await roundTrip(setting, get(b, "/", NTLM_1), CHALLENGES, { client });
  const other = await roundTrip(setting, get(a));
  await on(first, client, request(a, "POST", "/", NTLM_3, "Content-Length: 0"));
  await on(second, client, request(b, "POST", "/", NTLM_3, "Content-Length: 0"));
  await on(other.upstream, other.client, get(b));
});

// the cache

const FRESH = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 2\r\n\r\nme";

cached("what comes over such a connection is not for others, though no field says so", async (setting) => {
  const [client, upstream] = await authenticated(setting);
  await on(upstream, client, get(setting.origin, "/page"), FRESH);
  await on(upstream, client, get(setting.origin, "/page"), FRESH);
  assertEquals((await roundTrip(setting, get(setting.origin, "/page"))).got.content, "ok");
});

cached("what varies by who asks is not taken for another such connection's", async (setting) => {
  const page = FRESH.replace("60", "60, public\r\nVary: Authorization");
  for (const _ of [1, 2]) {
    const [client, upstream] = await authenticated(setting);
    await on(upstream, client, get(setting.origin, "/page"), page);
  }
});

cached(
  "no request waits for what is fetched over such a connection, nor does that wait for another",
  async (setting) => {
    const { origin, connect } = setting;
    const [client, upstream] = await authenticated(setting);
    const other = await roundTrip(setting, get(origin, "/other"));
    await client.send(get(origin, "/page"));
    await upstream.message();
    const second = await connect();
    await on(other.upstream, second, get(origin, "/page"));
    await upstream.send(OK);
    await client.message();
    await second.send(get(origin, "/page/2"));
    await other.upstream.message();
    await on(upstream, client, get(origin, "/page/2"));
    await other.upstream.send(OK);
    await second.message();
  },
);

cached("credentials for a connection are not sent behind the client's back", async (setting) => {
  const { origin } = setting;
  const stale = "HTTP/1.1 200 OK\r\nCache-Control: public, max-age=0, stale-while-revalidate=60\r\n" +
    'ETag: "a"\r\nContent-Length: 2\r\n\r\nok';
  const first = await roundTrip(setting, get(origin), stale);
  await first.client.send(get(origin, "/", NEGOTIATE));
  assertEquals((await first.client.message()).content, "ok");
  // the origin hears nothing of it: the connection is still there for another
  await on(first.upstream, await setting.connect(), get(origin, "/other"));
  assertEquals(origin.accepted, 1);
});

// all of it at once

/** Answers as a server does that authenticates connections; closes some of them. */
async function serveModel(connection: Peer, chance: (below: number) => number): Promise<void> {
  let user: string | null = null;
  let challenged = false;
  for (;;) {
    const { fields, startLine } = await connection.message();
    const [credentials = ""] = valuesOf({ fields }, "authorization");
    const name = /^NTLM 3-(.*)$/.exec(credentials)?.[1];
    let status = "200 OK";
    let more = startLine.includes("/fresh") ? "Cache-Control: max-age=60\r\n" : "";
    if (credentials === "NTLM 1") {
      user = null;
      challenged = true;
    } else if (name !== undefined && challenged) {
      user = name;
      challenged = false;
    }
    if (user === null && !startLine.includes("/open")) {
      status = "401 Who?";
      more += `WWW-Authenticate: ${challenged ? "NTLM 2" : "Negotiate, NTLM"}\r\n`;
    }
    const content = `you are ${user ?? "nobody"}`;
    if (chance(4) === 0) await turn();
    const last = chance(20) === 0;
    await connection.send(
      `HTTP/1.1 ${status}\r\n${more}${last ? "Connection: close\r\n" : ""}` +
        `Content-Length: ${content.length}\r\n\r\n${content}`,
    );
    if (last) return connection.close();
    if (chance(20) === 0) return connection.close();
  }
}

/** Many clients log in, ask and go, each under names that no other uses. */
async function mingle(setting: Setting, url: string, seed: number): Promise<void> {
  const wrong: string[] = [];
  let names = 0;
  let told = 0;
  const one = async (number: number) => {
    const chance = random(seed * 100 + number);
    let client: Peer | null = null;
    let name = "";
    let asked = false;
    for (let step = 0; step < 60; step++) {
      if (client === null) {
        client = await setting.connect();
        name = `u${++names}`;
        asked = false;
      }
      const what = chance(10);
      if (what === 0) {
        client.close();
        client = null;
        continue;
      }
      const path = ["/a", "/fresh/a", "/fresh/b", "/open/a", "/open/fresh"][chance(5)];
      const lines: string[] = [];
      if (what < 4) {
        lines.push(`Authorization: NTLM ${asked ? `3-${name}` : "1"}`);
        asked = !asked;
      }
      const post = chance(3) === 0;
      if (post) lines.push("Content-Length: 2");
      const head = [`${post ? "POST" : "GET"} ${url}${path} HTTP/1.1`, "Host: x", ...lines];
      await client.send(head.join("\r\n") + "\r\n\r\n" + (post ? "hi" : ""));
      const answer = await client.message();
      const user = /^you are (.*)$/.exec(answer.content)?.[1];
      if (user !== undefined && user !== "nobody" && user !== name) {
        wrong.push(`${name} was taken for ${user}`);
      }
      if (user === name) told++;
      if (valuesOf(answer, "connection").includes("close")) {
        client.close();
        client = null;
      }
    }
    client?.close();
  };
  await Promise.all(Array.from({ length: 12 }, (_, number) => one(number)));
  assertEquals(wrong, []);
  assert(told > 20, `the handshakes come to their end: ${told}`);
}

const LISTEN_TLS = { hostname: "127.0.0.1", port: 0, cert: VALID, key: KEY, alpnProtocols: ["http/1.1"] };

/** The ways out, each with the URL that it leads to and an origin that serves there. */
const WAYS: Record<
  string,
  (setting: Setting, settings: SettingOptions["settings"], seed: number) => Promise<void>
> = {
  "directly": async (setting, _, seed) => {
    let count = 0;
    setting.origin.serve((connection) => serveModel(connection, random(seed + count++)));
    await mingle(setting, setting.origin.url, seed);
  },
  "through a parent that speaks HTTP": async (setting, settings, seed) => {
    through(setting, { settings });
    let count = 0;
    setting.origin.serve((connection) => serveModel(connection, random(seed + count++)));
    await mingle(setting, "http://a.example", seed);
  },
  "through a parent that speaks SOCKS": async (setting, settings, seed) => {
    through(setting, { scheme: "socks5", settings });
    let count = 0;
    setting.origin.serve(async (connection) => {
      await connection.exactly(3);
      await connection.send("\x05\0");
      const length = (await connection.exactly(5)).charCodeAt(4);
      await connection.exactly(length + 2);
      await connection.send("\x05\0\0\x01\0\0\0\0\0\0");
      await serveModel(connection, random(seed + count++));
    });
    await mingle(setting, "http://a.example", seed);
  },
  "over TLS": async (setting, _, seed) => {
    using listener = Deno.listenTls(LISTEN_TLS);
    const peers: Peer[] = [];
    let count = 0;
    const serving: Promise<void>[] = [];
    const accepting = (async () => {
      for (;;) {
        const stream = await listener.accept().catch(() => null);
        if (stream === null) return;
        const peer = new Peer(stream);
        peers.push(peer);
        serving.push(serveModel(peer, random(seed + count++)).catch(() => {}));
      }
    })();
    await mingle(setting, `https://localhost:${listener.addr.port}`, seed);
    listener.close();
    for (const peer of peers) peer.close();
    await Promise.all([accepting, ...serving]);
  },
};
for (const [way, run] of Object.entries(WAYS)) {
  for (const cacheSize of [0, 1_000_000]) {
    const settings = { cacheSize, originCertificates: [AUTHORITY] };
    proxied(
      `${way}, ${
        cacheSize === 0 ? "without" : "with"
      } a cache: an answer for one user reaches that user alone`,
      { settings },
      (setting) => run(setting, settings, 1),
    );
  }
}
