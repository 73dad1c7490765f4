/** `origin-connections = "close"`: for origins that cannot keep a connection (RFC 9112 §9.6). */

import { assertEquals } from "@std/assert";
import { proxied, type Setting, SETTINGS } from "./harness.ts";
import { valuesOf } from "./peer.ts";

const CLOSE = { settings: { originConnections: "close" } } as const;

function get({ origin }: Setting, fields = ""): string {
  return `GET ${origin.url}/ HTTP/1.1\r\nHost: ${origin.authority}\r\n${fields}\r\n`;
}

proxied(
  "each request has a connection of its own and says so, and the client's goes on",
  CLOSE,
  async (s) => {
    const client = await s.connect();
    for (let i = 0; i < 3; i++) {
      await client.send(get(s));
      const upstream = await s.origin.accept();
      assertEquals(valuesOf(await upstream.message(), "connection"), ["close"]);
      // an origin that keeps it open all the same is not used again
      await upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
      const answer = await client.message();
      assertEquals([answer.content, valuesOf(answer, "connection")], ["hi", []]);
      assertEquals(await upstream.rest(), "");
      assertEquals((await s.exchanges.next()).reused, false);
    }
  },
);

proxied("a client that takes trailers still does", CLOSE, async (s) => {
  const client = await s.connect();
  await client.send(get(s, "TE: trailers\r\nConnection: TE\r\n"));
  const request = await (await s.origin.accept()).message();
  assertEquals(valuesOf(request, "te"), ["trailers"]);
  assertEquals(valuesOf(request, "connection"), ["TE", "close"]);
});

proxied("an upgrade is asked for as ever", CLOSE, async (s) => {
  const client = await s.connect();
  await client.send(get(s, "Connection: Upgrade\r\nUpgrade: websocket\r\n"));
  const request = await (await s.origin.accept()).message();
  assertEquals(valuesOf(request, "connection"), ["Upgrade"]);
});

proxied("what was kept before it was said is not used any more", async (s) => {
  const client = await s.connect();
  await client.send(get(s));
  const first = await s.origin.accept();
  assertEquals(valuesOf(await first.message(), "connection"), []);
  await first.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  await client.message();
  await s.exchanges.next();
  s.proxy.update({ ...SETTINGS, ...CLOSE.settings });
  assertEquals(await first.rest(), "");
  await client.send(get(s));
  const second = await s.origin.accept();
  assertEquals(valuesOf(await second.message(), "connection"), ["close"]);
  await second.send("HTTP/1.1 204 No Content\r\n\r\n");
  assertEquals((await client.message()).status, 204);
});
