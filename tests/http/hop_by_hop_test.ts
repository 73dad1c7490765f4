import { assertEquals } from "@std/assert";
import { HeadReader } from "../../src/http/head_reader.ts";
import { allowedInTrailers, ConnectionOptions } from "../../src/http/hop_by_hop.ts";
import { bytes, LIMITS, read } from "./reading.ts";

function optionsOf(reader: HeadReader): ConnectionOptions {
  const options = new ConnectionOptions();
  options.read(reader);
  return options;
}

/** The names of those fields that pass. */
function passing(fields: string): string[] {
  const reader = read("request", `GET http://a/ HTTP/1.1\r\n${fields}\r\n`);
  const options = optionsOf(reader);
  const names: string[] = [];
  for (let index = 0; index < reader.count; index++) {
    if (!options.removes(reader, index)) names.push(reader.name(index));
  }
  return names;
}

Deno.test("fields of one connection do not pass, named by Connection or not (RFC 9110 §7.6.1, §11.7)", () => {
  const hopByHop = [
    "Connection",
    "Proxy-Connection",
    "Keep-Alive",
    "TE",
    "Transfer-Encoding",
    "Upgrade",
    "HTTP2-Settings",
    "Proxy-Authorization",
    "Proxy-Authenticate",
    "Proxy-Authentication-Info",
  ];
  for (const name of hopByHop) {
    for (const written of [name, name.toLowerCase(), name.toUpperCase()]) {
      assertEquals(passing(`A: b\r\n${written}: x\r\nC: d\r\n`), ["A", "C"], written);
    }
  }
});

Deno.test("every field that Connection names does not pass, in any case (RFC 9110 §7.6.1)", () => {
  assertEquals(
    passing(
      "X-a: 1\r\nConnection: close, X-A ,x-B\r\nX-B: 2\r\nX-C: 3\r\nconnection: X-D\r\nx-d: 4\r\nX-A: 5\r\n",
    ),
    ["X-C"],
  );
});

Deno.test("a name that only resembles a named one passes (RFC 9110 §7.6.1)", () => {
  assertEquals(passing("Connection: X-A\r\nX-AB: 1\r\nX: 2\r\nA: 3\r\n"), ["X-AB", "X", "A"]);
});

Deno.test("what a Connection field must not name survives being named (RFC 9110 §7.6.1)", () => {
  const endToEnd = [
    "Host",
    "Content-Length",
    "Content-Type",
    "Content-Encoding",
    "Content-Range",
    "Cache-Control",
    "Pragma",
    "Authorization",
    "WWW-Authenticate",
    "Cookie",
    "Set-Cookie",
    "Via",
    "Date",
    "Expires",
    "ETag",
    "Vary",
    "Location",
    "Range",
    "Max-Forwards",
    "Forwarded",
    "X-Forwarded-For",
  ];
  for (const name of endToEnd) {
    assertEquals(passing(`Connection: close, ${name}\r\n${name}: x\r\n`), [name]);
  }
});

Deno.test("Connection's options are read in any case, from every such field (RFC 9110 §7.6.1)", () => {
  const cases: [string, boolean, boolean, boolean][] = [
    ["", false, false, false],
    ["Connection: close\r\n", true, false, false],
    ["Connection: Keep-Alive\r\n", false, true, false],
    ["connection: keep-alive, UPGRADE\r\n", false, true, true],
    ["Connection: x\r\nConnection: ,, Close ,\r\n", true, false, false],
    ["Connection: closed, not-close\r\n", false, false, false],
    ["Proxy-Connection: close\r\n", false, false, false],
    ["Connection: clo\xdfe\r\n", false, false, false],
  ];
  for (const [fields, close, keepAlive, upgrade] of cases) {
    const options = optionsOf(read("request", `GET / HTTP/1.1\r\n${fields}\r\n`));
    assertEquals([options.close, options.keepAlive, options.upgrade], [close, keepAlive, upgrade], fields);
  }
});

Deno.test("options of one head say nothing about the next", () => {
  const options = optionsOf(
    read("request", "GET / HTTP/1.1\r\nConnection: close, keep-alive, upgrade, X-A\r\n\r\n"),
  );
  const next = read("request", "GET / HTTP/1.1\r\nX-A: 1\r\n\r\n");
  options.read(next);
  assertEquals([options.close, options.keepAlive, options.upgrade], [false, false, false]);
  assertEquals(options.removes(next, 0), false);
});

/** The names of the trailers that may be sent on, after a head with these fields. */
function passingTrailers(trailers: string, headFields = ""): string[] {
  const options = optionsOf(read("response", `HTTP/1.1 200 OK\r\n${headFields}\r\n`));
  const reader = new HeadReader("response", LIMITS);
  reader.beginFields(bytes(trailers + "\r\n"), 0);
  reader.read(reader.bytes.length);
  const names: string[] = [];
  for (let index = 0; index < reader.count; index++) {
    if (allowedInTrailers(reader, index, options)) names.push(reader.name(index));
  }
  return names;
}

Deno.test("framing, routing and authentication have no place in trailers (RFC 9110 §6.5.1)", () => {
  const refused = [
    "Content-Length",
    "Transfer-Encoding",
    "Trailer",
    "TE",
    "Connection",
    "Upgrade",
    "Host",
    "Max-Forwards",
    "Expect",
    "Via",
    "Authorization",
    "WWW-Authenticate",
    "Proxy-Authorization",
    "Proxy-Authenticate",
    "Cookie",
    "Set-Cookie",
    "Content-Type",
    "Content-Encoding",
    "Content-Range",
    "Cache-Control",
    "Location",
    "Age",
    "Date",
    "Vary",
  ];
  for (const name of refused) {
    assertEquals(passingTrailers(`${name.toLowerCase()}: x\r\nX-Checksum: 1\r\n`), ["X-Checksum"], name);
  }
});

Deno.test("what the head's Connection names is removed from the trailers too (RFC 9110 §7.6.1)", () => {
  assertEquals(
    passingTrailers("X-Hop: 1\r\nX-End: 2\r\nServer-Timing: 3\r\n", "Connection: x-hop\r\n"),
    ["X-End", "Server-Timing"],
  );
});
