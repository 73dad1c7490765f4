import { assertEquals } from "@std/assert";
import { fileIn, folderAround, folderOf, listFilesOf, resolveLists } from "../../src/cli/named_files.ts";
import { readFlags } from "../../src/config/flags.ts";
import { parseListenAddress } from "../../src/net/listen.ts";

Deno.test("a list is sought from the folder of the file that names it, and keeps how it was written", () => {
  const { rules } = readFlags(["--allow", "@a.txt,@sub/b.txt,@/etc/c.txt,example.com"], parseListenAddress);
  assertEquals(listFilesOf(resolveLists(rules, undefined)), ["a.txt", "sub/b.txt", "/etc/c.txt"]);
  assertEquals(listFilesOf(resolveLists(rules, "weir.toml")), ["a.txt", "sub/b.txt", "/etc/c.txt"]);
  const resolved = resolveLists(rules, "/srv/weir/weir.toml");
  assertEquals(listFilesOf(resolved), ["/srv/weir/a.txt", "/srv/weir/sub/b.txt", "/etc/c.txt"]);
  assertEquals(resolved.flatMap(({ hosts }) => hosts?.map(({ text }) => text)), [
    ...["@a.txt", "@sub/b.txt", "@/etc/c.txt", "example.com"],
  ]);
  assertEquals([folderOf("/weir.toml"), folderOf("a/b/weir.toml"), folderOf("weir.toml")], ["/", "a/b/", ""]);
  assertEquals(fileIn("/", "a.txt"), "/a.txt");
});

Deno.test("a folder is named as permissions have it", () => {
  assertEquals(["users", "a/users", "/users", "/etc/weir/users"].map(folderAround), [
    ".",
    "a",
    "/",
    "/etc/weir",
  ]);
});
