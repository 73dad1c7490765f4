import { assert, assertEquals } from "@std/assert";
import { helpText } from "../../src/cli/help.ts";
import { COMMANDS, usageOfCommand } from "../../src/config/commands.ts";
import { isFor, type Option } from "../../src/config/option.ts";
import { OPTIONS } from "../../src/config/options.ts";

Deno.test("help fits into 80 columns, with no blanks at the ends of lines", () => {
  for (const { name } of COMMANDS) {
    for (const line of helpText(name, false).split("\n")) {
      assert(line.length <= 80, line);
      assertEquals(line, line.trimEnd());
    }
  }
});

Deno.test("each command's help tells every flag that it takes, and no other", () => {
  for (const { name } of COMMANDS) {
    const told = [...helpText(name, false).matchAll(/^ {2}(?:-., | {4})--(\S+)/gm)].map((match) => match[1]);
    const taken = (OPTIONS as readonly Option[]).filter((option) => isFor(option, name));
    assertEquals(told.sort(), taken.map(({ flag }) => flag).sort(), name);
  }
});

Deno.test("help tells every command, exit code and signal", () => {
  const help = helpText("serve", false);
  for (const command of COMMANDS) {
    assert(help.includes(`\n  ${usageOfCommand(command).slice("weir ".length)}  `), command.name);
  }
  for (const word of ["Usage", "Examples", "SIGTERM", "SIGHUP", "Exit status"]) {
    assert(help.includes(word), word);
  }
});

Deno.test("help has colours where they are wanted, and none elsewhere", () => {
  assert(!helpText("serve", false).includes("\x1b"));
  // deno-lint-ignore no-control-regex
  assertEquals(helpText("serve", true).replace(/\x1b\[[0-9;]*m/g, ""), helpText("serve", false));
});
