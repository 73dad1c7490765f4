import { assert, assertEquals, assertRejects } from "@std/assert";
import { ListFiles } from "../../src/cli/lists.ts";
import { listFilesOf } from "../../src/cli/named_files.ts";
import { ConfigError } from "../../src/config/errors.ts";
import { type CommandLine, readFlags } from "../../src/config/flags.ts";
import { parseListenAddress } from "../../src/net/listen.ts";
import { Folder } from "./weir.ts";

const lineOf = (...args: string[]): CommandLine => readFlags(args, parseListenAddress);

Deno.test("a file that several rules name is read once", async () => {
  await using folder = await Folder.make();
  const file = await folder.write("list.txt", "a.example\n");
  const rules = lineOf("--allow", `@${file}`, "--deny", `@${file}:80`).rules;
  assertEquals(listFilesOf(rules), [file]);
  const files = new ListFiles();
  const lists = await files.load(listFilesOf(rules), lineOf());
  assertEquals([files.read, lists.size, lists.get(file)?.includesName("a.example")], [1, 1, true]);
});

Deno.test("a file that has not changed keeps its list, and one that has is read again", async () => {
  await using folder = await Folder.make();
  const same = await folder.write("same.txt", "a.example\n");
  const other = await folder.write("other.txt", "b.example\n");
  const files = new ListFiles();
  const first = await files.load([same, other], lineOf());
  assertEquals(files.read, 2);
  await folder.write("other.txt", "c.example\n");
  const second = await files.load([same, other], lineOf());
  assertEquals(files.read, 1);
  assert(second.get(same) === first.get(same));
  assertEquals([first.get(other)?.includesName("b.example"), second.get(other)?.includesName("c.example")], [
    true,
    true,
  ]);
});

Deno.test("every file that cannot be read is told, and what was known stays", async () => {
  await using folder = await Folder.make();
  const file = await folder.write("list.txt", "a.example\n");
  const files = new ListFiles();
  const first = await files.load([file], lineOf());
  const error = await assertRejects(
    () => files.load(["/no/such/list", file, folder.path], lineOf()),
    ConfigError,
  );
  assertEquals((error as ConfigError).problems, [
    "/no/such/list cannot be read: there is no such file",
    `${folder.path} cannot be read: it is a folder`,
  ]);
  const again = await files.load([file], lineOf());
  assertEquals([again.get(file) === first.get(file), files.read], [true, 0]);
});

Deno.test("what is not understood in a list is a warning with its line, for as long as the list is used", async () => {
  await using folder = await Folder.make();
  const file = await folder.write("list.txt", "a.example\nhttps://b.example/\n\nc d e\n");
  const files = new ListFiles();
  for (let time = 0; time < 2; time++) {
    await files.load([file], lineOf());
    assertEquals(files.warnings.map((warning) => warning.slice(0, file.length + 3)), [
      `${file}:2:`,
      `${file}:4:`,
    ]);
  }
  await files.load([], lineOf());
  assertEquals(files.warnings, []);
});

Deno.test("of a list that is no list the first lines are told, and the others counted", async () => {
  await using folder = await Folder.make();
  const file = await folder.write("list.txt", "no host\n".repeat(1000));
  const files = new ListFiles();
  await files.load([file], lineOf());
  assert(files.warnings.length < 100);
  assert(/and [0-9]+ more lines that are left out$/.test(files.warnings.at(-1)!), files.warnings.at(-1));
});
