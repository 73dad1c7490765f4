import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Io } from "../../src/cli/io.ts";
import { run } from "../../src/cli/run.ts";
import { COMMANDS } from "../../src/config/commands.ts";

/** Runs weir in this process, with arguments that end it before it serves. */
async function weir(args: string[], input = ""): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ["", ""];
  const io: Io = {
    bytes: () => true,
    out: (text) => out += text,
    err: (text) => err += text,
    input: new Response(input).body!,
    isTerminal: () => false,
    noColor: false,
  };
  return { code: await run(args, io), out, err };
}

Deno.test("--help goes to standard output and is no failure", async () => {
  for (
    const args of [["--help"], ["-h"], ["serve", "--help"], ["help"], ["--help", "--bogus"], ["x", "-h"]]
  ) {
    const { code, out, err } = await weir(args);
    assertEquals([code, err], [0, ""]);
    assert(out.includes("Usage"));
  }
});

Deno.test("each command has help of its own, called in either way", async () => {
  for (const { name } of COMMANDS) {
    const { code, out, err } = await weir(["help", name]);
    assertEquals([code, err], [0, ""], name);
    assert(out.includes("Examples\n"), name);
    assertEquals((await weir([name, "--help"])).out, out, name);
  }
  assertEquals(await weir(["help", "srve"]), {
    code: 2,
    out: "",
    err: "weir: there is no command srve; did you mean serve?\nweir: weir help --help lists what there is\n",
  });
});

Deno.test("--version says the version of deno.json first", async () => {
  const { version } = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));
  const { code, out } = await weir(["-V"]);
  assertEquals([code, out.split("\n")[0]], [0, `weir ${version}`]);
  assertMatch(out.split("\n")[1], /^Deno [0-9.]+, V8 /);
});

Deno.test("wrong usage is 2, with every problem and where to read on", async () => {
  const { code, out, err } = await weir(["--bogus", "--grace", "10"]);
  assertEquals([code, out], [2, ""]);
  assertEquals(err.trimEnd().split("\n"), [
    "weir: there is no flag --bogus",
    "weir: --grace: 10 needs a unit: write 10ms, 10s, 10m or 10h",
    "weir: --help lists what there is",
  ]);
});

Deno.test("who uses a command wrongly is told of its own help, with a line to begin with", async () => {
  assertEquals((await weir(["learn"])).err.split("\n"), [
    "weir: weir learn LOG… needs LOG…, as in weir learn weir.log > policy.toml",
    "weir: weir learn --help lists what there is",
    "",
  ]);
  for (const args of [["report", "--markdwn", "x"], ["report", "x", "--sort", "url"], ["report", "--into"]]) {
    const { code, err } = await weir(args);
    assertEquals([code, err.trimEnd().split("\n").at(-1)], [
      2,
      "weir: weir report --help lists what there is",
    ]);
  }
});

Deno.test("an unknown command names the nearest one, be it a command or a flag", async () => {
  for (
    const [word, expected] of [
      ["srve", "weir: there is no command srve; did you mean serve?"],
      ["hepl", "weir: there is no command hepl; did you mean help?"],
      ["versoin", "weir: there is no command versoin; did you mean --version?"],
      ["zebra", "weir: there is no command zebra"],
      ["a\x1b[31m", "weir: there is no command a\\u{1b}[31m"],
    ]
  ) {
    const { code, err } = await weir([word]);
    assertEquals([code, err.split("\n")[0]], [2, expected]);
  }
  assertEquals((await weir(["serve", "more"])).err.split("\n")[0], "weir: there is one word too many: more");
});

Deno.test("--check prints the configuration as a file that it takes itself", async () => {
  const first = await weir(["--check", "-l", "[::1]:3128", "--grace", "90s", "--log-format", "json"]);
  assertEquals([first.code, first.err], [0, "weir: the configuration is right\n"]);
  assert(first.out.includes('\ngrace = "90s"\n'));
  const second = await weir(["--check", "-c", "-"], first.out);
  assertEquals([second.code, second.out], [0, first.out]);
});

Deno.test("--check prints rules and tests back, those of flags too", async () => {
  const file = `[[rule]]
name = "packages"
action = "allow"
hosts = [".example.com"]
[[test]]
url = "https://a.example.com/"
expect = "allow"
rule = "packages"
`;
  const args = ["--check", "-c", "-", "--allow", "a.example:443", "--deny=b.example", "--clients=private"];
  const first = await weir(args, file);
  assertEquals([first.code, first.err], [0, "weir: the configuration is right\n"]);
  assertEquals([...first.out.matchAll(/^(?:name|url|clients) = .*$/gm)].map(([line]) => line), [
    'clients = ["private"]',
    'name = "--allow a.example:443"',
    'name = "--deny b.example"',
    'name = "packages"',
    'url = "https://a.example.com/"',
  ]);
  assertEquals(await weir(["--check", "-c", "-"], first.out), first);
});

Deno.test("--check finds what the policy cannot mean, and says what it hardly means", async () => {
  const wrong = await weir(["--check", "--allow", "a.example", "--deny", "a.example"]);
  assertEquals([wrong.code, wrong.out], [3, ""]);
  assert(wrong.err.startsWith("weir: command line: "), wrong.err);
  const odd = await weir(["--check", "--mode", "report", "--deny", "a.example"]);
  assertEquals(odd.code, 0);
  assert(odd.err.startsWith("weir: warning: nothing is refused"), odd.err);
});

Deno.test("flags win over the file", async () => {
  const { out } = await weir(
    ["--check", "-c", "-", "--grace", "1s"],
    '[timeouts]\ngrace = "2s"\nhead = "3s"\n',
  );
  assert(out.includes('\ngrace = "1s"\n'));
  assert(out.includes('\nhead = "3s"\n'));
});

Deno.test("a wrong configuration is 3, each problem with its line", async () => {
  const { code, out, err } = await weir(["--check", "--config", "-"], "[timeouts]\nheed = 1\ngrace = 5\n");
  assertEquals([code, out], [3, ""]);
  assertEquals(err.trimEnd().split("\n"), [
    "weir: standard input:2: there is no key timeouts.heed; did you mean head in [timeouts]?",
    'weir: standard input:3: timeouts.grace: 5 needs a unit: write "5ms", "5s", "5m" or "5h"',
  ]);
});

Deno.test("a configuration is at most 4 MiB of UTF-8", async () => {
  const large = await weir(["--check", "-c", "-"], "#".repeat(2 ** 22 + 1));
  assertEquals([large.code, large.err], [3, "weir: standard input is larger than 4 MiB\n"]);
  assertEquals((await weir(["--check", "-c", "-"], "#".repeat(2 ** 22))).code, 0);
});

Deno.test("a file that is not there, or is none, is 3", async () => {
  const missing = await weir(["--check", "-c", "/no/such/weir.toml"]);
  assertEquals([missing.code, missing.err], [
    3,
    "weir: /no/such/weir.toml cannot be read: there is no such file\n",
  ]);
  const folder = new URL("../../tests", import.meta.url).pathname;
  assertEquals(
    (await weir(["--check", "-c", folder])).err,
    `weir: ${folder} cannot be read: it is a folder\n`,
  );
});

Deno.test("certificates are looked at before the start, all of them", async () => {
  const { code, err } = await weir([
    "--check",
    "--origin-ca",
    import.meta.filename!,
    "--origin-ca",
    "/no/such.pem",
  ]);
  assertEquals(code, 3);
  assertEquals(err.trimEnd().split("\n"), [
    `weir: ${import.meta.filename} holds no certificate: it should have a line -----BEGIN CERTIFICATE-----`,
    "weir: /no/such.pem cannot be read: there is no such file",
  ]);
});
