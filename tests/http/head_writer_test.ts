import { assert, assertEquals, assertThrows } from "@std/assert";
import { Field } from "../../src/http/field_names.ts";
import {
  CONNECTION_CLOSE,
  CONNECTION_UPGRADE,
  fieldLine,
  HeadWriter,
  TE_TRAILERS,
  TRANSFER_ENCODING_CHUNKED,
} from "../../src/http/head_writer.ts";
import { ConnectionOptions } from "../../src/http/hop_by_hop.ts";
import { readStatusLine, type StatusLine } from "../../src/http/start_line.ts";
import { head, read, text, understand } from "./reading.ts";

interface Choices {
  leaveOut?: number;
  upgrading?: boolean;
  keepHost?: boolean;
}

/** The head that is sent on for a request. */
function forwarded(message: string, choices: Choices = {}, writer = new HeadWriter(64)): string {
  const request = understand(message);
  const options = new ConnectionOptions();
  options.read(request.head);
  writer.begin(request.head);
  writer.requestLine(request.head, request, request.target, request.method);
  writer.leaveOut = choices.leaveOut ?? 0;
  writer.upgrading = choices.upgrading ?? false;
  writer.fields(request.head, options, choices.keepHost ? null : request.target);
  writer.end();
  return text(writer.bytes.subarray(0, writer.length));
}

/** The head that is sent back for a response. */
function returned(message: string, choices: Choices = {}): string {
  const reader = read("response", message);
  const line: StatusLine = { status: 0, minorVersion: 0, reasonStart: 0 };
  readStatusLine(reader, line);
  const options = new ConnectionOptions();
  options.read(reader);
  const writer = new HeadWriter(64);
  writer.begin(reader);
  writer.statusLine(reader, line);
  writer.leaveOut = choices.leaveOut ?? 0;
  writer.fields(reader, options, null);
  writer.end();
  return text(writer.bytes.subarray(0, writer.length));
}

Deno.test("an origin is sent the origin form, path and query byte for byte (RFC 9112 §3.2.1)", () => {
  const targets: [target: string, path: string][] = [
    ["http://a/", "/"],
    ["http://a/b/../c?d=%zz&e", "/b/../c?d=%zz&e"],
    ["http://a//b//", "//b//"],
    ['http://a/\x80\xff"<>`', '/\x80\xff"<>`'],
    ["http://a", "/"],
    ["http://a:80", "/"],
    ["http://a?q", "/?q"],
    ["http://a?", "/?"],
    ["http://a/?", "/?"],
  ];
  for (const [target, path] of targets) {
    assertEquals(
      forwarded(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`),
      `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`,
    );
  }
});

Deno.test("OPTIONS for an empty path goes on as OPTIONS * (RFC 9112 §3.2.4)", () => {
  const options = (target: string) =>
    forwarded(`OPTIONS ${target} HTTP/1.1\r\nHost: a\r\n\r\n`).split("\r\n")[0];
  assertEquals(options("http://a"), "OPTIONS * HTTP/1.1");
  assertEquals(options("http://a:80"), "OPTIONS * HTTP/1.1");
  assertEquals(options("http://a/"), "OPTIONS / HTTP/1.1");
  assertEquals(options("http://a?q"), "OPTIONS /?q HTTP/1.1");
});

Deno.test("an asterisk form stays one (RFC 9112 §3.2.4)", () => {
  const message = "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n";
  assertEquals(forwarded(message, { keepHost: true }), message);
});

Deno.test("what is sent on says HTTP/1.1, whatever came (RFC 9110 §2.5)", () => {
  for (const version of ["1.0", "1.1", "1.7"]) {
    assertEquals(
      forwarded(`GET http://a/ HTTP/${version}\r\nHost: a\r\n\r\n`),
      "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    );
    assertEquals(returned(`HTTP/${version} 200 OK\r\nA: b\r\n\r\n`), "HTTP/1.1 200 OK\r\nA: b\r\n\r\n");
  }
});

Deno.test("a status line keeps its reason phrase, and has the space before an absent one (RFC 9112 §4)", () => {
  assertEquals(
    returned("HTTP/1.0 404 Nicht\t gef\xfcnden \r\n\r\n"),
    "HTTP/1.1 404 Nicht\t gef\xfcnden \r\n\r\n",
  );
  assertEquals(returned("HTTP/1.1 204 \r\n\r\n"), "HTTP/1.1 204 \r\n\r\n");
  assertEquals(returned("HTTP/1.1 204\r\n\r\n"), "HTTP/1.1 204 \r\n\r\n");
});

Deno.test("order, case, duplicates and odd bytes of the fields are kept (RFC 9110 §5.3)", () => {
  const fields = head(`
x-FIRST:no space
Host: a
Cookie:   a=b;  c
cookie: d
X-\`|~: \t\xff\x80\t
Accept:
ACCEPT:text/html,  */*
X-Last: z\t \t
`);
  assertEquals(forwarded(`GET http://a/ HTTP/1.1\r\n${fields}`), `GET / HTTP/1.1\r\n${fields}`);
});

Deno.test("Set-Cookie is never merged (RFC 9110 §5.3)", () => {
  const message =
    "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nX: y\r\nSet-Cookie: b=2, c\r\nset-cookie: a=1\r\n\r\n";
  assertEquals(returned(message), message);
});

Deno.test("hop-by-hop fields are left out, wherever they stand (RFC 9110 §7.6.1)", () => {
  assertEquals(
    forwarded(head(`
GET http://a/ HTTP/1.1
Proxy-Connection: keep-alive
Host: a
Connection: close, X-Hop
A: 1
X-HOP: 2
TE: trailers
Transfer-Encoding: chunked
B: 3
Keep-Alive: timeout=5
Proxy-Authorization: Basic dXNlcjpwYXNz
x-hop: 4
`)),
    "GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 3\r\n\r\n",
  );
  assertEquals(
    returned(head(`
HTTP/1.1 200 OK
Connection: keep-alive, Server
Keep-Alive: timeout=5
Server: x
Content-Length: 3
Upgrade: h2c
Proxy-Authenticate: Basic realm="x"
`)),
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n",
  );
});

Deno.test("fields that Connection must not name go on although it names them (RFC 9110 §7.6.1)", () => {
  assertEquals(
    forwarded(
      "POST http://a/ HTTP/1.1\r\nHost: a\r\nConnection: Host, Content-Length\r\nContent-Length: 5\r\n\r\n",
    ),
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n",
  );
});

Deno.test("Host is made from the target, in the place where Host stood (RFC 9112 §3.2.2)", () => {
  const sent = (target: string, host: string) =>
    forwarded(`GET ${target} HTTP/1.1\r\nA: 1\r\n${host}B: 2\r\n\r\n`).split("\r\n").slice(1, -2);
  assertEquals(sent("http://a.example/", "Host: b.example\r\n"), ["A: 1", "Host: a.example", "B: 2"]);
  assertEquals(sent("http://a.example/", "Host:\r\n"), ["A: 1", "Host: a.example", "B: 2"]);
  assertEquals(sent("http://A.example.:80/", "Host: a.example:80\r\n"), ["A: 1", "Host: a.example", "B: 2"]);
  assertEquals(sent("http://a.example:81/", "Host: a.example\r\n"), ["A: 1", "Host: a.example:81", "B: 2"]);
  assertEquals(sent("https://a.example/", "Host: a.example:443\r\n"), ["A: 1", "Host: a.example", "B: 2"]);
  assertEquals(sent("http://a.example:443/", "Host: a.example\r\n"), ["A: 1", "Host: a.example:443", "B: 2"]);
  assertEquals(sent("http://[::1]:80/", "Host: [::1]:80\r\n"), ["A: 1", "Host: [::1]", "B: 2"]);
  assertEquals(sent("http://[0:0::1]:81/", "Host: [::1]\r\n"), ["A: 1", "Host: [::1]:81", "B: 2"]);
  assertEquals(sent("http://b\xc3\xbccher.example/", "Host: x\r\n"), [
    "A: 1",
    "Host: xn--bcher-kva.example",
    "B: 2",
  ]);
});

Deno.test("a Host that says what the target says stays as it was written", () => {
  const message = "GET http://a.example/ HTTP/1.1\r\nhOST:  a.example \r\n\r\n";
  assertEquals(forwarded(message), "GET / HTTP/1.1\r\nhOST:  a.example \r\n\r\n");
});

Deno.test("a request without Host is given one (RFC 9110 §7.2)", () => {
  assertEquals(forwarded("GET http://a/ HTTP/1.0\r\n\r\n"), "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  assertEquals(
    forwarded("GET http://a:8080/ HTTP/1.0\r\nA: b\r\nTE: x\r\n\r\n"),
    "GET / HTTP/1.1\r\nA: b\r\nHost: a:8080\r\n\r\n",
  );
});

Deno.test("one Host goes on and never two (RFC 9112 §3.2)", () => {
  for (const [first, second] of [["a", "b"], ["b", "a"], ["a", "a"], ["b", "b"]]) {
    assertEquals(
      forwarded(`GET http://a/ HTTP/1.1\r\nHost: ${first}\r\nX: y\r\nHost: ${second}\r\n\r\n`),
      "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n",
    );
  }
});

Deno.test("the longest Host finds its room", () => {
  const host = `${`${"a".repeat(62)}.`.repeat(4)}`.slice(0, 250) + ".b";
  for (const size of [1, 64, 4096]) {
    const sent = forwarded(`GET http://${host}:65535/ HTTP/1.0\r\n\r\n`, {}, new HeadWriter(size));
    assertEquals(sent, `GET / HTTP/1.1\r\nHost: ${host}:65535\r\n\r\n`);
  }
});

Deno.test("Upgrade goes on when the connection is upgraded, and only then (RFC 9110 §7.8)", () => {
  const message = head(`
GET http://a/ HTTP/1.1
Host: a
Connection: Upgrade, HTTP2-Settings, X-Hop
Upgrade: websocket
HTTP2-Settings: AAM
X-Hop: 1
`);
  assertEquals(forwarded(message), "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  assertEquals(
    forwarded(message, { upgrading: true }),
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n",
  );
});

Deno.test("a writer leaves out what it is told to, and forgets it with the next head", () => {
  const message =
    "GET http://a/ HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1\r\nForwarded: for=1\r\nVia: 1.1 b\r\n\r\n";
  const leaveOut = 1 << Field.XForwardedFor | 1 << Field.Forwarded;
  const writer = new HeadWriter(64);
  assertEquals(forwarded(message, { leaveOut }, writer), "GET / HTTP/1.1\r\nHost: a\r\nVia: 1.1 b\r\n\r\n");
  writer.begin(understand(message).head);
  assertEquals([writer.leaveOut, writer.upgrading, writer.length], [0, false, 0]);
  assertEquals(
    returned("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nLast-Modified: x\r\n\r\n", {
      leaveOut: 1 << Field.ContentLength | 1 << Field.LastModified,
    }),
    "HTTP/1.1 200 OK\r\n\r\n",
  );
});

Deno.test("additions come in their order, before the fields or after them", () => {
  const request = understand("GET http://a/ HTTP/1.1\r\nHost: a\r\nX: " + "y".repeat(3000) + "\r\n\r\n");
  const options = new ConnectionOptions();
  const writer = new HeadWriter(16);
  writer.begin(request.head);
  writer.requestLine(request.head, request, request.target, request.method);
  for (let i = 0; i < 5; i++) writer.addField(`Before-${i}`, "b".repeat(900));
  writer.fields(request.head, options, request.target);
  for (let i = 0; i < 5; i++) writer.add(fieldLine(`After-${i}`, "a".repeat(900)));
  writer.end();
  const lines = text(writer.bytes.subarray(0, writer.length)).split("\r\n");
  assertEquals(lines.map((line) => line.slice(0, 9)), [
    "GET / HTT",
    ...[0, 1, 2, 3, 4].map((i) => `Before-${i}:`),
    "Host: a",
    "X: yyyyyy",
    ...[0, 1, 2, 3, 4].map((i) => `After-${i}: `),
    "",
    "",
  ]);
  assertEquals(lines.slice(1, 6).every((line) => line.length === 910), true);
  assertEquals(lines[7].length, 3003);
});

Deno.test("what weir adds is whole lines", () => {
  assertEquals(text(TRANSFER_ENCODING_CHUNKED), "Transfer-Encoding: chunked\r\n");
  assertEquals(text(CONNECTION_CLOSE), "Connection: close\r\n");
  assertEquals(text(CONNECTION_UPGRADE), "Connection: Upgrade\r\n");
  assertEquals(text(TE_TRAILERS), "TE: trailers\r\nConnection: TE\r\n", "an offer is named by Connection");
  assertEquals(text(fieldLine("Via", "1.1 weir")), "Via: 1.1 weir\r\n");
});

Deno.test("a character that has no byte is never written: cut down it could end the line", () => {
  assertThrows(() => fieldLine("X", "a\u010d\u010ab"), RangeError);
  const { head } = understand("GET http://a/ HTTP/1.0\r\n\r\n");
  const writer = new HeadWriter(64);
  writer.begin(head);
  assertThrows(() => writer.addField("X", "\u2028"), RangeError);
});

Deno.test("the head that came is not changed by writing another", () => {
  const message = "GET http://a/ HTTP/1.1\r\nHost: b\r\nConnection: X\r\nX: y\r\n\r\n";
  const { head } = understand(message);
  forwarded(message);
  assertEquals(text(head.bytes), message);
  assert(head.complete);
});
