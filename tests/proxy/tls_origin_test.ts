/** `https://` in absolute form: fetched over TLS, the origin's certificate verified (http-rules §2). */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { AUTHORITY, EXPIRED, KEY, NOT_YET, OTHER_NAME, SELF_SIGNED, VALID } from "../net/tls_certificates.ts";
import { proxied, type Setting, type SettingOptions } from "./harness.ts";
import { Peer, valuesOf } from "./peer.ts";
import { get, OK } from "./round_trip.ts";

const TRUSTED: SettingOptions = { settings: { originCertificates: [AUTHORITY] } };

/** An origin that speaks TLS, and a test whose connections to it are closed at its end. */
class TlsOrigin implements Disposable {
  readonly #listener: Deno.TlsListener;
  readonly #peers: Peer[] = [];

  constructor(cert = VALID) {
    this.#listener = Deno.listenTls({
      hostname: "127.0.0.1",
      port: 0,
      cert,
      key: KEY,
      alpnProtocols: ["http/1.1"],
    });
  }

  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  async accept(): Promise<Peer> {
    const peer = new Peer(await this.#listener.accept());
    this.#peers.push(peer);
    return peer;
  }

  [Symbol.dispose](): void {
    for (const peer of this.#peers) peer.close();
    this.#listener.close();
  }
}

function tls(name: string, options: SettingOptions, run: (setting: Setting) => Promise<void>): void {
  proxied(name, { ...options, settings: { ...TRUSTED.settings, ...options.settings } }, run);
}

function https(port: number, path = "/", ...lines: string[]): string {
  return `GET https://localhost:${port}${path} HTTP/1.1\r\nHost: x\r\n${
    lines.map((line) => line + "\r\n").join("")
  }\r\n`;
}

tls("https:// is fetched over TLS (RFC 9110 §4.2.2)", {}, async ({ connect, exchanges }) => {
  using origin = new TlsOrigin();
  const client = await connect();
  await client.send(https(origin.port, "/a?b"));
  const upstream = await origin.accept();
  const sent = await upstream.message();
  assertEquals(sent.startLine, "GET /a?b HTTP/1.1");
  assertEquals(valuesOf(sent, "host"), [`localhost:${origin.port}`]);
  await upstream.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n");
  assertEquals((await client.message()).content, "ok");
  const exchange = await exchanges.next();
  assertEquals([exchange.scheme, exchange.target], ["https", `https://localhost:${origin.port}/a?b`]);
  // both connections go on
  await client.send(https(origin.port, "/2"));
  assertEquals((await upstream.message()).startLine, "GET /2 HTTP/1.1");
  await upstream.send(OK);
  assertEquals((await client.message()).content, "ok");
  assertEquals((await exchanges.next()).reused, true);
});

tls("an address may be certified too (RFC 9110 §4.3.5)", {}, async ({ connect }) => {
  using origin = new TlsOrigin();
  const client = await connect();
  await client.send(https(origin.port).replace("localhost", "127.0.0.1"));
  const upstream = await origin.accept();
  await upstream.message();
  await upstream.send(OK);
  assertEquals((await client.message()).content, "ok");
});

tls("a body goes to a TLS origin as to any other (RFC 9112 §6)", {}, async ({ connect }) => {
  using origin = new TlsOrigin();
  const client = await connect();
  const body = "0123456789".repeat(100_000);
  const sending = client.send(
    `POST https://localhost:${origin.port}/ HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  const upstream = await origin.accept();
  const sent = await upstream.message();
  await sending;
  assert(sent.content === body);
  await upstream.send(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  assert((await client.message()).content === body);
});

tls("an http:// connection never serves https://, nor the other way (http-rules §5)", {}, async (setting) => {
  const { connect, origin: plain, exchanges } = setting;
  using origin = new TlsOrigin();
  const client = await connect();
  await client.send(https(origin.port));
  const upstream = await origin.accept();
  await upstream.message();
  await upstream.send(OK);
  assertEquals((await client.message()).content, "ok");
  // the kept connection leads to the same host and port: it must not be taken for plain HTTP
  await client.send(https(origin.port).replace("https:", "http:"));
  const garbled = await origin.accept();
  await garbled.rest().catch(() => "");
  garbled.close();
  assertEquals((await client.message()).status, 502);
  await exchanges.next();
  assertEquals((await exchanges.next()).reused, false);
  await plain.assertNoFurtherConnection();
});

/** Certificates that are not to be trusted, and what the answer says. */
const BAD: [what: string, certificate: string, host: string, says: RegExp][] = [
  ["for another name", OTHER_NAME, "localhost", /not for that name/],
  ["for another name than the one asked for", VALID, "other.localhost", /not for that name/],
  ["that has expired", EXPIRED, "localhost", /has expired/],
  ["that is not valid yet", NOT_YET, "localhost", /not valid yet/],
  ["that is an authority's", SELF_SIGNED, "localhost", /authority's own/],
];
for (const [what, certificate, host, says] of BAD) {
  tls(
    `a certificate ${what}: 502, and nothing is sent (RFC 9110 §4.3.4)`,
    {},
    async ({ connect, exchanges }) => {
      using origin = new TlsOrigin(certificate);
      const client = await connect();
      await client.send(https(origin.port, "/secret").replace("localhost", host));
      const upstream = await origin.accept();
      const seen = await upstream.rest().catch(() => "");
      assertEquals(seen, "");
      const answer = await client.message();
      assertEquals(answer.status, 502);
      assertMatch(answer.startLine, says);
      assertStringIncludes(valuesOf(answer, "proxy-status")[0], "error=tls_certificate_error");
      const exchange = await exchanges.next();
      assertEquals([exchange.error, exchange.originStatus], ["tls_certificate_error", 0]);
      // the client's connection goes on
      await client.send("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
      assertEquals((await client.message()).status, 200);
    },
  );
}

proxied("an authority that nobody named is not trusted (RFC 9110 §4.3.4)", async ({ connect, exchanges }) => {
  using origin = new TlsOrigin();
  const client = await connect();
  await client.send(https(origin.port));
  const upstream = await origin.accept();
  await upstream.rest().catch(() => "");
  const answer = await client.message();
  assertEquals(answer.status, 502);
  assertMatch(answer.startLine, /issued by nobody who is trusted here/);
  assertEquals((await exchanges.next()).error, "tls_certificate_error");
});

tls("an origin that speaks no TLS: 502 (RFC 9209 §2.3.12)", {}, async ({ connect, origin, exchanges }) => {
  const client = await connect();
  await client.send(https(origin.port));
  const upstream = await origin.accept();
  await upstream.send("HTTP/1.1 400 Bad Request\r\n\r\n");
  const answer = await client.message();
  assertEquals(answer.status, 502);
  assertMatch(answer.startLine, /does not speak TLS/);
  assertEquals((await exchanges.next()).error, "tls_protocol_error");
});

tls("an origin that closes within the handshake: 502 (RFC 9209 §2.3.12)", {}, async (setting) => {
  const { connect, origin, exchanges } = setting;
  const client = await connect();
  await client.send(https(origin.port));
  const upstream = await origin.accept();
  await upstream.some();
  upstream.close();
  assertEquals((await client.message()).status, 502);
  assertEquals((await exchanges.next()).error, "tls_protocol_error");
});

tls(
  "an origin that says nothing in the handshake: 504 (RFC 9110 §15.6.5)",
  { settings: { connectTimeout: 300 } },
  async ({ connect, origin, exchanges }) => {
    const client = await connect();
    await client.send(https(origin.port));
    const upstream = await origin.accept();
    assertEquals((await client.message()).status, 504);
    assertEquals((await exchanges.next()).error, "connection_timeout");
    upstream.close();
  },
);

/** Hands bytes on both ways until it is cut, as a cable would be. */
class Wire implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #ends: Deno.Conn[] = [];
  #carrying: Promise<unknown> = Promise.resolve();

  constructor(readonly to: number) {}

  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  async carry(): Promise<void> {
    const near = await this.#listener.accept();
    const far = await Deno.connect({ hostname: "127.0.0.1", port: this.to });
    this.#ends.push(near, far);
    this.#carrying = Promise.allSettled([this.#copy(near, far), this.#copy(far, near)]);
  }

  async #copy(from: Deno.Conn, to: Deno.Conn): Promise<void> {
    const buffer = new Uint8Array(16 * 1024);
    for (let count; (count = await from.read(buffer)) !== null;) {
      for (let at = 0; at < count;) at += await to.write(buffer.subarray(at, count));
    }
  }

  /** Closes both sides in the middle of whatever goes on. */
  async cut(): Promise<void> {
    for (const end of this.#ends.splice(0)) end.close();
    await this.#carrying;
  }

  [Symbol.dispose](): void {
    this.#listener.close();
  }
}

tls("a body until close whose TLS ends without saying so is cut (RFC 9112 §9.8)", {}, async (setting) => {
  const { connect, exchanges } = setting;
  using origin = new TlsOrigin();
  using wire = new Wire(origin.port);
  const client = await connect();
  await client.send(https(wire.port));
  const [upstream] = await Promise.all([origin.accept(), wire.carry()]);
  await upstream.message();
  await upstream.send("HTTP/1.1 200 OK\r\n\r\nhello");
  await client.upTo("5\r\nhello\r\n");
  await wire.cut();
  assertEquals(await client.rest(), "", "no last chunk");
  assertEquals((await exchanges.next()).truncated, true);
});

tls("a body until close whose TLS ends as it should is whole (RFC 9112 §9.8)", {}, async (setting) => {
  const { connect, exchanges } = setting;
  using origin = new TlsOrigin();
  const client = await connect();
  await client.send(https(origin.port));
  const upstream = await origin.accept();
  await upstream.message();
  await upstream.send("HTTP/1.1 200 OK\r\n\r\nhello");
  upstream.close();
  assertEquals((await client.message()).content, "hello");
  assertEquals((await exchanges.next()).truncated, false);
});

tls("an upgrade works over TLS (RFC 9110 §7.8)", {}, async ({ connect }) => {
  using origin = new TlsOrigin();
  const client = await connect();
  await client.send(https(origin.port, "/", "Connection: upgrade", "Upgrade: x") + "early");
  const upstream = await origin.accept();
  await upstream.head();
  await upstream.send("HTTP/1.1 101 Yes\r\nUpgrade: x\r\n\r\nhello");
  assertMatch(await client.head(), /^HTTP\/1\.1 101 /);
  assertEquals(await client.exactly(5), "hello");
  assertEquals(await upstream.exactly(5), "early");
  client.close();
  assertEquals(await upstream.rest(), "");
});

proxied(
  "TLS through a tunnel is between client and origin (RFC 9110 §9.3.6)",
  async ({ addresses, exchanges }) => {
    using origin = new TlsOrigin();
    const { hostname, port } = addresses[0];
    const plain = await Deno.connect({ hostname, port });
    const client = new Peer(plain);
    await client.send(`CONNECT localhost:${origin.port} HTTP/1.1\r\nHost: a\r\n\r\n`);
    assertMatch(await client.head(), /^HTTP\/1\.1 200 /);
    const secure = new Peer(await Deno.startTls(plain, { hostname: "localhost", caCerts: [AUTHORITY] }));
    const accepted = origin.accept();
    await secure.send(get({ authority: "localhost" }));
    const upstream = await accepted;
    assertMatch((await upstream.message()).startLine, /^GET http:\/\/localhost\/ /);
    await upstream.send(OK);
    assertEquals((await secure.message()).content, "ok");
    secure.close();
    upstream.close();
    const exchange = await exchanges.next();
    assertEquals([exchange.kind, exchange.target], ["tunnel", `localhost:${origin.port}`]);
  },
);

tls("an upgrade with a body is offered on over TLS (RFC 9110 §7.8)", {}, async ({ connect }) => {
  using origin = new TlsOrigin();
  const client = await connect();
  const lines = ["Connection: upgrade", "Upgrade: tcp", "Content-Length: 2"];
  await client.send(https(origin.port, "/exec", ...lines).replace("GET", "POST") + "hi" + "early");
  const upstream = await origin.accept();
  const sent = await upstream.message();
  assertEquals([sent.content, valuesOf(sent, "upgrade")], ["hi", ["tcp"]]);
  await upstream.send("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nhello");
  assertMatch(await client.head(), /^HTTP\/1\.1 101 /);
  assertEquals([await client.exactly(5), await upstream.exactly(5)], ["hello", "early"]);
});
