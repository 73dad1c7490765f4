import { assertEquals, assertThrows } from "@std/assert";
import { readExceptions } from "../../../src/cli/env/read_exceptions.ts";
import { WrongValue } from "../../../src/config/errors.ts";
import { asList } from "../../../src/programs/exceptions.ts";

const ALL =
  "Example.COM.,*.wiki.test,.shop.test,192.0.2.1,[::1],10.0.0.0/8,172.16.0.0/12,192.0.2.7/32,fd00::/8";

Deno.test("exceptions are read into one form, each once", () => {
  assertEquals(
    asList(readExceptions(`${ALL}, example.com  10.0.0.0/8`)).texts.join(" "),
    "example.com .wiki.test .shop.test 192.0.2.1 ::1 10.0.0.0/8 172.16.0.0/12 192.0.2.7/32 fd00::/8",
  );
  assertEquals(readExceptions(" , "), []);
  assertEquals(readExceptions("*"), [{ kind: "all", text: "*" }]);
});

Deno.test("an exception that no program would understand is refused with what to write", () => {
  for (
    const [word, message] of [
      ["http://example.com/", "is a URL: write the host alone"],
      ["example.com/8", "is a URL: write the host alone"],
      ["example.com:8080", "has a port: write the host alone"],
      ["10.0.0.0/33", "is no network: write it as 10.0.0.0/8 or fd00::/8"],
      ["10.1", "is no host"],
      ["a*b.test", "is no host"],
      ["$(id)", "is no host"],
      ["'", "is no host"],
      ["..", "is no host"],
    ]
  ) {
    const error = assertThrows(() => readExceptions(word), WrongValue);
    assertEquals(error.message.includes(message), true, error.message);
  }
});
