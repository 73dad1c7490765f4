/** What origins and clients do wrong, and what comes of it for the other side and for the record. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { proxied, type Setting } from "./harness.ts";
import { CAN_RESET, type Peer, turn, valuesOf } from "./peer.ts";
import { get, OK, request, roundTrip } from "./round_trip.ts";

/** What an origin sends that lets the client's next request on the same connection be answered. */
async function assertGoesOn(client: Peer, setting: Setting): Promise<void> {
  await roundTrip(setting, get(setting.origin, "/next"), OK, { client });
}

/** A request that has arrived at the origin, which has not answered yet. */
async function arrived(
  setting: Setting,
  message: string,
  resettable = false,
): Promise<{ client: Peer; upstream: Peer }> {
  const client = await setting.connect({ resettable });
  await client.send(message);
  const upstream = await setting.origin.accept();
  await upstream.head();
  return { client, upstream };
}

/** An origin that can reset its connections, and a request that has arrived at it. */
async function arrivedAtResettable(
  { resettableOrigin, connect }: Setting,
  method = "GET",
): Promise<{ client: Peer; upstream: Peer; authority: string; accept(): Promise<Peer> }> {
  const { authority, accept } = await resettableOrigin();
  const client = await connect();
  await client.send(request({ authority }, method, "/"));
  const upstream = await accept();
  await upstream.head();
  return { client, upstream, authority, accept };
}

/** Where nobody listens. */
function refusing(): { authority: string } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return { authority: `127.0.0.1:${port}` };
}

// origins before their answer

proxied(
  "an origin that refuses the connection: 502, and the client's connection goes on",
  async (setting) => {
    const gone = refusing();
    const client = await setting.connect();
    await client.send(get(gone));
    const answer = await client.message();
    assertEquals(answer.status, 502);
    assertMatch(valuesOf(answer, "proxy-status")[0], /; error=connection_refused;/);
    assertStringIncludes(answer.startLine, `${gone.authority} refused the connection`);
    const { error, status, originAddress } = await setting.exchanges.next();
    assertEquals([error, status, originAddress], ["connection_refused", 502, "127.0.0.1"]);
    await assertGoesOn(client, setting);
  },
);

proxied("an origin that refuses a tunnel: 502 whose reason phrase says why", async (setting) => {
  const gone = refusing();
  const client = await setting.connect();
  await client.send(`CONNECT ${gone.authority} HTTP/1.1\r\nHost: ${gone.authority}\r\n\r\n`);
  const answer = await client.message({ method: "CONNECT" });
  assertEquals(answer.startLine, `HTTP/1.1 502 Bad Gateway: ${gone.authority} refused the connection`);
  assertEquals((await setting.exchanges.next()).kind, "tunnel");
});

proxied(
  "an origin that closes without an answer: 502, and the client's connection goes on",
  async (setting) => {
    const { client, upstream } = await arrived(setting, get(setting.origin));
    upstream.close();
    const answer = await client.message();
    assertEquals(answer.status, 502);
    assertMatch(valuesOf(answer, "proxy-status")[0], /; error=connection_terminated;/);
    assertStringIncludes(answer.startLine, "closed the connection without an answer");
    assertEquals((await setting.exchanges.next()).error, "connection_terminated");
    await assertGoesOn(client, setting);
  },
);

proxied("an origin that resets instead of answering: 502", { ignore: !CAN_RESET }, async (setting) => {
  const { client, upstream } = await arrivedAtResettable(setting);
  upstream.reset();
  assertEquals((await client.message()).status, 502);
  const { error, retries } = await setting.exchanges.next();
  assertEquals([error, retries], ["connection_terminated", 0]);
});

for (
  const part of [
    "H",
    "HTTP/1.1 200",
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r",
  ]
) {
  proxied(
    `an origin that closes within its head, ${
      JSON.stringify(part)
    }: 502, and nothing of it reaches the client`,
    async (setting) => {
      const { client, upstream } = await arrived(setting, get(setting.origin));
      await upstream.send(part);
      upstream.close();
      const answer = await client.message();
      assertEquals(answer.status, 502);
      assertStringIncludes(answer.startLine, "within the head of its answer");
      assertEquals((await setting.exchanges.next()).originStatus, 0);
      await assertGoesOn(client, setting);
    },
  );
}

proxied("an origin that resets within its head: 502", { ignore: !CAN_RESET }, async (setting) => {
  const { client, upstream } = await arrivedAtResettable(setting);
  await upstream.send("HTTP/1.1 200 OK\r\nContent-");
  upstream.reset();
  assertEquals((await client.message()).status, 502);
});

for (
  const [what, garbage] of [
    ["another protocol", "SSH-2.0-OpenSSH_9.6\r\n"],
    ["a TLS alert", "\x15\x03\x03\x00\x02\x02\x28"],
    ["HTTP/0.9", "<html>hello</html>"],
    ["HTTP/2 frames", "\x00\x00\x12\x04\x00\x00\x00\x00\x00"],
    ["a status that is none", "HTTP/1.1 2000 OK\r\n\r\n"],
    ["a bare LF", "HTTP/1.1 200 OK\nContent-Length: 0\n\n"],
    ["a folded field", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n"],
    ["a NUL", "HTTP/1.1 200 OK\r\nA: \0\r\n\r\n"],
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"],
    ["a length that is none", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nab"],
  ]
) {
  proxied(
    `an origin that sends ${what}: 502, and its connection is dropped (RFC 9110 §15.6.3)`,
    async (setting) => {
      const { client, upstream } = await arrived(setting, get(setting.origin));
      await upstream.send(garbage);
      const answer = await client.message();
      assertEquals(answer.status, 502);
      assertMatch(valuesOf(answer, "proxy-status")[0], /; error=http_protocol_error;/);
      assertEquals(await upstream.rest(), "");
      assertEquals((await setting.exchanges.next()).ownAnswer, true);
      await assertGoesOn(client, setting);
    },
  );
}

proxied("an origin that sends interim responses without end: 502 (RFC 9110 §15.2)", async (setting) => {
  const { client, upstream } = await arrived(setting, get(setting.origin));
  await upstream.send("HTTP/1.1 102 Processing\r\n\r\n".repeat(100));
  let answer = await client.message();
  let interim = 0;
  for (; answer.status === 102; interim++) answer = await client.message();
  assertEquals(answer.status, 502);
  assert(interim < 100, "some of them went on, but not all");
  assertEquals(await upstream.rest(), "");
});

// origins within their body

proxied("a body with a length that ends too early is visibly cut (RFC 9112 §8)", async (setting) => {
  const { client, upstream } = await arrived(setting, get(setting.origin));
  await upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345");
  upstream.close();
  assertMatch(await client.rest(), /\r\nContent-Length: 10\r\n[^]*\r\n\r\n12345$/);
  const { truncated, error, status, responseBodyBytes } = await setting.exchanges.next();
  assertEquals([truncated, error, status, responseBodyBytes], [true, "http_response_incomplete", 200, 5]);
});

for (
  const part of [
    "5\r\n12345\r\n",
    "5\r\n123",
    "5\r\n12345",
    "5\r\n12345\r\n0\r\n",
    "5\r\n12345\r\n0\r\nA: b\r\n",
  ]
) {
  proxied(
    `a chunked body that ends after ${
      JSON.stringify(part)
    } has no last chunk for the client either (RFC 9112 §8)`,
    async (setting) => {
      const { client, upstream } = await arrived(setting, get(setting.origin));
      await upstream.send(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${part}`);
      upstream.close();
      const received = await client.rest();
      assertStringIncludes(received, "Transfer-Encoding: chunked\r\n");
      assertStringIncludes(received, "123");
      assertEquals(received.includes("\r\n0\r\n"), false, received);
      assertEquals((await setting.exchanges.next()).truncated, true);
    },
  );
}

for (const bad of ["xyz\r\n", "5\r\n12345xx", "-1\r\n", "5 \r\n12345\r\n", "ffffffffffffffffff\r\n"]) {
  proxied(
    `a body with a bad chunk, ${JSON.stringify(bad)}, is cut where it goes wrong, and the origin dropped`,
    async (setting) => {
      const { client, upstream } = await arrived(setting, get(setting.origin));
      await upstream.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
      await client.upTo("3\r\nabc\r\n");
      await upstream.send(bad);
      assertEquals((await client.rest()).includes("\r\n0\r\n"), false);
      assertEquals(await upstream.rest(), "");
      const { truncated, error } = await setting.exchanges.next();
      assertEquals([truncated, error], [true, "http_protocol_error"]);
    },
  );
}

for (
  const [framing, part] of [["Content-Length: 10", "12345"], ["Transfer-Encoding: chunked", "5\r\n12345\r\n"]]
) {
  proxied(
    `an origin that resets within a body with ${framing} cuts the client's`,
    { ignore: !CAN_RESET },
    async (setting) => {
      const { client, upstream } = await arrivedAtResettable(setting);
      await upstream.send(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n${part}`);
      await client.upTo("12345");
      upstream.reset();
      assertEquals((await client.rest()).includes("\r\n0\r\n"), false);
      const { truncated, error } = await setting.exchanges.next();
      assertEquals([truncated, error], [true, "http_response_incomplete"]);
    },
  );
}

// clients that vanish

proxied(
  "a client that resets before the answer takes the origin's connection with it",
  { ignore: !CAN_RESET },
  async (setting) => {
    const { client, upstream } = await arrived(setting, get(setting.origin), true);
    client.reset();
    assertEquals(await upstream.rest(), "");
    const { truncated, status, details, error } = await setting.exchanges.next();
    assertEquals([truncated, status, details, error], [true, 0, "the client went away", ""]);
    await setting.origin.assertNoFurtherConnection();
  },
);

proxied(
  "a client that resets while its request waits on a kept connection is not asked for a second time",
  { ignore: !CAN_RESET },
  async (setting) => {
    const { upstream } = await roundTrip(setting, get(setting.origin));
    const client = await setting.connect({ resettable: true });
    await client.send(get(setting.origin, "/slow"));
    await upstream.head();
    client.reset();
    assertEquals(await upstream.rest(), "");
    await setting.exchanges.next();
    const { retries, reused, truncated } = await setting.exchanges.next();
    assertEquals([retries, reused, truncated], [0, true, true]);
    await setting.origin.assertNoFurtherConnection();
  },
);

for (const method of ["GET", "CONNECT"]) {
  proxied(
    `a client that resets while the origin of its ${method} is still being reached ends that`,
    { ignore: !CAN_RESET, resolver: { lookup: () => new Promise(() => {}) } },
    async ({ connect, proxy, exchanges }) => {
      const client = await connect({ resettable: true });
      const target = method === "GET" ? "http://silent.example/" : "silent.example:443";
      await client.send(`${method} ${target} HTTP/1.1\r\nHost: silent.example\r\n\r\n`);
      while (proxy.active < 1) await turn();
      client.reset();
      const { truncated, status, details } = await exchanges.next();
      assertEquals([truncated, status, details], [true, 0, "the client went away"]);
    },
  );
}

for (
  const [what, change] of [
    [
      "says Connection: close",
      (message: string) => message.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"),
    ],
    ["speaks HTTP/1.0", (message: string) => message.replace("HTTP/1.1", "HTTP/1.0")],
  ] as const
) {
  for (
    const [when, response] of [
      ["before the answer", ""],
      ["after an interim response", "HTTP/1.1 103 Early Hints\r\n\r\n"],
      ["in a body in which nothing comes", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"],
      ["in the middle of a body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe"],
    ]
  ) {
    proxied(
      `a client that ${what} and resets ${when} takes the origin's connection with it`,
      { ignore: !CAN_RESET },
      async (setting) => {
        const { client, upstream } = await arrived(setting, change(get(setting.origin)), true);
        await upstream.send(response);
        if (response.includes("200")) await client.head();
        // what the proxy has read by now, it has acted upon
        await turn();
        client.reset();
        assertEquals(await upstream.rest(), "");
        const { truncated, details } = await setting.exchanges.next();
        assertEquals([truncated, details], [true, "the client went away"]);
      },
    );
  }
}

proxied(
  "a client that closes before the answer is waited for no longer than a half-closed one may be",
  { settings: { halfClosedTimeout: 1 } },
  async (setting) => {
    const { client, upstream } = await arrived(setting, get(setting.origin));
    client.close();
    assertEquals(await upstream.rest(), "");
    const { truncated, status, error } = await setting.exchanges.next();
    assertEquals([truncated, status, error], [true, 0, ""]);
  },
);

for (
  const [framing, part] of [
    ["Content-Length: 1000", "begin"],
    ["Transfer-Encoding: chunked", "5\r\nbegin\r\n"],
  ]
) {
  const how = framing.split(":")[0];

  proxied(
    `a client that closes in the middle of an upload with ${how}: the origin's connection ends, and what it got is visibly not whole`,
    async (setting) => {
      const { client, upstream } = await arrived(
        setting,
        request(setting.origin, "POST", "/", framing) + part,
      );
      await upstream.upTo("begin");
      client.close();
      assertEquals((await upstream.rest()).includes("0\r\n\r\n"), false);
      const { truncated, status, requestBodyBytes } = await setting.exchanges.next();
      assertEquals([truncated, status, requestBodyBytes], [true, 0, part.length]);
      await setting.origin.assertNoFurtherConnection();
    },
  );

  proxied(
    `a client that resets in the middle of an upload with ${how}: the origin's connection ends`,
    { ignore: !CAN_RESET },
    async (setting) => {
      const message = request(setting.origin, "POST", "/", framing) + part;
      const { client, upstream } = await arrived(setting, message, true);
      await upstream.upTo("begin");
      client.reset();
      assertEquals((await upstream.rest()).includes("0\r\n\r\n"), false);
      assertEquals((await setting.exchanges.next()).truncated, true);
    },
  );
}

for (const framing of ["Content-Length: 1000000000", "Transfer-Encoding: chunked"]) {
  const how = framing.split(":")[0];
  const piece = framing.startsWith("T") ? `4000\r\n${"x".repeat(0x4000)}\r\n` : "x".repeat(0x4000);

  proxied(
    `a client that closes in the middle of a download with ${how}: the origin's connection ends soon`,
    async (setting) => {
      const { client, upstream } = await arrived(setting, get(setting.origin));
      await upstream.send(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n`);
      await client.head();
      client.close();
      await sendUntilRefused(upstream, piece);
      const { truncated, details } = await setting.exchanges.next();
      assertEquals([truncated, details], [true, "the client went away"]);
    },
  );

  proxied(
    `a client that resets a download with ${how} in which nothing comes: the origin's connection ends at once`,
    { ignore: !CAN_RESET },
    async (setting) => {
      const { client, upstream } = await arrived(setting, get(setting.origin), true);
      await upstream.send(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n`);
      await client.head();
      client.reset();
      assertEquals(await upstream.rest(), "");
      const { truncated, details } = await setting.exchanges.next();
      assertEquals([truncated, details], [true, "the client went away"]);
    },
  );

  proxied(
    `a client that closes a download with ${how} in which nothing comes: the origin's connection ends soon`,
    { settings: { halfClosedTimeout: 1 } },
    async (setting) => {
      const { client, upstream } = await arrived(setting, get(setting.origin));
      await upstream.send(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n`);
      await client.head();
      client.close();
      assertEquals(await upstream.rest(), "");
      assertEquals((await setting.exchanges.next()).truncated, true);
    },
  );
}

/** Sends the same again and again until the other side does not take it any more. */
async function sendUntilRefused(peer: Peer, piece: string): Promise<void> {
  const bytes = new TextEncoder().encode(piece);
  try {
    for (;;) await peer.send(bytes);
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset) return;
    throw error;
  }
}

proxied("a client that closes while it waits for 100 Continue is noticed", async (setting) => {
  const message = request(setting.origin, "POST", "/", "Content-Length: 5", "Expect: 100-continue");
  const { client, upstream } = await arrived(setting, message);
  client.close();
  assertEquals(await upstream.rest(), "");
  const { truncated, status, requestBodyBytes } = await setting.exchanges.next();
  assertEquals([truncated, status, requestBodyBytes], [true, 0, 0]);
});

// half-closing clients

proxied("a client that has closed its sending side still gets its answer (printf | nc)", async (setting) => {
  const { client, upstream } = await arrived(setting, get(setting.origin));
  await client.closeWrite();
  await upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
  await client.head();
  await upstream.send("hello");
  assertEquals(await client.rest(), "hello");
  const { truncated, status } = await setting.exchanges.next();
  assertEquals([truncated, status], [false, 200]);
});

proxied(
  "a client that closes its sending side right behind its request, before it was forwarded, gets its answer",
  async (setting) => {
    const client = await setting.connect();
    await client.send(get(setting.origin));
    await client.closeWrite();
    const upstream = await setting.origin.accept();
    await upstream.head();
    await upstream.send(OK);
    assertEquals((await client.message()).content, "ok");
    assertEquals(await client.rest(), "");
  },
);

proxied("a client that half-closes behind its upload gets its answer", async (setting) => {
  const message = request(setting.origin, "POST", "/", "Content-Length: 5") + "hello";
  const { client, upstream } = await arrived(setting, message);
  await client.closeWrite();
  assertEquals(await upstream.exactly(5), "hello");
  await upstream.send(OK);
  assertEquals((await client.message()).content, "ok");
});

proxied("a client that half-closes behind several requests gets all answers in order", async (setting) => {
  setting.origin.answer(({ startLine }) =>
    `HTTP/1.1 200 OK\r\nContent-Length: ${startLine.length}\r\n\r\n${startLine}`
  );
  const client = await setting.connect();
  await client.send([1, 2, 3].map((number) => get(setting.origin, `/${number}`)).join(""));
  await client.closeWrite();
  for (const number of [1, 2, 3]) {
    assertEquals((await client.message()).content, `GET /${number} HTTP/1.1`);
  }
  assertEquals(await client.restAndEnding(), ["", "end"]);
});

proxied(
  "a half-closed client whose body keeps coming is not cut, however long it takes in all",
  { settings: { halfClosedTimeout: 1 } },
  async (setting) => {
    const { client, upstream } = await arrived(setting, get(setting.origin));
    await client.closeWrite();
    await upstream.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    await client.head();
    for (let i = 0; i < 5; i++) {
      await upstream.send("1\r\nx\r\n");
      assertEquals(await client.exactly(6), "1\r\nx\r\n");
    }
    await upstream.send("0\r\n\r\n");
    assertEquals(await client.rest(), "0\r\n\r\n");
    assertEquals((await setting.exchanges.next()).truncated, false);
  },
);

// uploads that go wrong

for (const bad of ["xyz\r\n", "5\r\n12345xx", "5\n12345\r\n"]) {
  proxied(
    `a bad chunk in an upload, ${
      JSON.stringify(bad)
    }: 400, and what the origin got is not whole (RFC 9112 §7.1)`,
    async (setting) => {
      const message = request(setting.origin, "POST", "/", "Transfer-Encoding: chunked");
      const { client, upstream } = await arrived(setting, message);
      await client.send("3\r\nabc\r\n");
      await upstream.upTo("abc\r\n");
      await client.send(bad);
      const answer = await client.message();
      assertEquals([answer.status, valuesOf(answer, "connection")], [400, ["close"]]);
      assertEquals((await upstream.rest()).includes("0\r\n\r\n"), false);
      await client.closeWrite();
      assertEquals(await client.rest(), "");
      assertEquals((await setting.exchanges.next()).status, 400);
    },
  );
}

proxied("a bad chunk that comes with the head: 400, and the origin gets nothing", async (setting) => {
  const client = await setting.connect();
  await client.send(request(setting.origin, "POST", "/", "Transfer-Encoding: chunked") + "xyz\r\n");
  assertEquals((await client.message()).status, 400);
  const upstream = await setting.origin.accept();
  assertEquals(await upstream.rest(), "");
});

proxied(
  "a final answer in the middle of an upload is relayed at once, the upload stopped, and both sides closed (RFC 9110 §10.1.1)",
  async (setting) => {
    const message = request(setting.origin, "POST", "/", "Content-Length: 1000000");
    const { client, upstream } = await arrived(setting, message + "begin");
    await upstream.upTo("begin");
    await upstream.send("HTTP/1.1 413 Too much\r\nContent-Length: 2\r\n\r\nno");
    const answer = await client.message();
    assertEquals([answer.status, answer.content, valuesOf(answer, "connection")], [413, "no", ["close"]]);
    assertEquals(await upstream.rest(), "", "the rest of the upload is not sent");
    await client.send("more of what nobody wants");
    await client.closeWrite();
    assertEquals(await client.restAndEnding(), ["", "end"], "the answer was not reset away");
    const { status, truncated } = await setting.exchanges.next();
    assertEquals([status, truncated], [413, false]);
  },
);

proxied("an origin that closes in the middle of an upload without a word: 502", async (setting) => {
  const message = request(setting.origin, "POST", "/", "Content-Length: 1000000");
  const { client, upstream } = await arrived(setting, message + "begin");
  await upstream.upTo("begin");
  upstream.close();
  const answer = await client.message();
  assertEquals([answer.status, valuesOf(answer, "connection")], [502, ["close"]]);
  await client.closeWrite();
  assertEquals(await client.restAndEnding(), ["", "end"]);
});

// tunnels and upgrades

async function tunnelled(setting: Setting, resettable = false): Promise<{ client: Peer; upstream: Peer }> {
  const { origin, connect } = setting;
  const client = await connect({ resettable });
  await client.send(`CONNECT ${origin.authority} HTTP/1.1\r\nHost: ${origin.authority}\r\n\r\n`);
  const upstream = await origin.accept();
  assertEquals((await client.message({ method: "CONNECT" })).status, 200);
  return { client, upstream };
}

proxied(
  "a tunnel's client that closes its sending side still receives (RFC 9110 §9.3.6)",
  async (setting) => {
    const { client, upstream } = await tunnelled(setting);
    await client.send("question");
    await client.closeWrite();
    assertEquals(await upstream.restAndEnding(), ["question", "end"]);
    await upstream.send("answer");
    upstream.close();
    assertEquals(await client.restAndEnding(), ["answer", "end"]);
    const { truncated, requestBodyBytes, responseBodyBytes } = await setting.exchanges.next();
    assertEquals([truncated, requestBodyBytes, responseBodyBytes], [false, 8, 6]);
  },
);

proxied(
  "a tunnel's origin that closes its sending side still receives (RFC 9110 §9.3.6)",
  async (setting) => {
    const { client, upstream } = await tunnelled(setting);
    await upstream.send("greeting");
    await upstream.closeWrite();
    assertEquals(await client.restAndEnding(), ["greeting", "end"]);
    await client.send("reply");
    client.close();
    assertEquals(await upstream.restAndEnding(), ["reply", "end"]);
    assertEquals((await setting.exchanges.next()).truncated, false);
  },
);

proxied("a tunnel's client that resets ends the origin's side", { ignore: !CAN_RESET }, async (setting) => {
  const { client, upstream } = await tunnelled(setting, true);
  await client.send("x");
  await upstream.upTo("x");
  client.reset();
  assertEquals(await upstream.rest(), "");
  const { truncated, details, error } = await setting.exchanges.next();
  assertEquals([truncated, details, error], [true, "the client reset the connection", ""]);
});

proxied("a tunnel's origin that resets ends the client's side", { ignore: !CAN_RESET }, async (setting) => {
  const { authority, accept } = await setting.resettableOrigin();
  const client = await setting.connect();
  await client.send(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  const upstream = await accept();
  await client.message({ method: "CONNECT" });
  await upstream.send("x");
  await client.upTo("x");
  upstream.reset();
  assertEquals(await client.rest(), "");
  const { truncated, details, error } = await setting.exchanges.next();
  assertEquals([truncated, details], [true, "the other end reset the connection"]);
  assertEquals(error, "connection_terminated");
});

proxied("what goes through an upgraded connection is counted once", async (setting) => {
  const { client, upstream } = await arrived(
    setting,
    get(setting.origin, "/", "Connection: upgrade", "Upgrade: echo"),
  );
  await upstream.send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
  await client.head();
  await client.send("ping");
  assertEquals(await upstream.exactly(4), "ping");
  await upstream.send("pong!");
  assertEquals(await client.exactly(5), "pong!");
  client.close();
  upstream.close();
  const exchange = await setting.exchanges.next();
  assertEquals([exchange.kind, exchange.requestBodyBytes, exchange.responseBodyBytes], ["upgrade", 4, 5]);
  assert(exchange.upstreamSentBytes < exchange.requestHeadBytes + 100, `${exchange.upstreamSentBytes} bytes`);
  assert(exchange.upstreamReceivedBytes < 100, `${exchange.upstreamReceivedBytes} bytes`);
});
