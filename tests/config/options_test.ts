import { assert, assertEquals, assertMatch } from "@std/assert";
import { parseListenAddress } from "../../src/net/listen.ts";
import { boundsInWords, textsOf, valueOfFlag } from "../../src/config/value.ts";
import { COMMANDS } from "../../src/config/commands.ts";
import { isFor, type Option } from "../../src/config/option.ts";
import { DEFAULTS, GROUPS, OPTIONS, OPTIONS_IN_FILE } from "../../src/config/options.ts";

const options: readonly Option[] = OPTIONS;

Deno.test("no two options share a flag, a letter or a key", () => {
  for (const name of ["flag", "short", "key"] as const) {
    const names = options.map((option) => option[name]).filter((each) => each !== undefined);
    assertEquals(names.length, new Set(names).size, name);
  }
});

Deno.test("every flag and key is in kebab-case, and every key stands in its group's section", () => {
  for (const option of options) {
    assertMatch(option.flag, /^[a-z]+(-[a-z]+)*$/);
    const group = GROUPS.find((each) => each.title === option.group);
    if (option.key === undefined) continue;
    const [key, section = ""] = option.key.split(".").reverse();
    assertMatch(key, /^[a-z]+(-[a-z]+)*$/);
    assertEquals(section, group?.section, option.flag);
  }
});

Deno.test("whatever an option is for is a command, and every command knows --help and --version", () => {
  const names: string[] = COMMANDS.map(({ name }) => name);
  for (const option of options) {
    const { commands = [] } = option;
    if (commands !== "all") assertEquals(commands.filter((name) => !names.includes(name)), [], option.flag);
    assert(names.some((name) => isFor(option, name)), option.flag);
  }
  for (const name of names) {
    for (const flag of ["help", "version"]) assert(isFor(options.find((each) => each.flag === flag)!, name));
  }
});

Deno.test("every default is one that could have been given", () => {
  for (const option of OPTIONS_IN_FILE) {
    if (!("default" in option) || option.default === undefined) continue;
    const texts = textsOf(option, option.default);
    assertEquals(valueOfFlag(option, texts, parseListenAddress), option.default, option.flag);
  }
});

Deno.test("every number has bounds, and no timeout may be 0", () => {
  for (const option of options) {
    if (option.type !== "size" && option.type !== "duration" && option.type !== "integer") continue;
    assert(option.least <= option.default && option.default <= option.most, boundsInWords(option));
    assert(Number.isSafeInteger(option.most), option.flag);
    if (option.flag.endsWith("-timeout")) assert(option.least > 0, option.flag);
    // a timer of the platform counts to 2^31 - 1 ms
    if (option.type === "duration") assert(option.most < 2 ** 31, option.flag);
  }
});

Deno.test("a head has room for a request line of 8,000 octets, whatever is set (RFC 9112 §3)", () => {
  const [option] = OPTIONS.filter((each) => each.flag === "max-head-size");
  assert(option.least > 8000);
});

Deno.test("one line of help begins with a capital and ends without a full stop", () => {
  for (const { help } of options) assertMatch(help, /^[A-Z].*[^.]$/);
});

Deno.test("without a word from anybody weir listens on this machine alone", () => {
  assertEquals(DEFAULTS.listen, [{ hostname: "127.0.0.1", port: 8888 }]);
});
