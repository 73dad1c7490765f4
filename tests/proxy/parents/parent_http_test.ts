/** Parents that speak HTTP: requests in absolute form, everything else through CONNECT. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { AUTHORITY, KEY, VALID } from "../../net/tls_certificates.ts";
import { proxied, PSEUDONYM, SETTINGS } from "../harness.ts";
import { Peer, turn, valuesOf } from "../peer.ts";
import { policy } from "../policies.ts";
import { get, OK, request } from "../round_trip.ts";
import { through, waysOf } from "../through.ts";

const A = { authority: "a.example" };
const CONNECT_A = "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n";
const BASIC = `Basic ${btoa("ci:s3cret word")}`;

proxied("plain requests go in absolute form, for all hosts over the same connections", async (setting) => {
  through(setting, { user: "ci:s3cret%20word" });
  const { origin: parent, exchanges } = setting;
  const client = await setting.connect();
  await client.send(get(A, "/x?y", "Proxy-Authorization: Basic Y2xpZW50OnB3", "X-Odd:  \xe9 "));
  const upstream = await parent.accept();
  const sent = await upstream.message();
  assertEquals(sent.startLine, "GET http://a.example/x?y HTTP/1.1");
  assertEquals(valuesOf(sent, "host"), ["a.example"]);
  assertEquals(valuesOf(sent, "proxy-authorization"), [BASIC]);
  assertEquals(valuesOf(sent, "via"), [`1.1 ${PSEUDONYM}`]);
  assertStringIncludes(sent.head, "X-Odd:  \xe9 \r\n");
  await upstream.send(OK);
  assertEquals((await client.message()).content, "ok");
  const first = await exchanges.next();
  assertEquals([first.parent, first.originAddress, first.reused], [`http://${parent.authority}`, "", false]);

  await client.send(get({ authority: "b.example:8080" }));
  const second = await upstream.message();
  assertEquals(second.startLine, "GET http://b.example:8080/ HTTP/1.1");
  assertEquals(valuesOf(second, "host"), ["b.example:8080"]);
  await upstream.send(OK);
  await client.message();
  assertEquals([(await exchanges.next()).reused, parent.accepted], [true, 1]);
});

proxied(
  "OPTIONS for the whole server stays that (RFC 9112 §3.2.4), and ports that are usual go unsaid",
  async (setting) => {
    through(setting);
    const client = await setting.connect();
    await client.send(request(A, "OPTIONS", ""));
    const upstream = await setting.origin.accept();
    assertEquals((await upstream.message()).startLine, "OPTIONS http://a.example HTTP/1.1");
    await upstream.send(OK);
    await client.message();
    await client.send("GET http://A.example.:80?q HTTP/1.1\r\nHost: x\r\n\r\n");
    assertEquals((await upstream.message()).startLine, "GET http://a.example/?q HTTP/1.1");
    await upstream.send(OK);
    await client.message();
  },
);

proxied(
  "a body goes along, and what the parent says in confidence to weir goes no further",
  async (setting) => {
    through(setting);
    const client = await setting.connect();
    await client.send(
      "POST http://a.example/ HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    );
    const upstream = await setting.origin.accept();
    const sent = await upstream.message();
    assertEquals([sent.startLine, sent.content], ["POST http://a.example/ HTTP/1.1", "abc"]);
    await upstream.send(
      "HTTP/1.1 403 Forbidden\r\nProxy-Authenticate: Basic realm=p\r\nProxy-Connection: x\r\nContent-Length: 0\r\n\r\n",
    );
    const answer = await client.message();
    // an answer to a plain request may be the origin's, and is relayed
    assertEquals([answer.status, valuesOf(answer, "proxy-authenticate")], [403, []]);
  },
);

for (const user of ["", "ci:wrong"]) {
  proxied(
    `a parent's 407 to a plain request is weir's trouble, ${user ? "with" : "without"} credentials`,
    async (setting) => {
      through(setting, { user });
      const client = await setting.connect();
      await client.send(get(A));
      const upstream = await setting.origin.accept();
      await upstream.message();
      await upstream.send(
        'HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm="parent"\r\nContent-Length: 0\r\n\r\n',
      );
      const answer = await client.message();
      assertEquals([answer.status, valuesOf(answer, "proxy-authenticate")], [502, []]);
      assertStringIncludes(answer.content, `the parent proxy http://${setting.origin.authority} `);
      assertStringIncludes(answer.content, user ? "does not take the user" : "wants a user");
      assertMatch(
        valuesOf(answer, "proxy-status")[0],
        /error=proxy_configuration_error; next-hop="http:\/\/[0-9.:]+"; received-status=407/,
      );
      assertEquals((await setting.exchanges.next()).error, "proxy_configuration_error");
    },
  );
}

proxied(
  "a tunnel is asked for with CONNECT, and what stands behind the 200 belongs to it, however it comes",
  async (setting) => {
    through(setting, { user: "ci:s3cret%20word" });
    const { origin: parent } = setting;
    const answer = "HTTP/1.1 103 Wait\r\nA: b\r\n\r\nHTTP/1.0 200 Fine\r\nContent-Length: 3\r\n\r\nhello";
    for (let split = 1; split < answer.length; split++) {
      const client = await setting.connect();
      await client.send(
        CONNECT_A.replace("\r\n\r\n", "\r\nVia: 1.1 before\r\nProxy-Authorization: Basic x\r\n\r\n"),
      );
      const upstream = await parent.accept();
      const sent = await upstream.head();
      assertEquals(
        sent,
        `CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\nVia: 1.1 before, 1.1 ${PSEUDONYM}\r\n` +
          `Proxy-Authorization: ${BASIC}\r\n\r\n`,
      );
      await upstream.send(answer.slice(0, split));
      await turn();
      await upstream.send(answer.slice(split));
      assertEquals((await client.message({ method: "CONNECT" })).status, 200);
      assertEquals(await client.exactly(5), "hello", `split at ${split}`);
      await client.send("up");
      assertEquals(await upstream.exactly(2), "up");
      await client.closeWrite();
      assertEquals(await upstream.rest(), "");
      upstream.close();
      assertEquals(await client.rest(), "");
      client.close();
      const exchange = await setting.exchanges.next();
      assertEquals([exchange.status, exchange.parent, exchange.truncated], [
        200,
        `http://${parent.authority}`,
        false,
      ]);
    }
  },
);

const REFUSALS: [answer: string, status: number, error: string, says: string][] = [
  [
    "HTTP/1.1 403 No such thing here",
    403,
    "http_request_denied",
    "refuses a.example:443: 403 No such thing here",
  ],
  ["HTTP/1.1 407 Who are you", 502, "proxy_configuration_error", "wants a user and a password"],
  ["HTTP/1.1 500 ", 502, "destination_unavailable", "has no tunnel to a.example:443: 500"],
  ["HTTP/1.1 302 Found", 502, "destination_unavailable", "has no tunnel to a.example:443: 302 Found"],
  ["HTTP/1.1 502 Bad", 502, "destination_unavailable", "has no tunnel to a.example:443: 502 Bad"],
  ["HTTP/1.1 503 Later", 503, "destination_unavailable", "has no tunnel to a.example:443: 503 Later"],
  ["HTTP/1.1 504 Slow", 504, "connection_timeout", "has no tunnel to a.example:443: 504 Slow"],
];

for (const [line, status, error, says] of REFUSALS) {
  proxied(`a parent's answer ${line.slice(9, 12)} to CONNECT is told as the parent's`, async (setting) => {
    through(setting);
    const client = await setting.connect();
    await client.send(CONNECT_A);
    const upstream = await setting.origin.accept();
    await upstream.head();
    await upstream.send(
      `${line}\r\nProxy-Authenticate: Basic realm=parent\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\n<b>no</b>`,
    );
    const answer = await client.message();
    assertEquals(answer.status, status);
    assertStringIncludes(answer.startLine, `the parent proxy http://${setting.origin.authority} ${says}`);
    assertEquals(valuesOf(answer, "proxy-authenticate"), []);
    const [told] = valuesOf(answer, "proxy-status");
    assertStringIncludes(told, `; error=${error}; next-hop="http://${setting.origin.authority}"; `);
    assertStringIncludes(told, `received-status=${line.slice(9, 12)}`);
    // the connection to the parent is of no more use
    await upstream.rest();
    assertEquals((await setting.exchanges.next()).error, error);
  });
}

const SENSELESS: Record<string, string> = {
  "another protocol": "SSH-2.0-OpenSSH_9.2\r\n",
  "half a head": "HTTP/1.1 200 OK\r\nA: b",
  "nothing": "",
  "an endless head": `HTTP/1.1 200 OK\r\n${"A: b\r\n".repeat(400)}`,
  "a control byte": "HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n",
  "another version": "HTTP/0.9 200 OK\r\n\r\n",
  "another protocol, by 101": "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n",
};

for (const [what, bytes] of Object.entries(SENSELESS)) {
  proxied(`a parent that answers CONNECT with ${what}: 502`, async (setting) => {
    through(setting);
    const client = await setting.connect();
    await client.send(CONNECT_A);
    const upstream = await setting.origin.accept();
    await upstream.head();
    if (bytes !== "") await upstream.send(bytes);
    await upstream.closeWrite();
    const answer = await client.message();
    assertEquals(answer.status, 502);
    assertStringIncludes(answer.startLine, "the parent proxy http://");
    await setting.exchanges.next();
  });
}

proxied("a head of the parent's that is larger than the usual buffers is read whole", async (setting) => {
  through(setting);
  const client = await setting.connect();
  await client.send(CONNECT_A);
  const upstream = await setting.origin.accept();
  await upstream.head();
  await upstream.send(`HTTP/1.1 200 OK\r\nA: ${"x".repeat(40_000)}\r\n\r\nhello`);
  assertEquals((await client.message({ method: "CONNECT" })).status, 200);
  assertEquals(await client.exactly(5), "hello");
});

proxied("a parent that is silent about CONNECT has the time to connect, no more", async (setting) => {
  through(setting, { settings: { connectTimeout: 1 } });
  const client = await setting.connect();
  await client.send(CONNECT_A);
  const upstream = await setting.origin.accept();
  await upstream.head();
  const answer = await client.message();
  assertEquals(answer.status, 504);
  assertStringIncludes(answer.startLine, "gave no answer about a.example:443 in time");
  assertEquals(await upstream.rest(), "");
  // its silence is the destination's for all that is known
  assertEquals(setting.exchanges.notices, []);
});

proxied("a stop takes the question to the parent with it", async (setting) => {
  through(setting);
  const client = await setting.connect();
  await client.send(CONNECT_A);
  const upstream = await setting.origin.accept();
  await upstream.head();
  await setting.proxy.stop();
  assertEquals(await upstream.rest(), "");
});

proxied("an upgrade goes through a tunnel (RFC 6455 §4.1)", async (setting) => {
  through(setting);
  const client = await setting.connect();
  await client.send(get(A, "/chat", "Connection: upgrade", "Upgrade: websocket"));
  const upstream = await setting.origin.accept();
  assertMatch(await upstream.head(), /^CONNECT a\.example:80 HTTP/);
  await upstream.send("HTTP/1.1 200 OK\r\n\r\n");
  const sent = await upstream.message();
  assertEquals([sent.startLine, valuesOf(sent, "upgrade")], ["GET /chat HTTP/1.1", ["websocket"]]);
  assertEquals(valuesOf(sent, "proxy-authorization"), []);
  await upstream.send(
    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nhi",
  );
  assertEquals((await client.message()).status, 101);
  assertEquals(await client.exactly(2), "hi");
  client.close();
  upstream.close();
  assertEquals((await setting.exchanges.next()).kind, "upgrade");
});

/** A parent that takes CONNECT and leads everything to `port`, over TLS itself or not. */
async function tunnels(listener: Deno.Listener<Deno.Conn>, port: number): Promise<string> {
  const client = new Peer(await listener.accept() as Deno.TcpConn);
  const head = await client.head();
  const far = await Deno.connect({ hostname: "127.0.0.1", port });
  await client.send("HTTP/1.1 200 OK\r\n\r\n");
  const { readable, writable } = client.stream as unknown as Deno.TcpConn;
  await Promise.all([
    readable.pipeTo(far.writable).catch(() => {}),
    far.readable.pipeTo(writable).catch(() => {}),
  ]);
  return head;
}

for (const scheme of ["http", "https"] as const) {
  proxied(
    `https:// in absolute form goes through a tunnel of an ${scheme}:// parent, verified end to end`,
    async (setting) => {
      const options = { hostname: "127.0.0.1", port: 0 };
      using secure = Deno.listenTls({ ...options, cert: VALID, key: KEY, alpnProtocols: ["http/1.1"] });
      using listener = scheme === "http"
        ? Deno.listen(options)
        : Deno.listenTls({ ...options, cert: VALID, key: KEY, alpnProtocols: ["http/1.1"] });
      const { port } = listener.addr as Deno.NetAddr;
      const target = `localhost:${(secure.addr as Deno.NetAddr).port}`;
      setting.proxy.update({
        ...SETTINGS,
        originCertificates: [AUTHORITY],
        routes: waysOf(`${scheme}://ci:pw@localhost:${port}`),
      });
      const parent = tunnels(listener as Deno.Listener<Deno.Conn>, (secure.addr as Deno.NetAddr).port);
      const client = await setting.connect();
      await client.send(`GET https://${target}/a HTTP/1.1\r\nHost: x\r\n\r\n`);
      const origin = new Peer(await secure.accept());
      for (const kept of [false, true]) {
        const sent = await origin.message();
        assertEquals([sent.startLine, valuesOf(sent, "proxy-authorization")], ["GET /a HTTP/1.1", []]);
        await origin.send(OK);
        assertEquals((await client.message()).content, "ok");
        const exchange = await setting.exchanges.next();
        assertEquals([exchange.reused, exchange.parent], [kept, `${scheme}://localhost:${port}`]);
        if (!kept) await client.send(`GET https://${target}/a HTTP/1.1\r\nHost: x\r\n\r\n`);
      }
      client.close();
      await setting.proxy.stop();
      await origin.rest().catch(() => "");
      origin.close();
      assertMatch(await parent, new RegExp(`^CONNECT ${target} HTTP/1.1\r\n[^]*Proxy-Authorization: Basic `));
    },
  );
}

proxied("a parent whose certificate is not trusted is out of the question", async (setting) => {
  using listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert: VALID, key: KEY });
  const { port } = listener.addr as Deno.NetAddr;
  const accepted = listener.accept().then((conn) => conn.close());
  setting.proxy.update({
    ...SETTINGS,
    routes: waysOf(`https://localhost:${port}`),
  });
  const client = await setting.connect();
  await client.send(get(A));
  const answer = await client.message();
  assertEquals(answer.status, 502);
  assertStringIncludes(answer.content, `the parent proxy https://localhost:${port} cannot be reached`);
  await accepted;
  assertEquals(setting.exchanges.notices.length, 1);
});

proxied("addresses that are asked for are judged, and names by their names alone", async (setting) => {
  through(setting, {
    settings: {
      policy: policy({
        rules: [
          { action: "deny", hosts: "203.0.113.0/24" },
          { action: "allow", hosts: "10.0.0.0/8" },
          { action: "allow", hosts: "named.example" },
        ],
      }),
    },
  });
  for (
    const host of [
      "169.254.169.254",
      "[fd00:ec2::254]",
      "203.0.113.7",
      "[::ffff:203.0.113.7]",
      "other.example",
    ]
  ) {
    const client = await setting.connect();
    await client.send(get({ authority: host }));
    assertEquals((await client.message()).status, 403, host);
    await client.send(get({ authority: host }));
    assertEquals((await client.message()).status, 403, host);
  }
  await setting.origin.assertNoFurtherConnection();
  for (const [host, address] of [["10.1.2.3", "10.1.2.3"], ["named.example", ""]]) {
    const client = await setting.connect();
    await client.send(`CONNECT ${host}:443 HTTP/1.1\r\nHost: ${host}:443\r\n\r\n`);
    const upstream = await setting.origin.accept();
    await upstream.head();
    await upstream.send("HTTP/1.1 200 OK\r\n\r\n");
    assertEquals((await client.message({ method: "CONNECT" })).status, 200);
    client.close();
    upstream.close();
    await setting.exchanges.until(() => setting.exchanges.all.at(-1)!.target === `${host}:443`);
    assertEquals(setting.exchanges.all.at(-1)!.originAddress, address);
  }
});

proxied("neither weir itself as a parent nor weir behind a parent", async (setting) => {
  const { proxy, authority } = setting;
  proxy.update({ ...SETTINGS, routes: waysOf(`http://${authority}`) });
  const client = await setting.connect();
  await client.send(get(A));
  const answer = await client.message();
  assertEquals(answer.status, 502);
  assertStringIncludes(answer.content, `the parent proxy http://${authority} is this proxy itself`);
  through(setting);
  await client.send(get({ authority }));
  assertStringIncludes((await client.message()).content, `${authority} is this proxy itself`);
  await setting.origin.assertNoFurtherConnection();
});

proxied(
  "a request that fails on a connection to the parent that was kept is sent once more",
  async (setting) => {
    through(setting);
    const { origin: parent } = setting;
    const client = await setting.connect();
    await client.send(get(A));
    const first = await parent.accept();
    await first.message();
    await first.send(OK);
    await client.message();
    await client.send(get(A));
    await first.message();
    first.close();
    const second = await parent.accept();
    assertEquals((await second.message()).startLine, "GET http://a.example/ HTTP/1.1");
    await second.send(OK);
    assertEquals((await client.message()).content, "ok");
    await setting.exchanges.next();
    assertEquals((await setting.exchanges.next()).retries, 1);
  },
);

proxied("a parent that closes without an answer to a request is named", async (setting) => {
  through(setting);
  const client = await setting.connect();
  await client.send(get(A));
  const upstream = await setting.origin.accept();
  await upstream.message();
  upstream.close();
  const answer = await client.message();
  assertEquals(answer.status, 502);
  assertStringIncludes(
    answer.content,
    `the parent proxy http://${setting.origin.authority} closed the connection`,
  );
});

proxied(
  "what came through a parent is stored, and forgotten where its address would be looked at",
  { settings: { cacheSize: 1 << 20 } },
  async (setting) => {
    const settings = { cacheSize: 1 << 20 };
    through(setting, { settings });
    const client = await setting.connect();
    await client.send(get({ authority: "a.localhost" }));
    const upstream = await setting.origin.accept();
    await upstream.message();
    await upstream.send("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 2\r\n\r\nhi");
    assertEquals((await client.message()).content, "hi");
    await client.send(get({ authority: "a.localhost" }));
    assertEquals((await client.message()).content, "hi");
    await setting.exchanges.next();
    assertEquals((await setting.exchanges.next()).cache, "hit");
    setting.proxy.update({ ...SETTINGS, ...settings });
    await client.send("GET http://a.localhost/ HTTP/1.1\r\nHost: a.localhost\r\n\r\n");
    // nobody listens on port 80 of loopback, or somebody does: it is not the stored answer
    const answer = await client.message();
    assert(answer.content !== "hi");
  },
);
