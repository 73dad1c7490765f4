/** Bodies in every framing, in both directions (http-rules §3). */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { proxied } from "./harness.ts";
import { valuesOf } from "./peer.ts";
import { get, OK, request, roundTrip } from "./round_trip.ts";

const CHUNKS =
  '5;name="a;b";c\r\nhello\r\n1\r\n,\r\n6;x=y\r\n world\r\n0;last\r\nX-Sum: 7\r\nSet-Cookie: a=b\r\n\r\n';
const CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

function post(url: string, fields: string, version = "1.1"): string {
  return `POST ${url}/ HTTP/${version}\r\nHost: a\r\n${fields}\r\n\r\n`;
}

proxied("a request's body of a length goes on with that length (RFC 9112 §6.2)", async (setting) => {
  const { sent } = await roundTrip(setting, post(setting.origin.url, "Content-Length: 5") + "he\0\xffo");
  assertEquals([sent.content, valuesOf(sent, "content-length")], ["he\0\xffo", ["5"]]);
  assertEquals((await setting.exchanges.next()).requestBodyBytes, 5);
});

proxied("a request's body of no bytes has its length sent on (RFC 9110 §8.6)", async (setting) => {
  const { sent } = await roundTrip(setting, post(setting.origin.url, "Content-Length: 0"));
  assertEquals([sent.content, valuesOf(sent, "content-length")], ["", ["0"]]);
});

for (const fields of ["Transfer-Encoding: chunked", "tRANSFER-eNCODING: \t CHUNKED \t"]) {
  proxied(`a request's chunked body (${fields}) goes on chunked (RFC 9112 §7.1)`, async (setting) => {
    const { sent } = await roundTrip(setting, post(setting.origin.url, fields) + CHUNKS);
    assertEquals(sent.content, "hello, world");
    assertEquals(valuesOf(sent, "transfer-encoding"), ["chunked"]);
    assertEquals(valuesOf(sent, "content-length"), []);
    assertEquals(/name|last|x=y/.test(sent.body), false, "extensions are not sent on (RFC 9112 §7.1.1)");
    assertEquals(sent.trailers, [["X-Sum", "7"]], "trailers are, but for those that do not belong there");
  });
}

proxied("a request's chunked body of no bytes is one (RFC 9112 §7.1)", async (setting) => {
  const { sent } = await roundTrip(
    setting,
    post(setting.origin.url, "Transfer-Encoding: chunked") + "000\r\n\r\n",
  );
  assertEquals(sent.body, "0\r\n\r\n");
});

proxied("a chunked request means the same at every split (RFC 9112 §7.1)", async (setting) => {
  const { connect, origin } = setting;
  origin.answer((request) => {
    const said = JSON.stringify([request.content, request.trailers]);
    return `HTTP/1.1 200 OK\r\nContent-Length: ${said.length}\r\n\r\n${said}`;
  });
  const message = post(origin.url, "Transfer-Encoding: chunked") + CHUNKS;
  const client = await connect();
  for (let at = message.length - CHUNKS.length; at < message.length; at++) {
    await client.sendInPieces([message.slice(0, at), message.slice(at)]);
    assertEquals((await client.message()).content, '["hello, world",[["X-Sum","7"]]]', `split at ${at}`);
  }
  await client.sendInPieces(message);
  assertEquals((await client.message()).content, '["hello, world",[["X-Sum","7"]]]', "byte by byte");
});

proxied("a chunked response means the same at every split (RFC 9112 §7.1)", async ({ connect, origin }) => {
  const client = await connect();
  const message = CHUNKED + CHUNKS;
  await client.send(get(origin));
  const upstream = await origin.accept();
  for (let at = 1; at <= message.length; at++) {
    await upstream.message();
    if (at === message.length) await upstream.sendInPieces(message);
    else await upstream.sendInPieces([message.slice(0, at), message.slice(at)]);
    const got = await client.message();
    assertEquals([got.content, got.trailers], ["hello, world", [["X-Sum", "7"]]], `split at ${at}`);
    assert(got.body.endsWith("0\r\nX-Sum: 7\r\n\r\n"), got.body);
    await client.send(get(origin, `/${at}`));
  }
});

proxied(
  "a response without trailers means the same at every split (RFC 9112 §7.1)",
  async ({ connect, origin }) => {
    const client = await connect();
    const message = CHUNKED + "5\r\nhello\r\n3;a\r\n, w\r\n4\r\norld\r\n00\r\n\r\n";
    await client.send(get(origin));
    const upstream = await origin.accept();
    for (let at = CHUNKED.length - 1; at <= message.length; at++) {
      await upstream.message();
      if (at === message.length) await upstream.sendInPieces(message);
      else await upstream.sendInPieces([message.slice(0, at), message.slice(at)]);
      const got = await client.message();
      assertEquals(got.content, "hello, world", `split at ${at}`);
      assert(got.body.endsWith("\r\n0\r\n\r\n"), got.body);
      await client.send(get(origin));
    }
  },
);

proxied("a response of a length may come byte by byte (RFC 9112 §6.2)", async ({ connect, origin }) => {
  const client = await connect();
  await client.send(get(origin));
  const upstream = await origin.accept();
  await upstream.message();
  await upstream.sendInPieces("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nh\0l\xffo");
  assertEquals((await client.message()).content, "h\0l\xffo");
});

proxied(
  "the first bytes of a body go on before the rest is there (http-rules §5)",
  async ({ connect, origin }) => {
    const client = await connect();
    await client.send(get(origin));
    const upstream = await origin.accept();
    await upstream.message();
    await upstream.send(CHUNKED);
    await client.head();
    for (const word of ["one", "two", "three"]) {
      await upstream.send(`${word.length}\r\n${word}\r\n`);
      assertEquals(await client.upTo(word + "\r\n"), `${word.length}\r\n${word}\r\n`);
    }
    await upstream.send("0\r\n\r\n");
    assertEquals(await client.exactly(5), "0\r\n\r\n");
  },
);

proxied("the first bytes of an upload go on before the rest is there (http-rules §5)", async (setting) => {
  const { connect, origin } = setting;
  const client = await connect();
  await client.send(post(origin.url, "Transfer-Encoding: chunked"));
  const upstream = await origin.accept();
  await upstream.head();
  for (const word of ["one", "two", "three"]) {
    await client.send(`${word.length}\r\n${word}\r\n`);
    assertEquals(await upstream.upTo(word + "\r\n"), `${word.length}\r\n${word}\r\n`);
  }
  await client.send("0\r\n\r\n");
  assertEquals(await upstream.exactly(5), "0\r\n\r\n");
  await upstream.send(OK);
  assertEquals((await client.message()).content, "ok");
});

/** Bodies larger than any buffer, in both directions at once. */
for (const framing of ["length", "chunked", "until close"]) {
  proxied(
    `a body of 1 MiB comes through as it was, ${framing} (RFC 9112 §6)`,
    async ({ connect, origin, exchanges }) => {
      const body = Array.from(
        { length: 1024 * 1024 },
        (_, i) => String.fromCharCode(i * 7 + (i >> 8) & 255),
      ).join("");
      const chunked = () => {
        let text = "";
        for (let at = 0, size = 1; at < body.length; at += size, size = size * 3 % 99_991) {
          const piece = body.slice(at, at + size);
          text += `${piece.length.toString(16)}\r\n${piece}\r\n`;
        }
        return text + "0\r\n\r\n";
      };
      const client = await connect();
      const fields = framing === "chunked" ? "Transfer-Encoding: chunked" : `Content-Length: ${body.length}`;
      const framed = framing === "chunked" ? chunked() : body;
      const [sent, got] = await Promise.all([
        (async () => {
          const upstream = await origin.accept();
          const sent = await upstream.message();
          const answer = framing === "until close" ? "" : fields + "\r\n";
          await upstream.send(`HTTP/1.1 200 OK\r\n${answer}\r\n` + framed);
          if (framing === "until close") {
            upstream.close();
          }
          return sent;
        })(),
        client.send(post(origin.url, fields) + framed).then(() => client.message()),
      ]);
      assert(sent.content === body, "the request's body");
      assert(got.content === body, "the response's body");
      assertEquals((await exchanges.next()).truncated, false);
    },
  );
}

proxied("a body until close becomes chunked for an HTTP/1.1 client (RFC 9112 §6.3)", async (setting) => {
  const { connect, origin, exchanges } = setting;
  const client = await connect();
  await client.send(get(origin));
  const upstream = await origin.accept();
  await upstream.message();
  await upstream.send("HTTP/1.1 200 OK\r\nA: b\r\n\r\nhello");
  await upstream.send(", world");
  upstream.close();
  const got = await client.message();
  assertEquals([got.content, valuesOf(got, "transfer-encoding")], ["hello, world", ["chunked"]]);
  assertEquals((await exchanges.next()).truncated, false);
  // and its connection goes on
  await client.send(get(origin, "/2"));
  await (await origin.accept()).send(OK);
  assertEquals((await client.message()).content, "ok");
});

proxied("an empty body until close is whole (RFC 9112 §6.3)", async ({ connect, origin }) => {
  const client = await connect();
  await client.send(get(origin));
  const upstream = await origin.accept();
  await upstream.message();
  await upstream.send("HTTP/1.1 200 OK\r\n\r\n");
  upstream.close();
  assertEquals((await client.message()).body, "0\r\n\r\n");
});

/** Responses for an HTTP/1.0 client: what the origin sent and what its body is. */
const FOR_1_0: [what: string, response: string, length: string[]][] = [
  ["a length", "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nhello, world", ["12"]],
  ["chunks", CHUNKED + CHUNKS, []],
  ["until close", "HTTP/1.0 200 OK\r\n\r\nhello, world", []],
];
for (const [what, response, length] of FOR_1_0) {
  proxied(
    `a response with ${what} reaches an HTTP/1.0 client without chunks (RFC 9112 §6.1)`,
    async (setting) => {
      const { connect, origin } = setting;
      const client = await connect();
      await client.send(`GET ${origin.url}/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n`);
      const upstream = await origin.accept();
      assertEquals((await upstream.message()).startLine, "GET / HTTP/1.1");
      await upstream.sendInPieces([response.slice(0, -20), response.slice(-20)]);
      await upstream.closeWrite();
      const got = await client.message();
      assertEquals(got.content, "hello, world");
      assertEquals(valuesOf(got, "transfer-encoding"), []);
      assertEquals(valuesOf(got, "content-length"), length, "a length is never invented");
      assertEquals(valuesOf(got, "connection"), ["close"]);
      assertEquals(await client.rest(), "", "a 1.0 client's connection ends (RFC 9112 §9.3)");
    },
  );
}

proxied("an HTTP/1.0 client's body goes on with its length (RFC 9112 §6.2)", async (setting) => {
  const { sent } = await roundTrip(setting, post(setting.origin.url, "Content-Length: 5", "1.0") + "hello");
  assertEquals([sent.startLine, sent.content], ["POST / HTTP/1.1", "hello"]);
});

proxied(
  "chunks in an HTTP/1.0 response are chunks, and its connection is dropped (RFC 9112 §6.1)",
  async (setting) => {
    const { got, upstream } = await roundTrip(
      setting,
      get(setting.origin),
      "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    );
    assertEquals(got.content, "ok");
    assertEquals(await upstream.rest(), "");
  },
);

/** Responses that have no body, whatever their fields say; and the length that the client sees. */
const BODILESS: [what: string, method: string, head: string, length: string[]][] = [
  ["HEAD", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5", ["5"]],
  ["HEAD with chunks", "HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", []],
  ["HEAD without framing", "HEAD", "HTTP/1.1 200 OK\r\nA: b", []],
  ["HEAD of an error", "HEAD", "HTTP/1.1 404 Not Found\r\nContent-Length: 5", ["5"]],
  ["204", "GET", "HTTP/1.1 204 No Content", []],
  ["204 with a length", "GET", "HTTP/1.1 204 No Content\r\nContent-Length: 5", []],
  ["204 with chunks", "GET", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked", []],
  ["304", "GET", "HTTP/1.1 304 Not Modified", []],
  ["304 with a length", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5", ["5"]],
  ["304 with chunks", "GET", "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked", []],
];
for (const [what, method, head, length] of BODILESS) {
  for (const version of ["1.1", "1.0"]) {
    proxied(
      `${what} has no body for an HTTP/${version} client (RFC 9112 §6.3)`,
      async ({ connect, origin }) => {
        const client = await connect();
        await client.send(`${method} ${origin.url}/ HTTP/${version}\r\nHost: a\r\nConnection: close\r\n\r\n`);
        const upstream = await origin.accept();
        await upstream.message();
        await upstream.send(head + "\r\n\r\n");
        const got = await client.message({ method });
        assertEquals(got.startLine, head.split("\r\n")[0]);
        assertEquals(valuesOf(got, "content-length"), length);
        assertEquals(valuesOf(got, "transfer-encoding"), []);
        assertEquals(await client.rest(), "");
      },
    );
  }
}

proxied("an empty response of 200 ends at its head (RFC 9112 §6.3)", async (setting) => {
  const { got, client } = await roundTrip(
    setting,
    get(setting.origin),
    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
  );
  assertMatch(got.head, /Content-Length: 0\r\n/);
  client.close();
});

proxied("205 is framed as any other (RFC 9110 §15.3.6)", async (setting) => {
  const { got } = await roundTrip(
    setting,
    request(setting.origin, "POST", "/", "Content-Length: 0"),
    "HTTP/1.1 205 Reset\r\nContent-Length: 0\r\n\r\n",
  );
  assertEquals(got.status, 205);
});

/** Trailers that do not pass: framing, routing, authentication, and what Connection names (RFC 9110 §6.5.1). */
const TRAILERS = [
  "Content-Length: 5",
  "Transfer-Encoding: chunked",
  "Host: evil.example",
  "Trailer: a",
  "TE: trailers",
  "Connection: close",
  "Keep-Alive: 5",
  "Proxy-Authorization: Basic eDp5",
  "Authorization: Basic eDp5",
  "Cookie: a=b",
  "Set-Cookie: a=b",
  "Content-Type: text/html",
  "Cache-Control: public",
  "Max-Forwards: 1",
  "Via: 1.1 other",
  "Upgrade: h2c",
  "X-Hop: 1",
];
for (const direction of ["request", "response"]) {
  proxied(
    `trailers of a ${direction} pass but for those that must not (RFC 9110 §6.5.1)`,
    async (setting) => {
      const { origin } = setting;
      const head = "Connection: x-hop\r\nTransfer-Encoding: chunked";
      const body = `2\r\nok\r\n0\r\nX-A: 1\r\n${TRAILERS.join("\r\n")}\r\nx-b:\t\xe9 \r\nX-A: 2\r\n\r\n`;
      const passed = [["X-A", "1"], ["x-b", "\xe9"], ["X-A", "2"]];
      if (direction === "request") {
        const { sent } = await roundTrip(setting, post(origin.url, head) + body);
        assertEquals<unknown>(sent.trailers, passed);
        assertEquals(valuesOf(sent, "x-a"), [], "they are not merged into the head");
      } else {
        const { got } = await roundTrip(setting, get(origin), `HTTP/1.1 200 OK\r\n${head}\r\n\r\n${body}`);
        assertEquals<unknown>(got.trailers, passed);
        assertEquals(valuesOf(got, "x-a"), [], "they are not merged into the head");
      }
    },
  );
}

proxied("the field Trailer goes on as an announcement (RFC 9110 §6.6.2)", async (setting) => {
  const { sent } = await roundTrip(
    setting,
    post(setting.origin.url, "Trailer: X-Sum\r\nTransfer-Encoding: chunked") + "0\r\nX-Sum: 1\r\n\r\n",
  );
  assertEquals([valuesOf(sent, "trailer"), sent.trailers], [["X-Sum"], [["X-Sum", "1"]]]);
});

proxied(
  "trailers are bounded as a head is: 400 (RFC 6585 §5)",
  { settings: { maxHeadSize: 2000 } },
  async (setting) => {
    const { connect, origin } = setting;
    const client = await connect();
    await client.send(post(origin.url, "Transfer-Encoding: chunked"));
    const upstream = await origin.accept();
    await upstream.head();
    await client.send(`1\r\na\r\n0\r\nA: ${"a".repeat(2000)}\r\n\r\n`);
    assertEquals((await client.message()).status, 431);
    assertEquals((await upstream.rest()).includes("\r\n0\r\n"), false);
  },
);

proxied(
  "a length with zeros before it goes on without, which nobody can take for octal (http-rules §3)",
  async (setting) => {
    const answer = "HTTP/1.1 200 OK\r\nContent-Length: 0010\r\n\r\n0123456789";
    const padded = post(setting.origin.url, "Content-Length: 010");
    const { sent, got } = await roundTrip(setting, padded + "0123456789", answer);
    assertEquals([valuesOf(sent, "content-length"), sent.content], [["10"], "0123456789"]);
    assertEquals([valuesOf(got, "content-length"), got.content], [["10"], "0123456789"]);
  },
);

proxied("a length of many zeros is none (http-rules §3)", async (setting) => {
  const head = "HTTP/1.1 304 Not Modified\r\nContent-Length: 0005\r\n\r\n";
  const { sent, got } = await roundTrip(setting, post(setting.origin.url, "Content-Length: 000"), head);
  assertEquals([valuesOf(sent, "content-length"), valuesOf(got, "content-length")], [["0"], ["5"]]);
});
