import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { shellWord } from "../../src/programs/shell_word.ts";

Deno.test("a word has quotes only where a shell needs them", () => {
  assertEquals(shellWord("--allow-read=a/b.toml"), "--allow-read=a/b.toml");
  assertEquals(shellWord("two words"), "'two words'");
  assertEquals(shellWord("it's"), "'it'\\''s'");
  assertEquals(shellWord("$HOME"), "'$HOME'");
  assertEquals(shellWord(""), "''");
});

Deno.test("a shell reads back what was written", async () => {
  const words = fc.sample(fc.string({ unit: "grapheme" }).filter((word) => !word.includes("\0")), 100);
  const script = `printf '%s\\0' ${words.map(shellWord).join(" ")}`;
  const { stdout } = await new Deno.Command("sh", { args: ["-c", script] }).output();
  assertEquals(new TextDecoder().decode(stdout), words.map((word) => `${word}\0`).join(""));
});
