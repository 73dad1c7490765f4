import { assertEquals, assertStringIncludes } from "@std/assert";
import { Authority, parseAuthority } from "../../../src/http/authority.ts";
import { PROGRAMS } from "../../../src/programs/programs.ts";
import { setupHtml, setupText } from "../../../src/proxy/own/setup_page.ts";
import { STYLE } from "../../../src/proxy/own/style.ts";

const proxy = parseAuthority("[2001:db8::1]:3128", 80);

Deno.test("the page has every program that weir env knows", () => {
  const html = setupHtml({ proxy, scheme: "http", name: "weir", passwordNeed: "never" });
  assertEquals(html.match(/<details/g)!.length, PROGRAMS.length);
  const text = setupText({ proxy, scheme: "http", name: "weir", passwordNeed: "never" });
  for (const { name } of PROGRAMS) assertEquals(new RegExp(`\\b${name}\\b`).test(text), true, name);
});

Deno.test("an IPv6 address stands in brackets in URLs, and without where a host is asked for", () => {
  for (const page of [setupHtml, setupText]) {
    const text = page({ proxy, scheme: "http", name: "weir", passwordNeed: "never" }).replace(/<[^>]*>/g, "");
    assertStringIncludes(text, "http://[2001:db8::1]:3128/proxy.pac");
    assertStringIncludes(text, "HTTP proxy 2001:db8::1, port 3128");
  }
});

Deno.test("the page has one style, which its policy names by its hash, no script, and nothing from elsewhere", () => {
  const html = setupHtml({ proxy, scheme: "http", name: "weir", passwordNeed: "always" });
  assertEquals(html.split(`<style>${STYLE}</style>`).length, 2);
  assertEquals(/<script|<img|<link|<iframe|<form|\son[a-z]+=|style=|src=|@import|url\(/i.test(html), false);
  assertEquals([...html.matchAll(/href="([^"]*)"/g)].map(([, to]) => to), ["/-/healthy", "/-/ready"]);
});

Deno.test("nothing leaves its place in the page", () => {
  const evil = `"'><script>alert(1)</script>&`;
  const html = setupHtml({
    proxy: new Authority(evil, 80, null, evil),
    scheme: "http",
    name: evil,
    passwordNeed: "always",
  });
  assertEquals(/<script|"'>/.test(html), false);
});

Deno.test("for containers it is said where the address does not lead", () => {
  const remark = "is the container itself";
  for (
    const [host, said] of [["127.0.0.1", true], ["localhost", true], ["[::1]", true], ["10.0.0.1", false]]
  ) {
    const html = setupHtml({
      proxy: parseAuthority(`${host}:8888`, 80),
      scheme: "http",
      name: "weir",
      passwordNeed: "never",
    });
    assertEquals(html.includes(remark), said);
  }
});

Deno.test("users are spoken of where there are some", () => {
  for (const page of [setupHtml, setupText]) {
    assertEquals(
      page({ proxy, scheme: "http", name: "weir", passwordNeed: "never" }).includes("PASSWORD"),
      false,
    );
    assertStringIncludes(
      page({ proxy, scheme: "http", name: "weir", passwordNeed: "always" }),
      "USER:PASSWORD@[2001:db8::1]:3128",
    );
  }
});

Deno.test("over TLS nothing is shown that would speak to weir without it", () => {
  for (const page of [setupHtml, setupText]) {
    const text = page({ proxy, scheme: "https", name: "weir", passwordNeed: "always" });
    assertStringIncludes(text, "https://[2001:db8::1]:3128/proxy.pac");
    assertStringIncludes(text.replaceAll("&#39;", "'"), "curl -x 'https://[2001:db8::1]:3128'");
    assertStringIncludes(text, "https://USER:PASSWORD@[2001:db8::1]:3128");
    assertEquals(/http:\/\/\[|export |HTTP proxy|gradle/i.test(text), false);
  }
});
