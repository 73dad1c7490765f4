/** Responses that end when the connection does: complete if it ends without an error (RFC 9112 §8), and then stored. */

import { assertEquals } from "@std/assert";
import { AUTHORITY, KEY, VALID } from "../net/tls_certificates.ts";
import { cached, came, FRESH, gathered, hit, until } from "./cached.ts";
import { CAN_RESET, Peer, valuesOf } from "./peer.ts";
import { get } from "./round_trip.ts";

const HEAD = `HTTP/1.1 200 OK\r\n${FRESH}\r\n`;

for (const version of ["1.0", "1.1"]) {
  cached(`what ends by close is stored when it has ended cleanly (HTTP/${version})`, async (setting) => {
    const { origin } = setting;
    const { first, rest: [second], upstream } = await gathered(setting, 1);
    await upstream.send(HEAD.replace("1.1", version) + "one,");
    for (const client of [first, second]) await came(client, "one,");
    await upstream.send("two");
    upstream.close();
    for (const client of [first, second]) assertEquals((await client.message()).content, "one,two");
    const again = await hit(first, get(origin));
    assertEquals([again.content, valuesOf(again, "content-length")], ["one,two", ["7"]]);
    await origin.assertNoFurtherConnection();
  });
}

cached("what ends by close without a body is stored too", async (setting) => {
  const { origin } = setting;
  const { first, upstream } = await gathered(setting, 0);
  await upstream.send(HEAD);
  upstream.close();
  assertEquals((await first.message()).content, "");
  assertEquals((await hit(first, get(origin))).content, "");
});

cached("what is to end by close and is reset is cut, and not stored", async (setting) => {
  if (!CAN_RESET) return;
  const origin = await setting.resettableOrigin();
  const client = await setting.connect();
  await client.send(get(origin));
  const upstream = await origin.accept();
  await upstream.message();
  await upstream.send(HEAD + "one,");
  await came(client, "one,");
  upstream.reset();
  const rest = await client.rest();
  assertEquals(rest.endsWith("0\r\n\r\n"), false, rest);
  assertEquals([(await setting.exchanges.next()).truncated, setting.proxy.cache!.count], [true, 0]);
});

cached("what is to end by close and stalls is not stored", async (setting) => {
  const { first, upstream } = await gathered(setting, 0);
  await upstream.send(HEAD + "one,");
  const rest = await first.rest();
  assertEquals(rest.endsWith("0\r\n\r\n"), false, rest);
  assertEquals([(await setting.exchanges.next()).truncated, setting.proxy.cache!.count], [true, 0]);
}, { bodyTimeout: 1 });

/** An origin over TLS of which the TCP connection can be closed without TLS being so. */
class CutTls {
  readonly #outer = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #inner = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert: VALID, key: KEY });
  readonly port = this.#outer.addr.port;
  #ends: Deno.TcpConn[] = [];
  #peer: Peer | null = null;
  #copying: Promise<unknown> = Promise.resolve();

  async accept(): Promise<Peer> {
    const far = await this.#outer.accept();
    const [near, conn] = await Promise.all([
      Deno.connect({ hostname: "127.0.0.1", port: (this.#inner.addr as Deno.NetAddr).port }),
      this.#inner.accept(),
    ]);
    this.#ends = [far, near];
    this.#copying = Promise.all([copy(far, near), copy(near, far)]);
    return this.#peer = new Peer(conn);
  }

  /** Ends what weir sees as a whole as far as TCP can tell, and is cut short as TLS sees it. */
  async cut(): Promise<void> {
    await this.#ends[0].closeWrite();
  }

  async close(): Promise<void> {
    this.#peer?.close();
    for (const end of this.#ends) end.close();
    await this.#copying;
    this.#inner.close();
    this.#outer.close();
  }
}

async function copy(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(16 * 1024);
  try {
    for (let count; (count = await from.read(buffer)) !== null;) {
      for (let at = 0; at < count;) at += await to.write(buffer.subarray(at, count));
    }
    await to.closeWrite();
  } catch {
    // one of them is closed
  }
}

for (const how of ["cut", "close_notify"]) {
  const outcome = how === "cut" ? "not stored" : "stored";
  cached(`what is to end by close over TLS and ends with ${how} is ${outcome}`, async (setting) => {
    const origin = new CutTls();
    try {
      const client = await setting.connect();
      const request = `GET https://localhost:${origin.port}/ HTTP/1.1\r\nHost: x\r\n\r\n`;
      await client.send(request);
      const upstream = await origin.accept();
      await upstream.message();
      await upstream.send(HEAD + "one,two");
      await came(client, "one,two");
      if (how === "cut") {
        await origin.cut();
        assertEquals((await client.rest()).endsWith("0\r\n\r\n"), false);
        assertEquals([(await setting.exchanges.next()).truncated, setting.proxy.cache!.count], [true, 0]);
      } else {
        await upstream.closeWrite();
        assertEquals((await client.message()).content, "one,two");
        await until(() => setting.proxy.cache!.count === 1, "it is stored");
        assertEquals((await hit(client, request)).content, "one,two");
      }
    } finally {
      await origin.close();
    }
  }, { originCertificates: [AUTHORITY] });
}
