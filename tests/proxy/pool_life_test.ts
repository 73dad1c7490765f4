/** The life of a connection to an origin: kept, reused, found dead, given up. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { proxied, type Setting } from "./harness.ts";
import { CAN_RESET, type Peer, turn, valuesOf } from "./peer.ts";
import { get, OK, request, roundTrip } from "./round_trip.ts";

/** Waits until the proxy has closed this connection of an origin's, and that without a further word. */
async function dropped(upstream: Peer): Promise<void> {
  assertEquals(await upstream.restAndEnding(), ["", "end"]);
}

/** Sends a request that has to come on a connection which the origin has already, and answers it there. */
async function again(client: Peer, upstream: Peer, message: string, response: string = OK): Promise<void> {
  await client.send(message);
  await upstream.message();
  await upstream.send(response);
  await client.message({ method: message.slice(0, message.indexOf(" ")) });
}

// reuse

proxied("a connection is kept and used again by the same client (RFC 9112 §9.3)", async (setting) => {
  const { client, upstream } = await roundTrip(setting, get(setting.origin));
  for (let i = 0; i < 20; i++) await again(client, upstream, get(setting.origin, `/${i}`));
  assertEquals(setting.origin.accepted, 1);
  await setting.exchanges.next();
  const { reused, retries, connectedAt, originAddress } = await setting.exchanges.next();
  assertEquals([reused, retries, connectedAt > 0, originAddress], [true, 0, true, "127.0.0.1"]);
});

proxied("a connection is kept and used again by another client", async (setting) => {
  const { upstream } = await roundTrip(setting, get(setting.origin));
  const other = await setting.connect();
  await again(other, upstream, get(setting.origin));
});

proxied("a connection is used for its own origin alone", async (setting) => {
  const { client } = await roundTrip(setting, get(setting.origin));
  const origin = setting.another();
  await roundTrip(setting, get(origin), OK, { client, origin });
  assertEquals([setting.origin.accepted, origin.accepted], [1, 1]);
});

proxied(
  "requests that cannot be repeated leave one kept connection behind, not one each",
  async (setting) => {
    const message = request(setting.origin, "POST", "/", "Content-Length: 2") + "hi";
    const { client, upstream: first } = await roundTrip(setting, message);
    for (let i = 0; i < 3; i++) {
      const { upstream } = await roundTrip(setting, message, OK, { client });
      await dropped(upstream);
    }
    await again(client, first, get(setting.origin));
  },
);

proxied("requests at the same time get connections of their own, and all are kept", async (setting) => {
  const { origin, connect } = setting;
  const clients = await Promise.all(Array.from({ length: 5 }, () => connect()));
  const upstreams: Peer[] = [];
  for (const client of clients) {
    await client.send(get(origin));
    upstreams.push(await origin.accept());
  }
  for (const upstream of upstreams) {
    await upstream.message();
    await upstream.send(OK);
  }
  for (const client of clients) await client.message();
  // the one that was kept last is used first, again and again
  for (const client of clients) await again(client, upstreams[4], get(origin));
  await origin.assertNoFurtherConnection();
});

for (
  const [what, response] of [
    ["says Connection: close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"],
    ["is HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"],
    [
      "is HTTP/1.0 with keep-alive",
      "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
    ],
  ]
) {
  proxied(`a connection whose response ${what} is not used again (RFC 9112 §9.3)`, async (setting) => {
    const { client, upstream } = await roundTrip(setting, get(setting.origin), response);
    await dropped(upstream);
    await roundTrip(setting, get(setting.origin), OK, { client });
    assertEquals(setting.origin.accepted, 2);
  });
}

// dead connections

proxied(
  "a parked connection that the origin closes does not answer the next request: a new one does",
  async (setting) => {
    const { client, upstream } = await roundTrip(setting, get(setting.origin));
    upstream.close();
    // the proxy closes too once it has seen that
    await turn();
    await roundTrip(setting, get(setting.origin), OK, { client });
    await setting.exchanges.next();
    const { status } = await setting.exchanges.next();
    assertEquals(status, 200);
  },
);

for (const method of ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]) {
  proxied(
    `${method} on a kept connection that closes just then is sent once more, on a new one (RFC 9110 §9.2.2)`,
    async (setting) => {
      const { client, upstream } = await roundTrip(setting, get(setting.origin));
      await client.send(request(setting.origin, method, "/second"));
      assertStringIncludes((await upstream.message()).startLine, `${method} /second`);
      upstream.close();
      const fresh = await setting.origin.accept();
      assertStringIncludes((await fresh.message()).startLine, `${method} /second`);
      await fresh.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      assertEquals((await client.message({ method })).status, 200);
      await setting.exchanges.next();
      const { status, retries, reused, error, truncated } = await setting.exchanges.next();
      assertEquals([status, retries, reused, error, truncated], [200, 1, false, "", false]);
    },
  );
}

proxied(
  "a request on a kept connection that is reset just then is sent once more",
  { ignore: !CAN_RESET },
  async ({ resettableOrigin, connect, exchanges }) => {
    const { authority, accept } = await resettableOrigin();
    const client = await connect();
    await client.send(get({ authority }));
    const upstream = await accept();
    await upstream.message();
    await upstream.send(OK);
    await client.message();
    await client.send(get({ authority }, "/second"));
    await upstream.message();
    upstream.reset();
    const fresh = await accept();
    assertEquals((await fresh.message()).startLine, "GET /second HTTP/1.1");
    await fresh.send(OK);
    assertEquals((await client.message()).content, "ok");
    await exchanges.next();
    assertEquals((await exchanges.next()).retries, 1);
  },
);

proxied("a request is sent a second time and not a third", async (setting) => {
  const { client, upstream } = await roundTrip(setting, get(setting.origin));
  await client.send(get(setting.origin, "/second"));
  await upstream.message();
  upstream.close();
  const fresh = await setting.origin.accept();
  await fresh.message();
  fresh.close();
  const answer = await client.message();
  assertEquals(answer.status, 502);
  assertMatch(valuesOf(answer, "proxy-status")[0], /; error=connection_terminated;/);
  await setting.exchanges.next();
  const { retries, error } = await setting.exchanges.next();
  assertEquals([retries, error], [1, "connection_terminated"]);
  await setting.origin.assertNoFurtherConnection();
});

proxied("with several dead connections kept, one retry is enough: it goes on a new one", async (setting) => {
  const { origin, connect } = setting;
  const clients = [await connect(), await connect(), await connect()];
  const upstreams: Peer[] = [];
  for (const client of clients) {
    await client.send(get(origin));
    const upstream = await origin.accept();
    await upstream.message();
    upstreams.push(upstream);
  }
  for (const [index, client] of clients.entries()) {
    await upstreams[index].send(OK);
    await client.message();
  }
  await clients[0].send(get(origin, "/second"));
  await upstreams[2].message();
  for (const upstream of upstreams) upstream.close();
  const fresh = await origin.accept();
  assertEquals((await fresh.message()).startLine, "GET /second HTTP/1.1");
  await fresh.send(OK);
  assertEquals((await clients[0].message()).status, 200);
});

proxied("a request that failed on a new connection is not sent again (RFC 9110 §9.2.2)", async (setting) => {
  const client = await setting.connect();
  await client.send(get(setting.origin));
  const upstream = await setting.origin.accept();
  await upstream.message();
  upstream.close();
  assertEquals((await client.message()).status, 502);
  await setting.origin.assertNoFurtherConnection();
  assertEquals((await setting.exchanges.next()).retries, 0);
});

proxied("a request of whose response a byte has come is not sent again", async (setting) => {
  const { client, upstream } = await roundTrip(setting, get(setting.origin));
  await client.send(get(setting.origin, "/second"));
  await upstream.message();
  await upstream.send("H");
  upstream.close();
  assertEquals((await client.message()).status, 502);
  await setting.origin.assertNoFurtherConnection();
});

proxied("a request that was answered by an interim response alone is not sent again", async (setting) => {
  const { client, upstream } = await roundTrip(setting, get(setting.origin));
  await client.send(get(setting.origin, "/second"));
  await upstream.message();
  await upstream.send("HTTP/1.1 103 Early Hints\r\n\r\n");
  assertEquals((await client.message()).status, 103);
  upstream.close();
  assertEquals((await client.message()).status, 502);
  await setting.origin.assertNoFurtherConnection();
});

for (
  const [what, lines, body] of [
    ["POST", ["Content-Length: 2"], "hi"],
    ["POST", ["Content-Length: 0"], ""],
    ["POST", ["Transfer-Encoding: chunked"], "2\r\nhi\r\n0\r\n\r\n"],
    ["PATCH", ["Content-Length: 2"], "hi"],
    ["PUT", ["Content-Length: 2"], "hi"],
    ["GET", ["Content-Length: 2"], "hi"],
    ["LOCK", [], ""],
  ] as const
) {
  proxied(
    `${what} with ${
      lines[0] ?? "no body"
    } is not entrusted to a connection that may be closing, nor sent twice (RFC 9110 §9.2.2)`,
    async (setting) => {
      const { client } = await roundTrip(setting, get(setting.origin));
      await client.send(request(setting.origin, what, "/once", ...lines) + body);
      const fresh = await setting.origin.accept();
      assertStringIncludes((await fresh.message()).startLine, "/once");
      fresh.close();
      assertEquals((await client.message()).status, 502);
      await setting.origin.assertNoFurtherConnection();
      await setting.exchanges.next();
      const { retries, reused } = await setting.exchanges.next();
      assertEquals([retries, reused], [0, false]);
    },
  );
}

proxied("a connection that carried an upload is kept too", async (setting) => {
  const message = request(setting.origin, "POST", "/", "Content-Length: 2") + "hi";
  const { client, upstream } = await roundTrip(setting, message);
  await again(client, upstream, get(setting.origin));
});

// connections that speak unasked

for (
  const [what, words] of [
    ["a whole response", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"],
    ["a single byte", "H"],
    ["a 408 before it closes", "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"],
  ]
) {
  proxied(
    `a parked connection that says ${what} is dropped, and what it said is handed to nobody (RFC 9112 §9.3)`,
    async (setting) => {
      const { client, upstream } = await roundTrip(setting, get(setting.origin));
      await upstream.send(words);
      await dropped(upstream);
      const { got } = await roundTrip(setting, get(setting.origin), OK, { client });
      assertEquals(got.content, "ok");
    },
  );
}

proxied("a connection on which more than the response came is dropped (RFC 9112 §6.3)", async (setting) => {
  const evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
  const { client, upstream } = await roundTrip(setting, get(setting.origin), OK + evil);
  await dropped(upstream);
  const { got } = await roundTrip(setting, get(setting.origin), OK, { client });
  assertEquals(got.content, "ok");
});

// limits

/** Makes so many connections to an origin at once, and lets all their exchanges end, one after the other. */
async function fill(setting: Setting, count: number, origin = setting.origin): Promise<Peer[]> {
  const pairs: [Peer, Peer][] = [];
  for (let i = 0; i < count; i++) {
    const client = await setting.connect();
    await client.send(get(origin));
    const upstream = await origin.accept();
    await upstream.message();
    pairs.push([client, upstream]);
  }
  for (const [client, upstream] of pairs) {
    await upstream.send(OK);
    await client.message();
  }
  return pairs.map(([, upstream]) => upstream);
}

proxied(
  "no more connections are kept to one origin than the limit says",
  { settings: { poolPerOrigin: 2 } },
  async (setting) => {
    const upstreams = await fill(setting, 4);
    await dropped(upstreams[2]);
    await dropped(upstreams[3]);
    const client = await setting.connect();
    await again(client, upstreams[1], get(setting.origin));
  },
);

proxied(
  "no more connections are kept in all than the limit says: the oldest makes room",
  { settings: { poolSize: 2 } },
  async (setting) => {
    const origins = [setting.another(), setting.another(), setting.another()];
    const upstreams: Peer[] = [];
    for (const origin of origins) upstreams.push(...await fill(setting, 1, origin));
    await dropped(upstreams[0]);
    const client = await setting.connect();
    await again(client, upstreams[1], get(origins[1]));
    await again(client, upstreams[2], get(origins[2]));
  },
);

proxied(
  "with room for one in all, the same origin's newer connection takes the place of the older",
  { settings: { poolSize: 1 } },
  async (setting) => {
    const [first, second] = await fill(setting, 2);
    await dropped(first);
    const client = await setting.connect();
    await again(client, second, get(setting.origin));
    second.close();
    await roundTrip(setting, get(setting.origin), OK, { client });
  },
);

for (const settings of [{ poolSize: 0 }, { poolPerOrigin: 0 }]) {
  proxied(`with ${JSON.stringify(settings)} no connection is kept`, { settings }, async (setting) => {
    const { upstream } = await roundTrip(setting, get(setting.origin));
    await dropped(upstream);
  });
}

proxied(
  "a connection that nobody has used for the time that the limit says is closed",
  { settings: { poolTimeout: 1 } },
  async (setting) => {
    const { client, upstream } = await roundTrip(setting, get(setting.origin));
    await dropped(upstream);
    await roundTrip(setting, get(setting.origin), OK, { client });
  },
);
