import { assertEquals } from "@std/assert";
import {
  mayBecomeStatusLine,
  readRequestLine,
  readStatusLine,
  type RequestLine,
  type StatusLine,
} from "../../src/http/start_line.ts";
import { read, refusal } from "./reading.ts";

/** Method, target and minor version of a request line. */
function requestLine(line: string): [method: string, target: string, minorVersion: number] {
  const head = read("request", line + "\r\nHost: a\r\n\r\n");
  const parts: RequestLine = { methodEnd: 0, targetStart: 0, targetEnd: 0, minorVersion: 0 };
  readRequestLine(head, parts);
  return [
    head.text(head.start, parts.methodEnd),
    head.text(parts.targetStart, parts.targetEnd),
    parts.minorVersion,
  ];
}

/** Status, minor version and reason phrase of a status line. */
function statusLine(line: string): [status: number, minorVersion: number, reason: string] {
  const head = read("response", line + "\r\nServer: a\r\n\r\n");
  const parts: StatusLine = { status: 0, minorVersion: 0, reasonStart: 0 };
  readStatusLine(head, parts);
  return [parts.status, parts.minorVersion, head.text(parts.reasonStart, head.startLineEnd)];
}

Deno.test("a request line is a method, a target and a version (RFC 9112 §3)", () => {
  assertEquals(requestLine("GET http://a/b?c HTTP/1.1"), ["GET", "http://a/b?c", 1]);
  assertEquals(requestLine("OPTIONS * HTTP/1.0"), ["OPTIONS", "*", 0]);
  assertEquals(requestLine("CONNECT a:1 HTTP/1.1"), ["CONNECT", "a:1", 1]);
});

Deno.test("any token is a method, and its case is kept (RFC 9110 §9.1)", () => {
  for (const method of ["get", "M-SEARCH", "!#$%&'*+-.^_`|~09azAZ", "PRI"]) {
    assertEquals(requestLine(`${method} / HTTP/1.1`)[0], method);
  }
});

Deno.test("a target's bytes are not judged here, but for controls and white space (RFC 9112 §3.2)", () => {
  const odd = "/a%00%zz{}|\\^`<>\"[]@!$&'()*+,;=:?/#\x80\xff";
  assertEquals(requestLine(`GET ${odd} HTTP/1.1`)[1], odd);
});

const NO_REQUEST_LINE: [rule: string, line: string][] = [
  ["two spaces after the method", "GET  / HTTP/1.1"],
  ["two spaces before the version", "GET /  HTTP/1.1"],
  ["a space after the version", "GET / HTTP/1.1 "],
  ["a tab after the method", "GET\t/ HTTP/1.1"],
  ["a tab before the version", "GET /\tHTTP/1.1"],
  ["a tab in the target", "GET /a\tb HTTP/1.1"],
  ["a space in the target", "GET /a b HTTP/1.1"],
  ["a method alone", "GET"],
  ["a method and a space", "GET "],
  ["no target", "GET HTTP/1.1"],
  ["an empty target", "GET  HTTP/1.1"],
  ["a method that is no token", "GE(T / HTTP/1.1"],
  ["a method beyond ASCII", "G\xc9T / HTTP/1.1"],
  ["HTTP/0.9", "GET /"],
  ["HTTP/0.9 written out", "GET / HTTP/0.9"],
  ["a version in lower case", "GET / http/1.1"],
  ["a version of another protocol", "GET / ICAP/1.0"],
  ["no minor version", "GET / HTTP/1"],
  ["an empty minor version", "GET / HTTP/1."],
  ["a minor version of two digits", "GET / HTTP/1.10"],
  ["a major version of two digits", "GET / HTTP/11.1"],
  ["a leading zero in the version", "GET / HTTP/01.1"],
  ["a comma in the version", "GET / HTTP/1,1"],
  ["a sign in the version", "GET / HTTP/+1.1"],
  ["a letter in the version", "GET / HTTP/1.x"],
  ["a letter for the major version", "GET / HTTP/x.1"],
  ["a slash for the major version", "GET / HTTP//.1"],
  ["a slash for the minor version", "GET / HTTP/1./"],
  ["something after the version", "GET / HTTP/1.1x"],
  ["two versions", "GET / HTTP/1.1 HTTP/1.1"],
];

for (const [rule, line] of NO_REQUEST_LINE) {
  Deno.test(`no request line: ${rule} (RFC 9112 §2.3, §3)`, () => {
    assertEquals(refusal(() => requestLine(line)).status, 400);
  });
}

Deno.test("a higher minor version of 1 is understood as 1.1 (RFC 9110 §2.5)", () => {
  for (let minor = 1; minor < 10; minor++) assertEquals(requestLine(`GET / HTTP/1.${minor}`)[2], 1);
});

Deno.test("a major version of 2 and above is refused with 505 (RFC 9110 §15.6.6)", () => {
  for (const version of ["2.0", "3.0", "9.9"]) {
    assertEquals(refusal(() => requestLine(`PRI * HTTP/${version}`)).status, 505);
  }
});

Deno.test("a status line is a version, a status and a reason phrase (RFC 9112 §4)", () => {
  assertEquals(statusLine("HTTP/1.1 200 OK"), [200, 1, "OK"]);
  assertEquals(statusLine("HTTP/1.0 404 Not  Found "), [404, 0, "Not  Found "]);
  assertEquals(statusLine("HTTP/1.2 999 a\tb \xe4"), [999, 1, "a\tb \xe4"]);
});

Deno.test("the reason phrase may be empty, and the space before it missing (RFC 9112 §4)", () => {
  assertEquals(statusLine("HTTP/1.1 204 "), [204, 1, ""]);
  assertEquals(statusLine("HTTP/1.1 204"), [204, 1, ""]);
});

const NO_STATUS_LINE = [
  "",
  "HTTP/1.1",
  "HTTP/1.1 ",
  "HTTP/1.1 2",
  "HTTP/1.1 20",
  "HTTP/1.1 20 OK",
  "HTTP/1.1 2000 OK",
  "HTTP/1.1 099 OK",
  "HTTP/1.1 000 OK",
  "HTTP/1.1 +20 OK",
  "HTTP/1.1 -20 OK",
  "HTTP/1.1 2x0 OK",
  "HTTP/1.1 0x2 OK",
  "HTTP/1.1  200 OK",
  "HTTP/1.1\t200 OK",
  "HTTP/1.1 200\tOK",
  "HTTP/1.1 200OK",
  "HTTP/0.9 200 OK",
  "HTTP/2.0 200 OK",
  "HTTP/2 200",
  "http/1.1 200 OK",
  "HTTP/1.10 200 OK",
  "ICY 200 OK",
  " HTTP/1.1 200 OK",
  "220 mail.example.com ESMTP",
  "SSH-2.0-OpenSSH_9.6",
];

for (const line of NO_STATUS_LINE) {
  Deno.test(`no status line: ${JSON.stringify(line)} (RFC 9112 §4)`, () => {
    assertEquals(refusal(() => statusLine(line)).status, 502);
  });
}

Deno.test("what cannot become a status line any more is known as soon as its first wrong byte is there", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const line = "HTTP/1.1 200 OK";
  for (let length = 0; length <= line.length; length++) {
    assertEquals(mayBecomeStatusLine(bytes("x" + line), 1, 1 + length), true, line.slice(0, length));
  }
  for (
    const other of ["S", "SSH-2.0-OpenSSH", "220 ready", "HTTP/2", "http/1.1", "HTTP /1.1", "\r\n", "<html>"]
  ) {
    assertEquals(mayBecomeStatusLine(bytes(other), 0, other.length), false, other);
  }
});
