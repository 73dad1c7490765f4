/** Answers of weir's own (http-rules §6). */

import { assert, assertEquals, assertMatch, assertNotMatch, assertStringIncludes } from "@std/assert";
import { proxied, PSEUDONYM, type Setting } from "./harness.ts";
import { type Message, valuesOf } from "./peer.ts";
import { policy } from "./policies.ts";
import { get, OK, roundTrip } from "./round_trip.ts";
import { freePort } from "../net/ports.ts";

/** A port of 127.0.0.1 on which nobody listens. */
function deadAuthority(): string {
  return `127.0.0.1:${freePort()}`;
}

/** Asks for what nobody serves, and returns the answer. */
async function refused({ connect }: Setting, method = "GET", ...lines: string[]): Promise<Message> {
  const authority = deadAuthority();
  const client = await connect();
  const target = method === "CONNECT" ? authority : `http://${authority}/`;
  await client.send(
    `${method} ${target} HTTP/1.1\r\nHost: ${authority}\r\n${
      lines.map((line) => line + "\r\n").join("")
    }\r\n`,
  );
  // a refused CONNECT has an answer with a body
  return await client.message({ method: method === "HEAD" ? "HEAD" : "GET" });
}

/** An item of a structured field with its parameters (RFC 9651 §3.3): a token, then `key=token` or `key="string"`. */
const PROXY_STATUS =
  /^(?<proxy>[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*); ?error=(?<error>[a-z][a-z_]*); ?details="(?<details>(?:[ !#-[\]-~]|\\["\\])*)"$/;

proxied(
  "an own answer says what happened in its status line, fields and body (RFC 9209 §2)",
  async (setting) => {
    const answer = await refused(setting);
    assertMatch(answer.startLine, /^HTTP\/1\.1 502 Bad Gateway: 127\.0\.0\.1:\d+ refused the connection$/);
    const [status, ...more] = valuesOf(answer, "proxy-status");
    const { proxy, error, details } = PROXY_STATUS.exec(status)!.groups!;
    assertEquals([proxy, error, more], [PSEUDONYM, "connection_refused", []]);
    assertMatch(details, /refused the connection/);
    assertEquals(valuesOf(answer, "cache-control"), ["no-store"]);
    assertEquals(valuesOf(answer, "content-length"), [String(answer.content.length)]);
    assertEquals(valuesOf(answer, "connection"), [], "framing is not in doubt");
    assertMatch(valuesOf(answer, "date")[0], / GMT$/);
    assertEquals(valuesOf(answer, "content-type"), ["text/plain; charset=utf-8"]);
    assertMatch(
      answer.content,
      /^weir: 502 Bad Gateway: .* refused the connection \(weir-test\/[0-9a-z]{8}\)\n$/,
    );
    const exchange = await setting.exchanges.next();
    assertEquals([exchange.ownAnswer, exchange.error, exchange.number], [true, "connection_refused", 1]);
  },
);

/** What clients accept, and the media type that they get. */
const ACCEPTS: [accept: string | null, type: string][] = [
  [null, "text/plain"],
  ["*/*", "text/plain"],
  ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"],
  ["TEXT/HTML", "text/html"],
  ["application/json", "application/json"],
  ["application/json, text/plain, */*", "application/json"],
  ["application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*", "application/json"],
  ["application/problem+json", "application/json"],
  ["application/jsonlines", "text/plain"],
  ["image/avif,image/webp,*/*", "text/plain"],
  ["", "text/plain"],
];
for (const [accept, type] of ACCEPTS) {
  proxied(`Accept: ${accept} is answered in ${type} (RFC 9110 §12.5.1)`, async (setting) => {
    const answer = await refused(setting, "GET", ...(accept === null ? [] : [`Accept: ${accept}`]));
    assertEquals(valuesOf(answer, "content-type")[0].split(";")[0], type);
    const { content } = answer;
    const identifier = `${PSEUDONYM}/${(await setting.exchanges.next()).reference}`;
    if (type === "text/html") {
      assertMatch(content, /^<!doctype html>[^]*502[^]*refused the connection[^]*<\/html>\n$/i);
    } else if (type === "text/plain") assertMatch(content, /^[^\n]*refused the connection[^\n]*\n$/);
    else {
      const { status, detail, exchange } = JSON.parse(content);
      assertEquals([status, exchange], [502, identifier]);
      assertStringIncludes(detail, "refused the connection");
    }
    assertStringIncludes(content, identifier, "an identifier that is in the log line too");
  });
}

for (const accept of ["*/*", "text/html", "application/json"]) {
  proxied(`HEAD gets no body of ${accept}, but its length (RFC 9110 §9.3.2)`, async (setting) => {
    const authority = deadAuthority();
    const client = await setting.connect();
    const line = (method: string) =>
      `${method} http://${authority}/ HTTP/1.1\r\nHost: a\r\nAccept: ${accept}\r\n`;
    await client.send(`${line("HEAD")}\r\n${line("HEAD")}Connection: close\r\n\r\n`);
    const first = await client.head();
    assertMatch(first, /^HTTP\/1\.1 502 /);
    assertMatch(first, /\r\nContent-Length: [1-9]/);
    assertMatch(await client.rest(), /^HTTP\/1\.1 502 [^]*\r\n\r\n$/, "the next answer, and no body either");
  });

  proxied(`the version is told in ${accept} only when asked for (http-rules §6)`, async (setting) => {
    const answer = await refused(setting, "GET", `Accept: ${accept}`);
    assertNotMatch(answer.head + answer.content, /0\.0\.0-test/);
  });

  proxied(`the version is told in ${accept}`, { settings: { showVersion: true } }, async (setting) => {
    const answer = await refused(setting, "GET", `Accept: ${accept}`);
    assertStringIncludes(answer.content, "0.0.0-test");
  });
}

/** What would run, break out or forge a line if it came back as it was. */
const XSS = [
  "<script>alert(1)</script>",
  '"><img/src=x/onerror=alert(1)>',
  "'-alert(1)-'",
  "&lt;script&gt;",
  "</p><svg/onload=alert(1)>",
  '\\"\\u003cscript\\u003e',
  "%0d%0aSet-Cookie:a=b",
  "\x80\x85\xa0\xff",
  "\u00e2\u0080\u00a8",
  "${1+1}{{1+1}}",
];
for (const attack of XSS) {
  for (const accept of ["*/*", "text/html", "application/json"]) {
    for (
      const [where, line] of [
        ["the host", `GET http://${attack}/ HTTP/1.1`],
        ["the path", `GET http://no.invalid/${attack} HTTP/1.1`],
        ["the scheme", `GET ${attack}://a/ HTTP/1.1`],
        ["the target", `GET ${attack} HTTP/1.1`],
        ["the port", `GET http://a:${attack}/ HTTP/1.1`],
        ["the method", `${attack} http://no.invalid/ HTTP/1.1`],
        ["the version", `GET http://no.invalid/ HTTP/${attack}`],
        ["an authority", `CONNECT ${attack}:443 HTTP/1.1`],
      ]
    ) {
      proxied(
        `${JSON.stringify(attack)} in ${where} does not come back in ${accept} (http-rules §6)`,
        {
          resolver: { lookup: () => Promise.reject(Object.assign(new Error("none"), { code: "ENOTFOUND" })) },
        },
        async ({ connect }) => {
          const client = await connect();
          await client.send(`${line}\r\nHost: a\r\nAccept: ${accept}\r\n\r\n`);
          const answer = await client.message({ method: "GET" });
          assert(answer.status >= 400, answer.startLine);
          assertMatch(answer.head, /^[\x20-\x7e\r\n]*$/, "a head of printable ASCII");
          assertEquals(valuesOf(answer, "set-cookie"), []);
          assertMatch(valuesOf(answer, "proxy-status")[0], PROXY_STATUS);
          const [type] = valuesOf(answer, "content-type");
          if (type.startsWith("text/html")) {
            assertNotMatch(answer.content, /<(script|img|svg)|alert\(1\)<|onerror=[^&]*>/);
            const reason = /<p>([^]*?)<\/p>/.exec(answer.content)![1];
            assertNotMatch(reason, /[<>"']|&(?!#\d+;)/, "every special character is escaped");
          } else if (type === "application/json") {
            JSON.parse(answer.content);
          } else {
            assertMatch(answer.content, /^[\x20-\x7e]*\n$/, "one line of printable ASCII");
          }
        },
      );
    }
  }
}

proxied("what a URL asks for is not repeated in an own answer (http-rules §7)", async (setting) => {
  const authority = deadAuthority();
  for (const accept of ["*/*", "text/html", "application/json"]) {
    const client = await setting.connect();
    await client.send(
      `GET http://${authority}/reset?token=s3cret HTTP/1.1\r\nHost: a\r\nAccept: ${accept}\r\nCookie: s3cret\r\n\r\n`,
    );
    const answer = await client.message();
    assertNotMatch(answer.head + answer.content, /s3cret/);
  }
});

proxied("a refused CONNECT says why in its reason phrase and closes (http-rules §6)", async (setting) => {
  const { connect, exchanges } = setting;
  const authority = deadAuthority();
  const client = await connect();
  // bytes meant for the tunnel must not become a request
  await client.send(`CONNECT ${authority} HTTP/1.1\r\nHost: a\r\n\r\n` + get(setting.origin, "/admin"));
  const answer = await client.message({ method: "GET" });
  assertEquals(answer.startLine, `HTTP/1.1 502 Bad Gateway: ${authority} refused the connection`);
  assertEquals(valuesOf(answer, "connection"), ["close"]);
  assertEquals(await client.rest(), "");
  client.close();
  assertEquals((await exchanges.next()).kind, "tunnel");
  await setting.origin.assertNoFurtherConnection();
  assertEquals(exchanges.all.length, 1);
});

/** Failures of finding an origin: what is answered. */
const NAMES: [what: string, code: string, status: number, error: string][] = [
  ["a name that does not exist", "ENOTFOUND", 502, "dns_error"],
  ["a name server that fails", "EAI_AGAIN", 502, "dns_error"],
];
for (const [what, code, status, error] of NAMES) {
  for (const method of ["GET", "CONNECT"]) {
    proxied(
      `${method} for ${what}: ${status} (RFC 9209 §2.3.2)`,
      { resolver: { lookup: () => Promise.reject(Object.assign(new Error(code), { code })) } },
      async ({ connect, exchanges }) => {
        const client = await connect();
        const target = method === "GET" ? "http://name.example/" : "name.example:443";
        await client.send(`${method} ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
        const answer = await client.message({ method: "GET" });
        assertEquals(answer.status, status);
        assertStringIncludes(answer.startLine, "name.example");
        const exchange = await exchanges.next();
        assertEquals([exchange.error, exchange.verdict, exchange.originStatus], [error, "allow", 0]);
      },
    );
  }
}

/** Requests to weir and not through it: where a person is told what to do. */
for (const path of ["/", "/favicon.ico", "/index.html?x"]) {
  proxied(
    `GET ${path} of a site that is not weir explains how to use a proxy (http-rules §2)`,
    async ({ connect, authority, exchanges }) => {
      const client = await connect();
      await client.send(`GET ${path} HTTP/1.1\r\nHost: www.example.com\r\nAccept: text/html\r\n\r\n`);
      const answer = await client.message();
      assertEquals(answer.status, 400);
      assertStringIncludes(answer.content, "this is a proxy".replace("this", "This"));
      assertStringIncludes(answer.content, `curl -x http://${authority}`);
      assertEquals((await exchanges.next()).kind, "own");
    },
  );
}

proxied(
  "an answer to a request with an unread body closes, and the client can read it (RFC 9112 §9.6)",
  async (setting) => {
    const authority = deadAuthority();
    const client = await setting.connect();
    await client.send(`POST http://${authority}/ HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n`);
    // far more than fits into the sockets: the client writes on while the answer is on its way
    const body = new Uint8Array(800_000);
    await client.send(body);
    const [all, ending] = await client.restAndEnding();
    assertMatch(all, /^HTTP\/1\.1 502 [^]*\r\nConnection: close\r\n[^]*refused the connection/);
    assertEquals(ending, "end", "and no reset takes it away");
  },
);

proxied(
  "after an answer whose framing is certain the connection goes on (http-rules §5)",
  async (setting) => {
    const authority = deadAuthority();
    const client = await setting.connect();
    await client.send(`GET http://${authority}/ HTTP/1.1\r\nHost: a\r\n\r\n`);
    assertEquals((await client.message()).status, 502);
    const { got } = await roundTrip(setting, get(setting.origin), OK, { client });
    assertEquals(got.content, "ok");
  },
);

for (
  const [what, version, lines] of [["an HTTP/1.0 client", "1.0", ""], [
    "a client that asks for it",
    "1.1",
    "Connection: close\r\n",
  ]]
) {
  proxied(`an own answer to ${what} closes (RFC 9112 §9.3)`, async ({ connect }) => {
    const client = await connect();
    await client.send(`GET http://${deadAuthority()}/ HTTP/${version}\r\nHost: a\r\n${lines}\r\n`);
    const answer = await client.message();
    assertEquals([answer.startLine.slice(0, 12), valuesOf(answer, "connection")], ["HTTP/1.1 502", [
      "close",
    ]]);
    assertEquals(await client.rest(), "");
  });
}

proxied(
  "a body larger than allowed: 413 (RFC 9110 §15.5.14)",
  { settings: { maxBodySize: 10 } },
  async (setting) => {
    const { connect, origin, exchanges } = setting;
    for (
      const [fields, body] of [["Content-Length: 11", "hello, worl"], [
        "Transfer-Encoding: chunked",
        "b\r\nhello, worl\r\n",
      ]]
    ) {
      const client = await connect();
      await client.send(`POST ${origin.url}/ HTTP/1.1\r\nHost: a\r\n${fields}\r\n\r\n${body}`);
      const answer = await client.message();
      assertEquals([answer.status, valuesOf(answer, "connection")], [413, ["close"]]);
      assertEquals((await exchanges.next()).status, 413);
    }
  },
);

proxied("every answer of weir's own is what its type says, and a page of it loads and runs nothing", {
  gateways: [{ hostname: "127.0.0.1", port: 0 }],
  settings: {
    cacheSize: 1_000_000,
    policy: policy({
      authentication: "by-rule",
      defaultAction: "allow",
      rules: [
        { action: "deny", hosts: "denied.example" },
        { action: "allow", hosts: "asked.example", users: "alice" },
        { action: "allow", hosts: "127.0.0.1" },
      ],
    }),
  },
}, async (setting) => {
  const { connect, authority, addresses, origin } = setting;
  const gateway = addresses[1];
  const gated = `127.0.0.1:${gateway.port}`;
  const dead = deadAuthority();
  for (const accept of ["text/html,*/*;q=0.8", "*/*", "application/json"]) {
    for (
      const [status, line, host, to] of [
        [502, `GET http://${dead}/`, dead],
        [502, `HEAD http://${dead}/`, dead],
        [502, `CONNECT ${dead}`, dead],
        [403, "GET http://denied.example/", "denied.example"],
        [407, "GET http://asked.example/", "asked.example"],
        [400, "GET ftp://a.example/", "a.example"],
        [403, `PURGE http://${origin.authority}/`, origin.authority],
        [400, "GET /", "another.example"],
        [200, "GET /", authority],
        [404, "GET /nothing", authority],
        [405, "POST /", authority],
        [200, "GET /proxy.pac", authority],
        [200, "OPTIONS *", authority],
        [200, `TRACE http://${origin.authority}/`, origin.authority],
        [502, `GET /${dead}/`, gated, gateway],
        [403, "GET /denied.example/", gated, gateway],
        [401, "GET /asked.example/", gated, gateway],
        [403, "GET /", "another.example", gateway],
        [405, "POST /", gated, gateway],
        [307, "GET /a/b", gated, gateway],
        [200, "GET /", gated, gateway],
      ] as const
    ) {
      const client = await connect({ to });
      const [method, target] = line.split(" ");
      const more = method === "TRACE"
        ? "Max-Forwards: 0\r\n"
        : status === 307
        ? `Referer: http://${gated}/a.example/\r\n`
        : "";
      await client.send(`${method} ${target} HTTP/1.1\r\nHost: ${host}\r\nAccept: ${accept}\r\n${more}\r\n`);
      const answer = await client.message({ method: method === "HEAD" ? "HEAD" : "GET" });
      client.close();
      const what = `${line}, ${accept}`;
      assertEquals(answer.status, status, what);
      assertEquals(valuesOf(answer, "x-content-type-options"), ["nosniff"], what);
      const policies = valuesOf(answer, "content-security-policy");
      if (!valuesOf(answer, "content-type").join().startsWith("text/html")) continue;
      assertEquals(policies.length, 1, what);
      assertMatch(
        policies[0],
        /^default-src 'none'; style-src '[^' ]+'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
      );
      assertEquals(valuesOf(answer, "referrer-policy"), ["no-referrer"], what);
    }
  }
});
