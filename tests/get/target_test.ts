import { assertEquals } from "@std/assert";
import {
  connectLines,
  type GetRequest,
  headBytes,
  requestLines,
  targetOf,
  urlOf,
} from "../../src/get/target.ts";
import { readAsked } from "../../src/policy/asked.ts";

function target(url: string) {
  const asked = readAsked(url, "GET");
  return targetOf(asked.target, asked.authority);
}

const request = (url: string, more: Partial<GetRequest> = {}): GetRequest => ({
  target: target(url),
  method: "GET",
  fields: [],
  body: null,
  ...more,
});

Deno.test("a proxy gets the absolute form, an origin the path (RFC 9112 §3.2)", () => {
  const asked = request("HTTP://Example.com:80?q");
  assertEquals(requestLines(asked, "weir/1", true, "Basic eA=="), [
    "GET http://example.com/?q HTTP/1.1",
    "Host: example.com",
    "User-Agent: weir/1",
    "Accept: */*",
    "Connection: close",
    "Proxy-Authorization: Basic eA==",
  ]);
  assertEquals(requestLines(asked, "weir/1", false, null)[0], "GET /?q HTTP/1.1");
});

Deno.test("what is beyond ASCII in a path is percent-encoded, in a host it is an A-label", () => {
  assertEquals(
    urlOf(target("https://münchen.example/straße?ü")),
    "https://xn--mnchen-3ya.example/stra%C3%9Fe?%C3%BC",
  );
});

Deno.test("fields that are given take the place of those that are made", () => {
  const lines = requestLines(
    request("http://a.test/", {
      fields: [["host", "b.test"], ["ACCEPT", "x"]],
      body: new Uint8Array(3),
      method: "PUT",
    }),
    "weir/1",
    false,
    null,
  );
  assertEquals(lines, [
    "PUT / HTTP/1.1",
    "User-Agent: weir/1",
    "Content-Type: application/x-www-form-urlencoded",
    "Connection: close",
    "host: b.test",
    "ACCEPT: x",
    "Content-Length: 3",
  ]);
});

Deno.test("a tunnel is asked for by host and port, and what is for the origin stays out of it", () => {
  assertEquals(connectLines(target("https://[2001:db8::1]/secret"), "weir/1", null), [
    "CONNECT [2001:db8::1]:443 HTTP/1.1",
    "Host: [2001:db8::1]:443",
    "User-Agent: weir/1",
  ]);
});

Deno.test("a head ends in an empty line, and is UTF-8 beyond ASCII", () => {
  assertEquals(new TextDecoder().decode(headBytes(["a", "b: ü\u{1f600}"])), "a\r\nb: ü\u{1f600}\r\n\r\n");
});
