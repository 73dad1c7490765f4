import { assertEquals } from "@std/assert";
import { didYouMean, nearest, slipsBetween } from "../../src/config/nearest.ts";

Deno.test("the distance counts letters that are missing, added, wrong or swapped", () => {
  assertEquals(slipsBetween("listen", "listen"), 0);
  assertEquals(slipsBetween("lisen", "listen"), 1);
  assertEquals(slipsBetween("llisten", "listen"), 1);
  assertEquals(slipsBetween("lasten", "listen"), 1);
  assertEquals(slipsBetween("lisetn", "listen"), 1);
  assertEquals(slipsBetween("", "listen"), 6);
  assertEquals(slipsBetween("kitten", "sitting"), 3);
});

Deno.test("the nearest word is named, and none when nothing is near", () => {
  const words = ["listen", "log-format", "log-level", "grace"];
  assertEquals(nearest("lsiten", words), "listen");
  assertEquals(nearest("LOG-LEVEL", words), "log-level");
  assertEquals(nearest("logformat", words), "log-format");
  assertEquals(nearest("lis", words), "listen");
  assertEquals(nearest("zebra", words), undefined);
  assertEquals(nearest("x", ["l"]), undefined);
  assertEquals([nearest("port", ["sort"]), nearest("post", ["port"]), nearest("prot", ["port"])], [
    undefined,
    "port",
    "port",
  ]);
  assertEquals(nearest("paths", ["hosts", "ports"]), undefined);
  assertEquals(nearest("", words), undefined);
});

Deno.test("a word of any length is answered at once", () => {
  assertEquals(nearest("listen".repeat(100_000), ["listen"]), undefined);
});

Deno.test("the suggestion is a question behind the message", () => {
  assertEquals(didYouMean("gracee", ["grace"], "--"), "; did you mean --grace?");
  assertEquals(didYouMean("zebra", ["grace"], "--"), "");
});
