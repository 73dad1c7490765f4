/** What is remembered of URLs of which nothing is stored: that many of them are long is no reason to hold much. */

import { assert, assertEquals } from "@std/assert";
import { keyFor, markOf, partsOf } from "../../src/proxy/cache/cache_key.ts";
import { HttpCache } from "../../src/proxy/cache/http_cache.ts";

/** URLs of one length that differ in one character. */
function alike(length: number): string[] {
  const url = "http://a.example/".padEnd(length, "x");
  const places = [17, length >> 1, length - 1];
  return [url, ...places.map((place) => `${url.slice(0, place)}y${url.slice(place + 1)}`)];
}

Deno.test("a short URL is remembered as it is, and of a long one little: the same of itself, and not of others", () => {
  assertEquals(markOf(alike(256)[0]), alike(256)[0]);
  for (const length of [257, 8_192, 60_000]) {
    const marks = alike(length).map(markOf);
    assertEquals(new Set(marks).size, marks.length);
    assertEquals(marks, alike(length).map(markOf));
    for (const mark of marks) assert(mark.length < 64, mark);
  }
});

Deno.test("of URLs of any length it is known what became invalid, and what nobody is to wait for", () => {
  for (const length of [100, 60_000]) {
    const cache = new HttpCache(1024 * 1024, null);
    const [one, other] = alike(length);
    const before = cache.generation;
    cache.drop(one, " ");
    const keys = [one, other].flatMap((url) => [keyFor("", url), keyFor("u", url)]);
    assertEquals(keys.map((key) => cache.isCurrent(key, before)), [false, false, true, true]);
    cache.land(keys[0], cache.begin(keys[0], 0)!, null, 0);
    assertEquals(keys.map((key) => cache.begin(key, 1) === null), [true, false, false, false]);
    cache.rest(keys[0], 0);
    assertEquals(keys.map((key) => cache.maySendBackground(key, 1)), [false, true, true, true]);
  }
});

Deno.test("a key tells whose it is and of which URL, whatever the name of the user", () => {
  const url = "http://a.example/b%20c?d=%25";
  for (const user of ["", "u", "two words", "100%", "%20", "a%25 b", "ü"]) {
    assertEquals(partsOf(keyFor(user, url)), { user, url });
  }
});
