import { assert, assertEquals } from "@std/assert";
import { deniedLine, jsonLine } from "../review/logs.ts";
import { weir } from "./logs_of_commands.ts";
import { type Ended, Folder, runWeir } from "./weir.ts";

const LOG = [
  jsonLine(),
  jsonLine({ host: "api.example", port: 8443 }),
  deniedLine({ host: "evil.example" }),
].join("\n");

const POLICY = `# ours
[policy]
default = "deny"   # as it should be

# all of npm
[[rule]]
name = "npm"
action = "allow"
hosts = ["registry.corp.test"]

# and no more
[[rule]]
action = "deny"
note = "ask ops"
`;

/** Runs weir as a program of its own, which may write to the folder. */
function inFolder(folder: Folder, args: string[], input?: string): Promise<Ended> {
  return runWeir(args, {
    permissions: [`--allow-read=${folder.path}`, `--allow-write=${folder.path}`],
    input,
  });
}

Deno.test("what is learned is a policy that --check takes and by which nothing is judged otherwise", async () => {
  const log = [
    jsonLine(),
    jsonLine({ host: "api.example", port: 8443 }),
    deniedLine({ host: "evil.example" }),
  ].join("\n");
  const learned = await weir(["learn", "-", "--tests"], log);
  assertEquals([learned.code, learned.err], [0, ""]);
  const checked = await weir(["--check", "-c", "-"], learned.out);
  assertEquals(checked.code, 0, checked.err);
  await using folder = await Folder.make();
  const policy = await folder.write("policy.toml", learned.out);
  assertEquals((await weir(["replay", "-", "-c", policy], log)).code, 0);
});

Deno.test("--into adds what is lacking, keeps every byte, and has nothing to add the second time", async () => {
  await using folder = await Folder.make();
  const policy = await folder.write("policy.toml", POLICY);
  const first = await inFolder(folder, ["learn", "-", "--into", policy], LOG);
  assertEquals(first.code, 0, first.err);
  assertEquals(
    first.err,
    `weir: 1 rule added to ${policy}, which allowed 1 of 2 exchanges that went through\n`,
  );
  const added = `# 1 exchange, 2026-11-21 06:00:25Z, 1.0 kB up, 20 kB down
# ports 8443; clients 127.0.0.1
[[rule]]
name = "api.example"
action = "allow"
hosts = ["api.example"]
ports = [8443]

`;
  const text = await Deno.readTextFile(policy);
  assertEquals(text, POLICY.replace("# and no more", `${added}# and no more`));
  assertEquals(
    first.out,
    `--- ${policy}\n+++ ${policy}\n@@ -10,0 +11,8 @@\n${added.replace(/^/gm, "+").slice(0, -1)}` +
      "\n# Denied in the log, and not allowed here:\n#   1 evil.example:443, by default\n",
  );

  const second = await inFolder(folder, ["learn", "-", "--into", policy], LOG);
  assertEquals(
    second.err,
    `weir: there is nothing to add to ${policy}: it allows 2 of 2 exchanges that went through\n`,
  );
  assertEquals(await Deno.readTextFile(policy), text);
  assertEquals([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["policy.toml"]);
});

Deno.test("--into makes a file that is not there, and fills one by auto", async () => {
  await using folder = await Folder.make();
  const policy = `${folder.path}/new.toml`;
  const { code, out } = await inFolder(folder, ["learn", "-", "--into", policy], LOG);
  assertEquals(code, 0);
  assertEquals(await Deno.readTextFile(policy), out);
  const settings = await folder.write("weir.toml", 'listen = "8888"\n[timeouts]\ngrace = "1s"\n');
  assertEquals((await inFolder(folder, ["learn", "-", "--into", settings, "--tests"], LOG)).code, 0);
  const { code: checked, out: printed } = await weir(["--check", "-c", settings]);
  assertEquals([checked, printed.split("[[rule]]").length, printed.split("[[test]]").length], [0, 3, 3]);
});

Deno.test("a rule that denies by itself is left to decide, and a rule that would change nothing is not added", async () => {
  await using folder = await Folder.make();
  const written =
    '[policy]\ndefault = "deny"\n[[rule]]\nname = "no api"\naction = "deny"\nhosts = ["api.example"]\n' +
    '[[rule]]\naction = "allow"\nhosts = ["b.example"]\n';
  const policy = await folder.write("policy.toml", written);
  const log = [
    jsonLine({ host: "api.example" }),
    jsonLine({ host: "b.example", port: 22, client: "203.0.114.5" }),
  ].join("\n");
  const { code, out, err } = await inFolder(folder, ["learn", "-", "--into", policy], log);
  assertEquals([code, await Deno.readTextFile(policy)], [0, written]);
  assert(err.includes("nothing to add"));
  assert(out.includes("#   1 api.example:443, denied by no api\n"), out);
  assert(out.includes("#   b.example:22, denied by connect ports: "), out);
});

Deno.test("what cannot be added to is left as it is, with the reason", async () => {
  await using folder = await Folder.make();
  const cases: [string, string][] = [
    ['[policy]\ndefault = "allow"\n', "allows whatever no rule matches"],
    ['rule = [{ action = "allow", hosts = ["a.example"] }]\n', "there is no place in it for rules"],
    ["[policy\n", "policy.toml:1: "],
  ];
  for (const [text, expected] of cases) {
    const policy = await folder.write("policy.toml", text);
    const { code, err } = await inFolder(folder, ["learn", "-", "--into", policy], LOG);
    assertEquals([code, await Deno.readTextFile(policy)], [3, text]);
    assert(err.includes(expected), err);
  }
});

Deno.test("without the permission to write, the line to run is told", async () => {
  await using folder = await Folder.make();
  const policy = await folder.write("policy.toml", POLICY);
  const { code, err } = await runWeir(["learn", "-", "--into", policy], { input: LOG });
  assertEquals(code, 3);
  assert(
    err.includes("--allow-read=") && err.includes("--allow-write=") &&
      err.includes(`learn - --into ${policy}`),
    err,
  );
});

Deno.test("a byte order mark and ends of lines of Windows stay", async () => {
  await using folder = await Folder.make();
  const written = `\ufeff${POLICY.replaceAll("\n", "\r\n")}`;
  const policy = await folder.write("policy.toml", written);
  assertEquals((await inFolder(folder, ["learn", "-", "--into", policy], LOG)).code, 0);
  const bytes = await Deno.readFile(policy);
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  assert(text.startsWith("\ufeff# ours\r\n"));
  assertEquals(text.split("\n").filter((line) => line !== "" && !line.endsWith("\r")), []);
});

Deno.test("several logs are read as one", async () => {
  await using folder = await Folder.make();
  const one = await folder.write("one.log", jsonLine());
  const { out } = await weir(["learn", one, "-"], jsonLine());
  assert(out.includes("# 2 exchanges, "));
});

Deno.test("rules by user come with the file of users that they need, and go into no policy without one", async () => {
  const log = jsonLine({ user: "alice" });
  const { out } = await weir(["learn", "-", "--by-user"], log);
  assert(out.includes('\nusers = "users"\nauthentication = "by-rule"\n'));
  assert(out.includes('\nusers = ["alice"]\n'));
  await using folder = await Folder.make();
  const written = '[policy]\ndefault = "deny"\n';
  const policy = await folder.write("policy.toml", written);
  const { code, err } = await inFolder(folder, ["learn", "-", "--by-user", "--into", policy], log);
  assertEquals([code, await Deno.readTextFile(policy)], [3, written]);
  assert(err.startsWith(`weir: ${policy} would not be right with what was learned:\n`), err);
});
