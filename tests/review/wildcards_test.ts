import { assertEquals } from "@std/assert";
import { wildcards } from "../../src/review/wildcards.ts";

const cases: [name: string, names: string[], expected: [string, number][]][] = [
  ["three names make a domain worth a word", ["a.x.org", "b.x.org", "c.x.org"], [["x.org", 3]]],
  ["two do not", ["a.x.org", "b.x.org"], []],
  ["a name given twice is one", ["a.x.org", "a.x.org", "b.x.org"], []],
  ["the lowest domain that has enough is taken", ["a.cdn.x.org", "b.cdn.x.org", "c.cdn.x.org", "www.x.org"], [
    ["cdn.x.org", 3],
  ]],
  ["a higher one needs enough of its own", [
    "a.c.x.org",
    "b.c.x.org",
    "c.c.x.org",
    "d.x.org",
    "e.x.org",
    "f.x.org",
  ], [["c.x.org", 3], ["x.org", 6]]],
  ["top-level domains and registries are never one", [
    "a.org",
    "b.org",
    "c.org",
    "a.co.uk",
    "b.co.uk",
    "c.co.uk",
  ], []],
  ["below a registry there are domains", ["a.x.co.uk", "b.x.co.uk", "c.x.co.uk"], [["x.co.uk", 3]]],
  ["addresses have no domains", ["10.0.0.1", "10.0.0.2", "10.0.0.3", "2001:db8::1"], []],
  ["nor has a single label", ["a", "b", "c"], []],
];

for (const [name, names, expected] of cases) {
  Deno.test(name, () => {
    assertEquals(wildcards(names).map(({ domain, names }) => [domain, names]), expected);
    assertEquals(wildcards([...names].reverse()).map(({ domain, names }) => [domain, names]), expected);
  });
}
