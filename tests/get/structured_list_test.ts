import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { readMembers } from "../../src/get/structured_list.ts";

const read = (text: string) =>
  readMembers(text)?.map(({ name, parameters }) => [name, Object.fromEntries(parameters)]);

Deno.test("members are tokens or strings with parameters of all simple types (RFC 9651 §3.1)", () => {
  assertEquals(read(""), []);
  assertEquals(read(' weir-1f3a; hit; ttl=-3 , "a \\"b\\\\"; fwd=uri-miss;detail="x, y; z";q=?0;b=:YQ==:'), [
    ["weir-1f3a", { hit: true, ttl: -3 }],
    ['a "b\\', { fwd: "uri-miss", detail: "x, y; z", q: false, b: ":YQ==:" }],
  ]);
  assertEquals(read("a;b=1.5\t,\tb"), [["a", { b: 1.5 }], ["b", {}]]);
});

Deno.test("what is no such list is none as a whole", () => {
  const wrong = [
    "a,",
    ",a",
    "a b",
    "a;",
    "a;B",
    "a;b=",
    '"a',
    'a;b="c',
    "(a b)",
    "a;b=\x1b",
    "1",
    "\x9b",
    "a;;b",
  ];
  for (const text of wrong) assertEquals(readMembers(text), null, text);
  assertEquals(readMembers(Array(64).fill("a").join(","))?.length, 64);
  assertEquals(readMembers(Array(65).fill("a").join(",")), null);
});

Deno.test("any text is read or refused, and never thrown at", () => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...'a;=,"\\ ?01:-.*\x1b') }), (text) => {
    const members = readMembers(text);
    return members === null || members.length <= 64;
  }));
});
