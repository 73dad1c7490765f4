import { assertEquals } from "@std/assert";
import { redirected, redirectedTo } from "../../src/get/redirect.ts";
import { type GetRequest, targetOf } from "../../src/get/target.ts";
import { readAsked } from "../../src/policy/asked.ts";

function target(url: string) {
  const asked = readAsked(url, "GET");
  return targetOf(asked.target, asked.authority);
}

const FROM = target("http://a.test/x/y?z");

Deno.test("Location is resolved against what was asked for, without its fragment (RFC 9110 §10.2.2)", () => {
  assertEquals(redirectedTo(301, "../b#c", FROM), "http://a.test/b");
  assertEquals(redirectedTo(308, "//b.test/", FROM), "http://b.test/");
  assertEquals(redirectedTo(302, "/stra\xc3\x9fe", FROM), "http://a.test/stra%C3%9Fe");
  assertEquals(redirectedTo(302, "javascript:alert(1)", FROM), "javascript:alert(1)");
  assertEquals(redirectedTo(302, "http://[", FROM), null);
  assertEquals(redirectedTo(302, "", FROM), null);
  for (const status of [200, 201, 300, 304, 404]) assertEquals(redirectedTo(status, "/b", FROM), null);
});

Deno.test("the method changes as everybody's does (RFC 9110 §15.4)", () => {
  const methods = (method: string) =>
    [301, 302, 303, 307, 308].map((status) => {
      const request: GetRequest = { target: FROM, method, fields: [], body: new Uint8Array(1) };
      const next = redirected(request, status, FROM);
      return `${next.method}${next.body === null ? "" : " with body"}`;
    });
  assertEquals(methods("POST"), ["GET", "GET", "GET", "POST with body", "POST with body"]);
  assertEquals(methods("PUT"), ["PUT with body", "PUT with body", "GET", "PUT with body", "PUT with body"]);
  assertEquals(methods("HEAD").map((each) => each.split(" ")[0]), Array(5).fill("HEAD"));
});

Deno.test("what proves who asks does not go to another origin", () => {
  const fields = [["Authorization", "x"], ["COOKIE", "y"], ["Host", "z"], ["Accept", "w"]] as const;
  const request: GetRequest = { target: FROM, method: "GET", fields, body: null };
  const names = (url: string) => redirected(request, 302, target(url)).fields.map(([name]) => name);
  assertEquals(names("http://a.test/b").length, 4);
  for (const url of ["http://b.test/", "https://a.test/", "http://a.test:81/"]) {
    assertEquals(names(url), ["Accept"]);
  }
});
