import { assertEquals } from "@std/assert";
import { acceptsCoding } from "../../src/cache/accept_encoding.ts";
import { find } from "../../src/cache/find.ts";
import type { CacheRequest, StoredResponse } from "../../src/cache/stored_response.ts";
import { varyOf } from "../../src/cache/vary.ts";
import { get, linesOf, NOON, response, stored } from "./making.ts";

Deno.test("a request takes the codings that it names with a weight (RFC 9110 §12.5.3)", () => {
  const taken: [string, string][] = [
    ["gzip", ""],
    ["gzip", "gzip"],
    ["GZIP", "gzip"],
    ["gzip", "x-gzip"],
    ["x-gzip;q=0.5", "gzip"],
    ["br, gzip;q=0.001", "gzip"],
    ["*", "gzip"],
    ["*;q=0.1", "zstd"],
    ["br;q=0, *", "gzip"],
    ["gzip, br", "gzip, br"],
    ["gzip, br", "gzip,identity"],
    ["identity", ""],
    ["gzip;q=0", ""],
    ["identity, *;q=0", ""],
    ["identity;q=x", ""],
    ["", "gzip"],
    ["", ""],
  ];
  for (const [asked, coding] of taken) assertEquals(acceptsCoding(asked, coding), true, `${asked}|${coding}`);
  const refused: [string, string][] = [
    ["br", "gzip"],
    ["identity", "gzip"],
    ["gzip;q=0", "gzip"],
    ["gzip;q=0.000, *", "gzip"],
    ["gzip;q=x", "gzip"],
    ["*;q=0", "gzip"],
    ["*;q=0", ""],
    ["gzip, *;q=0", ""],
    ["gzip, identity;q=0", ""],
    ["identity;q=0.0, br", "identity"],
    ["gzip", "gzip, br"],
    [",", "gzip"],
  ];
  for (const [asked, coding] of refused) {
    assertEquals(acceptsCoding(asked, coding), false, `${asked}|${coding}`);
  }
});

/** What is stored of a response to a request. */
function storedFor(asked: CacheRequest, ...lines: string[]): StoredResponse {
  const all = ["Cache-Control: max-age=60", ...lines];
  return { ...stored(), fields: linesOf(...all), vary: varyOf(asked, response(200, ...all))! };
}

function isHit(kept: StoredResponse, asked: CacheRequest): boolean {
  return find([kept], asked, NOON).kind === "hit";
}

Deno.test("an encoded response without Vary is for those who take its coding, and who ask as it was asked for", () => {
  const coded = storedFor(get("Accept-Encoding: gzip, br"), "Content-Encoding: gzip");
  for (const takes of ["gzip, br", "br,gzip", "gzip", "x-gzip", "*", "deflate, gzip;q=0.1"]) {
    assertEquals(isHit(coded, get(`Accept-Encoding: ${takes}`)), true, takes);
  }
  for (const takes of ["br", "identity", "gzip;q=0", "*;q=0", ""]) {
    assertEquals(isHit(coded, get(`Accept-Encoding: ${takes}`)), false, takes);
  }
  assertEquals(isHit(coded, get()), false, "one that says nothing of it may not be able to decode anything");
  // an origin that encodes whatever it is asked: for those who say nothing too
  const always = storedFor(get(), "Content-Encoding: gzip");
  assertEquals(isHit(always, get()), true);
  assertEquals(isHit(always, get("Accept-Encoding: gzip")), true);
  assertEquals(isHit(always, get("Accept-Encoding: identity")), false);
  // or gives what it has to those who do not take it, and would again
  const odd = storedFor(get("Accept-Encoding: br"), "Content-Encoding: abc");
  assertEquals(isHit(odd, get("Accept-Encoding: br")), true);
  assertEquals(isHit(odd, get("Accept-Encoding: gzip")), false);
});

Deno.test("what has no coding is no hit for a request that rules that out", () => {
  const plain = storedFor(get());
  for (const takes of ["gzip", "gzip;q=0", "*"]) {
    assertEquals(isHit(plain, get(`Accept-Encoding: ${takes}`)), true, takes);
  }
  for (const takes of ["identity;q=0", "gzip, *;q=0"]) {
    assertEquals(isHit(plain, get(`Accept-Encoding: ${takes}`)), false, takes);
  }
});

Deno.test("where Vary names Accept-Encoding it decides (RFC 9111 §4.1)", () => {
  const varies = storedFor(
    get("Accept-Encoding: gzip, br"),
    "Content-Encoding: gzip",
    "Vary: Accept-Encoding",
  );
  assertEquals(isHit(varies, get("Accept-Encoding: br , GZIP")), true);
  for (const takes of ["gzip", "identity", ""]) {
    assertEquals(isHit(varies, get(`Accept-Encoding: ${takes}`)), false, takes);
  }
});
