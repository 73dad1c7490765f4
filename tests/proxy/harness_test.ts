/** The harness itself: that what the other tests stand on holds. */

import { assertEquals } from "@std/assert";
import { proxied } from "./harness.ts";
import { CAN_RESET } from "./peer.ts";

proxied("a request goes out and its answer comes back", async ({ origin, exchanges, connect }) => {
  const client = await connect();
  await client.send(`GET ${origin.url}/ HTTP/1.1\r\nHost: ${origin.authority}\r\n\r\n`);
  const upstream = await origin.accept();
  assertEquals((await upstream.message()).startLine, "GET / HTTP/1.1");
  await upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
  assertEquals((await client.message()).content, "hi");
  assertEquals((await exchanges.next()).status, 200);
  await origin.assertNoFurtherConnection();
});

proxied("an origin that answers by itself", async ({ origin, connect }) => {
  origin.answer((request) =>
    `HTTP/1.1 200 OK\r\nContent-Length: ${request.startLine.length}\r\n\r\n${request.startLine}`
  );
  const client = await connect();
  for (let i = 0; i < 3; i++) {
    await client.send(`GET ${origin.url}/${i} HTTP/1.1\r\nHost: ${origin.authority}\r\n\r\n`);
    assertEquals((await client.message()).content, `GET /${i} HTTP/1.1`);
  }
});

proxied(
  "a client can reset its connection",
  { ignore: !CAN_RESET },
  async ({ origin, exchanges, connect }) => {
    const client = await connect({ resettable: true });
    await client.send(`GET ${origin.url}/ HTTP/1.1\r\nHost: ${origin.authority}\r\n\r\n`);
    const upstream = await origin.accept();
    await upstream.message();
    client.reset();
    assertEquals(await upstream.rest(), "");
    assertEquals((await exchanges.next()).truncated, true);
  },
);

proxied(
  "an origin can reset its connection",
  { ignore: !CAN_RESET },
  async ({ resettableOrigin, exchanges, connect }) => {
    const { authority, accept } = await resettableOrigin();
    const client = await connect();
    await client.send(`GET http://${authority}/ HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
    const upstream = await accept();
    await upstream.message();
    await upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
    await client.upTo("\r\n\r\nhe");
    upstream.reset();
    assertEquals((await exchanges.next()).truncated, true);
  },
);
