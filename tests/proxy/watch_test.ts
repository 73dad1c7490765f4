/** A client is watched while its exchange waits, also one that sends nothing more (http-rules §5). */

import { assertEquals, assertMatch } from "@std/assert";
import { proxied, type Setting } from "./harness.ts";
import { get, OK } from "./round_trip.ts";

/** How clients say that they will not send another request, if they do. */
const CLIENTS: [what: string, request: (setting: Setting) => string][] = [
  ["keeps its connection", ({ origin }) => get(origin)],
  ["asked to close", ({ origin }) => get(origin, "/", "Connection: close")],
  ["speaks HTTP/1.0", ({ origin }) => `GET ${origin.url}/ HTTP/1.0\r\n\r\n`],
];

/** What the client has got of its answer when it goes away. */
const ANSWERS: [when: string, answer: string][] = [
  ["before its answer", ""],
  ["behind the head", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ["within the body", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello"],
  ["within a body until close", "HTTP/1.1 200 OK\r\n\r\nhello"],
  ["behind hints", "HTTP/1.1 103 Early Hints\r\n\r\n"],
];

for (const [what, request] of CLIENTS) {
  for (const [when, answer] of ANSWERS) {
    // the first kind is watched by a read from the start, and an HTTP/1.0 client gets no hints
    if (what === "keeps its connection" || (what === "speaks HTTP/1.0" && when === "behind hints")) continue;
    proxied(
      `a client that ${what} and goes away ${when} is noticed though nothing more comes`,
      { settings: { halfClosedTimeout: 250 } },
      async (setting) => {
        const { connect, origin, exchanges } = setting;
        const client = await connect();
        await client.send(request(setting));
        const upstream = await origin.accept();
        await upstream.message();
        await upstream.send(answer);
        if (answer !== "") await client.head();
        client.close();
        assertEquals(await upstream.rest(), "", "the origin's connection ends soon");
        const exchange = await exchanges.next();
        assertEquals([exchange.truncated, exchange.ownAnswer], [true, false]);
      },
    );
  }

  proxied(`a client that ${what} is not cut while it waits for what comes behind hints`, {
    settings: { headTimeout: 500 },
  }, async (setting) => {
    const { connect, origin } = setting;
    const client = await connect();
    await client.send(request(setting));
    const upstream = await origin.accept();
    await upstream.message();
    await upstream.send("HTTP/1.1 103 Early Hints\r\n\r\n");
    // the end of a client that says nothing tells that several ticks of the clock have gone by
    assertEquals(await (await connect()).rest(), "");
    await upstream.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    assertEquals(await (await connect()).rest(), "");
    await upstream.send("2\r\nok\r\n");
    assertEquals(await (await connect()).rest(), "");
    await upstream.send("0\r\n\r\n");
    if (what !== "speaks HTTP/1.0") assertMatch(await client.head(), /^HTTP\/1\.1 103 /);
    assertEquals((await client.message()).content, "ok");
  });

  proxied(`a client that ${what} and half-closes gets an answer that comes in time`, async (setting) => {
    const { connect, origin } = setting;
    const client = await connect();
    await client.send(request(setting));
    await client.closeWrite();
    const upstream = await origin.accept();
    await upstream.message();
    await upstream.send(OK);
    assertEquals((await client.message()).content, "ok");
    assertEquals(await client.rest(), "");
  });
}
