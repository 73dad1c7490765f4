import { assertEquals } from "@std/assert";
import { fieldWords, TOLD } from "../../src/get/field_words.ts";

const NOW = Date.UTC(2026, 10, 21, 10, 0, 0);
const response = (name: string, value: string) => fieldWords("response", name, value, NOW);

Deno.test("fields of a response are explained by their names in any case", () => {
  assertEquals(response("AGE", "1"), ["the origin made it, or said that it still holds, 1.0 s ago"]);
  assertEquals(response("Date", "Sat, 21 Nov 2026 09:59:00 GMT"), ["made 1m 00s ago"]);
  assertEquals(response("Expires", "Sat, 21 Nov 2026 10:05:00 GMT"), ["it is stale in 5m 00s"]);
  assertEquals(response("Expires", "0"), ["it is no date"]);
  assertEquals(response("Content-Length", "1234"), ["a body of 1.2 kB"]);
  assertEquals(response("Content-Length", "-1"), []);
  assertEquals(response("ETag", 'W/"1"'), ["names this version; bytes may differ under the same name"]);
});

Deno.test("nothing is said of fields that nobody knows, be they called like an object's own", () => {
  for (const name of ["X-Powered-By", "constructor", "__proto__", "toString"]) {
    assertEquals(response(name, "x"), []);
  }
  assertEquals(fieldWords("request", "Age", "1", NOW), []);
});

Deno.test("what is told beside a head is what has words", () => {
  for (const [name] of TOLD) assertEquals(response(name, "a").length > 0, true, name);
});
