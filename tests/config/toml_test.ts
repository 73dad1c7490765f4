import { assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { ConfigError } from "../../src/config/errors.ts";
import type { Values } from "../../src/config/options.ts";
import { readToml } from "../../src/config/toml.ts";
import { parseListenAddress } from "../../src/net/listen.ts";

const read = async (text: string): Promise<Values> =>
  (await readToml(text, "weir.toml", parseListenAddress)).values;

async function problemsOf(text: string): Promise<readonly string[]> {
  const error = await assertRejects(() => read(text), ConfigError);
  return (error as ConfigError).problems;
}

Deno.test("a file holds options by section, in any of TOML's ways", async () => {
  const expected = {
    listen: [{ hostname: "127.0.0.1", port: 8888 }, { hostname: "::1", port: 8888 }],
    "log-format": "json",
    "max-connections": 1000,
    "max-head-size": 65536,
    "max-body-size": 5,
    "head-timeout": 10_000,
    "show-version": true,
    "origin-ca": ["a.pem"],
  };
  const sections = `
listen = ["8888", "[::1]:8888"]
[log]
format = 'json'
[limits]
connections = 1_000
head-size = "64k"
body-size = 5
[timeouts]
head = "10s"
[forwarding]
show-version = true
origin-ca = "a.pem"
`;
  const dotted = `
log.format = "json"
"limits".connections = 0x3e8
limits.head-size = 65536
limits.body-size = "5"
listen = ["8888", "[::1]:8888"]
timeouts = { head = "10s" }
forwarding = { show-version = true, origin-ca = ["a.pem"] }`;
  assertEquals(await read(sections), expected as Values);
  assertEquals(await read(dotted), expected as Values);
});

Deno.test("an empty file says nothing", async () => {
  assertEquals(await read(""), {});
  assertEquals(await read("\ufeff# nothing\n[log]\n".slice(1)), {});
});

Deno.test("an unknown key is told with its line and the nearest one", async () => {
  assertEquals(await problemsOf("\n[timeouts]\n\nheed = '1s'"), [
    "weir.toml:4: there is no key timeouts.heed; did you mean head in [timeouts]?",
  ]);
  assertEquals(await problemsOf("lisen = '8888'"), [
    "weir.toml:1: there is no key lisen; did you mean listen, at the top of the file?",
  ]);
  assertEquals(await problemsOf("zebra = 1"), ["weir.toml:1: there is no key zebra"]);
});

Deno.test("a flag's name, or a key in the wrong section, is told where it belongs", async () => {
  assertEquals(await problemsOf("max-connections = 1"), [
    "weir.toml:1: there is no key max-connections; did you mean connections in [limits]?",
  ]);
  assertEquals(await problemsOf("[log]\nlisten = '8888'"), [
    "weir.toml:2: there is no key log.listen; did you mean listen, at the top of the file?",
  ]);
  assertEquals(await problemsOf("grace = '1s'"), [
    "weir.toml:1: there is no key grace; did you mean grace in [timeouts]?",
  ]);
  assertEquals(await problemsOf("check = true"), [
    "weir.toml:1: check: --check is for the command line alone",
  ]);
});

Deno.test("an unknown section is told with its line and the nearest one", async () => {
  assertEquals(await problemsOf("[limit]\nconnections = 1"), [
    "weir.toml:1: there is no section [limit]; did you mean [limits]?",
  ]);
  assertEquals(await problemsOf("[log]\ntimeouts = {head = '1s'}"), [
    "weir.toml:2: there is no section [log.timeouts]; did you mean [timeouts]?",
  ]);
  for (
    const [written, meant] of [["rules", "rule"], ["tests", "test"], ["routes", "route"], [
      "policy.rule",
      "rule",
    ]]
  ) {
    assertEquals(await problemsOf(`[[${written}]]\na = 1\n[[${written}]]\na = 1`), [
      `weir.toml:1: there is no section [[${written}]]; did you mean [[${meant}]]?`,
    ]);
    assertEquals(await problemsOf(`[${written}]\na = 1`), [
      `weir.toml:1: there is no section [${written}]; did you mean [[${meant}]]?`,
    ]);
  }
});

Deno.test("a section is a table, once", async () => {
  for (const text of ["limits = 3", "limits = []", "[[limits]]"]) {
    assertEquals(await problemsOf(text), [
      "weir.toml:1: limits is a section: write [limits] once, and its keys below",
    ]);
  }
});

Deno.test("a value of the wrong kind is told what to write", async () => {
  assertEquals(
    await problemsOf(`
[timeouts]
head = 10
connect = true
[limits]
connections = "12"
fields = 20.5
head-size = []
body-size = -5
[log]
format = 7
color = "allways"
[forwarding]
show-version = "yes"
origin-ca = [1]
`),
    [
      'weir.toml:3: timeouts.head: 10 needs a unit: write "10ms", "10s", "10m" or "10h"',
      'weir.toml:4: timeouts.connect: must be a time in quotes such as "10s", not true',
      'weir.toml:6: limits.connections: must be a number without quotes, not "12"',
      "weir.toml:7: limits.fields: must be a whole number, not 20.5",
      'weir.toml:8: limits.head-size: must be a size such as 65536 or "64k", not a list',
      "weir.toml:9: limits.body-size: must be from 0 to 1024t, not -5; 0: no limit",
      "weir.toml:11: log.format: must be a text in quotes, not 7",
      'weir.toml:12: log.color: must be one of auto, always, never, not "allways"; did you mean always?',
      'weir.toml:14: forwarding.show-version: must be true or false, not "yes"',
      'weir.toml:15: forwarding.origin-ca: must be the name of a file or a list of them, such as "a.pem" or ["a.pem", "b.pem"]',
    ],
  );
});

Deno.test("numbers that no machine can hold are outside the bounds", async () => {
  for (const number of ["1e30", "-1e30", "999999999999999999999999", "1e400", "0x" + "f".repeat(60)]) {
    assertEquals((await problemsOf(`[limits]\nconnections = ${number}`)).length, 1, number);
  }
});

Deno.test("a wrong address in a list is told with its own line", async () => {
  const [problem] = await problemsOf('listen = [\n  "8888",\n  "x y",\n]');
  assertEquals(problem.split(" ").slice(0, 2), ["weir.toml:3:", "listen:"]);
  assertEquals(await problemsOf("listen = []"), ["weir.toml:1: listen: must have at least one address"]);
});

Deno.test("what is no TOML is told with its line", async () => {
  assertEquals(await problemsOf("[timeouts]\nhead = 10s"), [
    'weir.toml:2: 10s is no value: texts, sizes and times are written in quotes, "10s"',
  ]);
});

Deno.test("problems come in the order of their lines, and no more than twenty of them", async () => {
  const text = Array.from({ length: 100 }, (_, n) => `key${n} = 1`).join("\n");
  const problems = await problemsOf(text);
  assertEquals(problems.length, 21);
  assertEquals(
    problems.slice(0, 20).map((each) => each.split(":")[1]),
    Array.from({ length: 20 }, (_, n) => `${n + 1}`),
  );
  assertEquals(problems[20], "weir.toml: and 80 more");
});

Deno.test("no message carries a control character or a text without end", async () => {
  const [problem] = await problemsOf(`"\u009b\u202e${"x".repeat(100_000)}" = 1`);
  assertEquals(/[\p{C}]/u.test(problem), false);
  assertEquals(problem.length < 200, true);
});

Deno.test("no TOML throws anything but a ConfigError", async () => {
  const key = fc.constantFrom(
    "listen",
    "log",
    "log.format",
    "limits",
    "limits.fields",
    "timeouts",
    "__proto__",
    "x",
  );
  const scalar = fc.oneof(
    fc.constantFrom(
      '"10s"',
      '"64k"',
      "true",
      "1e400",
      "[]",
      "{}",
      '["8888", 1]',
      "[[1]]",
      "{format = 1}",
      "10s",
      "",
    ),
    fc.double().map(String),
    fc.string({ unit: "binary" }).map((text) => JSON.stringify(text)),
  );
  const statement = fc.oneof(
    fc.tuple(key, scalar).map(([name, item]) => `${name} = ${item}`),
    key.map((name) => `[${name}]`),
    key.map((name) => `[[${name}]]`),
    fc.string(),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(statement, { maxLength: 6 }), async (lines) => {
      try {
        await read(lines.join("\n"));
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
      }
    }),
    { numRuns: 1000 },
  );
});
