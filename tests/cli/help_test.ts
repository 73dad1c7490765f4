import { assert, assertEquals } from "@std/assert";
import { helpText } from "../../src/cli/help.ts";
import { OPTIONS } from "../../src/config/options.ts";

Deno.test("help fits into 80 columns, with no blanks at the ends of lines", () => {
  for (const line of helpText(false).split("\n")) {
    assert(line.length <= 80, line);
    assertEquals(line, line.trimEnd());
  }
});

Deno.test("help tells every flag, exit code and signal", () => {
  const help = helpText(false);
  for (const { flag } of OPTIONS) assert(help.includes(`--${flag}`), flag);
  for (const word of ["Usage", "Examples", "SIGTERM", "SIGHUP", "Exit status"]) {
    assert(help.includes(word), word);
  }
});

Deno.test("help has colours where they are wanted, and none elsewhere", () => {
  assert(!helpText(false).includes("\x1b"));
  // deno-lint-ignore no-control-regex
  assertEquals(helpText(true).replace(/\x1b\[[0-9;]*m/g, ""), helpText(false));
});
