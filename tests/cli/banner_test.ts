import { assert, assertEquals } from "@std/assert";
import { banner } from "../../src/cli/banner.ts";

function bannerOf(...hostnames: string[]): string {
  return banner(hostnames.map((hostname) => ({ transport: "tcp", hostname, port: 8888 })), false);
}

Deno.test("the banner says where weir listens, how to try it, how to use it and how to stop it", () => {
  const text = bannerOf("127.0.0.1", "::1");
  assert(text.startsWith("weir "));
  assert(text.split("\n")[0].endsWith(" listens on 127.0.0.1:8888, [::1]:8888"));
  assert(text.includes("curl -x http://127.0.0.1:8888 http://example.com/"));
  assert(text.includes("http_proxy=http://127.0.0.1:8888 https_proxy=http://127.0.0.1:8888"));
  assert(text.includes("HTTP proxy 127.0.0.1, port 8888"));
  assert(text.includes("Ctrl-C"));
});

Deno.test("the banner is short", () => {
  assert(bannerOf("::", "127.0.0.1").trimEnd().split("\n").length < 8);
});

Deno.test("who lets others in is told so, once", () => {
  for (const hostname of ["127.0.0.1", "127.9.9.9", "::1"]) {
    assert(!bannerOf(hostname).includes("careful"), hostname);
  }
  for (const hostname of ["::", "0.0.0.0", "192.0.2.1", "2001:db8::1"]) {
    assertEquals(bannerOf(hostname, "127.0.0.1").split("careful").length, 2, hostname);
  }
});

Deno.test("what to try is an address that works from this machine", () => {
  assert(bannerOf("::").includes("curl -x http://127.0.0.1:8888 "));
  assert(bannerOf("192.0.2.1", "::1").includes("curl -x http://[::1]:8888 "));
  assert(bannerOf("192.0.2.1").includes("curl -x http://192.0.2.1:8888 "));
});
