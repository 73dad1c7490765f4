import { assertEquals, assertNotEquals } from "@std/assert";
import { clientKey } from "../../src/net/client_key.ts";

Deno.test("an IPv4 address is one client, however it is written", () => {
  assertEquals(clientKey("192.0.2.1"), "192.0.2.1");
  assertEquals(clientKey("::ffff:192.0.2.1"), "192.0.2.1");
  assertEquals(clientKey("::ffff:c000:201"), "192.0.2.1");
  assertNotEquals(clientKey("192.0.2.1"), clientKey("192.0.2.2"));
});

Deno.test("all addresses of one IPv6 network of 64 bits are one client", () => {
  assertEquals(clientKey("2001:db8:0:1::5"), "2001:db8:0:1::/64");
  assertEquals(clientKey("2001:db8:0:1:ffff:ffff:ffff:ffff"), "2001:db8:0:1::/64");
  assertEquals(clientKey("2001:DB8::1:0:0:0:7"), "2001:db8:0:1::/64");
  assertNotEquals(clientKey("2001:db8:0:2::5"), clientKey("2001:db8:0:1::5"));
  assertEquals(clientKey("fe80::1%eth0"), clientKey("fe80::2"));
});

Deno.test("what is no address stands for itself", () => {
  assertEquals(clientKey(""), "");
  assertEquals(clientKey("a:b"), "a:b");
});
