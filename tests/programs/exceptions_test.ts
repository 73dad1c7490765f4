import { assertEquals } from "@std/assert";
import { readExceptions } from "../../src/cli/env/read_exceptions.ts";
import { asEnds, asStars, asWholeNames, type Told } from "../../src/programs/exceptions.ts";

const ALL =
  "Example.COM.,*.wiki.test,.shop.test,192.0.2.1,[::1],10.0.0.0/8,172.16.0.0/12,192.0.2.7/32,fd00::/8";

function told({ texts, left }: Told): [string, string] {
  return [texts.join(" "), left.map(({ text }) => text).join(" ")];
}

Deno.test("Java gets stars, npm ends of names, apt whole names, and the rest is said to be left", () => {
  const exceptions = readExceptions(ALL);
  assertEquals(told(asStars(exceptions)), [
    "example.com *.example.com *.wiki.test *.shop.test 192.0.2.1 [::1] 10.* 192.0.2.7",
    "172.16.0.0/12 fd00::/8",
  ]);
  assertEquals(told(asEnds(exceptions)), [
    "example.com .wiki.test .shop.test 192.0.2.1 ::1",
    "10.0.0.0/8 172.16.0.0/12 192.0.2.7/32 fd00::/8",
  ]);
  assertEquals(told(asWholeNames(exceptions)), [
    "example.com 192.0.2.1",
    ".wiki.test .shop.test ::1 10.0.0.0/8 172.16.0.0/12 192.0.2.7/32 fd00::/8",
  ]);
});
