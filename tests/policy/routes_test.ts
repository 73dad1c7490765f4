/** Which way leads where. */

import { assertEquals } from "@std/assert";
import { parseAuthority } from "../../src/http/authority.ts";
import { parseHostPattern } from "../../src/policy/host_pattern.ts";
import { HostListReader } from "../../src/policy/host_list_reader.ts";
import { Routes } from "../../src/policy/routes.ts";

function routes(...each: [hosts: string, via: string][]): Routes<string> {
  const reader = new HostListReader();
  reader.read(new TextEncoder().encode("listed.example\n198.51.100.0/24\n"));
  return new Routes(
    each.map(([hosts, via]) => ({ hosts: hosts.split(" ").map(parseHostPattern), via: via.split(" ") })),
    new Map([["list", reader.end().list]]),
  );
}

function way(routes: Routes<string>, host: string): string | null {
  return routes.find(parseAuthority(host, 80))?.join(" ") ?? null;
}

Deno.test("the first route that names a host decides", () => {
  const table = routes(["a.example", "one"], [".example", "two three"], ["*", "rest"]);
  for (const _ of [1, 2]) {
    assertEquals(way(table, "a.example"), "one");
    assertEquals(way(table, "A.example.:8080"), "one");
    assertEquals(way(table, "b.example"), "two three");
    assertEquals(way(table, "example"), "two three");
    assertEquals(way(table, "10.0.0.1"), "rest");
  }
});

Deno.test("what no route names has none", () => {
  assertEquals(way(routes(), "a.example"), null);
  assertEquals(way(routes(["b.example", "x"]), "a.example"), null);
});

Deno.test("networks hold for addresses as they are asked for, however they are written", () => {
  const table = routes(["10.0.0.0/8 2001:db8::/32", "inside"], ["*.example @list", "out"]);
  assertEquals(way(table, "10.1.2.3"), "inside");
  assertEquals(way(table, "[::ffff:10.1.2.3]"), "inside");
  assertEquals(way(table, "[64:ff9b::a01:203]"), "inside");
  assertEquals(way(table, "[2001:db8::1]"), "inside");
  assertEquals(way(table, "11.1.2.3"), null);
  assertEquals(way(table, "198.51.100.7"), "out");
  assertEquals(way(table, "listed.example"), "out");
});
