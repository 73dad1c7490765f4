import { assert, assertEquals } from "@std/assert";
import { AUTHORITY, EXPIRED, KEY, NOT_YET, OTHER_NAME, VALID } from "../net/tls_certificates.ts";
import { Folder, runWeir, Weir } from "./weir.ts";

const OTHER_KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgOTHER
-----END PRIVATE KEY-----
`;

async function files(cert: string, key = KEY) {
  const folder = await Folder.make();
  const args = [
    ...["--listen-tls", "127.0.0.1:0", "--tls-cert", await folder.write("cert.pem", cert)],
    ...["--tls-key", await folder.write("key.pem", key)],
  ];
  return { folder, args, permissions: [`--allow-read=${folder.path}`] };
}

Deno.test("a certificate or a key that cannot be used is told at the start", async () => {
  for (
    const [cert, key, wanted] of [
      ["nothing", KEY, "cert.pem holds no certificate"],
      [VALID, "nothing", "key.pem holds no key"],
      [VALID, OTHER_KEY, "the key is damaged"],
      [VALID.replace("MII", "MIJ"), KEY, "the certificate is damaged"],
      [VALID, KEY.replaceAll("PRIVATE", "ENCRYPTED PRIVATE"), "wants a password"],
    ]
  ) {
    const { folder, args, permissions } = await files(cert, key);
    await using _folder = folder;
    const { code, err } = await runWeir(args, { permissions });
    assertEquals(code, 3, err);
    assert(err.includes(wanted), err);
  }
});

Deno.test("a certificate out of its time is told of, and shown all the same", async () => {
  for (
    const [cert, wanted] of [[EXPIRED, "expired on 2021-01-01"], [NOT_YET, "not valid before 2110-01-01"]]
  ) {
    const { folder, args, permissions } = await files(cert);
    await using _folder = folder;
    await using weir = await Weir.start(args, { permissions });
    await weir.said(wanted);
  }
});

/** How a connection that was closed before its handshake was over looks, by the moment. */
const RESETS = [
  Deno.errors.BrokenPipe,
  Deno.errors.ConnectionReset,
  Deno.errors.NotConnected,
  Deno.errors.UnexpectedEof,
];

/** Whether a client that trusts the tests' authority takes what is shown for this name. */
async function shows(port: number, hostname: string): Promise<boolean> {
  let conn: Deno.TlsConn | undefined;
  try {
    const plain = await Deno.connect({ hostname: "127.0.0.1", port });
    conn = await Deno.startTls(plain, { hostname, caCerts: [AUTHORITY] });
    await conn.handshake();
    return true;
  } catch (error) {
    // who comes in the very moment of a change has to try again
    if (RESETS.some((kind) => error instanceof kind)) return await shows(port, hostname);
    assert(String(error).includes("certificate"), String(error));
    return false;
  } finally {
    conn?.close();
  }
}

Deno.test("the banner tells of listeners over TLS, and SIGHUP reads the certificate again", async () => {
  const { folder, args, permissions } = await files(VALID);
  await using _folder = folder;
  await using weir = await Weir.start(args, { permissions });
  const port = Number(/over TLS on 127\.0\.0\.1:([0-9]+)/.exec(weir.err)?.[1]);
  assertEquals(await shows(port, "localhost"), true);
  await folder.write("cert.pem", "nothing");
  weir.signal("SIGHUP");
  const from = await weir.said("error: SIGHUP: the old configuration stays in force");
  assertEquals(await shows(port, "localhost"), true);
  await folder.write("cert.pem", OTHER_NAME);
  weir.signal("SIGHUP");
  await weir.said("is in force", from);
  assertEquals([await shows(port, "localhost"), await shows(port, "other.example")], [false, true]);
});

Deno.test("a file names certificates as seen from its own folder", async () => {
  await using folder = await Folder.make();
  await folder.write("cert.pem", VALID);
  await folder.write("key.pem", KEY);
  const config = await folder.write(
    "weir.toml",
    'listen-tls = "127.0.0.1:0"\ntls-cert = "cert.pem"\ntls-key = "key.pem"\n',
  );
  await using weir = await Weir.start(["-c", config], { permissions: [`--allow-read=${folder.path}`] });
  assert(weir.err.includes("over TLS on 127.0.0.1:"));
});

Deno.test("a port over TLS that another program has is told with what to write", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { folder, args, permissions } = await files(VALID);
  await using _folder = folder;
  const place = `127.0.0.1:${taken.addr.port}`;
  const { code, err } = await runWeir(["-l", "127.0.0.1:0", ...args.with(1, place)], { permissions });
  assertEquals(code, 1);
  assert(err.includes(`${place} is taken`) && err.includes("--listen-tls"), err);
});

Deno.test("who trusts a proxy has to say who may come through it", async () => {
  const { code, err } = await runWeir(["-l", "127.0.0.1:0", "--trust-proxy", "127.0.0.1"]);
  assertEquals(code, 3);
  assert(err.includes("a trusted proxy may let anybody in at 127.0.0.1:0"), err);
  await using _weir = await Weir.start(["--trust-proxy", "127.0.0.1", "--clients", "all"]);
});

Deno.test("authorities that the platform is told of are read at the start, not when there may be no descriptor", async () => {
  await using folder = await Folder.make();
  const file = await folder.write("extra.pem", AUTHORITY);
  await using weir = await Weir.start([], { env: { DENO_CERT: file } });
  await folder.write("extra.pem", "");
  using listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert: VALID, key: KEY });
  const answered = answerOnce(listener);
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: weir.port });
  const host = `localhost:${listener.addr.port}`;
  const head = `GET https://${host}/ HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
  await connection.write(new TextEncoder().encode(head));
  const answer = await new Response(connection.readable).text();
  assertEquals(answer.slice(0, 12), "HTTP/1.1 204", answer);
  await answered;
});

async function answerOnce(listener: Deno.TlsListener): Promise<void> {
  using connection = await listener.accept();
  try {
    await connection.read(new Uint8Array(4096));
    await connection.write(new TextEncoder().encode("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"));
  } catch {
    // its certificate was not trusted: the answer tells
  }
}
