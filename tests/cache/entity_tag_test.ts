import { assertEquals } from "@std/assert";
import { entityTagOf } from "../../src/cache/entity_tag.ts";

Deno.test("an entity tag is quoted, and one (RFC 9110 §8.8.3)", () => {
  for (const tag of ['"a"', 'W/"a"', '""', '"a,b"', '"\u00fc"', 'W/""']) assertEquals(entityTagOf(tag), tag);
  for (
    const text of ["", '"', "a", '"a', 'a"', 'w/"a"', 'W"a"', 'W/"', 'W\\"a"', '"a" "b"', '"a","b"', '"a b"']
  ) {
    assertEquals(entityTagOf(text), null, text);
  }
});
