/**
 * What is not waited for any longer, and what the other side is told. Times are as short as can be said; the clock
 * looks at its deadlines four times a second.
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { abandonedHandshakes } from "../../src/net/tls.ts";
import { proxied } from "./harness.ts";
import { turn, valuesOf } from "./peer.ts";
import { get, OK, request, roundTrip } from "./round_trip.ts";
import { arrived, sendUntilRefused, tunnelled } from "./under_way.ts";

const AT_ONCE = 1;

// heads

for (
  const part of ["G", "GET http://", "GET http://a/ HTTP/1.1\r\n", "GET http://a/ HTTP/1.1\r\nHost: a\r\n"]
) {
  proxied(
    `a head that was begun, ${JSON.stringify(part)}, and does not end: 408 and close (RFC 9110 §15.5.9)`,
    { settings: { headTimeout: AT_ONCE } },
    async ({ connect, exchanges }) => {
      const client = await connect();
      await client.send(part);
      const answer = await client.message();
      assertEquals([answer.status, valuesOf(answer, "connection")], [408, ["close"]]);
      assertEquals(await client.rest(), "");
      const { status, error, truncated, ownAnswer, details } = await exchanges.next();
      assertEquals([status, error, truncated, ownAnswer], [408, "http_request_error", true, true]);
      assertEquals(details, "the request's head took too long");
    },
  );
}

for (const [what, part] of [["nothing", ""], ["only empty lines", "\r\n\r\n"]]) {
  proxied(
    `a client that says ${what} is closed without a word, and is no exchange`,
    { settings: { headTimeout: AT_ONCE } },
    async ({ connect, exchanges }) => {
      const client = await connect();
      if (part !== "") await client.send(part);
      assertEquals(await client.restAndEnding(), ["", "end"]);
      assertEquals(exchanges.all, []);
    },
  );
}

proxied(
  "a head that drips in has no more time for each drop",
  { settings: { headTimeout: AT_ONCE } },
  async ({ connect }) => {
    const client = await connect();
    await client.send("GET http://a/ HTTP/1.1\r\nHost: a\r\nX: ");
    let answered = false;
    const answer = client.message().finally(() => answered = true);
    while (!answered) {
      await client.send("x").catch(() => {});
      await turn();
    }
    assertEquals((await answer).status, 408);
  },
);

proxied(
  "a client between two requests is closed without a word (RFC 9112 §9.5)",
  { settings: { keepAliveTimeout: AT_ONCE } },
  async (setting) => {
    const { client } = await roundTrip(setting, get(setting.origin));
    assertEquals(await client.restAndEnding(), ["", "end"]);
    assertEquals(setting.exchanges.all.length, 1);
  },
);

proxied(
  "the second head of a connection has the time of a head, and its 408",
  { settings: { headTimeout: AT_ONCE } },
  async (setting) => {
    const client = await setting.connect();
    setting.origin.answer(OK);
    await client.send(get(setting.origin));
    await client.message();
    await client.send("GET ");
    assertEquals((await client.message()).status, 408);
  },
);

// reaching the origin

proxied(
  "a name that nobody answers for: 504, and the client's connection goes on (RFC 9110 §15.6.5)",
  { settings: { connectTimeout: AT_ONCE }, resolver: { lookup: () => new Promise(() => {}) } },
  async (setting) => {
    const client = await setting.connect();
    await client.send(get({ authority: "silent.example" }));
    const answer = await client.message();
    assertEquals(answer.status, 504);
    assertMatch(valuesOf(answer, "proxy-status")[0], /; error=dns_timeout;/);
    await roundTrip(setting, get(setting.origin), OK, { client });
  },
);

proxied(
  "an address that does not answer: 504, also for a tunnel (RFC 9110 §15.6.5)",
  { settings: { connectTimeout: AT_ONCE }, ignore: Deno.build.os !== "linux" },
  async ({ connect, exchanges }) => {
    const { authority, close } = await unreachable();
    try {
      const client = await connect();
      await client.send(get({ authority }));
      const answer = await client.message();
      assertEquals(answer.status, 504);
      assertMatch(valuesOf(answer, "proxy-status")[0], /; error=connection_timeout;/);
      await client.send(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
      assertEquals((await client.message({ method: "CONNECT" })).status, 504);
      assertEquals((await exchanges.next()).error, "connection_timeout");
    } finally {
      close();
    }
  },
);

/** A listener whose queue is full: Linux lets further connections wait. */
async function unreachable(): Promise<{ authority: string; close(): void }> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 1 });
  const { port } = listener.addr;
  const abort = new AbortController();
  const { signal } = abort;
  const waiting: Promise<Deno.TcpConn | null>[] = [];
  let connected = 0;
  const fill = () =>
    waiting.push(
      Deno.connect({ hostname: "127.0.0.1", port, signal }).then((conn) => {
        connected++;
        return conn;
      }, () => null),
    );
  // as many as are connected are taken; the queue is full when some are not after a while of trying
  for (let i = 0; i < 4; i++) fill();
  while (connected < 2) await turn();
  return {
    authority: `127.0.0.1:${port}`,
    close() {
      abort.abort();
      listener.close();
      for (const each of waiting) each.then((conn) => conn?.close());
    },
  };
}

proxied(
  "an origin that does not answer the TLS handshake: 504",
  { settings: { connectTimeout: AT_ONCE } },
  async ({ origin, connect, exchanges }) => {
    const client = await connect();
    await client.send(`GET https://${origin.authority}/ HTTP/1.1\r\nHost: ${origin.authority}\r\n\r\n`);
    const upstream = await origin.accept();
    assertEquals((await client.message()).status, 504);
    assertEquals((await exchanges.next()).error, "connection_timeout");
    upstream.close();
    while (abandonedHandshakes() > 0) await turn();
  },
);

// the response's head

for (const part of ["", "HTTP/1.1 200 OK\r\nContent-", "HTTP/1.1 103 Early Hints\r\n\r\n"]) {
  proxied(
    `an origin that says ${
      JSON.stringify(part)
    } and no more: 504, and its connection is dropped (RFC 9110 §15.6.5)`,
    { settings: { responseTimeout: AT_ONCE } },
    async (setting) => {
      const { client, upstream } = await arrived(setting, get(setting.origin));
      await upstream.send(part);
      let answer = await client.message();
      if (answer.status === 103) answer = await client.message();
      assertEquals(answer.status, 504);
      assertMatch(valuesOf(answer, "proxy-status")[0], /; error=http_response_timeout;/);
      assertEquals(await upstream.rest(), "");
      const { error, status, retries } = await setting.exchanges.next();
      assertEquals([error, status, retries], ["http_response_timeout", 504, 0]);
      await roundTrip(setting, get(setting.origin), OK, { client });
    },
  );
}

proxied(
  "a request that waited in vain on a kept connection is not sent again: it may have been heard",
  { settings: { responseTimeout: AT_ONCE } },
  async (setting) => {
    const { client, upstream } = await roundTrip(setting, get(setting.origin));
    await client.send(get(setting.origin, "/second"));
    await upstream.message();
    assertEquals((await client.message()).status, 504);
    await setting.origin.assertNoFurtherConnection();
  },
);

proxied(
  "an interim response does not shorten the time of the final one",
  { settings: { keepAliveTimeout: AT_ONCE } },
  async (setting) => {
    const { client, upstream } = await arrived(setting, get(setting.origin, "/", "Connection: close"));
    await upstream.send("HTTP/1.1 103 Early Hints\r\n\r\n");
    assertEquals((await client.message()).status, 103);
    // when another, idle client is closed, the clock has looked at all deadlines
    const idle = await roundTrip(setting, get(setting.origin));
    await idle.client.rest();
    await upstream.send(OK);
    assertEquals((await client.message()).status, 200);
  },
);

// bodies

for (
  const [framing, part] of [["Content-Length: 10", "12345"], ["Transfer-Encoding: chunked", "5\r\n12345\r\n"]]
) {
  proxied(
    `a response's body with ${framing} that stops coming is visibly cut on both sides`,
    { settings: { bodyTimeout: AT_ONCE } },
    async (setting) => {
      const { client, upstream } = await arrived(setting, get(setting.origin));
      await upstream.send(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n${part}`);
      const received = await client.rest();
      assertStringIncludes(received, "12345");
      assertEquals(received.includes("\r\n0\r\n"), false);
      assertEquals(await upstream.rest(), "");
      const { truncated, error, details } = await setting.exchanges.next();
      assertEquals([truncated, error], [true, "connection_read_timeout"]);
      assertEquals(details, "the origin's body stopped coming");
    },
  );

  proxied(
    `an upload with ${framing} that stops coming: 408, and the origin's connection ends (RFC 9110 §15.5.9)`,
    { settings: { bodyTimeout: AT_ONCE } },
    async (setting) => {
      const message = request(setting.origin, "POST", "/", framing);
      const { client, upstream } = await arrived(setting, message + part);
      const answer = await client.message();
      assertEquals([answer.status, valuesOf(answer, "connection")], [408, ["close"]]);
      const received = await upstream.rest();
      assertStringIncludes(received, "12345");
      assertEquals(received.includes("\r\n0\r\n"), false);
      await client.closeWrite();
      assertEquals(await client.rest(), "");
      assertEquals((await setting.exchanges.next()).status, 408);
    },
  );
}

proxied(
  "a body that keeps coming takes as long as it takes",
  { settings: { bodyTimeout: AT_ONCE } },
  async (setting) => {
    const { client, upstream } = await arrived(setting, get(setting.origin));
    await upstream.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    await client.head();
    // another one, begun later, is silent: when it is cut, the time is over
    const silent = await arrived(setting, get(setting.origin));
    await silent.upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n");
    let over = false;
    const cut = silent.client.rest().then(() => over = true);
    while (!over) {
      await upstream.send("1\r\nx\r\n");
      assertEquals(await client.exactly(6), "1\r\nx\r\n");
      await turn();
    }
    await cut;
    await upstream.send("0\r\n\r\n");
    assertEquals(await client.exactly(5), "0\r\n\r\n");
    const ended = [await setting.exchanges.next(), await setting.exchanges.next()];
    assertEquals(ended.map(({ truncated }) => truncated), [true, false]);
  },
);

proxied(
  "an upload that keeps coming takes as long as it takes",
  { settings: { bodyTimeout: AT_ONCE } },
  async (setting) => {
    const message = request(setting.origin, "POST", "/", "Transfer-Encoding: chunked");
    const { client, upstream } = await arrived(setting, message);
    const silent = await arrived(setting, message);
    let over = false;
    const cut = silent.client.message().then(() => over = true);
    while (!over) {
      await client.send("1\r\nx\r\n");
      assertEquals(await upstream.exactly(6), "1\r\nx\r\n");
      await turn();
    }
    await cut;
    silent.client.close();
    await client.send("0\r\n\r\n");
    assertEquals(await upstream.exactly(5), "0\r\n\r\n");
    await upstream.send(OK);
    assertEquals((await client.message()).content, "ok");
  },
);

for (
  const [what, framing, begun] of [
    ["a chunk's size line that drips", "Transfer-Encoding: chunked", "1\r\na\r\n5;"],
    ["a trailer section that drips", "Transfer-Encoding: chunked", "1\r\na\r\n0\r\nX: "],
  ]
) {
  proxied(
    `${what} has no more time for each drop: 408 for a client's, a cut for an origin's`,
    { settings: { bodyTimeout: AT_ONCE } },
    async (setting) => {
      const { client } = await arrived(setting, request(setting.origin, "POST", "/", framing) + begun);
      let over = false;
      const answer = client.message().finally(() => over = true);
      while (!over) {
        await client.send("x").catch(() => {});
        await turn();
      }
      assertEquals((await answer).status, 408);
      const { status, details } = await setting.exchanges.next();
      assertEquals([status, details], [408, "the request's body came too slowly"]);

      const other = await arrived(setting, get(setting.origin));
      await other.upstream.send(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n${begun}`);
      let cut = false;
      const received = other.client.rest().finally(() => cut = true);
      while (!cut) {
        await other.upstream.send("x").catch(() => {});
        await turn();
      }
      assertEquals((await received).includes("\r\n0\r\n"), false);
      assertEquals((await setting.exchanges.next()).error, "connection_read_timeout");
    },
  );
}

for (const framing of ["Content-Length: 1000000", "Transfer-Encoding: chunked"]) {
  proxied(
    `an upload with ${framing} that drips below the least rate: 408, and the origin's connection ends`,
    { settings: { bodyTimeout: AT_ONCE, minBodyRate: 1_000_000 } },
    async (setting) => {
      const { client, upstream } = await arrived(setting, request(setting.origin, "POST", "/", framing));
      let over = false;
      const answer = client.message().finally(() => over = true);
      while (!over) {
        await client.send("1\r\nx\r\n").catch(() => {});
        await turn();
      }
      assertEquals((await answer).status, 408);
      assertEquals((await upstream.rest()).includes("\r\n0\r\n"), false);
      assertEquals((await setting.exchanges.next()).details, "the request's body came too slowly");
    },
  );
}

proxied(
  "an origin's body may drip below the least rate: its client is free to leave",
  { settings: { bodyTimeout: AT_ONCE, minBodyRate: 1_000_000 } },
  async (setting) => {
    const { client, upstream } = await arrived(setting, get(setting.origin));
    await upstream.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
    await client.head();
    const silent = await arrived(setting, get(setting.origin));
    await silent.upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n");
    let over = false;
    const cut = silent.client.rest().then(() => over = true);
    while (!over) {
      await upstream.send("x");
      assertEquals(await client.exactly(6), "1\r\nx\r\n");
      await turn();
    }
    await cut;
    await upstream.closeWrite();
    assertEquals(await client.exactly(5), "0\r\n\r\n");
  },
);

proxied(
  "a client that stops reading is cut, and the origin's connection with it",
  { settings: { bodyTimeout: AT_ONCE } },
  async (setting) => {
    const { client, upstream } = await arrived(setting, get(setting.origin));
    await upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
    await client.head();
    await sendUntilRefused(upstream);
    const { truncated, details, error } = await setting.exchanges.next();
    assertEquals([truncated, details, error], [true, "the client stopped reading", ""]);
    assert((await client.rest()).length < 1_000_000_000);
  },
);

proxied(
  "an origin that stops reading an upload: 504, and both connections end",
  { settings: { bodyTimeout: AT_ONCE } },
  async (setting) => {
    const { client } = await arrived(
      setting,
      request(setting.origin, "POST", "/", "Content-Length: 1000000000"),
    );
    const sending = sendUntilRefused(client);
    const answer = await client.message();
    assertEquals([answer.status, valuesOf(answer, "connection")], [504, ["close"]]);
    await sending;
    assertEquals((await setting.exchanges.next()).status, 504);
  },
);

// tunnels

proxied(
  "a tunnel in which nothing moves is ended on both sides",
  { settings: { tunnelTimeout: AT_ONCE } },
  async (setting) => {
    const { client, upstream } = await tunnelled(setting);
    assertEquals([await client.rest(), await upstream.rest()], ["", ""]);
    const { truncated, details, status } = await setting.exchanges.next();
    assertEquals([truncated, details, status], [true, "nothing came through for too long", 200]);
  },
);

proxied(
  "a tunnel of which one side has ended is idle in the same way",
  { settings: { tunnelTimeout: AT_ONCE } },
  async (setting) => {
    const { client, upstream } = await tunnelled(setting);
    await client.closeWrite();
    assertEquals([await upstream.rest(), await client.rest()], ["", ""]);
    assertEquals((await setting.exchanges.next()).details, "nothing came through for too long");
  },
);

proxied(
  "a tunnel in which bytes move one way alone is not idle",
  { settings: { tunnelTimeout: AT_ONCE } },
  async (setting) => {
    const { client, upstream } = await tunnelled(setting);
    const silent = await tunnelled(setting);
    let over = false;
    const cut = silent.client.rest().then(() => over = true);
    while (!over) {
      await upstream.send("x");
      assertEquals(await client.exactly(1), "x");
      await turn();
    }
    await cut;
    await client.send("still open");
    assertEquals(await upstream.exactly(10), "still open");
  },
);

proxied(
  "a tunnel that has had all its time is ended on both sides, whatever moves in it",
  { settings: { tunnelLifetime: AT_ONCE } },
  async (setting) => {
    const { client, upstream } = await tunnelled(setting);
    const received = client.rest();
    let over = false;
    received.finally(() => over = true);
    while (!over) {
      await upstream.send("x").catch(() => {});
      await turn();
    }
    await upstream.rest();
    const { truncated, details } = await setting.exchanges.next();
    assertEquals([truncated, details], [true, "it has been open for as long as a tunnel may be"]);
  },
);

// after an answer of weir's own

proxied(
  "a client that has been refused and neither reads on nor closes is not waited for",
  async (setting) => {
    const client = await setting.connect();
    await client.send("nonsense\r\n\r\n");
    assertEquals((await client.message()).status, 400);
    assertEquals(setting.exchanges.all.length, 1, "the record does not wait either");
    while (setting.proxy.connections > 0) await turn();
    assertEquals(await client.restAndEnding(), ["", "end"]);
  },
);
