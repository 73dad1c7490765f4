import { assert, assertEquals, assertRejects } from "@std/assert";
import { abandonedHandshakes, startTlsTo, TlsError } from "../../src/net/tls.ts";
import { AUTHORITY, EXPIRED, KEY, NOT_YET, OTHER_NAME, SELF_SIGNED, VALID } from "./tls_certificates.ts";

const TRUSTED = { caCerts: [AUTHORITY] };

/** A connection to an origin that does with its end what it is told; `ended` settles when it has. */
async function connectTo(serve: (conn: Deno.Conn) => Promise<void>, tls?: Deno.TlsCertifiedKeyPem) {
  const address = { hostname: "127.0.0.1", port: 0 };
  const listener: Deno.Listener = tls === undefined
    ? Deno.listen(address)
    : Deno.listenTls({ ...address, ...tls, alpnProtocols: ["h2", "http/1.1"] });
  const ended = (async () => {
    const conn = await listener.accept();
    listener.close();
    // What becomes of the origin's end is not the question here.
    await serve(conn).catch(() => {});
    conn.close();
  })();
  const { port } = listener.addr as Deno.NetAddr;
  return { conn: await Deno.connect({ hostname: "127.0.0.1", port }), ended };
}

async function untilClosed(conn: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(1024);
  while (await conn.read(buffer) !== null);
}

/** How a handshake with an origin of that certificate fails. */
async function refusal(cert: string, hostname: string, caCerts = [AUTHORITY]): Promise<TlsError> {
  const { conn, ended } = await connectTo(untilClosed, { cert, key: KEY });
  const error = await assertRejects(() => startTlsTo(conn, hostname, { caCerts }), TlsError);
  await ended;
  return error;
}

Deno.test("a verified connection carries bytes both ways and speaks HTTP/1.1 (RFC 7301)", async () => {
  for (const hostname of ["localhost", "127.0.0.1", "::1"]) {
    const { conn, ended } = await connectTo(async (conn) => {
      const byte = new Uint8Array(1);
      await conn.read(byte);
      await conn.write(Uint8Array.of(byte[0] + 1));
      await untilClosed(conn);
    }, { cert: VALID, key: KEY });
    const tls = await startTlsTo(conn, hostname, TRUSTED);
    assertEquals((await tls.handshake()).alpnProtocol, "http/1.1");
    const byte = Uint8Array.of(41);
    await tls.write(byte);
    await tls.read(byte);
    assertEquals(byte[0], 42);
    tls.close();
    await ended;
  }
});

Deno.test("a certificate that is not to be trusted is refused, and the message says why", async () => {
  const cases: [string, string, string, string][] = [
    [EXPIRED, "localhost", "expired", "the certificate of localhost has expired"],
    [NOT_YET, "localhost", "expired", "the certificate of localhost is not valid yet"],
    [
      OTHER_NAME,
      "localhost",
      "wrong_name",
      "the certificate of localhost is not for that name, but for other.example",
    ],
    [
      VALID,
      "127.0.0.2",
      "wrong_name",
      "the certificate of 127.0.0.2 is not for that name, but for localhost, 127.0.0.1, 0::1",
    ],
    [
      SELF_SIGNED,
      "localhost",
      "certificate",
      "the certificate of localhost is an authority's own, with which no server is trusted: it needs one with " +
      "basicConstraints=CA:FALSE",
    ],
  ];
  for (const [cert, hostname, kind, message] of cases) {
    const error = await refusal(cert, hostname);
    assertEquals([error.kind, error.message], [kind, message]);
  }
});

Deno.test("an authority is trusted only where it was named", async () => {
  const error = await refusal(VALID, "localhost", []);
  assertEquals(error.kind, "unknown_issuer");
  assertEquals(error.message, "the certificate of localhost was issued by nobody who is trusted here");
});

Deno.test("a server's certificate that is an authority's is not trusted, be it named as one", async () => {
  assertEquals((await refusal(SELF_SIGNED, "localhost", [SELF_SIGNED])).kind, "certificate");
});

Deno.test("a name that no certificate can be for closes the connection", async () => {
  for (const hostname of ["a..b", "a b", "-a.example"]) {
    const error = await refusal(VALID, hostname);
    assertEquals(error.kind, "wrong_name");
  }
});

Deno.test("an origin that does not speak TLS is told as such", async () => {
  const { conn, ended } = await connectTo(async (conn) => {
    await conn.write(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n"));
    await untilClosed(conn);
  });
  const error = await assertRejects(() => startTlsTo(conn, "localhost", TRUSTED), TlsError);
  assertEquals([error.kind, error.message], [
    "protocol",
    "what answers on that port of localhost does not speak TLS",
  ]);
  await ended;
});

Deno.test("an origin that closes within the handshake is told as such", async () => {
  const { conn, ended } = await connectTo(async (conn) => {
    await conn.read(new Uint8Array(1024));
  });
  const error = await assertRejects(() => startTlsTo(conn, "localhost", TRUSTED), TlsError);
  assertEquals([error.kind, error.message], [
    "closed",
    "localhost closed the connection within the TLS handshake",
  ]);
  await ended;
});

Deno.test("an origin's alert is told in its words (RFC 8446 §6)", async () => {
  const { conn, ended } = await connectTo(async (conn) => {
    await conn.read(new Uint8Array(1024));
    // A record of type alert: fatal, handshake_failure.
    await conn.write(Uint8Array.of(21, 3, 3, 0, 2, 2, 40));
    await untilClosed(conn);
  });
  const error = await assertRejects(() => startTlsTo(conn, "localhost", TRUSTED), TlsError);
  assertEquals(error.kind, "alert");
  assert(/localhost refused the TLS handshake: .*HandshakeFailure/.test(error.message), error.message);
  await ended;
});

/** Deno tells nobody when such a handshake is over: to look again is all that can be done. */
async function untilNoneIsAbandoned(): Promise<void> {
  while (abandonedHandshakes() > 0) await new Promise((resolve) => setTimeout(resolve, 1));
}

Deno.test("a silent origin is given up when the signal says so, and counted until it closes", async () => {
  for (
    const [reason, kind] of [[undefined, "aborted"], [new DOMException("late", "TimeoutError"), "timeout"]]
  ) {
    const heard = Promise.withResolvers<void>();
    const close = Promise.withResolvers<void>();
    const { conn, ended } = await connectTo(async (conn) => {
      await conn.read(new Uint8Array(1024));
      heard.resolve();
      await close.promise;
    });
    const controller = new AbortController();
    const handshake = assertRejects(
      () => startTlsTo(conn, "localhost", { ...TRUSTED, signal: controller.signal }),
      TlsError,
    );
    await heard.promise;
    controller.abort(reason);
    assertEquals((await handshake).kind, kind);
    assertEquals(abandonedHandshakes(), 1);
    close.resolve();
    await ended;
    await untilNoneIsAbandoned();
  }
});

Deno.test("no handshake begins while too many that were given up are open", async () => {
  // Connections that the system takes and nobody accepts: silent origins.
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const connect = () => Deno.connect({ hostname: "127.0.0.1", port });
  const controller = new AbortController();
  const conns = await Promise.all(Array.from({ length: 256 }, connect));
  const handshakes = conns.map((conn) =>
    assertRejects(() => startTlsTo(conn, "localhost", { ...TRUSTED, signal: controller.signal }), TlsError)
  );
  const last = await connect();
  controller.abort();
  for (const error of await Promise.all(handshakes)) assertEquals(error.kind, "aborted");
  assertEquals(abandonedHandshakes(), 256);
  const error = await assertRejects(() => startTlsTo(last, "localhost", TRUSTED), TlsError);
  assertEquals(error.kind, "exhausted");

  listener.close();
  await untilNoneIsAbandoned();
});

Deno.test("a signal that has spoken already closes the connection", async () => {
  const { conn, ended } = await connectTo(untilClosed);
  const signal = AbortSignal.abort();
  const error = await assertRejects(() => startTlsTo(conn, "localhost", { ...TRUSTED, signal }), TlsError);
  assertEquals(error.kind, "aborted");
  await ended;
});

Deno.test("a signal after the handshake changes nothing", async () => {
  const { conn, ended } = await connectTo(async (conn) => {
    await conn.write(Uint8Array.of(42));
    await untilClosed(conn);
  }, { cert: VALID, key: KEY });
  const controller = new AbortController();
  const tls = await startTlsTo(conn, "localhost", { ...TRUSTED, signal: controller.signal });
  controller.abort();
  assertEquals(await tls.read(new Uint8Array(1)), 1);
  tls.close();
  await ended;
});
