import { assertEquals } from "@std/assert";
import { Field } from "../../src/http/field_names.ts";
import { CHUNKED, eachMember, requestFraming, responseFraming, UNTIL_CLOSE } from "../../src/http/framing.ts";
import { read, refusal } from "./reading.ts";

/** The framing of a request with these fields. */
function ofRequest(fields: string, minorVersion = 1, method = "POST"): number {
  const message = `${method} http://a/ HTTP/1.${minorVersion}\r\nHost: a\r\n${fields}\r\n`;
  return requestFraming(read("request", message), minorVersion);
}

function ofResponse(fields: string, status = 200, method = "GET"): number {
  return responseFraming(read("response", `HTTP/1.1 ${status} X\r\n${fields}\r\n`), status, method);
}

Deno.test("a request without framing fields has no body, whatever its method (RFC 9112 §6.3)", () => {
  for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "BREW"]) {
    assertEquals(ofRequest("", 1, method), 0);
    assertEquals(ofRequest("", 0, method), 0);
  }
});

Deno.test("a request's body is as long as Content-Length says (RFC 9112 §6.2)", () => {
  assertEquals(ofRequest("Content-Length: 0\r\n"), 0);
  assertEquals(ofRequest("content-length:42\r\n"), 42);
  assertEquals(ofRequest("Content-Length: \t 42 \t \r\n", 0), 42);
  assertEquals(ofRequest("Content-Length: 00042\r\n"), 42, "leading zeros are digits as others are");
  assertEquals(ofRequest("Content-Length: 9007199254740991\r\n"), 2 ** 53 - 1);
});

const NOT_A_LENGTH = [
  "",
  "+5",
  "-5",
  "-0",
  "0x5",
  "5,5",
  "5, 5",
  "5,6",
  "5;",
  "5 5",
  "5.0",
  "5e1",
  "1_000",
  "five",
  '"5"',
  "5\xa0",
  "\xb2",
  "9007199254740992",
  "18446744073709551621",
  "9".repeat(400),
];

for (const value of NOT_A_LENGTH) {
  Deno.test(`the Content-Length ${JSON.stringify(value.slice(0, 24))} is refused (RFC 9112 §6.3)`, () => {
    assertEquals(refusal(() => ofRequest(`Content-Length: ${value}\r\n`)).status, 400);
    assertEquals(refusal(() => ofRequest(`Content-Length: ${value}\r\n`, 0)).status, 400);
    assertEquals(refusal(() => ofResponse(`Content-Length: ${value}\r\n`)).status, 502);
  });
}

Deno.test("several Content-Lengths are refused, differing or the same (RFC 9112 §6.3)", () => {
  for (const second of ["Content-Length: 5", "content-length: 6", "CONTENT-LENGTH:"]) {
    const fields = `Content-Length: 5\r\nX: y\r\n${second}\r\n`;
    assertEquals(refusal(() => ofRequest(fields)).status, 400);
    assertEquals(refusal(() => ofResponse(fields)).status, 502);
  }
});

Deno.test("Transfer-Encoding and Content-Length together are refused, in either order (RFC 9112 §6.1)", () => {
  for (const coding of ["chunked", "identity", "", "gzip, chunked"]) {
    for (
      const fields of [
        `Transfer-Encoding: ${coding}\r\nContent-Length: 5\r\n`,
        `Content-Length: 0\r\nA: b\r\ntransfer-encoding: ${coding}\r\n`,
      ]
    ) {
      assertEquals(refusal(() => ofRequest(fields)).status, 400);
      assertEquals(refusal(() => ofRequest(fields, 0)).status, 400);
      assertEquals(refusal(() => ofResponse(fields)).status, 502);
    }
  }
});

Deno.test("chunked is the one transfer coding, in any case (RFC 9112 §7)", () => {
  for (const value of ["chunked", "Chunked", "CHUNKED", "cHuNkEd", " \t chunked \t "]) {
    assertEquals(ofRequest(`Transfer-Encoding: ${value}\r\n`), CHUNKED);
    assertEquals(ofResponse(`Transfer-Encoding:${value}\r\n`), CHUNKED);
  }
});

const NOT_CHUNKED = [
  "",
  "identity",
  "gzip",
  "gzip, chunked",
  "chunked, gzip",
  "chunked, identity",
  "identity, chunked",
  "chunked, chunked",
  "chunked,",
  ",chunked",
  "xchunked",
  "chunkedx",
  "chunked;q=1",
  "chunked; a=b",
  '"chunked"',
  "chunke",
  "chunk",
  "chun ked",
  "c\xc4\xb1unked",
  "chun\xe2\x84\xaaed",
  "chunked\xa0",
  "\x85chunked",
];

for (const value of NOT_CHUNKED) {
  Deno.test(`the transfer coding ${JSON.stringify(value)} is not chunked: 501 (RFC 9112 §6.1)`, () => {
    assertEquals(refusal(() => ofRequest(`Transfer-Encoding: ${value}\r\n`)).status, 501);
    assertEquals(refusal(() => ofResponse(`Transfer-Encoding: ${value}\r\n`)).status, 502);
  });
}

Deno.test("Transfer-Encoding more than once is refused, whatever it says (RFC 9112 §6.1)", () => {
  for (const second of ["chunked", "identity", ""]) {
    const fields = `Transfer-Encoding: chunked\r\nTransfer-Encoding: ${second}\r\n`;
    assertEquals(refusal(() => ofRequest(fields)).status, 501);
    assertEquals(refusal(() => ofResponse(fields)).status, 502);
  }
});

Deno.test("Transfer-Encoding in an HTTP/1.0 request is refused with 400 (RFC 9112 §6.1)", () => {
  assertEquals(refusal(() => ofRequest("Transfer-Encoding: chunked\r\n", 0)).status, 400);
  assertEquals(refusal(() => ofRequest("Transfer-Encoding: gzip\r\n", 0)).status, 400);
});

Deno.test("a response has the length it says, is chunked, or ends with its connection (RFC 9112 §6.3)", () => {
  assertEquals(ofResponse("Content-Length: 12\r\n"), 12);
  assertEquals(ofResponse("Content-Length: 0\r\n", 404), 0);
  assertEquals(ofResponse("Transfer-Encoding: chunked\r\n", 500), CHUNKED);
  assertEquals(ofResponse(""), UNTIL_CLOSE);
  assertEquals(ofResponse("", 404, "POST"), UNTIL_CLOSE);
});

Deno.test("to HEAD, and with 1xx, 204 and 304, there is no body (RFC 9112 §6.3 step 1)", () => {
  for (const fields of ["", "Content-Length: 12\r\n", "Transfer-Encoding: chunked\r\n"]) {
    assertEquals(ofResponse(fields, 200, "HEAD"), 0);
    for (const status of [100, 101, 103, 199, 204, 304]) assertEquals(ofResponse(fields, status), 0);
  }
  assertEquals(ofResponse("Content-Length: 12\r\n", 205), 12, "but with 205 there may be one");
});

Deno.test("no framing field counts in a 2xx to CONNECT, but in a refusal it does (RFC 9112 §6.3 step 2)", () => {
  const both = "Transfer-Encoding: gzip\r\nContent-Length: x\r\n";
  for (const fields of ["", "Content-Length: 12\r\n", "Transfer-Encoding: chunked\r\n", both]) {
    assertEquals(ofResponse(fields, 200, "CONNECT"), 0);
    assertEquals(ofResponse(fields, 299, "CONNECT"), 0);
  }
  assertEquals(ofResponse("Content-Length: 12\r\n", 407, "CONNECT"), 12);
  assertEquals(ofResponse("", 300, "CONNECT"), UNTIL_CLOSE);
  assertEquals(ofResponse("Content-Length: 12\r\n", 200, "connect"), 12, "methods are case-sensitive");
});

Deno.test("a list's members are trimmed, and empty ones passed over (RFC 9110 §5.6.1)", () => {
  const lists: [string, string[]][] = [
    ["a", ["a"]],
    ["a,b", ["a", "b"]],
    [" , a ,\t,b\t, c,,", ["a", "b", "c"]],
    ["", []],
    [",", []],
    ["a b , c", ["a b", "c"]],
  ];
  for (const [value, members] of lists) {
    const reader = read("request", `GET / HTTP/1.1\r\nX: y\r\nConnection: ${value}\r\n\r\n`);
    const found: string[] = [];
    eachMember(reader, reader.find(Field.Connection), (start, end) => found.push(reader.text(start, end)));
    assertEquals(found, members);
  }
});
