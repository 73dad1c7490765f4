import { assertEquals } from "@std/assert";
import { formatCombined } from "../../src/observe/format_combined.ts";
import { formatCommon } from "../../src/observe/format_common.ts";
import { forward } from "./samples.ts";

Deno.test("a line is the common one with referer and user agent", () => {
  const fields = { "user-agent": 'curl/8.5.0 "x"', referer: "http://example.com/page" };
  assertEquals(
    formatCombined(forward({ fields })),
    `${formatCommon(forward())} "http://example.com/page" "curl/8.5.0 \\"x\\""`,
  );
});

Deno.test("fields that the request had not are -", () => {
  assertEquals(formatCombined(forward({ fields: {} })), `${formatCommon(forward())} "-" "-"`);
});

Deno.test("a password in the referer is left out, a long user agent cut", () => {
  const fields = { "user-agent": "x".repeat(60_000), referer: "http://bob:secret@example.com/" };
  const line = formatCombined(forward({ fields }));
  assertEquals(line.includes("secret"), false);
  assertEquals(line.length < 2400, true);
});
