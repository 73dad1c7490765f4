import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Io } from "../../src/cli/io.ts";
import { Known, load, loadPolicy } from "../../src/cli/load.ts";
import { ConfigError } from "../../src/config/errors.ts";
import { readFlags } from "../../src/config/flags.ts";
import { parseListenAddress } from "../../src/net/listen.ts";
import { Folder } from "./weir.ts";

const instance = { pseudonym: "weir-1f3a", version: "1.2.3" };

function ioWith(input: string): Io {
  return {
    out: () => {},
    bytes: () => true,
    err: () => {},
    input: new Response(input).body!,
    isTerminal: () => false,
    noColor: false,
  };
}

const loaded = (args: string[], input = "", known?: Known) =>
  load(readFlags(args, parseListenAddress), instance, ioWith(input), known);

async function problemsOf(args: string[], input = ""): Promise<readonly string[]> {
  const error = await assertRejects(() => loaded(args, input), ConfigError);
  return (error as ConfigError).problems;
}

Deno.test("the command line's rules come before the file's, and both are in force", async () => {
  const { spec, config } = await loaded(
    ["--deny", "a.example", "-c", "-"],
    '[[rule]]\nname = "b"\naction = "allow"\nhosts = ".example"\n',
  );
  assertEquals(spec.rules.map(({ name }) => name), ["--deny a.example", "b"]);
  assert(config.proxy.policy !== undefined && config.policy.defaultAction === "deny");
});

Deno.test("lists and users of a file are sought beside it, those of flags from here", async () => {
  await using folder = await Folder.make();
  const list = await folder.write("list.txt", "a.example\n");
  await folder.write("users", "");
  const file = await folder.write(
    "weir.toml",
    'policy.users = "users"\n[[rule]]\naction = "deny"\nhosts = "@list.txt"\n',
  );
  const { lists, usersFile, values, files, written } = await loaded(["-c", file]);
  assertEquals(lists.get(list)?.includesName("a.example"), true);
  assertEquals(usersFile, `${folder.path}/users`);
  assertEquals(files, [file, list, `${folder.path}/users`]);
  // what is printed stays as it was written
  assertEquals([values.users, written[0].hosts?.[0].text], ["users", "@list.txt"]);
  assertEquals((await problemsOf(["--deny", "@list.txt"]))[0].startsWith("list.txt cannot be read"), true);
});

Deno.test("what cannot be meant is an error with file and line, what is hardly meant a warning", async () => {
  const [problem] = await problemsOf(
    ["-c", "-"],
    '[[rule]]\naction = "deny"\nhosts = "a.example"\n[[rule]]\naction = "allow"\nhosts = "a.example"\n',
  );
  assert(problem.startsWith("standard input:"), problem);
  const { warnings } = await loaded(["--mode", "report", "--deny", "a.example"]);
  assertEquals(warnings.length, 1);
  assertEquals((await loaded(["--deny", "a.example"])).warnings, []);
});

Deno.test("without rules there is nothing to judge, and a policy all the same", async () => {
  const { policy, warnings, files } = await loaded([]);
  assertEquals([warnings, files, policy.reportsOnly], [[], [], false]);
});

Deno.test("users stay who they are while their file has the same name", async () => {
  await using folder = await Folder.make();
  const users = await folder.write("users", "");
  const others = await folder.write("others", "");
  const known = new Known();
  const first = await loaded(["--users", users], "", known);
  assert(first.config.proxy.users === first.users && first.users !== null);
  assert((await loaded(["--users", users], "", known)).users === first.users);
  assert((await loaded(["--users", others], "", known)).users !== first.users);
  assertEquals((await loaded([], "", known)).users, null);
});

Deno.test("a policy is loaded for commands that serve nobody without users and listeners", async () => {
  const line = readFlags(["--listen", ":80", "--users", "/no/such/users"], parseListenAddress);
  const { spec, files } = await loadPolicy(line, ioWith(""));
  assertEquals([spec.authentication, files], ["always", []]);
});

Deno.test("two thousand rules are read, judged and made ready", async () => {
  let text = "";
  for (let i = 0; i < 2000; i++) {
    text +=
      `[[rule]]\nname = "r ${i}"\naction = "allow"\nhosts = ["h${i}.example", "*.h${i}.example"]\nports = 443\n`;
  }
  const { spec, warnings } = await loaded(["-c", "-"], text);
  assertEquals([spec.rules.length, warnings], [2000, []]);
});
