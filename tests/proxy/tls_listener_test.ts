/** Clients that speak TLS to the proxy itself. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { AUTHORITY, KEY, SELF_SIGNED, VALID } from "../net/tls_certificates.ts";
import { proxied, type Setting, type SettingOptions, SETTINGS } from "./harness.ts";
import type { Peer } from "./peer.ts";
import { ask5, HELLO } from "./socks_words.ts";

const OVER_TLS: SettingOptions = {
  settings: { certificate: { cert: VALID, key: KEY } },
  listenTls: [{ hostname: "127.0.0.1", port: 0 }],
};

const tls = (setting: Setting) => setting.connect({ to: setting.addresses[1], tls: AUTHORITY });

function get({ origin }: Setting): string {
  return `GET ${origin.url}/ HTTP/1.1\r\nHost: ${origin.authority}\r\n\r\n`;
}

proxied("requests, tunnels and SOCKS go over TLS as they do without", OVER_TLS, async (setting) => {
  const { origin, exchanges, addresses } = setting;
  const client = await tls(setting);
  let upstream: Peer | null = null;
  for (let i = 0; i < 2; i++) {
    await client.send(get(setting));
    upstream ??= await origin.accept();
    await upstream.message();
    await upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    assertEquals((await client.message()).content, "hi");
    assertEquals((await exchanges.next()).listener, `127.0.0.1:${addresses[1].port}`);
  }
  client.close();
  for (
    const [ask, length] of [
      [`CONNECT ${origin.authority} HTTP/1.1\r\nHost: ${origin.authority}\r\n\r\n`, 39],
      [HELLO + ask5(origin.authority), 12],
    ] as const
  ) {
    const other = await tls(setting);
    await other.send(ask);
    const answer = await other.exactly(length);
    assert(answer.startsWith("HTTP/1.1 200 ") || answer.startsWith("\x05\0\x05\0"), answer);
    const through = await origin.accept();
    const block = "0123456789abcdef".repeat(65_536 / 16);
    await other.send(block);
    assertEquals(await through.exactly(block.length), block);
    await through.send(block);
    assertEquals(await other.exactly(block.length), block);
    await other.closeWrite();
    assertEquals(await through.rest(), "");
    through.close();
    assertEquals(await other.rest(), "");
    assertEquals((await exchanges.next()).status, 200);
  }
});

proxied("a client that speaks no TLS there is told of in the log", OVER_TLS, async (setting) => {
  const client = await setting.connect({ to: setting.addresses[1] });
  await client.send(get(setting));
  await client.rest();
  await setting.exchanges.until(() => setting.exchanges.notices.length > 0);
  assert(setting.exchanges.notices[0].message.includes("https://"), setting.exchanges.notices[0].message);
  assertEquals(setting.exchanges.all, []);
});

proxied("TLS where there is none is told of as well", OVER_TLS, async (setting) => {
  await assertRejects(() => setting.connect({ tls: AUTHORITY }));
  await setting.exchanges.until(() => setting.exchanges.notices.length > 0);
  assert(setting.exchanges.notices[0].message.includes("began with TLS"));
});

proxied("a client that does not shake hands takes a place, and does not keep it for ever", {
  ...OVER_TLS,
  settings: { ...OVER_TLS.settings, headTimeout: 1, maxConnections: 2 },
}, async (setting) => {
  const silent = await setting.connect({ to: setting.addresses[1] });
  await setting.exchanges.until(() => setting.exchanges.notices.length > 1);
  const told = setting.exchanges.notices.map(({ message }) => message).join("\n");
  assert(told.includes("no TLS handshake in time"), told);
  // half of all connections may be in handshakes: the next waits until that one ends
  const waiting = tls(setting);
  const plain = await setting.connect();
  await plain.send(get(setting));
  const upstream = await setting.origin.accept();
  await upstream.message();
  await upstream.send("HTTP/1.1 204 No Content\r\n\r\n");
  assertEquals((await plain.message()).status, 204);
  silent.close();
  plain.close();
  const client = await waiting;
  client.close();
});

proxied("limits hold over TLS, and are told there", {
  ...OVER_TLS,
  settings: { ...OVER_TLS.settings, maxConnectionsPerLocalClient: 1 },
}, async (setting) => {
  const first = await tls(setting);
  await first.send(get(setting));
  const upstream = await setting.origin.accept();
  await upstream.message();
  const second = await tls(setting);
  assertEquals((await second.message()).status, 503);
  await upstream.send("HTTP/1.1 204 No Content\r\n\r\n");
  assertEquals((await first.message()).status, 204);
});

proxied("a listener over TLS is one of weir's own", OVER_TLS, async (setting) => {
  const client = await tls(setting);
  const own = `127.0.0.1:${setting.addresses[1].port}`;
  await client.send(`CONNECT ${own} HTTP/1.1\r\nHost: ${own}\r\n\r\n`);
  assertEquals((await client.message()).status, 502);
  assertEquals((await setting.exchanges.next()).error, "proxy_loop_detected");
});

/** A client that comes in the very moment of a change is reset, and tries again. */
async function tlsAgain(setting: Setting): Promise<Peer> {
  for (;;) {
    try {
      return await tls(setting);
    } catch (error) {
      if (error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.UnexpectedEof) {
        continue;
      }
      throw error;
    }
  }
}

proxied("another certificate is shown from then on, and connections go on", OVER_TLS, async (setting) => {
  const { proxy, origin, addresses } = setting;
  origin.answer("HTTP/1.1 204 No Content\r\n\r\n");
  const client = await tls(setting);
  await client.send(get(setting));
  assertEquals((await client.message()).status, 204);
  const before = { ...SETTINGS, ...OVER_TLS.settings };
  proxy.update({ ...before });
  proxy.update({ ...before, certificate: { cert: SELF_SIGNED, key: KEY } });
  await client.send(get(setting));
  assertEquals((await client.message()).status, 204);
  await assertRejects(() => tlsAgain(setting), Error, "certificate");
  proxy.update(before);
  const other = await tlsAgain(setting);
  await other.send(get(setting));
  assertEquals((await other.message()).status, 204);
  assertEquals(addresses.length, 2);
});

proxied("a drain ends handshakes and idle connections, and waits for the rest", OVER_TLS, async (setting) => {
  const silent = await setting.connect({ to: setting.addresses[1] });
  const idle = await tls(setting);
  const busy = await tls(setting);
  await busy.send(get(setting));
  const upstream = await setting.origin.accept();
  await upstream.message();
  const drained = setting.proxy.drain();
  assertEquals(await idle.rest(), "");
  await upstream.send("HTTP/1.1 204 No Content\r\n\r\n");
  assertEquals((await busy.message()).status, 204);
  await drained;
  silent.close();
});
