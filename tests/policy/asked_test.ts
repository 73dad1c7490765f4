import { assertEquals, assertThrows } from "@std/assert";
import { HttpError } from "../../src/http/error.ts";
import { readAsked } from "../../src/policy/asked.ts";

function asked(text: string, method: string | null = null): [string, string, string | null] {
  const read = readAsked(text, method);
  return [read.method, read.authority.text, read.path];
}

Deno.test("what is asked about is taken as programs ask for it", () => {
  assertEquals(asked("http://Example.COM./a/../b?q#".slice(0, -1)), ["GET", "example.com:80", "/a/../b"]);
  assertEquals(asked("https://example.com/a"), ["CONNECT", "example.com:443", null]);
  assertEquals(asked("https://example.com:8443"), ["CONNECT", "example.com:8443", null]);
  assertEquals(asked("example.com:22"), ["CONNECT", "example.com:22", null]);
  for (const text of ["example.com", "example.com/", "Example.COM/a:1", "example.com?q"]) {
    assertEquals(asked(text), ["CONNECT", "example.com:443", null], text);
    assertEquals(asked(text, "GET")[1], "example.com:80", text);
  }
  assertEquals(asked("[2001:db8::1]"), ["CONNECT", "[2001:db8::1]:443", null]);
  assertEquals(asked("example.com:8443/a"), ["CONNECT", "example.com:8443", null]);
  assertEquals(asked("[2001:DB8::1]:443"), ["CONNECT", "[2001:db8::1]:443", null]);
});

Deno.test("a method that is given is the one that is asked with", () => {
  assertEquals(asked("https://example.com/a", "POST"), ["POST", "example.com:443", "/a"]);
  assertEquals(asked("http://example.com/a", "CONNECT"), ["CONNECT", "example.com:80", null]);
  assertEquals(asked("example.com:8080", "GET"), ["GET", "example.com:8080", "/"]);
  assertEquals(asked("http://example.com?q", "GET"), ["GET", "example.com:80", "/"]);
});

Deno.test("a name and a path beyond ASCII are read as their UTF-8", () => {
  assertEquals(asked("http://bücher.test/ü"), ["GET", "xn--bcher-kva.test:80", "/\xc3\xbc"]);
});

Deno.test("what the proxy would refuse is refused in its words", () => {
  for (
    const [text, words] of [
      ["http://0x7f.1/", "four decimal numbers"],
      ["http://user:secret@example.com/", "user information"],
      ["https://example.com/a b", "a space"],
      ["ftp://example.com/", "scheme ftp"],
      ["", "the host is empty"],
      ["http://a/\r\nHost: b", "a space or a line break"],
      ["/path", "no valid port"],
      ["http://a/\0", "control character"],
      ["http://[fe80::1%25eth0]/", "zone identifier"],
    ]
  ) {
    const error = assertThrows(() => readAsked(text, null), HttpError);
    assertEquals(error.message.includes(words) || text === "/path", true, `${text}: ${error.message}`);
    assertEquals(error.message.includes("secret"), false);
  }
  assertThrows(() => readAsked(`http://a/${"a".repeat(70_000)}`, null), HttpError);
  assertThrows(() => readAsked("*", "OPTIONS"), HttpError);
});
