import { assertEquals } from "@std/assert";
import { apacheEscaped } from "../../src/observe/apache_escape.ts";

Deno.test("escapes are those of Apache's ap_escape_logitem", () => {
  const cases: [string, string][] = [
    ["plain /~text?a=b", "plain /~text?a=b"],
    ['say "no" \\', 'say \\"no\\" \\\\'],
    ["\b\n\r\t\v", "\\b\\n\\r\\t\\v"],
    ["\x00\x0c\x1b\x7f\x80\xe9\xff", "\\x00\\x0c\\x1b\\x7f\\x80\\xe9\\xff"],
    // our own words are UTF-8, byte for byte
    ["→", "\\xe2\\x86\\x92"],
  ];
  for (const [text, expected] of cases) assertEquals(apacheEscaped(text, 100), expected);
});

Deno.test("a long text is cut before it is escaped", () => {
  assertEquals(apacheEscaped("abcdef", 3), "abc...");
});
