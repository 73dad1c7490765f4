import { assertEquals } from "@std/assert";
import { viaWords } from "../../src/get/via_words.ts";

Deno.test("Via names the proxies and what each got it by (RFC 9110 §7.6.3)", () => {
  assertEquals(viaWords("1.1 weir-1f3a"), ["it passed weir-1f3a, which got it by HTTP/1.1"]);
  assertEquals(viaWords("1.0 fred, HTTP/2 p.example.net:80 (Squid, 5 \\) x)"), [
    "it passed 2 proxies:",
    "1. fred, which got it by HTTP/1.0",
    "2. p.example.net:80, which got it by HTTP/2",
  ]);
  assertEquals(viaWords(" , "), []);
  assertEquals(viaWords("nonsense"), ["it passed somebody whose entry cannot be read"]);
  assertEquals(viaWords(Array(20).fill("1.1 a").join()).at(-1), "and 4 more");
});
