import { assertEquals } from "@std/assert";
import { parseIp } from "../../src/http/ip_address.ts";
import { HostList } from "../../src/policy/host_list.ts";
import { ITSELF, NameTable } from "../../src/policy/name_table.ts";
import { parseNetworks } from "../../src/policy/network.ts";

function listOf(names: readonly string[], networks: readonly string[]): HostList {
  const table = new NameTable({ maxNames: 100, maxBytes: 1 << 20 });
  for (const name of names) table.add(new TextEncoder().encode(name), 0, name.length, ITSELF);
  return new HostList(table, networks.flatMap(parseNetworks));
}

Deno.test("a list of names has no addresses, and one of addresses no names", () => {
  const names = listOf(["example.com", "example.org"], []);
  assertEquals([names.size, names.hasAddresses], [2, false]);
  assertEquals(names.includesName("example.org"), true);
  assertEquals(names.includesAddress(parseIp("10.0.0.1")!), false);

  const networks = listOf([], ["10.0.0.0/8", "2001:db8::/32"]);
  assertEquals([networks.size, networks.hasAddresses], [2, true]);
  assertEquals(networks.includesName("10.0.0.1"), false);
  assertEquals(networks.includesAddress(parseIp("10.0.0.1")!), true);
  assertEquals(networks.includesAddress(parseIp("::ffff:10.0.0.1")!), true);
  assertEquals(networks.includesAddress(parseIp("2001:db9::1")!), false);
});

Deno.test("names of one letter of difference, upper case and a final dot are other names", () => {
  const list = listOf(["example.com"], []);
  for (
    const host of ["example.co", "xample.com", "example.com.", "Example.com", "a.example.com", "com", ""]
  ) {
    assertEquals(list.includesName(host), false, host);
  }
});
