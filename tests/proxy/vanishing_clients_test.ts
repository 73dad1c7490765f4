/** Clients that go away, close half of their connection or reset it, and what comes of it for the origin. */

import { assertEquals } from "@std/assert";
import { proxied } from "./harness.ts";
import { CAN_RESET, turn } from "./peer.ts";
import { get, OK, request, roundTrip } from "./round_trip.ts";
import { arrived, sendUntilRefused } from "./under_way.ts";

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
      await sendUntilRefused(upstream, new TextEncoder().encode(piece));
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
