/** Reading a head, as seen from outside (http-rules §1). */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { REFUSED_HEADS } from "../http/corpus.ts";
import { proxied } from "./harness.ts";
import { get, OK, roundTrip } from "./round_trip.ts";

// where SOCKS is spoken too, its first bytes are no head
const HTTP_ALONE = { settings: { socks: false } };

for (const { rule, message, status } of REFUSED_HEADS) {
  const name = `${rule}: ${status}, closed, nothing sent`;
  proxied(name, HTTP_ALONE, async ({ connect, origin, exchanges }) => {
    const client = await connect();
    // what follows must never be taken for a request
    await client.send(message.replaceAll("example.com", origin.authority));
    const answer = await client.message();
    assertEquals(answer.status, status);
    assertMatch(answer.head, /\r\nConnection: close\r\n/);
    assertEquals(await client.rest(), "");
    client.close();
    const exchange = await exchanges.next();
    assertEquals([exchange.status, exchange.error], [status, "http_request_error"]);
    await origin.assertNoFurtherConnection();
  });
}

proxied("a head means the same at every split (RFC 9112 §2.2)", async (setting) => {
  const { origin, connect } = setting;
  origin.answer((request) => {
    const said = JSON.stringify(request.head);
    return `HTTP/1.1 200 OK\r\nContent-Length: ${said.length}\r\n\r\n${said}`;
  });
  const head = get(origin, "/a?b", "A: 1", "Cookie: x=y", "Empty:", "Connection: a", "B:\t 2 \t");
  const client = await connect();
  await client.send(head);
  const whole = await client.message();
  assertStringIncludes(whole.content, "GET /a?b HTTP/1.1");
  for (let at = 1; at < head.length; at++) {
    await client.sendInPieces([head.slice(0, at), head.slice(at)]);
    assertEquals((await client.message()).content, whole.content, `split at ${at}`);
  }
});

proxied("a head may come byte by byte (RFC 9112 §2.2)", async (setting) => {
  const client = await setting.connect();
  await client.sendInPieces("\r\n" + get(setting.origin, "/", "A: 1"));
  const upstream = await setting.origin.accept();
  assertEquals((await upstream.message()).fields[1], ["A", "1"]);
  await upstream.send(OK);
  assertEquals((await client.message()).content, "ok");
});

proxied("an origin's head may come byte by byte (RFC 9112 §2.2)", async ({ connect, origin }) => {
  const client = await connect();
  await client.send(get(origin));
  const upstream = await origin.accept();
  await upstream.message();
  await upstream.sendInPieces("HTTP/1.1 200 OK\r\nA: 1\r\nContent-Length: 5\r\n\r\nhello");
  const got = await client.message();
  assertEquals([got.startLine, got.fields[0], got.content], ["HTTP/1.1 200 OK", ["A", "1"], "hello"]);
});

proxied("empty lines before a request are skipped (RFC 9112 §2.2)", async (setting) => {
  const { sent } = await roundTrip(setting, "\r\n\r\n" + get(setting.origin));
  assertEquals(sent.startLine, "GET / HTTP/1.1");
});

proxied("empty lines between requests are skipped (RFC 9112 §2.2)", async (setting) => {
  const { origin } = setting;
  const { client, upstream } = await roundTrip(setting, get(origin));
  await client.send("\r\n" + get(origin, "/2"));
  assertEquals((await upstream.message()).startLine, "GET /2 HTTP/1.1");
  await upstream.send(OK);
  assertEquals((await client.message()).status, 200);
});

proxied("nothing but empty lines asks for nothing", async ({ connect, exchanges }) => {
  const client = await connect();
  await client.send("\r\n\r\n");
  await client.closeWrite();
  assertEquals(await client.rest(), "");
  assertEquals(exchanges.all, []);
});

proxied("a client that ends within a head is recorded and not answered", async ({ connect, exchanges }) => {
  const client = await connect();
  await client.send("GET http://a.example/ HT");
  await client.closeWrite();
  assertEquals(await client.rest(), "");
  const exchange = await exchanges.next();
  assertEquals([exchange.status, exchange.truncated, exchange.error], [0, true, "http_request_error"]);
});

proxied("a request line of 8,000 octets works (RFC 9112 §3)", async (setting) => {
  const path = "/" + "a".repeat(8000);
  const { sent } = await roundTrip(setting, get(setting.origin, path));
  assertEquals(sent.startLine, `GET ${path} HTTP/1.1`);
});

proxied("a head as large as the limit works", { settings: { maxHeadSize: 20_000 } }, async (setting) => {
  const empty = get(setting.origin, "/", "A: ");
  const head = get(setting.origin, "/", "A: " + "a".repeat(20_000 - empty.length));
  assertEquals(head.length, 20_000);
  const { got } = await roundTrip(setting, head);
  assertEquals(got.status, 200);
});

/** Requests beyond a limit of 4,000 bytes and 20 fields. */
const TOO_LARGE: [what: string, lines: (url: string) => string, status: number][] = [
  ["a target without an end", (url) => `GET ${url}/${"a".repeat(4000)}`, 414],
  ["a long target", (url) => `GET ${url}/${"a".repeat(4000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414],
  ["a long method", () => "A".repeat(4000), 414],
  ["a long value", (url) => `GET ${url}/ HTTP/1.1\r\nA: ${"a".repeat(4000)}`, 431],
  ["a long name", (url) => `GET ${url}/ HTTP/1.1\r\n${"A".repeat(4000)}`, 431],
  [
    "one byte too many",
    (url) => `GET ${url}/ HTTP/1.1\r\nHost: a\r\nA: `.padEnd(3997, "a") + "\r\n\r\n",
    431,
  ],
  ["many fields", (url) => `GET ${url}/ HTTP/1.1\r\nHost: a\r\n${"A: b\r\n".repeat(20)}\r\n`, 431],
];
for (const [what, lines, status] of TOO_LARGE) {
  for (const pieces of [1, 100]) {
    proxied(
      `${what} in ${pieces} pieces is beyond the limit: ${status} (RFC 6585 §5, RFC 9110 §15.5.15)`,
      { settings: { maxHeadSize: 4000, maxFields: 20 } },
      async ({ connect, origin, exchanges }) => {
        const client = await connect();
        const message = lines(origin.url);
        const size = Math.ceil(message.length / pieces);
        for (let at = 0; at < message.length; at += size) await client.send(message.slice(at, at + size));
        const answer = await client.message();
        assertEquals(answer.status, status);
        assertMatch(answer.head, /\r\nConnection: close\r\n/);
        assertEquals((await exchanges.next()).status, status);
        await origin.assertNoFurtherConnection();
      },
    );
  }
}

const STRICT = { settings: { originTolerance: "strict" } } as const;

/** Origins' heads that are answered with 502 where no tolerance is wanted. */
const BAD_RESPONSES: [what: string, response: string][] = [
  ["a bare LF", "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n"],
  ["a bare CR", "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n"],
  ["a NUL", "HTTP/1.1 200 OK\r\nA: \0\r\n\r\n"],
  ["a folded line (RFC 9112 §5.2)", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n"],
  ["white space before the colon", "HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n"],
  ["an empty line first", "\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"],
  ["HTTP/0.9", "<html>hello</html>\r\n\r\n"],
  ["HTTP/2", "HTTP/2 200\r\n\r\n"],
  ["HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n"],
  ["HTTP/0.9 with a head", "HTTP/0.9 200 OK\r\n\r\n"],
  ["lower case", "http/1.1 200 OK\r\n\r\n"],
  ["another protocol", "SSH-2.0-OpenSSH_9.9\r\n\r\n"],
  ["a status of two digits", "HTTP/1.1 20 OK\r\n\r\n"],
  ["a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n"],
  ["a status below 100", "HTTP/1.1 099 OK\r\n\r\n"],
  ["two spaces", "HTTP/1.1  200 OK\r\n\r\n"],
  ["a TLS alert", "\x15\x03\x01\0\x02\x02\x28"],
  ["more fields than the limit", `HTTP/1.1 200 OK\r\n${"A: b\r\n".repeat(257)}\r\n`],
  ["more bytes than the limit", `HTTP/1.1 200 OK\r\nA: ${"a".repeat(65536)}`],
  ["a head cut short", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"],
  ["nothing", ""],
];
for (const [what, response] of BAD_RESPONSES) {
  proxied(`an origin that answers with ${what}: 502, nothing of it passed on`, STRICT, async (setting) => {
    const { origin, exchanges, connect } = setting;
    const client = await connect();
    await client.send(get(origin));
    const upstream = await origin.accept();
    await upstream.message();
    await upstream.send(response);
    await upstream.closeWrite();
    const got = await client.message();
    assertEquals([got.startLine.slice(0, 24), got.status], ["HTTP/1.1 502 Bad Gateway", 502]);
    assertEquals(await upstream.rest(), "", "the origin's connection is dropped");
    const exchange = await exchanges.next();
    assertEquals([exchange.status, exchange.ownAnswer], [502, true]);
    assert(["http_protocol_error", "connection_terminated"].includes(exchange.error), exchange.error);
    // the client's connection goes on
    await client.send(get(origin, "/next"));
    const next = await origin.accept();
    assertEquals((await next.message()).startLine, "GET /next HTTP/1.1");
    await next.send(OK);
    assertEquals((await client.message()).content, "ok");
  });
}

/** Versions of requests, and what they are answered with; 200 goes on. */
const VERSIONS: [version: string, status: number][] = [
  ["HTTP/1.1", 200],
  ["HTTP/1.0", 200],
  ["HTTP/1.2", 200],
  ["HTTP/1.9", 200],
  ["HTTP/2.0", 505],
  ["HTTP/3.0", 505],
  ["HTTP/9.9", 505],
  ["HTTP/0.9", 400],
  ["HTTP/1", 400],
  ["HTTP/2", 400],
  ["HTTP/1.10", 400],
  ["HTTP/01.1", 400],
  ["HTTP/1.1 ", 400],
  ["HTTP/1.1\t", 400],
  ["http/1.1", 400],
  ["HTTP 1.1", 400],
  ["HTTPS/1.1", 400],
  ["", 400],
];
for (const [version, status] of VERSIONS) {
  proxied(`a request of version ${JSON.stringify(version)}: ${status} (RFC 9110 §2.5)`, async (setting) => {
    const { origin, connect } = setting;
    const message = `GET ${origin.url}/ ${version}\r\nHost: a\r\n\r\n`;
    if (status === 200) {
      const { sent, got } = await roundTrip(setting, message);
      assertEquals(sent.startLine, "GET / HTTP/1.1", "what is sent on says HTTP/1.1");
      assertEquals(got.startLine, "HTTP/1.1 200 OK", "and so does what comes back");
      return;
    }
    const client = await connect();
    await client.send(message);
    assertEquals((await client.message()).status, status);
    await origin.assertNoFurtherConnection();
  });
}

for (const version of ["HTTP/1.0", "HTTP/1.1", "HTTP/1.7"]) {
  proxied(`a response of ${version} goes on as HTTP/1.1 (RFC 9110 §2.5)`, async (setting) => {
    const { got } = await roundTrip(
      setting,
      get(setting.origin),
      `${version} 200 Fine\r\nContent-Length: 0\r\n\r\n`,
    );
    assertEquals(got.startLine, "HTTP/1.1 200 Fine");
  });
}

/** Host fields of HTTP/1.1 requests that are refused. */
const HOSTS: [what: string, lines: string][] = [
  ["no Host", ""],
  ["two Hosts", "Host: a.example\r\nHost: a.example\r\n"],
  ["two Hosts apart", "Host: a.example\r\nA: b\r\nhost: b.example\r\n"],
  ["a list of hosts", "Host: a.example, b.example\r\n"],
  ["a Host with a path", "Host: a.example/b\r\n"],
  ["a Host with a user", "Host: user@a.example\r\n"],
  ["a Host with a bad port", "Host: a.example:99999\r\n"],
  ["a Host with a space", "Host: a b\r\n"],
  ["a Host with a scheme", "Host: http://a.example\r\n"],
];
for (const [what, lines] of HOSTS) {
  proxied(`${what}: 400 (RFC 9112 §3.2)`, async ({ connect, origin }) => {
    const client = await connect();
    await client.send(`GET ${origin.url}/ HTTP/1.1\r\n${lines}\r\n`);
    const answer = await client.message();
    assertEquals(answer.status, 400);
    assertMatch(answer.head, /\r\nConnection: close\r\n/);
    await origin.assertNoFurtherConnection();
  });
}

proxied("two Hosts are refused in HTTP/1.0 too (RFC 9112 §3.2)", async ({ connect, origin }) => {
  const client = await connect();
  await client.send(`GET ${origin.url}/ HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n`);
  assertEquals((await client.message()).status, 400);
  await origin.assertNoFurtherConnection();
});

const OTHER_PROTOCOLS: [what: string, bytes: string, notice: RegExp][] = [
  ["TLS", "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", /began with TLS.*http:\/\//],
  ["SOCKS5", "\x05\x01\0", /spoke SOCKS/],
  ["SOCKS4", "\x04\x01\0P\x7f\0\0\x01\0", /spoke SOCKS/],
];
for (const [what, bytes, notice] of OTHER_PROTOCOLS) {
  const name = `a client that speaks ${what} is answered at once, and the operator told`;
  proxied(name, HTTP_ALONE, async ({ connect, exchanges }) => {
    const client = await connect();
    await client.send(bytes);
    assertEquals((await client.message()).status, 400);
    await exchanges.next();
    assertMatch(exchanges.notices.map(({ message }) => message).join(), notice);
  });
}

proxied("the bytes of a head that is refused stay readable for the record", async (setting) => {
  const { connect, exchanges } = setting;
  exchanges.read = ({ fields }) => fields.field("User-Agent");
  const client = await connect();
  // what follows must not come to stand where the head stood
  await client.send("GET http://a.example/ HTTP/7.0\r\nHost: a\r\nUser-Agent: me\r\n\r\n" + "x".repeat(1500));
  assertEquals((await client.message()).status, 505);
  await exchanges.next();
  assertEquals(exchanges.heads, ["me"]);
});
