import { assertEquals, assertThrows } from "@std/assert";
import { WrongValue } from "../../src/config/errors.ts";
import type { HostsOption } from "../../src/config/option.ts";
import { valueOfFlag, valueOfToml } from "../../src/config/value.ts";
import { parseListenAddress } from "../../src/net/listen.ts";

const HOSTS: HostsOption = { flag: "name", group: "Front page", type: "hosts", help: "Names" };

Deno.test("hosts are taken in the one form that requests have, on the command line and in the file", () => {
  const written = ["Proxy.Example.", "192.0.2.1", "2001:DB8:0::1", "[::1]", "bücher.example"];
  const expected = ["proxy.example", "192.0.2.1", "2001:db8::1", "::1", "xn--bcher-kva.example"];
  assertEquals(valueOfFlag(HOSTS, written, parseListenAddress), expected);
  assertEquals(valueOfToml(HOSTS, written, parseListenAddress), expected);
  assertEquals(valueOfToml(HOSTS, "proxy.example", parseListenAddress), ["proxy.example"]);
});

Deno.test("a host with a port, a scheme or a star is none, and it is said which", () => {
  for (const wrong of ["a:80", "a:", "[::1]:80", "http://a", "*.a", "", "127.1", "u@a", "a/b"]) {
    const error = assertThrows(() => valueOfFlag(HOSTS, ["b", wrong], parseListenAddress), WrongValue);
    assertEquals(error.item, 1, wrong);
  }
  assertThrows(() => valueOfToml(HOSTS, [80], parseListenAddress), WrongValue, "must be a host or a list");
});
